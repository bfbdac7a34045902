//! What a model takes on a device: flash, RAM, and instructions, cycles and microseconds a word.
//!
//! Flash is the model file and the engine's code; RAM is the classifier and the engine's stack at its deepest. The rest of a
//! firmware comes on top. The bytes of the model are exact, those of the engine measured ([`cores`]). Instructions are
//! estimated, within 15 % of what the benchmark measures; cycles within 15 % of what it estimates from a trace, as if memory
//! had no wait states.

mod limits;
mod platform;
mod texts;

use std::fmt;

use kilornn::Contents;
use kilornn::layers::{Activation, Order};
use serde::Serialize;

pub use kilornn_host::cores::{self, CORES, Cells, Core, Costs, Shape};

pub use self::limits::{Excess, Limits};
pub use self::platform::Platform;
pub use self::texts::Texts;

/// How the engine is built that runs the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// As the firmware is built: tuned for speed, with scores and all of Unicode
    Full,
    /// The same, tuned for size
    Lean,
    /// Tuned for size, without scores, for texts that are lower-cased in ASCII alone
    Small,
    /// Not counted: it is there already
    None,
}

impl Engine {
    /// All that have bytes, the largest first.
    pub const ALL: [Self; 3] = [Self::Full, Self::Lean, Self::Small];

    /// Bytes of its code and constants, if it is to run these cells.
    pub fn code(self, core: &Core, cells: Cells) -> usize {
        let code = core.code_for(cells);
        match self {
            Self::Full => code.full,
            Self::Lean => code.lean,
            Self::Small => code.small,
            Self::None => 0,
        }
    }

    /// Whether its instructions are known.
    pub fn is_counted(self) -> bool {
        matches!(self, Self::Full | Self::None)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Lean => "lean",
            Self::Small => "small",
            Self::None => "none",
        })
    }
}

/// Where a model is to run, and on what texts.
#[derive(Debug, Clone, Copy)]
pub struct Deployment {
    /// What runs it.
    pub platform: Platform,
    /// The frequency in Hz at which the core runs.
    pub clock: u32,
    /// Bytes of a word in the texts, with what separates it from the next, on average.
    pub bytes_per_word: f64,
    /// Words of a text, on average.
    pub words_per_text: f64,
}

/// The properties of a model that decide its footprint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Needs {
    /// Bytes of its file.
    pub file: usize,
    /// Most bytes of its classifier.
    pub classifier: usize,
    /// The shape of its step.
    pub step: Shape,
}

impl Needs {
    /// Those of a model with a file of so many bytes.
    pub fn of(contents: &Contents<'_>, file: usize) -> Self {
        Self { file, classifier: classifier(contents), step: Shape::of(contents) }
    }

    /// The same with the weights of each SimpleRNN in the order that a function says, of activation and inputs.
    pub fn ordered(self, order: impl Fn(Activation, usize) -> Order) -> Self {
        Self { step: self.step.ordered(order), ..self }
    }
}

/// The most bytes of RAM that a classifier takes: nine for each of its `UNITS` ([`Contents::inputs`]), and four for each
/// remembered word, as the firmware's build reckons.
pub fn classifier(contents: &Contents<'_>) -> usize {
    let window = contents.text().map_or(0, |text| text.sequence.window());
    9 * contents.inputs() as usize + 4 * window as usize
}

/// What a model takes on a device.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Footprint {
    /// Bytes of its file.
    pub file: usize,
    /// Bytes of the engine's code and constants.
    pub engine: usize,
    /// Most bytes of the classifier in RAM.
    pub classifier: usize,
    /// Bytes of stack at its deepest.
    pub stack: usize,
    /// Estimated instructions of a word; none if they are not known of the engine.
    pub instructions_per_word: Option<f64>,
    /// Estimated cycles of a word, without wait states; none if they are not known of the engine or of the core.
    pub cycles_per_word: Option<f64>,
    /// The time that these cycles take.
    pub microseconds_per_word: Option<f64>,
}

impl Footprint {
    /// The footprint of a model in whose states the share `zeros` is zero.
    pub fn of(needs: Needs, zeros: f64, deployment: &Deployment) -> Self {
        let Deployment { platform: Platform { core, engine }, clock, bytes_per_word, words_per_text } =
            *deployment;
        let word = |costs: &Costs| costs.word(needs.step, zeros, bytes_per_word, words_per_text);
        let cycles = core.cycles.as_ref().filter(|_| engine.is_counted()).map(word);
        Self {
            file: needs.file,
            engine: engine.code(core, needs.step.cells()),
            classifier: needs.classifier,
            stack: core.stack_for(needs.step.cells()),
            instructions_per_word: engine.is_counted().then(|| word(&core.costs)),
            cycles_per_word: cycles,
            microseconds_per_word: cycles.map(|cycles| cycles * 1e6 / f64::from(clock)),
        }
    }

    /// Bytes of flash.
    pub fn flash(&self) -> usize {
        self.engine + self.file
    }

    /// Bytes of RAM.
    pub fn ram(&self) -> usize {
        self.classifier + self.stack
    }
}
