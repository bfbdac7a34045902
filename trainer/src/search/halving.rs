//! Successive halving: the best of many sizes, with few trainings.
//!
//! A few sizes that cover the space evenly are trained for a quarter of the epochs, then the neighbours of the best of them.
//! The better ones are trained anew for half of the epochs, and the best of these for all epochs (Jamieson and Talwalkar
//! 2016), together with the size that is most like the recipe.

use std::cmp::Ordering;

use anyhow::Result;

use super::cell::CellName;
use super::size::{EmbeddingForm, Size};
use super::space::Candidate;

/// Sizes that are tried first.
const COARSE: usize = 8;

/// Neighbours that are tried next, and of how many of the best.
const FINE: usize = 6;
const BEST: usize = 3;

/// How many go on to half of the epochs, and then to all.
const KEPT: [usize; 2] = [8, 4];

/// The fewest steps of the optimizer in a training, whatever its epochs: a shorter one says nothing yet about a size.
const STEPS: usize = 1000;

/// How long a training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// A quarter of the epochs.
    Quarter,
    /// Half of them.
    Half,
    /// All.
    Whole,
}

impl Effort {
    /// The epochs of a training with this effort, of `epochs` with `steps` steps each.
    pub(super) fn of(self, epochs: usize, steps: usize) -> usize {
        let share = match self {
            Self::Quarter => epochs.div_ceil(4),
            Self::Half => epochs.div_ceil(2),
            Self::Whole => epochs,
        };
        share.max(STEPS.div_ceil(steps.max(1))).min(epochs)
    }
}

/// The results by which sizes are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rating {
    /// The share of texts that the device answers correctly.
    pub accuracy: f64,
    /// Mean cross-entropy of its answers.
    pub loss: f64,
    /// Bytes of the file.
    pub bytes: usize,
}

impl Rating {
    /// Orders by accuracy, the better first. Of equal accuracies, the smaller file comes first; after a short training the
    /// lower loss counts before that, because many networks have learned only the most frequent class by then.
    fn rank(&self, other: &Self, effort: Effort) -> Ordering {
        let promise = match effort {
            Effort::Whole => Ordering::Equal,
            _ => self.loss.total_cmp(&other.loss),
        };
        other.accuracy.total_cmp(&self.accuracy).then(promise).then(self.bytes.cmp(&other.bytes))
    }
}

/// Searches; returns places in `candidates`, the best first: those that were trained longest before the others. `train`
/// trains several, and says what each came to, if it came to something that may be chosen.
pub(super) fn search(
    candidates: &[Candidate],
    beside: &Size,
    mut train: impl FnMut(&[usize], Effort) -> Result<Vec<Option<Rating>>>,
) -> Result<Vec<usize>> {
    let positions: Vec<Position> = candidates.iter().map(|candidate| Position::of(&candidate.size)).collect();
    // At first only sizes with the most words that fit. Those with fewer words come later, as neighbours of the best.
    let coarse = cover(&positions, &Position::of(beside), COARSE, |place| candidates[place].has_most_words);
    let mut ranked = Vec::new();
    let mut round = |places: &[usize], effort| -> Result<Vec<(usize, Rating)>> {
        let ratings = train(places, effort)?;
        Ok(places.iter().zip(ratings).filter_map(|(&place, rating)| Some((place, rating?))).collect())
    };
    ranked.extend(round(&coarse, Effort::Quarter)?);
    ranked.sort_by(|(_, a), (_, b)| a.rank(b, Effort::Quarter));

    // Around each of the best in turn, the nearest that has not been tried.
    let mut fine: Vec<usize> = Vec::new();
    for (center, _) in ranked.iter().take(BEST).cycle().take(FINE) {
        let others = (0..positions.len()).filter(|place| !coarse.contains(place) && !fine.contains(place));
        let far = |place: usize| positions[*center].distance(&positions[place]);
        fine.extend(others.min_by(|&a, &b| far(a).total_cmp(&far(b)).then(a.cmp(&b))));
    }
    ranked.extend(round(&fine, Effort::Quarter)?);
    ranked.sort_by(|(_, a), (_, b)| a.rank(b, Effort::Quarter));

    for (effort, kept) in [Effort::Half, Effort::Whole].into_iter().zip(KEPT) {
        let mut kept: Vec<usize> = ranked.iter().take(kept).map(|&(place, _)| place).collect();
        // What is most like the recipe is what its author found good, whatever short trainings say.
        let alike = coarse.first().filter(|place| ranked.iter().any(|(other, _)| other == *place));
        kept.extend(alike.filter(|place| effort == Effort::Whole && !kept.contains(place)));
        let mut longer = round(&kept, effort)?;
        longer.sort_by(|(_, a), (_, b)| a.rank(b, effort));
        // What came to nothing this time is no choice any more.
        let rest = ranked.into_iter().filter(|(place, _)| !kept.contains(place));
        ranked = longer.into_iter().chain(rest).collect();
    }
    Ok(ranked.into_iter().map(|(place, _)| place).collect())
}

