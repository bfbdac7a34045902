//! Whether the trainer reckons with what is measured here.

use kilornn::text::{Normalization, Tokenizer, Unit, WordSink};
use kilornn_host::cores::{CORES, Cells};

use super::Row;
use crate::cores;

/// What the bench classifies.
const TEXTS: &str = include_str!("../../../../firmware-example/src/bench/texts.txt");

/// In what the trainer's table is wrong, each as a sentence.
pub(super) fn departures(rows: &[Row]) -> Vec<String> {
    let mut found = Vec::new();
    for core in &CORES {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.board == core.board).collect();
        for Row { board, model, zeros, shape, figures, .. } in &rows {
            let place = format!("{board}, {model}, {zeros} % zeros");
            let estimated = core.costs.step(*shape, zeros / 100.0);
            found.extend(cores::estimate(&format!("{place}, a step"), figures.step, estimated));
            let byte = core.costs.byte(shape.unit);
            found.extend(cores::estimate(&format!("{place}, a byte"), figures.byte, byte));
            let words = f64::from(words(TEXTS, shape.unit));
            let (bytes, of) = (TEXTS.len() as f64 / words, words / TEXTS.lines().count() as f64);
            let estimated = core.costs.word(*shape, zeros / 100.0, bytes, of);
            found.extend(cores::estimate(&format!("{place}, a word"), figures.word, estimated));
        }
        // Models of one SimpleRNN, and others.
        for gated in [false, true] {
            let table = if gated { core.gated_stack } else { core.stack };
            let rows = rows.iter().filter(|row| (row.shape.cells() != Cells::ONE) == gated);
            if let Some(stack) = rows.map(|row| row.figures.stack).max() {
                found.extend(cores::stack(&format!("{}, stack, gates: {gated}", core.board), stack, table));
            }
        }
    }
    found
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
