//! Which of many sizes to take, with few trainings: coarse to fine, short to long.
//!
//! A few sizes that differ as much as sizes can are trained for a quarter of the epochs, then the neighbours of the best
//! of them. The better ones are trained anew for half of the epochs, and the best of these for all ("successive
//! halving": Jamieson and Talwalkar 2016).

use std::cmp::Ordering;

use anyhow::Result;

use super::grid::{Form, Shape};
use super::space::Plan;

/// Sizes that are tried first.
const COARSE: usize = 6;

/// Neighbours of the best two of them that are tried next.
const FINE: usize = 4;

/// How many go on to half of the epochs, and then to all.
const KEPT: [usize; 2] = [4, 2];

/// How long a training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// A quarter of the epochs.
    Quarter,
    /// Half of them.
    Half,
    /// All.
    Whole,
}

impl Effort {
    /// So much of a number of epochs, and at least one.
    pub fn of(self, epochs: usize) -> usize {
        match self {
            Self::Quarter => epochs.div_ceil(4),
            Self::Half => epochs.div_ceil(2),
            Self::Whole => epochs,
        }
    }
}

/// What a training of a size came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The share of texts that the device answers correctly.
    pub accuracy: f64,
    /// Bytes of the file.
    pub bytes: usize,
}

impl Score {
    /// The better comes first; of equals the smaller.
    fn rank(&self, other: &Self) -> Ordering {
        other.accuracy.total_cmp(&self.accuracy).then(self.bytes.cmp(&other.bytes))
    }
}

/// Searches; returns places in `plans`, the best first: those that were trained longest before the others. `train`
/// trains several, and says what each came to, if it came to something that may be chosen.
pub fn search(
    plans: &[Plan],
    beside: &Shape,
    mut train: impl FnMut(&[usize], Effort) -> Result<Vec<Option<Score>>>,
) -> Result<Vec<usize>> {
    let points: Vec<Point> = plans.iter().map(|plan| Point::of(&plan.shape)).collect();
    let mut tried = spread(&points, &Point::of(beside), COARSE);
    let mut ranked = Vec::new();
    let mut round = |places: &[usize], effort| -> Result<Vec<(usize, Score)>> {
        let scores = train(places, effort)?;
        Ok(places.iter().zip(scores).filter_map(|(&place, score)| Some((place, score?))).collect())
    };
    ranked.extend(round(&tried, Effort::Quarter)?);
    ranked.sort_by(|(_, a), (_, b)| a.rank(b));

    let near: Vec<&Point> = ranked.iter().take(2).map(|&(place, _)| &points[place]).collect();
    let mut others: Vec<(f64, usize)> = (0..points.len())
        .filter(|place| !tried.contains(place))
        .filter_map(|place| {
            Some((near.iter().map(|near| near.distance(&points[place])).reduce(f64::min)?, place))
        })
        .collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    // Of the nearest, those that differ most from each other: not four steps in one direction.
    others.truncate(4 * FINE);
    let nearest: Vec<usize> = others.into_iter().map(|(_, place)| place).collect();
    if let Some(&first) = nearest.first() {
        let around: Vec<Point> = nearest.iter().map(|&place| points[place]).collect();
        let fine: Vec<usize> =
            spread(&around, &points[first], FINE).into_iter().map(|place| nearest[place]).collect();
        ranked.extend(round(&fine, Effort::Quarter)?);
        ranked.sort_by(|(_, a), (_, b)| a.rank(b));
        tried.extend(fine);
    }

    for (effort, kept) in [Effort::Half, Effort::Whole].into_iter().zip(KEPT) {
        let kept: Vec<usize> = ranked.iter().take(kept).map(|&(place, _)| place).collect();
        let mut longer = round(&kept, effort)?;
        longer.sort_by(|(_, a), (_, b)| a.rank(b));
        // What came to nothing this time is no choice any more.
        let rest = ranked.into_iter().filter(|(place, _)| !kept.contains(place));
        ranked = longer.into_iter().chain(rest).collect();
    }
    Ok(ranked.into_iter().map(|(place, _)| place).collect())
}

/// Where a size is among sizes: twice as much of something is as far away as half of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    words: f64,
    /// Numbers of a word.
    row: f64,
    units: f64,
    form: Option<Form>,
}

impl Point {
    fn of(shape: &Shape) -> Self {
        let log = |number: usize| (number.max(1) as f64).log2();
        let row = if shape.form == Some(Form::Folded) { shape.units } else { shape.embedding };
        Self { words: log(shape.vocabulary), row: log(row), units: log(shape.units), form: shape.form }
    }

