//! What the engine takes on each core: bytes of code, bytes of stack, instructions and cycles.
//!
//! These are measurements, and cycles are estimated from a trace of the same instructions. `cargo xtask engine` prints
//! the bytes of code and `cargo xtask bench device` the rest, and each fails where what it measures is no longer what
//! stands here.

mod cycles;

use kilornn::Contents;
use kilornn::layers::{Activation, LAYERS, Layer, Order};
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
    /// Code and constants of the engine that runs one SimpleRNN.
    pub code: Code,
    /// The same of the engine that runs several layers, without any cell of [`GATED`].
    pub stacked: Code,
    /// What each cell of [`GATED`] adds to that.
    pub gated: [Code; GATED.len()],
    /// The most bytes of stack that are in use between loading a model and its answer, in any build.
    pub stack: usize,
    /// The same with cells of [`GATED`], for a model of gates or of several layers.
    pub gated_stack: usize,
    /// Executed instructions.
    pub costs: Costs,
    /// Estimated cycles, as if memory had no wait states; none where what is documented does not suffice.
    pub cycles: Option<Costs>,
    /// The frequency in Hz that is taken where none is said: that of a board with this core.
    pub clock: u32,
}

/// A cell with gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gated {
    /// What people call it.
    pub name: &'static str,
    /// The feature of the runtime's crate that runs it.
    pub feature: &'static str,
    /// How many products of an input a unit needs.
    pub sums: u8,
}

/// The cells with gates, of which all tables of cells here have a row each, in this order.
pub static GATED: [Gated; 3] = [
    Gated { name: "GRU", feature: "gru", sums: 3 },
    Gated { name: "LSTM", feature: "lstm", sums: 4 },
    Gated { name: "FastGRNN", feature: "fastgrnn", sums: 1 },
];

/// What an engine runs besides one SimpleRNN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cells {
    /// Several layers. Each cell with gates brings them.
    stacked: bool,
    /// Of the cells with gates, these.
    gated: [bool; GATED.len()],
}

impl Cells {
    /// Nothing.
    pub const ONE: Self = Self { stacked: false, gated: [false; GATED.len()] };
    /// Everything.
    pub const ALL: Self = Self { stacked: true, gated: [true; GATED.len()] };

    /// One cell with gates, by its place in [`GATED`].
    #[must_use]
    pub fn only(place: usize) -> Self {
        Self { stacked: true, gated: std::array::from_fn(|other| other == place) }
    }

    /// The cells with gates.
    pub fn gated(self) -> impl Iterator<Item = &'static Gated> {
        GATED.iter().zip(self.gated).filter(|(_, runs)| *runs).map(|(cell, _)| cell)
    }
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

impl Code {
    fn plus(self, more: Self) -> Self {
        Self { full: self.full + more.full, lean: self.lean + more.lean, small: self.small + more.small }
    }
}

/// What the engine takes, in executed instructions or in cycles, as the core's board builds it: tuned for speed, where its
/// flash is scarce in a program that is tuned for size.
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
    /// Of a step of each cell of [`GATED`].
    pub gated: [GatedStep; GATED.len()],
}

/// What a step takes, as a sum of terms: each field is the factor of one.
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

/// What a step of a layer with gates takes, as a sum of terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GatedStep {
    /// In every step, whatever the layer's dimensions.
    pub any: f64,
    /// For each unit.
    pub unit: f64,
    /// For each number that the layer reads, its own states among them.
    pub number: f64,
    /// For each weight that is multiplied.
    pub product: f64,
}

/// A network's dimensions on the device, which decide what a step costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The recurrent layers, from the lowest up; those that a network has not are `None`.
    pub layers: [Option<LayerShape>; LAYERS],
    /// Whether every character is a token, and whether tokens are looked up in pairs first.
    pub unit: Unit,
    /// The number of logits.
    pub outputs: usize,
}

/// A recurrent layer's dimensions on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerShape {
    /// What it computes.
    pub cell: CellShape,
    /// Hidden units, filled up to a multiple of four.
    pub units: usize,
    /// Numbers that it reads besides its states: those of a word, none if the embedding is folded, or the layer below's.
    pub width: usize,
}

/// What decides about a cell's costs besides its dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellShape {
    /// A SimpleRNN.
    SimpleRnn {
        /// Whether the activation is tanh.
        tanh: bool,
        /// How the weights lie.
        order: Order,
    },
    /// A cell of [`GATED`], by its place there.
    Gated(usize),
}

