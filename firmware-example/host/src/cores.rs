//! What the engine takes on each core: bytes of code, bytes of stack, and instructions.
//!
//! These are measurements. `cargo xtask engine` prints the bytes of code and `cargo xtask bench device` the rest, and
//! each fails where what it measures is no longer what stands here.

use kilornn::Contents;
use kilornn::layers::{Activation, Order};
use kilornn::text::Unit;

/// What the engine takes on one core.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Core {
    /// What `--core` calls it.
    pub name: &'static str,
    /// Its maker's name for it.
    pub about: &'static str,
    /// The Rust target.
    pub target: &'static str,
    /// The board on which `cargo xtask bench device` measures it.
    pub board: &'static str,
    /// Code and constants.
    pub code: Code,
    /// The most bytes of stack that are in use between loading a model and its answer.
    pub stack: usize,
    /// Executed instructions.
    pub costs: Costs,
}

/// Bytes of the engine's code and constants, by what is asked of it. Rounded up to hundreds: where a compiler lays things
/// depends on as little as the folder that it works in, and moves a few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Tuned for speed, with scores, a table for the checksum and all of Unicode: as a firmware is built that says
    /// nothing else.
    pub full: usize,
    /// The same tuned for size.
    pub lean: usize,
    /// Tuned for size, for ASCII and the class alone.
    pub small: usize,
}

/// Executed instructions of the engine tuned for speed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// To split and hash a byte of text.
    pub byte: f64,
    /// The same where every character is a token.
    pub character_byte: f64,
    /// To look up a word, and all else that a word costs besides its step.
    pub word: f64,
    /// To look for a pair that the vocabulary does not have.
    pub pair: f64,
    /// For each logit beyond the first, once for a text.
    pub logit: f64,
    /// Of a step with weights in columns.
    pub columns: Step,
    /// Of a step with weights in pairs; `None` where that makes no difference.
    pub pairs: Option<Step>,
}

/// Executed instructions of a step, as a sum of terms: each field is the factor of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// In every step, whatever the model's dimensions.
    pub any: f64,
    /// For each unit.
    pub unit: f64,
    /// For each unit of a tanh.
    pub tanh: f64,
    /// For each number of the word's embedding.
    pub number: f64,
    /// For each weight that is multiplied.
    pub product: f64,
    /// Whether weights are multiplied with zeros, too.
    pub reads_zeros: bool,
}

/// The dimensions on the device of a network that is a single SimpleRNN, which decide what a step costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Hidden units, filled up to a multiple of four.
    pub units: usize,
    /// Numbers of a word; none if the embedding is folded.
    pub width: usize,
    /// Whether the activation is tanh.
    pub tanh: bool,
    /// How the weights lie.
    pub order: Order,
    /// Whether every character is a token, and whether tokens are looked up in pairs first.
    pub unit: Unit,
    /// The number of logits.
    pub outputs: usize,
}

impl Shape {
    /// The shape of a model, or `None` if it has other layers than one SimpleRNN.
    pub fn of(contents: &Contents<'_>) -> Option<Self> {
        let rnn = contents.layers.simple_rnn()?;
        Some(Self {
            units: rnn.units as usize,
            width: contents.width() as usize,
            tanh: rnn.activation == Activation::Tanh,
            order: rnn.order,
            unit: contents.text()?.normalization.unit,
            outputs: contents.dense()?.outputs as usize,
        })
    }
}

impl Costs {
    /// Instructions of a step from states of which this share is zero.
    pub fn step(&self, shape: Shape, zeros: f64) -> f64 {
        let Shape { units, width, tanh, order, .. } = shape;
        let [units, width] = [units as f64, width as f64];
        let step = self.pairs.filter(|_| order == Order::Pairs).unwrap_or(self.columns);
        let inputs = width + if step.reads_zeros { units } else { units * (1.0 - zeros) };
        let tanh = if tanh { step.tanh * units } else { 0.0 };
        step.any + step.unit * units + tanh + step.number * width + step.product * units * inputs
    }

    /// Instructions to split and hash a byte of text.
    pub fn byte(&self, unit: Unit) -> f64 {
        if unit.is_character() { self.character_byte } else { self.byte }
    }

    /// Instructions of a word of so many bytes, what separates it from the next included, with its step and its share in
    /// the answer to a text of so many words.
    pub fn word(&self, shape: Shape, zeros: f64, bytes: f64, words: f64) -> f64 {
        let Shape { unit, outputs, .. } = shape;
        let pair = if unit.has_pairs() { self.pair } else { 0.0 };
        let logits = self.logit * (outputs.max(1) - 1) as f64 / words.max(1.0);
        self.byte(unit) * bytes + self.word + pair + self.step(shape, zeros) + logits
    }
}

