//! The results of a sweep: a row for each size, and which of them are on the Pareto front.

use serde::Serialize;

use super::size::Size;
use super::trial::{Measurements, Outcome, Trial};
use crate::quantize::FileSize;

/// A candidate of a sweep: a size of its lists, and the bytes that its file will have.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListedSize {
    /// Its size.
    pub size: Size,
    /// Bytes that its file will have.
    pub file_size: FileSize,
    /// The most bytes that its file may have, if the flash is limited: what an engine that runs its cell leaves.
    pub limit: Option<usize>,
}

impl ListedSize {
    /// Whether its file has too many bytes, whatever training makes of it.
    pub(super) fn is_too_large(&self) -> bool {
        self.limit.is_some_and(|limit| self.file_size.least > limit)
    }
}

/// A size and all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    /// Its size.
    #[serde(flatten)]
    pub size: Size,
    /// Bytes of its file: of the largest of its seeds', or at least how many there will be.
    pub bytes: usize,
    /// Whether it was trained.
    pub status: Status,
    /// The means over its seeds, if it was measured.
    #[serde(flatten)]
    pub means: Option<Means>,
    /// Whether no other is smaller or as small, and better.
    pub on_front: bool,
}

/// Whether a size was trained, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Trained, and within the budget.
    Measured,
    /// Its file has more bytes than the engine leaves of the flash.
    TooLarge,
    /// There was no time for it.
    NotTried,
    /// With one of the seeds there was no model that a device could run.
    Failed(String),
}

/// The results of several seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Means {
    /// Mean accuracy.
    pub accuracy: f64,
    /// Sample standard deviation of the accuracies, of two seeds or more.
    pub spread: Option<f64>,
    /// The accuracy of each seed.
    pub accuracies: Vec<f64>,
    /// Mean loss.
    pub loss: f64,
    /// Texts that validated a seed.
    pub examples: usize,
    /// Mean share of zeros in the states.
    pub zeros: f64,
    /// Mean multiply-accumulates of a word.
    pub macs_per_word: f64,
    /// Bytes of the classifier in RAM, at most.
    pub ram: usize,
}

impl Means {
    fn of(all: &[Measurements]) -> Option<Self> {
        let mean = |of: fn(&Measurements) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        let accuracy = mean(|one| one.accuracy);
        let squares: f64 = all.iter().map(|one| (one.accuracy - accuracy).powi(2)).sum();
        Some(Self {
            accuracy,
            spread: (all.len() > 1).then(|| (squares / (all.len() - 1) as f64).sqrt()),
            accuracies: all.iter().map(|one| one.accuracy).collect(),
            loss: mean(|one| one.loss),
            examples: all.first()?.examples,
            zeros: mean(|one| one.zeros),
            macs_per_word: mean(|one| one.macs_per_word),
            ram: all.iter().map(|one| one.ram).max()?,
        })
    }
}

/// A row for each candidate, by rising bytes, with what the trials of these seeds say of it.
pub(super) fn rows(candidates: &[ListedSize], trials: &[Trial], seeds: &[u64]) -> Vec<Row> {
    let mut rows: Vec<Row> = candidates
        .iter()
        .map(|candidate| {
            let tried =
                |seed: &u64| trials.iter().find(|trial| trial.size == candidate.size && trial.seed == *seed);
            let mut measured = Vec::new();
            let mut failure = None;
            for trial in seeds.iter().filter_map(tried) {
                match &trial.outcome {
                    Outcome::Measured(one) => measured.push(*one),
                    Outcome::Failed(reason) => failure = Some(format!("seed {}: {reason}", trial.seed)),
                }
            }
            let bytes = measured.iter().map(|one| one.bytes).max().unwrap_or(candidate.file_size.least);
            let status = match failure {
                _ if candidate.limit.is_some_and(|limit| bytes > limit) => Status::TooLarge,
                Some(reason) => Status::Failed(reason),
                None if measured.is_empty() => Status::NotTried,
                None => Status::Measured,
            };
            Row { size: candidate.size, bytes, status, means: Means::of(&measured), on_front: false }
        })
        .collect();
    rows.sort_by_key(|row| (row.bytes, row.size));
    let points: Vec<_> = rows.iter().map(|row| Some((row.bytes, row.accuracy()?))).collect();
    for (row, on_front) in rows.iter_mut().zip(pareto(&points)) {
        row.on_front = on_front;
    }
    rows
}

