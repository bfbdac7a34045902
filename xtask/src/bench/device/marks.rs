//! Upper limits of instructions and memory, the marks: `cargo xtask bench device` fails where the engine exceeds one.

use kilornn::layers::Activation;
use kilornn_host::cores::CellShape;

use super::Row;

/// Board, synthetic model, percent of zeros, and the most instructions of a time step.
const STEPS: [(&str, &str, u32, f64); 44] = [
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
    ("mps2-an386", "9x32 lstm", 0, 6_400.0),
    ("mps2-an386", "13x64 lstm", 0, 21_500.0),
    ("mps2-an386", "16x16 lstm", 0, 2_570.0),
    ("mps2-an386", "128x100 lstm", 0, 90_000.0),
    ("mps2-an386", "9x32 gru", 0, 4_750.0),
    ("mps2-an386", "13x64 gru", 0, 15_900.0),
    ("mps2-an386", "16x16 gru", 0, 1_930.0),
    ("mps2-an386", "128x100 gru", 0, 67_000.0),
    ("mps2-an386", "9x32 tanh", 0, 1_600.0),
    ("mps2-an386", "13x64 tanh", 0, 5_350.0),
    ("mps2-an386", "16x16 tanh", 0, 660.0),
    ("mps2-an386", "128x100 tanh", 0, 22_600.0),
    ("mps2-an386", "9x32 fastgrnn", 0, 2_300.0),
    ("mps2-an386", "13x64 fastgrnn", 0, 6_700.0),
    ("mps2-an386", "16x16 fastgrnn", 0, 1_000.0),
    ("mps2-an386", "128x100 fastgrnn", 0, 26_000.0),
    ("microbit", "9x32 lstm", 0, 22_200.0),
    ("microbit", "13x64 lstm", 0, 76_500.0),
    ("microbit", "16x16 lstm", 0, 8_950.0),
    ("microbit", "128x100 lstm", 0, 330_000.0),
    ("microbit", "9x32 gru", 0, 16_400.0),
    ("microbit", "13x64 gru", 0, 56_000.0),
    ("microbit", "16x16 gru", 0, 6_650.0),
    ("microbit", "128x100 gru", 0, 241_000.0),
    ("mps2-an386", "16 lstm, text", 0, 1_700.0),
    ("mps2-an386", "100 lstm, text", 0, 43_000.0),
    ("mps2-an386", "16 gru, text", 0, 1_290.0),
    ("mps2-an386", "100 gru, text", 0, 32_000.0),
];

/// On boards where no step of a cell with gates has a mark: the most that one of its products may cost, as a share of what a
/// product costs a SimpleRNN on the same board: one with tanh and as many products, if there is one, else this one.
const PRODUCTS: f64 = 1.3;
const PRODUCTS_OF: &str = "32x32";

/// Hidden units, and the most bytes of a classifier whose embedding is folded.
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
        if let Some(most) = step(row).filter(|most| row.step() > *most) {
            found.push(format!("{place}: {:.1} instructions a step instead of {most}", row.step()));
        }
        let product = products(row, rows).filter(|(share, _)| *share > PRODUCTS);
        if let Some((share, of)) = product {
            found.push(format!("{place}: a product costs {share:.2} times what one of {of} does"));
        }
        let word = WORDS.iter().find(|(mark, _)| *is_shipped && mark == board);
        if let Some((_, most)) = word.filter(|(_, most)| figures.word > *most) {
            found.push(format!("{place}: {:.1} instructions a word instead of {most}", figures.word));
        }
        let simple =
            shape.layers.iter().flatten().find(|layer| matches!(layer.cell, CellShape::SimpleRnn { .. }));
        let ram =
            RAM.iter().find(|(mark, _)| simple.is_some_and(|layer| layer.width == 0 && *mark == layer.units));
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

/// The mark on a row's step, if there is one.
fn step(row: &Row) -> Option<f64> {
    let is_of = |(board, model, zeros, _): &&(&str, &str, u32, f64)| {
        *board == row.board && *model == row.model && *zeros == row.zeros as u32
    };
    STEPS.iter().find(is_of).map(|(.., most)| *most)
}

/// What a product costs in a step of a cell with gates, as a share of what one costs a SimpleRNN without zeros on the same
/// board, and the name of that SimpleRNN; nothing on boards where such steps have marks.
fn products<'r>(row: &Row, rows: &'r [Row]) -> Option<(f64, &'r str)> {
    let on_board = || rows.iter().filter(|other| other.board == row.board);
    let has_marks = on_board().any(|other| other.simple().is_none() && step(other).is_some());
    if has_marks || row.simple().is_some() {
        return None;
    }
    let products = |row: &Row| row.shape.products(0.0);
    let each = |row: &Row| row.step() / products(row);
    let beside = on_board()
        .find(|other| other.simple() == Some(Activation::Tanh) && products(other) == products(row))
        .or_else(|| on_board().find(|other| other.model == PRODUCTS_OF))?;
    Some((each(row) / each(beside), &*beside.model))
}
