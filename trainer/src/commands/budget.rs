//! The arguments of `kilornn train` that are a budget.

use clap::ArgGroup;

use super::quantities::parse_bytes;
use crate::footprint::{Limits, Platform};
use crate::search::Budget;

/// Limits, and what they are for.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(group = ArgGroup::new("limits").multiple(true).args(["flash", "ram", "instructions_per_word"]))]
pub(super) struct BudgetArgs {
    /// The most bytes of flash for the model and the engine together, such as 64K (K is 1,024, M is 1,024 K)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    flash: Option<usize>,
    /// The most bytes of RAM for the classifier and the engine's stack together
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    ram: Option<usize>,
    /// The most instructions that a word may take, tokenizer included: an estimate, from the share of zeros in the
    /// trained network's states
    #[arg(long, value_name = "N")]
    instructions_per_word: Option<usize>,
    #[command(flatten)]
    platform: Platform,
}

impl BudgetArgs {
    /// The budget, if there is any limit.
    pub(super) fn budget(&self) -> Option<Budget> {
        let Self { flash, ram, instructions_per_word, platform } = *self;
        let limits = Limits { flash, ram, instructions_per_word };
        (!limits.is_empty()).then_some(Budget { limits, platform })
    }
}
