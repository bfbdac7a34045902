//! What there is to know of data before training on them: counts, and what looks like a mistake.

use rayon::prelude::*;
use serde::Serialize;

use super::labels::shown;
use super::repeats::{self, Repeats};
use super::{Dataset, Example};
use crate::excerpt::excerpt;
use crate::text::Encoder;
use crate::warning::{Kind, Warning};

/// Counts, as `metrics.json` holds them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Counts {
    /// Names of the classes.
    pub labels: Vec<String>,
    /// Words that the model will know.
    pub vocabulary: usize,
    /// What to train on.
    pub train: PartCounts,
    /// What to validate on.
    pub dev: Option<PartCounts>,
    /// What to test on.
    pub test: Option<PartCounts>,
    /// Texts that are there more than once.
    pub duplicates: Duplicates,
    /// What the reading of the data found.
    #[serde(skip)]
    noticed: Vec<Warning>,
}

/// Counts of a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PartCounts {
    /// Examples.
    pub examples: usize,
    /// Examples of each class.
    pub per_class: Vec<usize>,
    /// Words of a text, before any is cut off.
    pub words: Lengths,
    /// The share of all words that the vocabulary lacks.
    pub unknown_words: f64,
    /// Texts without a word.
    pub without_words: usize,
    /// Texts whose length lies far outside the others' ([`Lengths::far_outside`]).
    pub far_longer: usize,
    /// The longest of all texts, by index.
    #[serde(skip)]
    pub longest: usize,
    /// Characters of all texts for each of their words, what separates words included.
    #[serde(skip)]
    pub characters_per_word: f64,
}

/// How long texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Lengths {
    /// The shortest.
    pub min: usize,
    /// Half of the texts have at most this many.
    pub median: usize,
    /// Nine in ten texts have at most this many.
    pub p90: usize,
    /// The longest.
    pub max: usize,
}

/// Texts that are equal to the byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Duplicates {
    #[serde(flatten)]
    pub repeats: Repeats,
    /// The first with more than one label.
    pub contradictory_example: Option<String>,
}

impl Counts {
    /// Counts, with the vocabulary that training uses.
    ///
    /// The texts are read for it once more: ids of encoded texts are cut to the recipe's `maxlen`, and unknown words are
    /// no longer among them unless they have a row.
    pub(crate) fn of(data: &Dataset, encoder: &Encoder) -> Self {
        let part = |examples: &Vec<Example>| PartCounts::of(examples, data.labels.len(), encoder);
        Self {
            labels: data.labels.clone(),
            vocabulary: encoder.words().len(),
            train: part(&data.train),
            dev: data.dev.as_ref().map(part),
            test: data.test.as_ref().map(part),
            duplicates: Duplicates::of(data),
            noticed: data.warnings.clone(),
        }
    }

    /// The parts that there are, by name.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, &PartCounts)> {
        let parts = [("train", Some(&self.train)), ("dev", self.dev.as_ref()), ("test", self.test.as_ref())];
        parts.into_iter().filter_map(|(name, part)| Some((name, part?)))
    }

    /// What a person should look at before training.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let repeats = self.duplicates.repeats;
        let examples = |part: Option<&PartCounts>| part.map_or(0, |part| part.examples);
        let sizes = [self.train.examples, examples(self.dev.as_ref()), examples(self.test.as_ref())];
        let repeated = repeats
            .said(sizes, "texts")
            .map(|(count, all, what)| Warning::new(Kind::DuplicateTexts, format!("{count} of {all} {what}")));
        let mut warnings: Vec<Warning> = self.noticed.iter().cloned().chain(repeated).collect();
        if let Some(text) = &self.duplicates.contradictory_example {
            let message = format!(
                "{} texts have more than one label, the first `{}`",
                repeats.contradictory,
                excerpt(text)
            );
            warnings.push(Warning::new(Kind::ContradictoryLabels, message));
        }
        for (name, part) in self.parts() {
            if part.without_words > 0 {
                let message =
                    format!("{} of {} {name} texts have no word", part.without_words, part.examples);
                warnings.push(Warning::new(Kind::NoWords, message));
            }
            let empty: Vec<&String> = (0..self.labels.len())
                .filter(|&class| part.per_class[class] == 0)
                .map(|class| &self.labels[class])
                .collect();
            warnings.extend(missing_classes(&format!("{name} text"), &empty));
        }
        warnings
    }
}

/// Says that there is no example of these classes, if there are any; `what` is a `test text`, for example.
pub(super) fn missing_classes(what: &str, classes: &[&String]) -> Option<Warning> {
    (!classes.is_empty())
        .then(|| Warning::new(Kind::MissingClass, format!("no {what} of these classes: {}", shown(classes))))
}

