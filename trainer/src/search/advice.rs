//! Which size to take, and how many hidden units it needs.

use serde::Serialize;

use super::results::Row;
use super::size::Size;

/// What a sweep advises.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Advice {
    /// The most accurate size.
    pub best: Size,
    /// Its accuracy.
    pub best_accuracy: f64,
    /// The standard error of that accuracy: how much it varies with the choice of the texts that validate.
    pub standard_error: f64,
    /// The smallest size that is not worse than the best by more than the standard error.
    pub recommended: Size,
    /// The best result of each cell, if there are several, the smallest file first.
    pub by_cell: Vec<ByCell>,
    /// The results of all numbers of hidden units with the vocabulary, the embedding and the cell of the best size.
    pub by_units: Vec<ByUnits>,
    /// The fewest of these that are not worse than the best by more than the standard error.
    pub enough_units: usize,
}

/// The best result of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct ByCell {
    /// The size with which it was.
    #[serde(flatten)]
    pub size: Size,
    /// Bytes of the file.
    pub bytes: usize,
    /// Accuracy.
    pub accuracy: f64,
}

/// The results of a number of hidden units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct ByUnits {
    /// Hidden units.
    pub units: usize,
    /// Bytes of the file.
    pub bytes: usize,
    /// Accuracy.
    pub accuracy: f64,
}

impl Advice {
    /// From all rows; none if nothing was measured.
    pub(super) fn of(rows: &[Row]) -> Option<Self> {
        let measured: Vec<(&Row, f64)> = rows.iter().filter_map(|row| Some((row, row.accuracy()?))).collect();
        // Among equals the first, which is the smallest.
        let (best, best_accuracy) =
            measured.iter().copied().reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        let examples = best.means.as_ref()?.examples;
        let standard_error = standard_error(best_accuracy, examples);
        let is_near = |accuracy: f64| accuracy >= best_accuracy - standard_error;
        let near = measured.iter().filter(|(_, accuracy)| is_near(*accuracy));
        let (recommended, _) =
            near.min_by(|(a, of_a), (b, of_b)| a.bytes.cmp(&b.bytes).then(of_b.total_cmp(of_a)))?;

        let mut by_cell: Vec<ByCell> = Vec::new();
        for &(row, accuracy) in &measured {
            let found = ByCell { size: row.size, bytes: row.bytes, accuracy };
            match by_cell.iter_mut().find(|of| of.size.cell == row.size.cell) {
                Some(best) if accuracy > best.accuracy => *best = found,
                Some(_) => {}
                None => by_cell.push(found),
            }
        }
        if by_cell.len() == 1 {
            by_cell.clear();
        }
        by_cell.sort_by_key(|of| of.bytes);
        let others = |size: Size| (size.vocabulary, size.embedding, size.cell);
        let mut by_units: Vec<ByUnits> = measured
            .iter()
            .filter(|(row, _)| others(row.size) == others(best.size))
            .map(|&(row, accuracy)| ByUnits { units: row.size.units, bytes: row.bytes, accuracy })
            .collect();
        by_units.sort_by_key(|of| of.units);
        let enough_units = by_units.iter().find(|of| is_near(of.accuracy))?.units;
        Some(Self {
            best: best.size,
            best_accuracy,
            standard_error,
            recommended: recommended.size,
            by_cell,
            by_units,
            enough_units,
        })
    }
}

/// The standard error of an accuracy over so many texts: `sqrt(p (1 - p) / n)`.
pub(super) fn standard_error(accuracy: f64, examples: usize) -> f64 {
    (accuracy * (1.0 - accuracy) / examples.max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::cell::GRU;
    use super::super::results::tests::{candidate, size, trial};
    use super::super::results::{ListedSize, rows};
    use super::*;

    #[test]
    fn the_smallest_within_a_standard_error_is_recommended() {
        // Of 400 texts, the standard error of 0.9 is 0.015.
        assert!((standard_error(0.9, 400) - 0.015).abs() < 1e-12);
        let all = [
            (size(10, 4), 100, 0.80),
            (size(10, 8), 120, 0.886),
            (size(20, 4), 150, 0.88),
            (size(20, 8), 200, 0.89),
            (size(20, 16), 300, 0.90),
            (size(20, 32), 500, 0.90),
        ];
        let candidates: Vec<_> = all.iter().map(|(size, bytes, _)| candidate(*size, *bytes)).collect();
        let trials: Vec<_> =
            all.iter().map(|(size, bytes, accuracy)| trial(*size, 0, *bytes, *accuracy)).collect();
        let advice = Advice::of(&rows(&candidates, &trials, &[0])).unwrap();
        assert_eq!((advice.best, advice.recommended), (size(20, 16), size(10, 8)));
        let units: Vec<_> = advice.by_units.iter().map(|of| of.units).collect();
        assert_eq!((&units[..], advice.enough_units), (&[4, 8, 16, 32][..], 8));
        assert_eq!(Advice::of(&rows(&candidates, &[], &[0])), None);
        // What is over the budget advises nothing.
        assert_eq!(advice.by_cell, [], "there is one cell");
        let limited: Vec<_> =
            candidates.iter().map(|candidate| ListedSize { limit: Some(160), ..*candidate }).collect();
        let advice = Advice::of(&rows(&limited, &trials, &[0])).unwrap();
        assert_eq!((advice.best, advice.recommended), (size(10, 8), size(10, 8)));
    }

    #[test]
    fn cells_are_compared_at_their_best_and_units_within_the_best_cell() {
        let gru = |units| Size { cell: Some(GRU), ..size(10, units) };
        let all =
            [(size(10, 4), 100, 0.80), (size(10, 8), 120, 0.85), (gru(4), 220, 0.90), (gru(8), 300, 0.89)];
        let candidates: Vec<_> = all.iter().map(|(size, bytes, _)| candidate(*size, *bytes)).collect();
        let trials: Vec<_> =
            all.iter().map(|(size, bytes, accuracy)| trial(*size, 0, *bytes, *accuracy)).collect();
        let advice = Advice::of(&rows(&candidates, &trials, &[0])).unwrap();
        let cells: Vec<_> = advice.by_cell.iter().map(|of| (of.size, of.bytes, of.accuracy)).collect();
        assert_eq!(cells, [all[1], all[2]]);
        let units: Vec<_> = advice.by_units.iter().map(|of| (of.units, of.bytes)).collect();
        assert_eq!(units, [(4, 220), (8, 300)]);
    }
}
