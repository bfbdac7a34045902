//! Examples that are there more than once: equal texts, or equal recordings.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// Counts of examples that are equal to the bit, as `metrics.json` and `kilornn data --json` hold them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Repeats {
    /// Training examples that stood in the training part before.
    pub within_train: usize,
    /// Dev examples that are training examples.
    pub dev_in_train: usize,
    /// Test examples that are training examples.
    pub test_in_train: usize,
    /// Test examples that are dev examples.
    pub test_in_dev: usize,
    /// Different examples that have more than one label, in all parts together.
    pub contradictory: usize,
}

/// An example and the number of its part.
pub(super) type Place<'a, T> = (usize, &'a T);

/// What was found.
#[derive(Debug)]
pub(super) struct Found<'a, T> {
    pub(super) repeats: Repeats,
    /// Each example that stood in another part first, and where.
    pub(super) across: Vec<(Place<'a, T>, Place<'a, T>)>,
    /// The first example with another label than before, and where it stood first.
    pub(super) contradiction: Option<(Place<'a, T>, Place<'a, T>)>,
}

/// Compares the examples of training, dev and test part, which are equal if their keys are.
pub(super) fn find<'a, T, K: Eq + Hash>(
    parts: [&'a [T]; 3],
    key: impl Fn(&'a T) -> K,
    class: impl Fn(&T) -> usize,
) -> Found<'a, T> {
    /// What is known of an example.
    struct Seen<'a, T> {
        first: Place<'a, T>,
        stands_in: [bool; 3],
        contradicts: bool,
    }
    let mut known: HashMap<K, Seen<'a, T>> = HashMap::with_capacity(parts[0].len());
    let mut found = Found { repeats: Repeats::default(), across: Vec::new(), contradiction: None };
    for (part, examples) in parts.into_iter().enumerate() {
        for example in examples {
            let place = (part, example);
            let seen = known.entry(key(example)).or_insert(Seen {
                first: place,
                stands_in: [false; 3],
                contradicts: false,
            });
            let repeats = &mut found.repeats;
            let [in_train, in_dev, _] = seen.stands_in.map(usize::from);
            match part {
                0 => repeats.within_train += in_train,
                1 => repeats.dev_in_train += in_train,
                _ => {
                    repeats.test_in_train += in_train;
                    repeats.test_in_dev += in_dev;
                }
            }
            if seen.first.0 != part {
                found.across.push((place, seen.first));
            }
            if class(seen.first.1) != class(example) && !seen.contradicts {
                seen.contradicts = true;
                repeats.contradictory += 1;
                found.contradiction.get_or_insert((place, seen.first));
            }
            seen.stands_in[part] = true;
        }
    }
    found
}

impl Repeats {
    /// What there is to say of parts of these sizes: how many examples, of how many, and what of them. `what` is `texts`, for
    /// example.
    pub(super) fn said(self, sizes: [usize; 3], what: &str) -> impl Iterator<Item = (usize, usize, String)> {
        let [train, dev, test] = sizes;
        let all = [
            (self.within_train, train, format!("training {what} repeat an earlier one (all are kept)")),
            (self.dev_in_train, dev, format!("dev {what} are training {what}, too (all are kept)")),
            (self.test_in_train, test, format!("test {what} are training {what}, too (all are kept)")),
            (self.test_in_dev, test, format!("test {what} are dev {what}, too (all are kept)")),
        ];
        all.into_iter().filter(|(count, ..)| *count > 0)
    }
}