impl Core {
    /// The core of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CORES.iter().find(|core| core.name == name)
    }
}

/// Every core of which something is known. The coefficients of a step are the least squares of relative errors on the
/// steps that `cargo xtask bench device --json` prints.
pub static CORES: [Core; 4] = [
    Core {
        name: "m4",
        about: "Cortex-M4",
        target: "thumbv7em-none-eabihf",
        board: "mps2-an386",
        code: Code { full: 37_500, lean: 24_200, small: 10_500 },
        stack: 988,
        costs: Costs {
            byte: 26.2,
            character_byte: 95.1,
            word: 130.0,
            pair: 20.0,
            logit: 231.0,
            columns: Step {
                any: 95.3,
                unit: 9.44,
                tanh: 0.0,
                number: 18.3,
                product: 1.451,
                reads_zeros: false,
            },
            pairs: Some(Step {
                any: 82.1,
                unit: 7.76,
                tanh: 35.2,
                number: 19.5,
                product: 0.909,
                reads_zeros: true,
            }),
        },
    },
    Core {
        name: "m3",
        about: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        board: "mps2-an385",
        code: Code { full: 38_400, lean: 25_100, small: 9_500 },
        stack: 988,
        costs: Costs {
            byte: 26.2,
            character_byte: 95.1,
            word: 140.0,
            pair: 20.0,
            logit: 290.0,
            columns: Step {
                any: 91.8,
                unit: 18.67,
                tanh: 36.0,
                number: 11.6,
                product: 2.537,
                reads_zeros: false,
            },
            pairs: None,
        },
    },
    Core {
        name: "m0",
        about: "Cortex-M0",
        target: "thumbv6m-none-eabi",
        board: "microbit",
        code: Code { full: 39_800, lean: 26_000, small: 10_000 },
        stack: 1_008,
        costs: Costs {
            byte: 30.1,
            character_byte: 117.1,
            word: 300.0,
            pair: 50.0,
            logit: 437.0,
            columns: Step {
                any: 110.9,
                unit: 22.95,
                tanh: 27.6,
                number: 17.8,
                product: 3.673,
                reads_zeros: false,
            },
            pairs: None,
        },
    },
    Core {
        name: "rv32",
        about: "RV32IMAC",
        target: "riscv32imac-unknown-none-elf",
        board: "hifive1",
        code: Code { full: 37_000, lean: 28_900, small: 11_600 },
        stack: 888,
        costs: Costs {
            byte: 24.0,
            character_byte: 100.1,
            word: 150.0,
            pair: 20.0,
            logit: 526.0,
            columns: Step {
                any: 241.2,
                unit: 7.12,
                tanh: 0.0,
                number: 13.0,
                product: 3.487,
                reads_zeros: false,
            },
            pairs: Some(Step {
                any: 113.2,
                unit: 21.09,
                tanh: 21.5,
                number: 23.8,
                product: 4.513,
                reads_zeros: false,
            }),
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_narrow_embeddings_cost_less_and_pairs_nothing_less() {
        for core in &CORES {
            let shape = |units, width| Shape {
                units,
                width,
                tanh: false,
                order: Order::Columns,
                unit: Unit::Word,
                outputs: 1,
            };
            let costs = core.costs;
            assert!(costs.step(shape(32, 0), 0.9) < costs.step(shape(32, 0), 0.5), "{}", core.name);
            assert!(costs.step(shape(32, 4), 0.5) < costs.step(shape(32, 8), 0.5), "{}", core.name);
            let words = shape(32, 0);
            let word = |shape, bytes, of| costs.word(shape, 0.5, bytes, of);
            let base = word(words, 5.0, 20.0);
            assert!(base < word(words, 6.0, 20.0), "{}: more bytes", core.name);
            assert!(base < word(Shape { unit: Unit::WordPair, ..words }, 5.0, 20.0), "{}: pairs", core.name);
            let classes = Shape { outputs: 77, ..words };
            assert!(base < word(classes, 5.0, 20.0) && word(classes, 5.0, 20.0) < word(classes, 5.0, 10.0));
            assert_eq!(Core::find(core.name), Some(core));
        }
        let m4 = CORES[0].costs;
        let pairs =
            Shape { units: 32, width: 0, tanh: false, order: Order::Pairs, unit: Unit::Word, outputs: 1 };
        assert!((m4.step(pairs, 0.1) - m4.step(pairs, 0.3)).abs() < 1e-9);
        // As `cargo xtask bench device` measured: 1,262.5 and 1,168.8.
        assert!((m4.step(pairs, 0.0) / 1262.5 - 1.0).abs() < 0.05);
        assert!((m4.step(Shape { order: Order::Columns, ..pairs }, 0.5) / 1168.8 - 1.0).abs() < 0.05);
    }
}
