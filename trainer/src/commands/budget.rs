//! The arguments of `kilornn train` that are a budget.

use clap::ArgGroup;

use std::time::Duration;

use super::quantities::{parse_bytes, parse_clock, parse_latency};
use crate::footprint::{Limits, Platform};
use crate::search::Budget;

/// Limits, and what they are for.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(group = ArgGroup::new("limits").multiple(true).args(["flash", "ram", "instructions_per_word", "latency"]))]
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
    /// The most time that a word may take, tokenizer included, such as 2ms, 500us or 0.002s: an estimate of cycles as if
    /// memory had no wait states, at the frequency of --clock. Most of a text is done when its last word arrives, so this is
    /// also about the time from there to the answer
    #[arg(long, value_name = "TIME", value_parser = parse_latency)]
    latency: Option<Duration>,
    /// The frequency of the core, such as 16MHz [default: that of a board with it: m4 64MHz (micro:bit v2), m3 25MHz (MPS2),
    /// m0 16MHz (micro:bit), m0plus 125MHz (Pico)]
    #[arg(long, value_name = "FREQUENCY", value_parser = parse_clock, requires = "limits")]
    clock: Option<u32>,
    #[command(flatten)]
    platform: Platform,
}

impl BudgetArgs {
    /// The budget, if there is any limit.
    pub(super) fn budget(&self) -> Option<Budget> {
        let Self { flash, ram, instructions_per_word, latency, clock, platform } = *self;
        let microseconds_per_word = latency.map(|latency| latency.as_nanos() as f64 / 1e3);
        let limits = Limits { flash, ram, instructions_per_word, microseconds_per_word };
        let clock = clock.unwrap_or(platform.core.clock);
        (!limits.is_empty()).then_some(Budget { limits, platform, clock })
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;
    use crate::footprint::CORES;

    #[test]
    fn the_help_names_the_clock_of_every_core_that_has_cycles() {
        let command = BudgetArgs::augment_args(Command::new("train"));
        let clock = command.get_arguments().find(|argument| argument.get_id() == "clock").unwrap();
        let help = clock.get_help().unwrap().to_string();
        for core in CORES.iter().filter(|core| core.cycles.is_some()) {
            let named = format!("{} {}MHz", core.name, f64::from(core.clock) / 1e6);
            assert!(help.contains(&named), "{named} is not in: {help}");
        }
    }
}