    fn distance(&self, other: &Self) -> f64 {
        let form = f64::from(u8::from(self.form != other.form));
        (self.words - other.words).abs()
            + (self.row - other.row).abs()
            + (self.units - other.units).abs()
            + form
    }
}

/// So many of the points, first that nearest to `start`, then always one that is farthest from all before it.
fn spread(points: &[Point], start: &Point, count: usize) -> Vec<usize> {
    let all = 0..points.len();
    let nearest = all
        .clone()
        .min_by(|&a, &b| points[a].distance(start).total_cmp(&points[b].distance(start)).then(a.cmp(&b)));
    let mut chosen: Vec<usize> = nearest.into_iter().collect();
    let gap = |place: usize, chosen: &[usize]| {
        chosen.iter().map(|&other| points[place].distance(&points[other])).fold(f64::MAX, f64::min)
    };
    while chosen.len() < count.min(points.len()) {
        let farthest = all
            .clone()
            .filter(|place| !chosen.contains(place))
            .max_by(|&a, &b| gap(a, &chosen).total_cmp(&gap(b, &chosen)).then(b.cmp(&a)));
        chosen.extend(farthest);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::cores::Shape as Step;
    use crate::footprint::{Footprint, Needs};
    use kilornn::layers::Order;

    fn plan(vocabulary: usize, embedding: usize, units: usize) -> Plan {
        let shape = Shape { vocabulary, embedding, units, form: Some(Form::Int4) };
        let step = Step { units, width: embedding, tanh: false, order: Order::Columns };
        let footprint =
            Footprint { file: 0, engine: 0, classifier: 0, stack: 0, instructions_per_word: None };
        Plan { shape, needs: Needs { file: vocabulary * embedding, classifier: 0, step }, footprint }
    }

    fn plans() -> Vec<Plan> {
        let mut plans = Vec::new();
        for units in [4, 8, 16, 32, 64] {
            for embedding in [4, 8, 16] {
                for vocabulary in [500, 1000, 2000] {
                    plans.push(plan(vocabulary, embedding, units));
                }
            }
        }
        plans
    }

    #[test]
    fn the_best_is_found_where_sizes_become_better_towards_it() {
        let plans = plans();
        let beside = plan(1000, 8, 16).shape;
        for best in [plan(2000, 4, 32), plan(500, 16, 8), plan(2000, 16, 64)] {
            let target = Point::of(&best.shape);
            let mut asked = Vec::new();
            let found = search(&plans, &beside, |places, effort| {
                asked.push((effort, places.to_vec()));
                let score = |&place: &usize| {
                    let accuracy = 0.9 - 0.05 * Point::of(&plans[place].shape).distance(&target);
                    Some(Score { accuracy, bytes: plans[place].needs.file })
                };
                Ok(places.iter().map(score).collect())
            })
            .unwrap();
            let distance = Point::of(&plans[found[0]].shape).distance(&target);
            assert!(distance <= 1.0, "{} is far from {}", plans[found[0]].shape, best.shape);
            let counts: Vec<_> = asked.iter().map(|(effort, places)| (*effort, places.len())).collect();
            use Effort::{Half, Quarter, Whole};
            assert_eq!(counts, [(Quarter, COARSE), (Quarter, FINE), (Half, 4), (Whole, 2)]);
            let mut first: Vec<usize> = asked[..2].iter().flat_map(|(_, places)| places.clone()).collect();
            first.sort_unstable();
            first.dedup();
            assert_eq!(first.len(), COARSE + FINE, "each once");
            assert_eq!(found.len(), first.len(), "the others follow, should the first not do");
        }
    }

    #[test]
    fn the_smaller_of_equals_is_taken_and_what_failed_never() {
        let plans = [plan(1000, 8, 16), plan(1000, 4, 16), plan(500, 4, 16)];
        let found = search(&plans, &plans[0].shape, |places, _| {
            let score = |&place: &usize| {
                (place != 2).then_some(Score { accuracy: 0.8, bytes: plans[place].needs.file })
            };
            Ok(places.iter().map(score).collect())
        })
        .unwrap();
        assert_eq!(found, [1, 0]);
        assert_eq!(search(&[], &plans[0].shape, |_, _| Ok(vec![])).unwrap(), [0; 0]);
    }

    #[test]
    fn efforts_are_shares_of_the_epochs() {
        let of = |epochs| [Effort::Quarter, Effort::Half, Effort::Whole].map(|effort| effort.of(epochs));
        assert_eq!((of(1), of(10)), ([1, 1, 1], [3, 5, 10]));
    }
}