impl CellShape {
    /// How many products of an input a unit needs: one for each of its sums.
    fn sums(self) -> f64 {
        match self {
            Self::SimpleRnn { .. } => 1.0,
            Self::Gated(place) => GATED[place].sums.into(),
        }
    }
}

impl Shape {
    /// The shape of a model.
    pub fn of(contents: &Contents<'_>) -> Self {
        let mut width = contents.width() as usize;
        let mut layers = [None; LAYERS];
        for (shape, layer) in layers.iter_mut().zip(contents.layers.iter()) {
            let units = layer.units() as usize;
            let cell = match layer {
                Layer::SimpleRnn(rnn) => {
                    CellShape::SimpleRnn { tanh: rnn.activation == Activation::Tanh, order: rnn.order }
                }
                gated => match GATED.iter().position(|cell| gated.feature() == Some(cell.feature)) {
                    Some(place) => CellShape::Gated(place),
                    // A newer cell than this program knows cannot come out of its own runtime.
                    None => continue,
                },
            };
            *shape = Some(LayerShape { cell, units, width });
            width = units;
        }
        Self {
            layers,
            unit: contents.text().map_or(Unit::Word, |text| text.normalization.unit),
            outputs: contents.dense().map_or(1, |dense| dense.outputs as usize),
        }
    }

    /// The least that an engine must be able to run for it.
    pub fn cells(&self) -> Cells {
        let has = |cell| self.layers.iter().flatten().any(|layer| layer.cell == CellShape::Gated(cell));
        let gated: [bool; GATED.len()] = std::array::from_fn(has);
        let layers = self.layers.iter().flatten().count();
        Cells { stacked: layers > 1 || gated.contains(&true), gated }
    }

    /// Multiply-accumulates of a step. The kernel leaves out the columns of a SimpleRNN's states that are zero, of
    /// which this is the share, unless it reads them in pairs.
    pub fn products(&self, zeros: f64) -> f64 {
        let of_layer = |&LayerShape { cell, units, width }: &LayerShape| {
            let [units, width] = [units as f64, width as f64];
            let read = match cell {
                CellShape::SimpleRnn { order: Order::Columns, .. } => units * (1.0 - zeros),
                _ => units,
            };
            cell.sums() * units * (read + width)
        };
        self.layers.iter().flatten().map(of_layer).sum()
    }

    /// The same with the weights of each SimpleRNN in the order that a function says, of activation and inputs.
    #[must_use]
    pub fn ordered(mut self, order: impl Fn(Activation, usize) -> Order) -> Self {
        for layer in self.layers.iter_mut().flatten() {
            let inputs = layer.units + layer.width;
            if let CellShape::SimpleRnn { tanh, order: present } = &mut layer.cell {
                *present = order(if *tanh { Activation::Tanh } else { Activation::Relu }, inputs);
            }
        }
        self
    }
}

impl Costs {
    /// What a step takes. In states of ReLU layers this share is zero.
    pub fn step(&self, shape: Shape, zeros: f64) -> f64 {
        shape.layers.into_iter().flatten().map(|layer| self.layer(layer, zeros)).sum()
    }

    fn layer(&self, LayerShape { cell, units, width }: LayerShape, zeros: f64) -> f64 {
        let [units, width] = [units as f64, width as f64];
        let gated = |step: &GatedStep| {
            let inputs = units + width;
            step.any + step.unit * units + step.number * inputs + step.product * cell.sums() * units * inputs
        };
        match cell {
            CellShape::Gated(place) => gated(&self.gated[place]),
            CellShape::SimpleRnn { tanh, order } => {
                let step = self.pairs.filter(|_| order == Order::Pairs).unwrap_or(self.columns);
                let inputs = width + if step.reads_zeros { units } else { units * (1.0 - zeros) };
                let tanh = if tanh { step.tanh * units } else { 0.0 };
                step.any + step.unit * units + tanh + step.number * width + step.product * units * inputs
            }
        }
    }

    /// What it takes to split and hash a byte of text.
    pub fn byte(&self, unit: Unit) -> f64 {
        if unit.is_character() { self.character_byte } else { self.byte }
    }

    /// What a word takes of so many bytes, what separates it from the next included, with its step and its share in
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

