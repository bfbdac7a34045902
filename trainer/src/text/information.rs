//! Words that tell what a text is.

use std::collections::HashMap;

use kilornn::text::Normalization;
use rayon::prelude::*;

use super::for_each_word;

/// The `count` words (0: all) whose presence in a text says most of its class, first those that say most; among equals
/// the alphabet decides. Of every text the probability of each class is given.
///
/// The measure is Dunning's log-likelihood ratio (1993, "Accurate methods for the statistics of surprise and
/// coincidence"): the number of texts times the mutual information of presence and class, in nats, doubled. A rare word
/// scores little however clear it is, a frequent one little if it is everywhere.
pub(super) fn most_informative(
    normalization: Normalization,
    count: usize,
    texts: &[(&str, Vec<f32>)],
) -> Vec<String> {
    let classes = texts.first().map_or(0, |(_, probabilities)| probabilities.len());
    let add = |sums: &mut [f64], probabilities: &[f32]| {
        sums.iter_mut().zip(probabilities).for_each(|(sum, &p)| *sum += f64::from(p));
    };
    let mut all = vec![0.0; classes];
    texts.iter().for_each(|(_, probabilities)| add(&mut all, probabilities));
    let words_of = |(text, _): &(&str, Vec<f32>)| {
        let mut words = Vec::new();
        for_each_word(normalization, text, |word| words.push(word.to_owned()));
        words.sort_unstable();
        words.dedup();
        words
    };
    let mut with: HashMap<String, Vec<f64>> = HashMap::new();
    for part in texts.chunks(4096) {
        let words: Vec<Vec<String>> = part.par_iter().map(words_of).collect();
        for ((_, probabilities), words) in part.iter().zip(words) {
            for word in words {
                add(with.entry(word).or_insert_with(|| vec![0.0; classes]), probabilities);
            }
        }
    }
    let mut scored: Vec<(f64, String)> =
        with.into_iter().map(|(word, with)| (ratio(&with, &all), word)).collect();
    scored.sort_unstable_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    if count > 0 {
        scored.truncate(count);
    }
    scored.into_iter().map(|(_, word)| word).collect()
}

/// `2 Σ observed · ln(observed / expected)` over presence and class, given the texts of each class with a word and all.
fn ratio(with: &[f64], all: &[f64]) -> f64 {
    let (present, texts) = (with.iter().sum::<f64>(), all.iter().sum::<f64>());
    let term = |observed: f64, expected: f64| {
        if observed > 0.0 { observed * (observed / expected).ln() } else { 0.0 }
    };
    let terms = with.iter().zip(all).map(|(&with, &all)| {
        term(with, present * all / texts) + term(all - with, (texts - present) * all / texts)
    });
    2.0 * terms.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_dunning_s() {
        // scipy.stats.chi2_contingency([[10, 30], [90, 70]], correction=False, lambda_="log-likelihood")
        assert!(
            (ratio(&[10.0, 30.0], &[100.0, 100.0]) - 12.971_514_3).abs() < 1e-6,
            "{}",
            ratio(&[10.0, 30.0], &[100.0, 100.0])
        );
        assert!(ratio(&[7.0, 7.0], &[50.0, 50.0]).abs() < 1e-9);
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
}
