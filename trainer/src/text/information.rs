//! Selection of a vocabulary: the words and pairs that say most about the class of a text.

use std::collections::HashMap;

use kilornn::text::{Normalization, WordHash};
use rayon::prelude::*;

use super::entries::{for_each_entry, halves};

/// Pairs in fewer texts are not worth a row of the embedding, however clear they are. Most pairs are in fewer.
const FEWEST: u32 = 5;

/// Texts whose words are in memory at a time.
const PART: usize = 4096;

/// The `count` entries (0: all) whose presence in a text says most about its class, the best first; equal ones are in
/// alphabetical order. `texts` come with the probability of each class.
///
/// The measure is Dunning's log-likelihood ratio (1993, "Accurate methods for the statistics of surprise and
/// coincidence"): the number of texts times the mutual information of presence and class, in nats, doubled. A rare word
/// scores little however clear it is, a frequent one little if it is everywhere. A pair scores what it tells *beyond* each
/// of its words: the ratio among the texts that have the one or the other, whichever is less.
pub(super) fn most_informative(
    normalization: Normalization,
    count: usize,
    texts: &[(&str, Vec<f32>)],
) -> Vec<String> {
    let classes = texts.first().map_or(0, |(_, probabilities)| probabilities.len());
    let mut all = vec![0.0; classes];
    texts.iter().for_each(|(_, probabilities)| add(&mut all, probabilities));
    let frequent = frequent_pairs(normalization, texts);
    let entries_of = |(text, _): &(&str, Vec<f32>)| {
        let mut entries = Vec::new();
        for_each_entry(normalization, text, |pair, word| {
            entries.extend(pair.filter(|pair| frequent.has(pair)).map(str::to_owned));
            entries.push(word.to_owned());
        });
        entries.sort_unstable();
        entries.dedup();
        entries
    };
    let mut with: HashMap<String, Vec<f64>> = HashMap::new();
    for part in texts.chunks(PART) {
        let entries: Vec<Vec<String>> = part.par_iter().map(entries_of).collect();
        for ((_, probabilities), entries) in part.iter().zip(entries) {
            for entry in entries {
                add(with.entry(entry).or_insert_with(|| vec![0.0; classes]), probabilities);
            }
        }
    }
    let score = |entry: &str, texts: &[f64]| match halves(normalization.unit, entry) {
        None => ratio(texts, &all),
        Some((before, word)) => {
            let beyond = |half: &str| with.get(half).map_or(0.0, |with| ratio(texts, with));
            beyond(before).min(beyond(word))
        }
    };
    let mut scored: Vec<(f64, &String)> =
        with.iter().map(|(entry, texts)| (score(entry, texts), entry)).collect();
    scored.sort_unstable_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    if count > 0 {
        scored.truncate(count);
    }
    scored.into_iter().map(|(_, entry)| entry.clone()).collect()
}

fn add(sums: &mut [f64], probabilities: &[f32]) {
    sums.iter_mut().zip(probabilities).for_each(|(sum, &p)| *sum += f64::from(p));
}

/// Pairs in at least [`FEWEST`] texts, and a few more: counts of hashes, since there are too many pairs to keep.
struct FrequentPairs(Vec<u32>);

impl FrequentPairs {
    const BITS: u32 = 24;

    fn place(pair: &str) -> usize {
        (WordHash::of(0, pair) >> (u32::BITS - Self::BITS)) as usize
    }

    fn has(&self, pair: &str) -> bool {
        self.0[Self::place(pair)] >= FEWEST
    }
}

fn frequent_pairs(normalization: Normalization, texts: &[(&str, Vec<f32>)]) -> FrequentPairs {
    if !normalization.unit.has_pairs() {
        return FrequentPairs(Vec::new());
    }
    let mut counts = vec![0; 1 << FrequentPairs::BITS];
    for part in texts.chunks(PART) {
        let places_of = |(text, _): &(&str, Vec<f32>)| {
            let mut places = Vec::new();
            for_each_entry(normalization, text, |pair, _| places.extend(pair.map(FrequentPairs::place)));
            places.sort_unstable();
            places.dedup();
            places
        };
        let places: Vec<Vec<usize>> = part.par_iter().map(places_of).collect();
        places.into_iter().flatten().for_each(|place| counts[place] += 1);
    }
    FrequentPairs(counts)
}

/// `2 Σ observed · ln(observed / expected)` over presence and class, given the texts of each class with an entry and all.
fn ratio(with: &[f64], all: &[f64]) -> f64 {
    let (present, texts) = (with.iter().sum::<f64>(), all.iter().sum::<f64>());
    // What is there in every text, to rounding, has a rest of nothing.
    let term = |observed: f64, expected: f64| {
        if observed > 0.0 && expected > 0.0 { observed * (observed / expected).ln() } else { 0.0 }
    };
    let terms = with.iter().zip(all).map(|(&with, &all)| {
        term(with, present * all / texts) + term(all - with, (texts - present) * all / texts)
    });
    2.0 * terms.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kilornn::text::Unit;

    #[test]
    fn the_ratio_is_dunning_s() {
        // scipy.stats.chi2_contingency([[10, 30], [90, 70]], correction=False, lambda_="log-likelihood")
        assert!(
            (ratio(&[10.0, 30.0], &[100.0, 100.0]) - 12.971_514_3).abs() < 1e-6,
            "{}",
            ratio(&[10.0, 30.0], &[100.0, 100.0])
        );
        assert!(ratio(&[7.0, 7.0], &[50.0, 50.0]).abs() < 1e-9);
        assert!(ratio(&[7.0, 9.0], &[7.0, 9.0]).abs() < 1e-9, "in every text");
    }

    #[test]
    fn prefers_words_that_tell() {
        let texts = [
            ("the film was bad, bad", vec![1.0, 0.0]),
            ("bad the", vec![1.0, 0.0]),
            ("the film was good", vec![0.0, 1.0]),
            ("Good! The best", vec![0.0, 1.0]),
        ];
        let words = most_informative(Normalization::KERAS, 3, &texts);
        assert_eq!(words, ["bad", "good", "best"]);
        assert_eq!(most_informative(Normalization::KERAS, 0, &texts).len(), 6);
        // What is unsure tells less.
        let texts =
            [("y", vec![0.6, 0.4]), ("x", vec![1.0, 0.0]), ("w", vec![0.4, 0.6]), ("z", vec![0.0, 1.0])];
        assert_eq!(most_informative(Normalization::KERAS, 2, &texts), ["x", "z"]);
    }

    #[test]
    fn pairs_must_tell_more_than_their_words() {
        let pairs = Normalization { unit: Unit::WordPair, ..Normalization::KERAS };
        let (bad, good) = (vec![1.0, 0.0], vec![0.0, 1.0]);
        let texts = [
            ("not good", bad.clone()),
            ("good, but not it", good.clone()),
            ("a waste", bad),
            ("a gem", good),
        ];
        let texts = texts.map(|text| vec![text; 10]).concat();
        let entries = most_informative(pairs, 6, &texts);
        // `not` and `good` tell nothing of these; `a waste` no more than `waste` does.
        assert!(entries.contains(&"not good".to_owned()), "{entries:?}");
        assert!(
            entries.contains(&"waste".to_owned()) && !entries.contains(&"a waste".to_owned()),
            "{entries:?}"
        );
        let rare = most_informative(pairs, 0, &texts[..FEWEST as usize - 1]);
        assert_eq!(rare, ["good", "not"], "pairs in too few texts");
    }
}