    /// Whether it is measured itself: other cores execute the instructions of one that is, and differ in their cycles.
    pub fn is_measured(&self) -> bool {
        CORES.iter().find(|core| core.board == self.board).is_some_and(|first| first.name == self.name)
    }

    /// Bytes of stack of an engine that runs these cells.
    pub fn stack_for(&self, cells: Cells) -> usize {
        if cells.stacked { self.gated_stack } else { self.stack }
    }

    /// Bytes of the engine that runs these cells.
    pub fn code_for(&self, cells: Cells) -> Code {
        let own = self.gated.iter().zip(cells.gated).filter(|(_, runs)| *runs).map(|(code, _)| *code);
        match own.reduce(Code::plus) {
            Some(own) => self.stacked.plus(own),
            // Several layers need the feature of some cell.
            None if cells.stacked => {
                let least = self.gated.into_iter().min_by_key(|code| code.full);
                least.map_or(self.stacked, |code| self.stacked.plus(code))
            }
            None => self.code,
        }
    }
}

/// Those that are measured themselves.
pub fn measured() -> impl Iterator<Item = &'static Core> {
    CORES.iter().filter(|core| core.is_measured())
}

/// The M0, of which the M0+ has the instructions.
const M0: Core = Core {
    name: "m0",
    about: "Cortex-M0",
    target: "thumbv6m-none-eabi",
    board: "microbit",
    code: Code { full: 26_900, lean: 15_300, small: 10_000 },
    stacked: Code { full: 41_700, lean: 22_600, small: 17_300 },
    gated: [
        Code { full: 5_200, lean: 4_500, small: 4_500 },
        Code { full: 3_500, lean: 3_000, small: 3_000 },
        Code { full: 4_400, lean: 3_900, small: 3_900 },
    ],
    stack: 630,
    gated_stack: 740,
    costs: Costs {
        byte: 33.3,
        character_byte: 97.1,
        word: 156.8,
        pair: 50.0,
        logit: 512.5,
        columns: Step {
            any: 185.1,
            unit: 23.14,
            tanh: 26.59,
            number: 23.35,
            product: 3.627,
            reads_zeros: false,
        },
        pairs: None,
        gated: [
            GatedStep { any: 559.0, unit: 73.18, number: 3.0, product: 3.243 },
            GatedStep { any: 540.5, unit: 108.7, number: 0.0, product: 3.298 },
            GatedStep { any: 306.9, unit: 58.62, number: 11.42, product: 3.31 },
        ],
    },
    cycles: Some(cycles::M0),
    clock: 16_000_000,
};