impl PartCounts {
    fn of(examples: &[Example], classes: usize, encoder: &Encoder) -> Self {
        let mut per_class = vec![0; classes];
        examples.iter().for_each(|example| per_class[example.class] += 1);
        let words: Vec<(usize, usize)> =
            examples.par_iter().map(|example| encoder.count_words(&example.text)).collect();
        let characters: usize = examples.par_iter().map(|example| example.text.chars().count()).sum();
        let all: usize = words.iter().map(|(all, _)| all).sum();
        let unknown: usize = words.iter().map(|(_, unknown)| unknown).sum();
        let lengths: Vec<usize> = words.into_iter().map(|(all, _)| all).collect();
        let longest = (0..lengths.len()).max_by_key(|&text| lengths[text]).unwrap_or(0);
        let without_words = lengths.iter().filter(|&&length| length == 0).count();
        let sorted = Lengths::sorted(lengths);
        let words = Lengths::of(&sorted);
        Self {
            examples: examples.len(),
            per_class,
            without_words,
            far_longer: sorted.len() - sorted.partition_point(|&length| length <= words.far_outside()),
            longest,
            characters_per_word: characters as f64 / all.max(1) as f64,
            words,
            unknown_words: unknown as f64 / all.max(1) as f64,
        }
    }
}

impl Lengths {
    pub(super) fn sorted(mut lengths: Vec<usize>) -> Vec<usize> {
        lengths.sort_unstable();
        lengths
    }

    /// Of at least one text, by rising length: the smallest length that is enough for the share (nearest rank).
    pub(super) fn of(lengths: &[usize]) -> Self {
        let rank = |percent: usize| lengths[(lengths.len() * percent).div_ceil(100).max(1) - 1];
        Self { min: rank(0), median: rank(50), p90: rank(90), max: rank(100) }
    }

    /// The length beyond which a text is an outlier: logarithms of lengths are about normally distributed, and such a
    /// text's lies more than five standard deviations above their median, the deviation being estimated from the
    /// median and the ninth decile, on which outliers have no influence.
    pub(crate) fn far_outside(&self) -> usize {
        /// Standard deviations from the median of a normal distribution to its ninth decile.
        const NINTH_DECILE: f64 = 1.2816;
        let (median, p90) = (self.median.max(1) as f64, self.p90.max(1) as f64);
        // Where nearly all texts are of one length, a longer one is still no outlier at once.
        let deviation = ((p90 / median).ln() / NINTH_DECILE).max(0.3);
        ((median * (5.0 * deviation).exp()) as usize).max(self.p90 + 20)
    }
}

impl Duplicates {
    fn of(data: &Dataset) -> Self {
        let parts = [&data.train, data.dev.as_deref().unwrap_or(&[]), data.test.as_deref().unwrap_or(&[])];
        let found = repeats::find(parts, |example| &*example.text, |example| example.class);
        let example = found.contradiction.map(|((_, example), _)| example.text.clone());
        Self { repeats: found.repeats, contradictory_example: example }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn examples(rows: &[(usize, &str)]) -> Vec<Example> {
        rows.iter().map(|&(class, text)| Example::new(class, text)).collect()
    }

    #[test]
    fn counts_words_and_duplicates() {
        let data = Dataset {
            labels: vec!["n".into(), "p".into()],
            train: examples(&[(0, "a a b"), (1, "a b"), (0, "a a b"), (0, "b, A!"), (1, "a a b")]),
            dev: Some(examples(&[(0, "a b"), (0, "x"), (0, "x")])),
            test: Some(examples(&[(1, "x"), (0, "a b"), (1, "y a b z"), (0, "")])),
            ..Dataset::default()
        };
        let recipe = Recipe::from_toml("vocabulary = 2\nmaxlen = 1").unwrap();
        let encoder = Encoder::fit(&recipe, data.train.iter().map(|example| example.text.as_str()));
        let counts = Counts::of(&data, &encoder);
        assert_eq!(counts.train.per_class, [3, 2]);
        assert_eq!(counts.train.words, Lengths { min: 2, median: 3, p90: 3, max: 3 });
        assert_eq!((counts.vocabulary, counts.train.unknown_words), (2, 0.0));
        let (dev, test) = (counts.dev.as_ref().unwrap(), counts.test.as_ref().unwrap());
        assert_eq!((dev.unknown_words, test.unknown_words), (0.5, 3.0 / 7.0));
        assert_eq!((test.without_words, test.words.min, test.words.max), (1, 0, 4));
        let expected = Duplicates {
            repeats: Repeats {
                within_train: 2,
                dev_in_train: 1,
                test_in_train: 1,
                test_in_dev: 2,
                // "a a b" within train, "a b" between train and dev, "x" between dev and test.
                contradictory: 3,
            },
            contradictory_example: Some("a a b".into()),
        };
        assert_eq!(counts.duplicates, expected);
        let warnings = counts.warnings();
        assert_eq!(warnings[0].message, "2 of 5 training texts repeat an earlier one (all are kept)");
        assert_eq!(warnings[4].message, "3 texts have more than one label, the first `a a b`");
        assert_eq!(warnings[5].message, "no dev text of these classes: p");
        assert_eq!(warnings[6].message, "1 of 4 test texts have no word");
        assert_eq!(warnings.len(), 7);
    }

    #[test]
    fn ranks_are_lengths_that_occur() {
        let of = |lengths: Vec<usize>| Lengths::of(&Lengths::sorted(lengths));
        assert_eq!(of((1..=10).rev().collect()), Lengths { min: 1, median: 5, p90: 9, max: 10 });
        assert_eq!(of(vec![7]), Lengths { min: 7, median: 7, p90: 7, max: 7 });
    }
}