impl Row {
    /// Its accuracy, if it was measured and its file is not too large.
    pub(super) fn accuracy(&self) -> Option<f64> {
        match self.status {
            Status::Measured => self.means.as_ref().map(|means| means.accuracy),
            _ => None,
        }
    }
}

/// Which points, of bytes and accuracy, are on the Pareto front: no other has at most as many bytes and at least the
/// same accuracy, and is better in one of the two.
pub(super) fn pareto(points: &[Option<(usize, f64)>]) -> Vec<bool> {
    let is_beaten = |(bytes, accuracy): (usize, f64)| {
        points.iter().flatten().any(|&(other_bytes, other)| {
            other_bytes <= bytes && other >= accuracy && (other_bytes < bytes || other > accuracy)
        })
    };
    points.iter().map(|point| point.is_some_and(|point| !is_beaten(point))).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::cell::RELU;
    use super::*;

    #[test]
    fn the_front_is_what_nothing_beats() {
        let points = [
            Some((10, 0.7)),
            Some((10, 0.6)), // worse at the same size
            Some((20, 0.7)), // larger for the same
            None,            // not measured
            Some((30, 0.9)),
            Some((30, 0.9)),  // as good at the same size
            Some((40, 0.85)), // larger and worse
            Some((5, 0.1)),   // the smallest
        ];
        assert_eq!(pareto(&points), [true, false, false, false, true, true, false, true]);
        assert_eq!(pareto(&[]), [false; 0]);
    }

    pub(in crate::search) fn size(vocabulary: usize, units: usize) -> Size {
        Size { vocabulary, embedding: 8, cell: Some(RELU), units, form: None }
    }

    pub(in crate::search) fn candidate(size: Size, bytes: usize) -> ListedSize {
        ListedSize { size, file_size: FileSize { least: bytes, most: bytes }, limit: None }
    }

    pub(in crate::search) fn trial(size: Size, seed: u64, bytes: usize, accuracy: f64) -> Trial {
        let measured = Measurements {
            bytes,
            accuracy,
            loss: 0.5,
            examples: 400,
            zeros: 0.5,
            macs_per_word: 100.0,
            ram: 200,
            epochs: 3,
            seconds: 1.0,
        };
        Trial { size, seed, outcome: Outcome::Measured(measured) }
    }

    #[test]
    fn seeds_are_averaged_and_every_candidate_has_a_row() {
        let sizes = [size(10, 4), size(10, 8), size(20, 8), size(40, 8), size(80, 8)];
        let limited = |(size, bytes): (&Size, _)| ListedSize { limit: Some(450), ..candidate(*size, bytes) };
        let candidates: Vec<_> = sizes.iter().zip([100, 200, 300, 400, 500]).map(limited).collect();
        let failed =
            Trial { outcome: Outcome::Failed("it diverged".to_owned()), ..trial(sizes[3], 1, 0, 0.0) };
        let trials = [
            trial(sizes[1], 0, 200, 0.9),
            trial(sizes[0], 0, 100, 0.7),
            trial(sizes[0], 1, 104, 0.8),
            trial(sizes[0], 2, 100, 0.1),
            trial(sizes[3], 0, 400, 0.9),
            failed,
        ];
        let rows = rows(&candidates, &trials, &[0, 1]);
        let status: Vec<_> = rows.iter().map(|row| row.status.clone()).collect();
        let reason = "seed 1: it diverged".to_owned();
        use Status::{Failed, NotTried, TooLarge};
        assert_eq!(status, [Status::Measured, Status::Measured, NotTried, Failed(reason), TooLarge]);
        let means = rows[0].means.as_ref().unwrap();
        assert_eq!((rows[0].bytes, &means.accuracies[..]), (104, &[0.7, 0.8][..]));
        assert!((means.accuracy - 0.75).abs() < 1e-9);
        assert!((means.spread.unwrap() - 0.1 / 2f64.sqrt()).abs() < 1e-9);
        assert_eq!(rows[1].means.as_ref().unwrap().spread, None);
        let front: Vec<_> = rows.iter().map(|row| row.on_front).collect();
        assert_eq!(front, [true, true, false, false, false]);
        assert!(candidates[4].is_too_large() && !candidates[3].is_too_large());
    }
}