/// Every core of which something is known. The coefficients of a step are the least squares of relative errors on the
/// steps that `cargo xtask bench device` measures; its `--fit` prints them.
pub static CORES: [Core; 5] = [
    Core {
        name: "m4",
        about: "Cortex-M4",
        target: "thumbv7em-none-eabihf",
        board: "mps2-an386",
        code: Code { full: 27_100, lean: 16_200, small: 11_100 },
        stacked: Code { full: 39_900, lean: 23_100, small: 18_000 },
        gated: [
            Code { full: 4_500, lean: 3_800, small: 3_900 },
            Code { full: 3_100, lean: 2_600, small: 2_600 },
            Code { full: 3_800, lean: 3_300, small: 3_300 },
        ],
        stack: 520,
        gated_stack: 580,
        costs: Costs {
            byte: 24.4,
            character_byte: 89.1,
            word: 73.47,
            pair: 20.0,
            logit: 294.4,
            columns: Step {
                any: 105.8,
                unit: 8.628,
                tanh: 0.0,
                number: 19.1,
                product: 1.462,
                reads_zeros: false,
            },
            pairs: Some(Step {
                any: 67.65,
                unit: 8.902,
                tanh: 0.39,
                number: 15.63,
                product: 0.8832,
                reads_zeros: true,
            }),
            gated: [
                GatedStep { any: 281.0, unit: 17.72, number: 0.0, product: 0.9401 },
                GatedStep { any: 203.9, unit: 33.91, number: 0.0, product: 0.9155 },
                GatedStep { any: 100.7, unit: 17.25, number: 5.211, product: 0.9155 },
            ],
        },
        cycles: Some(cycles::M4),
        clock: 64_000_000,
    },
    Core {
        name: "m3",
        about: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        board: "mps2-an385",
        code: Code { full: 25_200, lean: 14_500, small: 9_500 },
        stacked: Code { full: 39_100, lean: 21_300, small: 16_400 },
        gated: [
            Code { full: 5_000, lean: 4_500, small: 4_400 },
            Code { full: 3_300, lean: 2_900, small: 2_800 },
            Code { full: 4_200, lean: 3_700, small: 3_600 },
        ],
        stack: 520,
        gated_stack: 580,
        costs: Costs {
            byte: 24.4,
            character_byte: 89.1,
            word: 80.27,
            pair: 20.0,
            logit: 366.8,
            columns: Step {
                any: 102.2,
                unit: 17.87,
                tanh: 35.38,
                number: 12.39,
                product: 2.551,
                reads_zeros: false,
            },
            pairs: None,
            gated: [
                GatedStep { any: 353.2, unit: 59.09, number: 0.0, product: 2.225 },
                GatedStep { any: 269.9, unit: 82.08, number: 0.0, product: 2.274 },
                GatedStep { any: 175.0, unit: 44.25, number: 4.438, product: 2.3 },
            ],
        },
        cycles: Some(cycles::M3),
        clock: 25_000_000,
    },
    M0,
    Core { name: "m0plus", about: "Cortex-M0+", cycles: Some(cycles::M0_PLUS), clock: 125_000_000, ..M0 },
    Core {
        name: "rv32",
        about: "RV32IMAC",
        target: "riscv32imac-unknown-none-elf",
        board: "hifive1",
        code: Code { full: 24_700, lean: 18_200, small: 11_500 },
        stacked: Code { full: 34_300, lean: 25_600, small: 18_900 },
        gated: [
            Code { full: 4_000, lean: 3_500, small: 3_500 },
            Code { full: 3_000, lean: 2_600, small: 2_600 },
            Code { full: 3_800, lean: 3_600, small: 3_600 },
        ],
        stack: 420,
        gated_stack: 490,
        costs: Costs {
            byte: 24.9,
            character_byte: 88.1,
            word: 84.74,
            pair: 20.0,
            logit: 617.5,
            columns: Step {
                any: 253.0,
                unit: 6.444,
                tanh: 0.0,
                number: 12.18,
                product: 3.497,
                reads_zeros: false,
            },
            pairs: Some(Step {
                any: 219.3,
                unit: 2.971,
                tanh: 22.6,
                number: 29.35,
                product: 4.948,
                reads_zeros: false,
            }),
            gated: [
                GatedStep { any: 361.5, unit: 61.2, number: 4.837, product: 3.343 },
                GatedStep { any: 395.7, unit: 100.0, number: 0.0, product: 3.468 },
                GatedStep { any: 155.0, unit: 42.51, number: 10.98, product: 3.463 },
            ],
        },
        // The FE310 reads the model through SPI, which takes far longer than its pipeline's documented cycles.
        cycles: None,
        clock: 16_000_000,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A model of one ReLU layer that reads words.
    fn relu(order: Order, units: usize, width: usize) -> Shape {
        let layer = LayerShape { cell: CellShape::SimpleRnn { tanh: false, order }, units, width };
        Shape { layers: [Some(layer), None, None, None], unit: Unit::Word, outputs: 1 }
    }

    #[test]
    fn zeros_and_narrow_embeddings_cost_less_and_pairs_nothing_less() {
        for core in &CORES {
            let shape = |units, width| relu(Order::Columns, units, width);
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
        assert_eq!(relu(Order::Columns, 32, 8).products(0.5), 32.0 * (16.0 + 8.0));
        let gru = LayerShape { cell: CellShape::Gated(0), units: 8, width: 4 };
        let layers = [Some(gru), Some(LayerShape { width: 8, ..gru }), None, None];
        let two = Shape { layers, ..relu(Order::Columns, 4, 0) };
        assert_eq!(two.products(0.5), 3.0 * 8.0 * (12.0 + 16.0));
        let m4 = CORES[0].costs;
        let pairs = relu(Order::Pairs, 32, 0);
        assert!((m4.step(pairs, 0.1) - m4.step(pairs, 0.3)).abs() < 1e-9);
        // As `cargo xtask bench device` measured: 1,262.5 and 1,168.8.
        assert!((m4.step(pairs, 0.0) / 1262.5 - 1.0).abs() < 0.05);
        assert!((m4.step(relu(Order::Columns, 32, 0), 0.5) / 1168.8 - 1.0).abs() < 0.05);
    }
}
