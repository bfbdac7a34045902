//! Cycles and microseconds of a row of the bench.

use std::iter;

use anyhow::{Context as _, Result, ensure};
use kilornn_host::Board;
use kilornn_host::cores::Core;
use serde_json::{Map, Value, json};

use super::Row;
use super::cycles::{Estimate, Pipeline, Traced, Window};
use super::figures::Figures;

/// Estimated cycles of a model on a core.
pub(super) struct Timed {
    pub(super) core: &'static Core,
    /// Of a step.
    pub(super) step: Estimate,
    /// Of a byte of text.
    pub(super) byte: Estimate,
    /// Of a word.
    pub(super) word: Estimate,
}

impl Timed {
    /// From a trace of a part of what was counted.
    pub(super) fn of(
        core: &'static Core,
        pipeline: Pipeline,
        traced: &Traced,
        figures: &Figures,
    ) -> Result<Self> {
        traced.check(pipeline).with_context(|| format!("cycles on {}", core.about))?;
        let [step, byte, word] = [Window::Steps, Window::Tokenizing, Window::Classifying]
            .map(|window| traced.work(window, pipeline));
        let (step, byte, word) = (step?, byte?, word?);
        // The same work was counted before; reading the counter adds to it.
        let counted = figures.byte * super::accounting::TEXTS.len() as f64;
        let share = byte.instructions as f64 / counted;
        ensure!((share - 1.0).abs() < 0.01, "{} of {counted:.0} instructions were traced", byte.instructions);
        Ok(Self {
            core,
            step: step.cycles_of(figures.step),
            byte: byte.cycles_of(figures.byte),
            word: word.cycles_of(figures.word),
        })
    }

    /// For the row of the core that was measured, of which a step takes this.
    pub(super) fn json(&self, step: Estimate) -> Map<String, Value> {
        let all = [
            ("cycles_per_step", json!(tenths(step.likely))),
            ("cycles_per_step_range", json!(step.range.map(tenths))),
            ("tokenizer_cycles_per_byte", json!(tenths(self.byte.likely))),
            ("cycles_per_word", json!(tenths(self.word.likely))),
            ("cycles_per_word_range", json!(self.word.range.map(tenths))),
        ];
        all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

fn tenths(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}

/// The boards that exist outside QEMU and have a core, and what a row takes there.
fn on<'a>(row: &'a Row, boards: &'a [Board]) -> impl Iterator<Item = (&'a Board, &'a Timed)> {
    let is_real = |board: &&Board| board.chip.is_some() || board.openocd.is_some();
    boards.iter().filter(is_real).filter_map(|board| {
        let timed = row.timed.iter().find(|timed| timed.core.name == board.core)?;
        Some((board, timed))
    })
}

/// Microseconds of so many cycles.
fn microseconds(cycles: f64, board: &Board) -> f64 {
    cycles * 1e6 / f64::from(board.clock)
}

/// A row's cycles and times on each real board that executes its instructions.
pub(super) fn json(row: &Row, boards: &[Board]) -> Value {
    let times = on(row, boards).map(|(board, timed)| {
        let step = row.step_cycles(timed).likely;
        json!({
            "board": board.name,
            "core": timed.core.name,
            "clock_hz": board.clock,
            "cycles_per_step": tenths(step),
            "cycles_per_word": tenths(timed.word.likely),
            "microseconds_per_step": tenths(microseconds(step, board)),
            "microseconds_per_word": tenths(microseconds(timed.word.likely, board)),
        })
    });
    times.collect()
}

/// Prints the times of all rows, a table for each board of the bench.
pub(super) fn print(rows: &[Row], boards: &[Board]) {
    let mut board = "";
    for row in rows {
        let columns: Vec<_> = on(row, boards).collect();
        if columns.is_empty() {
            continue;
        }
        if board != row.board {
            board = &row.board;
            let name = |(board, _): &(&Board, _)| {
                format!("{:>26}", format!("{} at {} MHz", board.name, f64::from(board.clock) / 1e6))
            };
            println!("\nestimated microseconds, as if memory had no wait states (docs/cycles.md)");
            println!("shape            zeros{}", columns.iter().map(name).collect::<String>());
            println!(
                "                     %{}",
                iter::repeat_n("      per step    per word", columns.len()).collect::<String>()
            );
        }
        let times = columns.iter().map(|(board, timed)| {
            let [step, word] =
                [row.step_cycles(timed), timed.word].map(|cycles| microseconds(cycles.likely, board));
            format!("{step:>14.1} {word:>11.1}")
        });
        println!("{:<14} {:>7.1}{}", row.model, row.zeros, times.collect::<String>());
    }
}
