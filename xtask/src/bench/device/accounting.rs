//! Whether the trainer reckons with what is measured here.

use kilornn::text::{Normalization, Tokenizer, Unit, WordSink};
use kilornn_host::cores::{self, CORES, Cells, Core, Costs};

use super::Row;
use super::cycles::Estimate;
use crate::cores as checked;

/// What the bench classifies.
pub(super) const TEXTS: &str = include_str!("../../../../firmware-example/src/bench/texts.txt");

/// What a row says of a core: cycles of a step, of a byte and of a word; none if nobody reckons with its cycles.
pub(super) fn measured(row: &Row, core: &Core) -> Option<[Estimate; 3]> {
    row.timed
        .iter()
        .find(|timed| timed.core.name == core.name)
        .map(|timed| [timed.step, timed.byte, timed.word])
}

/// What the bench classifies, by a unit of tokens.
pub(super) struct Text {
    pub(super) bytes_per_word: f64,
    pub(super) words_per_text: f64,
}

impl Text {
    pub(super) fn of(unit: Unit) -> Self {
        let words = f64::from(words(TEXTS, unit));
        Self {
            bytes_per_word: TEXTS.len() as f64 / words,
            words_per_text: words / TEXTS.lines().count() as f64,
        }
    }
}

/// In what the trainer's table is wrong, each as a sentence.
pub(super) fn departures(rows: &[Row]) -> Vec<String> {
    let of = |core: &'static Core| rows.iter().filter(|row| row.board == core.board);
    let mut found = Vec::new();
    for core in cores::measured() {
        for row in of(core) {
            let Row { figures, .. } = row;
            let instructions = [figures.step, figures.byte, figures.word];
            found.extend(estimates(row, core, "instructions", &core.costs, instructions));
        }
    }
    for core in &CORES {
        for row in of(core) {
            if let (Some(costs), Some(cycles)) = (core.cycles, measured(row, core)) {
                found.extend(estimates(row, core, "cycles", &costs, cycles.map(|cycles| cycles.likely)));
            }
        }
    }
    if !found.is_empty() {
        found.push(checked::advice());
    }
    for core in cores::measured() {
        // Models of one SimpleRNN, and others.
        for gated in [false, true] {
            let table = if gated { core.gated_stack } else { core.stack };
            let rows = of(core).filter(|row| (row.shape.cells() != Cells::ONE) == gated);
            if let Some(stack) = rows.map(|row| row.figures.stack).max() {
                found.extend(checked::stack(&format!("{}, stack, gates: {gated}", core.board), stack, table));
            }
        }
    }
    found
}

/// The estimates of a row that are too far from what a step, a byte and a word were measured to cost.
fn estimates(row: &Row, core: &Core, what: &str, costs: &Costs, measured: [f64; 3]) -> Vec<String> {
    let Row { board, model, zeros, shape, .. } = row;
    let text = Text::of(shape.unit);
    let word = costs.word(*shape, zeros / 100.0, text.bytes_per_word, text.words_per_text);
    let estimated = [costs.step(*shape, zeros / 100.0), costs.byte(shape.unit), word];
    let of = ["a step", "a byte", "a word"].into_iter().zip(measured.into_iter().zip(estimated));
    let said = of.filter_map(|(of, (measured, estimated))| {
        let place = format!("{board} as {}, {model}, {zeros} % zeros, {of}", core.name);
        checked::estimate(&place, what, measured, estimated)
    });
    said.collect()
}

/// Tokens of a text.
fn words(text: &str, unit: Unit) -> u32 {
    struct Count(u32);

    impl WordSink for Count {
        fn char(&mut self, _: char) {}
        fn end(&mut self) {
            self.0 += 1;
        }
    }

    let mut count = Count(0);
    let mut tokenizer = Tokenizer::new(Normalization { unit, ..Normalization::KERAS });
    tokenizer.push(text.as_bytes(), &mut count);
    tokenizer.finish(&mut count);
    count.0
}
