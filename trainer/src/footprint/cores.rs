//! What the engine takes on each core: bytes of code, bytes of stack, and instructions.
//!
//! These are measurements. `cargo xtask engine` prints the bytes of code and `cargo xtask bench device` the rest, and
//! each fails where what it measures is no longer what stands here. Both read this very file, so it uses nothing of the
//! crate around it.

use kilornn::Contents;
use kilornn::layers::{Activation, Order};

/// What one core takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Core {
    /// What `--core` calls it.
    pub name: &'static str,
    /// What others call it.
    pub about: &'static str,
    /// The compiler's name.
    pub target: &'static str,
    /// The board on which `cargo xtask bench device` measures it.
    pub board: &'static str,
    /// Code and constants.
    pub code: Code,
    /// The deepest that the engine goes from loading a model to its answer, in bytes of stack.
    pub stack: usize,
    /// Instructions.
    pub costs: Costs,
}

/// Bytes of the engine's code and constants, by what is asked of it.
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
    /// To look up a word, and all else that a word costs besides its step.
    pub word: f64,
    /// To look for a pair that the vocabulary does not have.
    pub pair: f64,
    /// Of a step with weights in columns.
    pub columns: Step,
    /// Of a step with weights in pairs; `None` where that makes no difference.
    pub pairs: Option<Step>,
}

/// Executed instructions of a step, as a sum of these.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Whatever it is.
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

/// What of a model decides the cost of its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Hidden units, in fours.
    pub units: usize,
    /// Numbers of a word; none if the embedding is folded.
    pub width: usize,
    /// Whether the activation is tanh.
    pub tanh: bool,
    /// How the weights lie.
    pub order: Order,
    /// Whether words are looked up in pairs first.
    pub in_pairs: bool,
}

impl Shape {
    /// A model's.
    pub fn of(contents: &Contents<'_>) -> Self {
        Self {
            units: contents.rnn.units as usize,
            width: contents.embedding.width() as usize,
            tanh: contents.rnn.activation == Activation::Tanh,
            order: contents.rnn.order,
            in_pairs: contents.normalization.unit.has_pairs(),
        }
    }
}

impl Costs {
    /// Instructions of a step from states of which this share is zero.
    pub fn step(&self, shape: Shape, zeros: f64) -> f64 {
        let Shape { units, width, tanh, order, in_pairs: _ } = shape;
        let [units, width] = [units as f64, width as f64];
        let step = self.pairs.filter(|_| order == Order::Pairs).unwrap_or(self.columns);
        let inputs = width + if step.reads_zeros { units } else { units * (1.0 - zeros) };
        let tanh = if tanh { step.tanh * units } else { 0.0 };
        step.any + step.unit * units + tanh + step.number * width + step.product * units * inputs
    }

    /// Instructions of a word of so many bytes, what separates it from the next included, its step with it.
    pub fn word(&self, shape: Shape, zeros: f64, bytes: f64) -> f64 {
        let pair = if shape.in_pairs { self.pair } else { 0.0 };
        self.byte * bytes + self.word + pair + self.step(shape, zeros)
    }
}

impl Core {
    /// The one with such a name.
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
        code: Code { full: 37_226, lean: 24_114, small: 10_331 },
        stack: 988,
        costs: Costs {
            byte: 26.2,
            word: 118.0,
            pair: 60.0,
            columns: Step {
                any: 111.0,
                unit: 8.67,
                tanh: 0.0,
                number: 23.1,
                product: 1.447,
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
        code: Code { full: 38_074, lean: 25_026, small: 9_431 },
        stack: 988,
        costs: Costs {
            byte: 26.2,
            word: 115.0,
            pair: 60.0,
            columns: Step {
                any: 96.3,
                unit: 18.26,
                tanh: 36.0,
                number: 18.9,
                product: 2.519,
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
        code: Code { full: 39_292, lean: 25_840, small: 9_923 },
        stack: 1_008,
        costs: Costs {
            byte: 29.1,
            word: 265.0,
            pair: 150.0,
            columns: Step {
                any: 120.5,
                unit: 22.55,
                tanh: 27.6,
                number: 29.1,
                product: 3.594,
                reads_zeros: false,
            },
            pairs: None,
        },
    },
    Core {
        name: "rv32",
        about: "RV32IMAC",
        target: "riscv32imac-unknown-none-elf",
        board: "sifive-e",
        code: Code { full: 36_490, lean: 28_688, small: 11_363 },
        stack: 892,
        costs: Costs {
            byte: 24.0,
            word: 120.0,
            pair: 60.0,
            columns: Step {
                any: 222.7,
                unit: 7.27,
                tanh: 0.0,
                number: 7.0,
                product: 3.544,
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
                in_pairs: false,
            };
            let costs = core.costs;
            assert!(costs.step(shape(32, 0), 0.9) < costs.step(shape(32, 0), 0.5), "{}", core.name);
            assert!(costs.step(shape(32, 4), 0.5) < costs.step(shape(32, 8), 0.5), "{}", core.name);
            assert!(costs.word(shape(32, 0), 0.5, 5.0) < costs.word(shape(32, 0), 0.5, 6.0), "{}", core.name);
            let words = shape(32, 0);
            let pairs = Shape { in_pairs: true, ..words };
            assert!(costs.word(words, 0.5, 5.0) < costs.word(pairs, 0.5, 5.0), "{}", core.name);
            assert_eq!(Core::find(core.name), Some(core));
        }
        let m4 = CORES[0].costs;
        let pairs =
            Shape { units: 32, width: 0, tanh: false, order: Order::Pairs, in_pairs: false };
        assert!((m4.step(pairs, 0.1) - m4.step(pairs, 0.3)).abs() < 1e-9);
        // As `cargo xtask bench device` measured: 1,262.5 and 1,168.8.
        assert!((m4.step(pairs, 0.0) / 1262.5 - 1.0).abs() < 0.05);
        assert!((m4.step(Shape { order: Order::Columns, ..pairs }, 0.5) / 1168.8 - 1.0).abs() < 0.05);
    }
}