/// The position of a size in the space of sizes: logarithmic, so that twice as much is as far away as half.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Position {
    words: f64,
    /// Numbers of a word.
    row: f64,
    units: f64,
    cell: Option<CellName>,
    form: Option<EmbeddingForm>,
}

impl Position {
    fn of(size: &Size) -> Self {
        let log = |number: usize| (number.max(1) as f64).log2();
        let row = if size.form == Some(EmbeddingForm::Folded) { size.units } else { size.embedding };
        Self {
            words: log(size.vocabulary),
            row: log(row),
            units: log(size.units),
            cell: size.cell,
            form: size.form,
        }
    }

    fn distance(&self, other: &Self) -> f64 {
        let different = |differs| f64::from(u8::from(differs));
        (self.words - other.words).abs()
            + (self.row - other.row).abs()
            + (self.units - other.units).abs()
            + different(self.form != other.form)
            + different(self.cell != other.cell)
    }
}

/// Chooses `count` of the positions that cover all of them, among those that `may` be chosen: first the one nearest to
/// `start`, then always the one that most reduces the sum of the distances of all positions to the nearest chosen one.
fn cover(positions: &[Position], start: &Position, count: usize, may: impl Fn(usize) -> bool) -> Vec<usize> {
    let may: Vec<usize> = (0..positions.len()).filter(|&place| may(place)).collect();
    // How far each position is from what is chosen.
    let mut gaps = vec![f64::MAX; positions.len()];
    let mut chosen = Vec::new();
    while chosen.len() < count.min(may.len()) {
        let cost = |place: usize| -> f64 {
            match chosen.is_empty() {
                true => positions[place].distance(start),
                false => positions
                    .iter()
                    .zip(&gaps)
                    .map(|(position, gap)| gap.min(position.distance(&positions[place])))
                    .sum(),
            }
        };
        let costs = may.iter().filter(|place| !chosen.contains(*place)).map(|&place| (cost(place), place));
        let Some((_, best)) = costs.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) else { break };
        chosen.push(best);
        for (gap, position) in gaps.iter_mut().zip(positions) {
            *gap = gap.min(position.distance(&positions[best]));
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::cell::RELU;
    use super::*;
    use crate::footprint::cores::{CellShape, LayerShape};
    use crate::footprint::{Footprint, Needs, Shape};
    use kilornn::layers::Order;
    use kilornn::text::Unit;

    fn candidate(vocabulary: usize, embedding: usize, units: usize) -> Candidate {
        let cell = Some(RELU);
        let size = Size { vocabulary, embedding, cell, units, form: Some(EmbeddingForm::Int4) };
        let (order, unit) = (Order::Columns, Unit::Word);
        let cell = CellShape::SimpleRnn { tanh: false, order };
        let layer = LayerShape { cell, units, width: embedding };
        let step = Shape { layers: [Some(layer), None, None, None], unit, outputs: 1 };
        let footprint = Footprint {
            file: 0,
            engine: 0,
            classifier: 0,
            stack: 0,
            instructions_per_word: None,
            cycles_per_word: None,
            microseconds_per_word: None,
        };
        let needs = Needs { file: vocabulary * embedding, classifier: 0, step };
        Candidate { size, needs, footprint, has_most_words: vocabulary == 2000 }
    }

    fn candidates() -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for units in [4, 8, 16, 32, 64] {
            for embedding in [4, 8, 16] {
                for vocabulary in [500, 1000, 2000] {
                    candidates.push(candidate(vocabulary, embedding, units));
                }
            }
        }
        candidates
    }

    #[test]
    fn the_best_is_found_where_sizes_become_better_towards_it() {
        let candidates = candidates();
        let beside = candidate(1000, 8, 16).size;
        for best in [candidate(2000, 4, 32), candidate(500, 16, 8), candidate(2000, 16, 64)] {
            let target = Position::of(&best.size);
            let mut asked = Vec::new();
            let found = search(&candidates, &beside, |places, effort| {
                asked.push((effort, places.to_vec()));
                let rating = |&place: &usize| {
                    let accuracy = 0.9 - 0.05 * Position::of(&candidates[place].size).distance(&target);
                    Some(Rating { accuracy, loss: 1.0 - accuracy, bytes: candidates[place].needs.file })
                };
                Ok(places.iter().map(rating).collect())
            })
            .unwrap();
            let distance = Position::of(&candidates[found[0]].size).distance(&target);
            assert!(distance <= 2.0, "{} is far from {}", candidates[found[0]].size, best.size);
            let counts: Vec<_> = asked.iter().map(|(effort, places)| (*effort, places.len())).collect();
            use Effort::{Half, Quarter, Whole};
            let whole = counts[3].1;
            assert_eq!(counts[..3], [(Quarter, COARSE), (Quarter, FINE), (Half, KEPT[0])]);
            assert!(counts[3].0 == Whole && (KEPT[1]..=KEPT[1] + 1).contains(&whole), "{counts:?}");
            // The one that is most like the recipe is in the last round.
            assert!(asked[3].1.contains(&asked[0].1[0]));
            let mut first: Vec<usize> = asked[..2].iter().flat_map(|(_, places)| places.clone()).collect();
            first.sort_unstable();
            first.dedup();
            assert_eq!(first.len(), COARSE + FINE, "each once");
            assert_eq!(found.len(), first.len(), "the others follow, should the first not do");
        }
    }

    #[test]
    fn the_smaller_of_equals_is_taken_and_what_failed_never() {
        let candidates = [candidate(2000, 8, 16), candidate(2000, 4, 16), candidate(2000, 2, 16)];
        let found = search(&candidates, &candidates[0].size, |places, _| {
            let rating = |&place: &usize| {
                let bytes = candidates[place].needs.file;
                (place != 2).then_some(Rating { accuracy: 0.8, loss: 1.0 / bytes as f64, bytes })
            };
            Ok(places.iter().map(rating).collect())
        })
        .unwrap();
        assert_eq!(found, [1, 0], "of equals the smaller");
        assert_eq!(search(&[], &candidates[0].size, |_, _| Ok(vec![])).unwrap(), [0; 0]);
    }

    #[test]
    fn efforts_are_shares_of_the_epochs() {
        let of = |epochs, steps| {
            [Effort::Quarter, Effort::Half, Effort::Whole].map(|effort| effort.of(epochs, steps))
        };
        assert_eq!((of(1, 9999), of(10, 9999)), ([1, 1, 1], [3, 5, 10]));
        assert_eq!((of(30, 100), of(10, 10), of(10, 0)), ([10, 15, 30], [10; 3], [10; 3]));
    }
}
