//! The costs that fit what was measured, as the table of cores (`firmware-example/host/src/cores.rs`) has them.
//!
//! Costs are linear in their coefficients, so what a coefficient adds to a row is what costs of 1 for it and 0 for all
//! others come to. The coefficients are the least squares of relative errors, none below zero.

use kilornn_host::cores::{Core, Costs, GATED, GatedStep, Step};

use super::Row;
use super::accounting::{Text, measured};

/// A coefficient in the table, of instructions or of cycles; where it is one of a cell with gates, of the cell at this place.
type Coefficient = fn(&mut Costs, usize) -> Option<&mut f64>;

/// Those of a step, together where the same rows decide them. The products come last.
const STEPS: [&[Coefficient]; 2] = [
    &[
        |costs, _| Some(&mut costs.columns.any),
        |costs, _| Some(&mut costs.columns.unit),
        |costs, _| Some(&mut costs.columns.tanh),
        |costs, _| Some(&mut costs.columns.number),
        |costs, _| Some(&mut costs.columns.product),
    ],
    &[
        |costs, _| Some(&mut costs.pairs.as_mut()?.any),
        |costs, _| Some(&mut costs.pairs.as_mut()?.unit),
        |costs, _| Some(&mut costs.pairs.as_mut()?.tanh),
        |costs, _| Some(&mut costs.pairs.as_mut()?.number),
        |costs, _| Some(&mut costs.pairs.as_mut()?.product),
    ],
];

/// Those of a step of a cell with gates.
const GATES: &[Coefficient] = &[
    |costs, place| Some(&mut costs.gated[place].any),
    |costs, place| Some(&mut costs.gated[place].unit),
    |costs, place| Some(&mut costs.gated[place].number),
    |costs, place| Some(&mut costs.gated[place].product),
];

/// Those of a byte of text.
const BYTES: [&[Coefficient]; 2] =
    [&[|costs, _| Some(&mut costs.byte)], &[|costs, _| Some(&mut costs.character_byte)]];

/// Those of a word besides its bytes and its step. What a pair costs stays as it is: of the bench's models only one has
/// pairs, which does not decide between them and all else.
const WORDS: [&[Coefficient]; 1] = [&[|costs, _| Some(&mut costs.logit), |costs, _| Some(&mut costs.word)]];

/// What a kind of work is measured to cost, and what costs say that it takes.
struct Quantity<'a> {
    row: &'a Row,
    measured: f64,
    /// What of the measurement these coefficients explain.
    explained: f64,
    estimate: fn(&Costs, &Row) -> f64,
}

/// Prints the costs of a core that fit its rows: in instructions, and in cycles if they are estimated of it.
pub(super) fn print(core: &Core, rows: &[Row]) {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.board == core.board).collect();
    if rows.is_empty() {
        return;
    }
    if core.is_measured() {
        let step = |row: &Row| [row.figures.step, row.figures.byte, row.figures.word];
        println!("\n{}, instructions: {:#?}", core.name, fitted(core.costs, &rows, step));
    }
    if let Some(cycles) = core.cycles {
        let likely = |row: &Row| measured(row, core).map_or([0.0; 3], |cycles| cycles.map(|one| one.likely));
        println!("\n{}, cycles: {:#?}", core.name, fitted(cycles, &rows, likely));
    }
}

/// Costs with other coefficients, where there are rows that say anything about them; a step, a byte and a word of a row cost
/// what a function says.
fn fitted(mut costs: Costs, rows: &[&Row], of: impl Fn(&Row) -> [f64; 3]) -> Costs {
    let steps = rows.iter().map(|row| {
        let [step, ..] = of(row);
        Quantity {
            row,
            measured: step,
            explained: step,
            estimate: |costs, row| costs.step(row.shape, row.zeros / 100.0),
        }
    });
    let bytes = rows.iter().map(|row| {
        let [_, byte, _] = of(row);
        Quantity { row, measured: byte, explained: byte, estimate: |costs, row| costs.byte(row.shape.unit) }
    });
    let words = rows.iter().map(|row| {
        let ([step, byte, word], text) = (of(row), Text::of(row.shape.unit));
        let pair = if row.shape.unit.has_pairs() { costs.pair } else { 0.0 };
        Quantity {
            row,
            measured: word,
            explained: word - step - byte * text.bytes_per_word - pair,
            estimate: |costs, row| {
                let text = Text::of(row.shape.unit);
                costs.word(row.shape, row.zeros / 100.0, text.bytes_per_word, text.words_per_text)
            },
        }
    });
    let [steps, bytes, words] = [steps.collect(), bytes.collect(), words.collect::<Vec<_>>()];
    STEPS.iter().for_each(|group| fit(&mut costs, group, 0, &steps));
    (0..GATED.len()).for_each(|place| fit(&mut costs, GATES, place, &steps));
    BYTES.iter().for_each(|group| fit(&mut costs, group, 0, &bytes));
    WORDS.iter().for_each(|group| fit(&mut costs, group, 0, &words));
    costs
}

