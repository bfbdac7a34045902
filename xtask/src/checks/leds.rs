//! The micro:bit's LEDs, as the pins' register in QEMU has them.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, Check};
use crate::report::Outcome;
use crate::sentences::SENTENCES;
use crate::terminal::Terminal;

/// The board that has them.
pub(crate) const BOARD: &str = "microbit";

pub(crate) const CHECKS: [Check; 1] = [("the label runs over the LEDs", label_is_shown)];

/// The nRF51's register of pins that are driven high.
const OUT: u32 = 0x5000_0504;

/// Pins 13 to 15 are the rows, which light LEDs when they are high ...
const ROWS: u32 = 0b111 << 13;

/// ... where pins 4 to 12, the columns, are low.
const COLUMNS: u32 = 0b1_1111_1111 << 4;

fn label_is_shown(bench: &Bench<'_>) -> Result<Outcome> {
    let mut terminal = Terminal::start_with_control(bench.emulation()?, &bench.elf)?;
    let dark = patterns(&mut terminal)?;
    ensure!(dark.is_empty(), "before the first label, LEDs are lit: {dark:x?}");
    let [first, ..] = SENTENCES;
    terminal.classify(first.as_bytes())?;
    let lit = patterns(&mut terminal)?;
    println!("    {} different patterns of lit rows", lit.len());
    ensure!(lit.len() > 5, "a label that runs over the LEDs has more patterns than {lit:x?}");
    Ok(Outcome::Passed)
}

/// All patterns that light any LED, in a few seconds' samples.
fn patterns(terminal: &mut Terminal) -> Result<BTreeSet<u32>> {
    let mut patterns = BTreeSet::new();
    for _ in 0..60 {
        let pins = terminal.word(OUT).context("the pins cannot be read")?;
        if pins & ROWS != 0 && pins & COLUMNS != COLUMNS {
            patterns.insert(pins & (ROWS | COLUMNS));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(patterns)
}
