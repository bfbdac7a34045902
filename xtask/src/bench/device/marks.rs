//! Upper limits of instructions and memory, the marks: `cargo xtask bench device` fails where the engine exceeds one.

use kilornn_host::cores::CellShape;

use super::Row;

/// Board, synthetic model, percent of zeros, and the most instructions of a time step.
const STEPS: [(&str, &str, u32, f64); 16] = [
    ("mps2-an386", "128x100", 0, 11_100.0),
    ("mps2-an386", "128x100", 50, 9_600.0),
    ("mps2-an386", "128x100", 70, 6_200.0),
    ("mps2-an386", "128x100", 90, 3_000.0),
    ("mps2-an386", "32x32", 0, 1_290.0),
    ("mps2-an386", "32x32", 50, 1_280.0),
    ("mps2-an386", "32x32", 70, 950.0),
    ("mps2-an386", "32x32", 90, 660.0),
    ("mps2-an385", "128x100", 0, 34_000.0),
    ("mps2-an385", "128x100", 50, 16_900.0),
    ("mps2-an385", "128x100", 70, 10_700.0),
    ("mps2-an385", "128x100", 90, 4_700.0),
    ("microbit", "32x32", 0, 5_900.0),
    ("microbit", "32x32", 50, 3_700.0),
    ("microbit", "32x32", 70, 2_600.0),
    ("microbit", "32x32", 90, 1_550.0),
];

/// Hidden units, and the most bytes of a classifier.
const RAM: [(usize, u64); 2] = [(100, 1_100), (16, 256)];

/// Board, and the most instructions that a word of a sentence may cost a shipped model, tokenizer included.
const WORDS: [(&str, f64); 2] = [("mps2-an386", 700.0), ("microbit", 1_500.0)];

/// The most bytes of stack, everywhere.
const STACK: u64 = 1_024;

/// The same with gates.
const GATED_STACK: u64 = 1_200;

/// What is exceeded, each as a sentence.
pub(super) fn exceeded(rows: &[Row]) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows {
        let Row { board, model, is_shipped, zeros, shape, figures, .. } = row;
        let place = format!("{board}, {model}, {zeros} % zeros");
        let step = STEPS.iter().find(|mark| mark.0 == board && mark.1 == model && mark.2 == *zeros as u32);
        if let Some((.., most)) = step.filter(|(.., most)| row.step() > *most) {
            found.push(format!("{place}: {:.1} instructions a step instead of {most}", row.step()));
        }
        let word = WORDS.iter().find(|(mark, _)| *is_shipped && mark == board);
        if let Some((_, most)) = word.filter(|(_, most)| figures.word > *most) {
            found.push(format!("{place}: {:.1} instructions a word instead of {most}", figures.word));
        }
        let simple =
            shape.layers.iter().flatten().find(|layer| matches!(layer.cell, CellShape::SimpleRnn { .. }));
        let ram = RAM.iter().find(|(mark, _)| simple.is_some_and(|layer| *mark == layer.units));
        if let Some((_, most)) = ram.filter(|(_, most)| figures.ram > *most) {
            found.push(format!("{place}: {} bytes of RAM instead of {most}", figures.ram));
        }
        let most = if simple.is_some() { STACK } else { GATED_STACK };
        if figures.stack > most {
            found.push(format!("{place}: {} bytes of stack instead of {most}", figures.stack));
        }
    }
    found
}