/// Fits the coefficients of a group to the quantities that they say anything about.
fn fit(costs: &mut Costs, group: &[Coefficient], place: usize, quantities: &Vec<Quantity<'_>>) {
    let terms = |quantity: &Quantity<'_>| -> Vec<f64> {
        let term = |coefficient: &Coefficient| {
            let mut one = none(costs);
            let is_there = coefficient(&mut one, place).map(|value| *value = 1.0).is_some();
            if is_there { (quantity.estimate)(&one, quantity.row) / quantity.measured } else { 0.0 }
        };
        group.iter().map(term).collect()
    };
    let mut rows = Vec::new();
    for quantity in quantities {
        let terms = terms(quantity);
        if terms.iter().any(|&term| term != 0.0) {
            rows.push((terms, quantity.explained / quantity.measured));
        }
    }
    let found = least_squares(&rows, group.len());
    for (term, coefficient) in group.iter().enumerate() {
        // What no row says anything about stays as it is.
        if rows.iter().all(|(terms, _)| terms[term] == 0.0) {
            continue;
        }
        if let Some(value) = coefficient(costs, place) {
            *value = rounded(found[term]);
        }
    }
}

/// Costs of nothing, of the same form.
fn none(costs: &Costs) -> Costs {
    let step = |step: Step| Step { any: 0.0, unit: 0.0, tanh: 0.0, number: 0.0, product: 0.0, ..step };
    let gated = GatedStep { any: 0.0, unit: 0.0, number: 0.0, product: 0.0 };
    Costs {
        byte: 0.0,
        character_byte: 0.0,
        word: 0.0,
        pair: 0.0,
        logit: 0.0,
        columns: step(costs.columns),
        pairs: costs.pairs.map(step),
        gated: costs.gated.map(|_| gated),
    }
}

/// To four digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let digits = 10_f64.powi(3 - value.abs().log10().floor() as i32);
    (value * digits).round() / digits
}

/// The factors, none below zero, with which the terms of each row come closest to the row's sum: tries every choice of
/// factors that are not zero, which are few.
fn least_squares(rows: &[(Vec<f64>, f64)], count: usize) -> Vec<f64> {
    let mut best = (f64::INFINITY, vec![0.0; count]);
    // The last term first: where there are too few rows, it is the one to keep.
    for chosen in (1..1_usize << count).rev() {
        let places: Vec<usize> = (0..count).filter(|place| chosen >> place & 1 == 1).collect();
        let Some(found) = solved(rows, &places) else { continue };
        if found.iter().any(|&factor| factor < 0.0) {
            continue;
        }
        let mut factors = vec![0.0; count];
        places.iter().zip(found).for_each(|(&place, factor)| factors[place] = factor);
        let error = rows.iter().map(|(terms, sum)| {
            let estimate: f64 = terms.iter().zip(&factors).map(|(term, factor)| term * factor).sum();
            (estimate - sum).powi(2)
        });
        let error: f64 = error.sum();
        if error < best.0 - 1e-12 {
            best = (error, factors);
        }
    }
    best.1
}

/// The factors of these terms alone, by the normal equations and Gauss's elimination; none if the rows do not decide them.
fn solved(rows: &[(Vec<f64>, f64)], places: &[usize]) -> Option<Vec<f64>> {
    let count = places.len();
    if rows.len() < count {
        return None;
    }
    // Terms of very different sizes are brought to the same one.
    let size = |&place: &usize| rows.iter().map(|(terms, _)| terms[place].powi(2)).sum::<f64>().sqrt();
    let sizes: Vec<f64> = places.iter().map(size).collect();
    let mut system = vec![vec![0.0; count + 1]; count];
    for (terms, sum) in rows {
        let scaled: Vec<f64> = places
            .iter()
            .zip(&sizes)
            .map(|(&place, size)| terms[place] / size.max(f64::MIN_POSITIVE))
            .collect();
        for (line, &term) in system.iter_mut().zip(&scaled) {
            line.iter_mut().zip(&scaled).for_each(|(cell, other)| *cell += term * other);
            line[count] += term * sum;
        }
    }
    for column in 0..count {
        let pivot =
            (column..count).max_by(|&a, &b| system[a][column].abs().total_cmp(&system[b][column].abs()))?;
        system.swap(column, pivot);
        if system[column][column].abs() < 1e-9 {
            return None;
        }
        let pivot = system[column].clone();
        for (_, line) in system.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            let factor = line[column] / pivot[column];
            line.iter_mut().zip(&pivot).for_each(|(cell, other)| *cell -= factor * other);
        }
    }
    Some((0..count).map(|place| system[place][count] / system[place][place] / sizes[place]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_found_and_none_is_below_zero() {
        let row = |terms: [f64; 3], sum: f64| (terms.to_vec(), sum);
        // 2 a + 0 b + 3 c.
        let exact = [
            row([1.0, 5.0, 1.0], 5.0),
            row([1.0, 0.0, 2.0], 8.0),
            row([4.0, 1.0, 1.0], 11.0),
            row([1.0, 1.0, 0.0], 2.0),
        ];
        let found = least_squares(&exact, 3);
        for (found, expected) in found.iter().zip([2.0, 0.0, 3.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
        }
        // The best factors would be 2 and -1.
        let below = [(vec![1.0, 1.0], 1.0), (vec![1.0, 0.0], 2.0)];
        assert_eq!(least_squares(&below, 2), [1.5, 0.0]);
        // One row decides one factor, and the last one counts most.
        assert_eq!(least_squares(&[(vec![1.0, 2.0], 4.0)], 2), [0.0, 2.0]);
    }

    #[test]
    fn values_have_four_digits() {
        assert_eq!([0.0, 1.450_94, 95.349, 1234.56].map(rounded), [0.0, 1.451, 95.35, 1235.0]);
    }
}
