//! The numbers of a report: counted, not drawn.

/// How often each class was answered for texts of each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confusion {
    /// Rows: the class that is right; columns: the answer.
    pub(super) counts: Vec<Vec<usize>>,
}

/// How well a class is told from the others.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Quality {
    /// The share of right ones among the answers of this class.
    pub(super) precision: f64,
    /// The share of this class's texts that were answered right.
    pub(super) recall: f64,
    /// Their harmonic mean.
    pub(super) f1: f64,
    /// Texts of this class.
    pub(super) support: usize,
}

impl Confusion {
    /// Counts pairs of the right class and the answer.
    pub(super) fn of(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        pairs.into_iter().for_each(|(right, answer)| counts[right][answer] += 1);
        Self { counts }
    }

    /// The quality of every class. What has no answer or no text has a quality of 0, as in scikit-learn.
    pub(super) fn qualities(&self) -> Vec<Quality> {
        (0..self.counts.len())
            .map(|class| {
                let hits = self.counts[class][class] as f64;
                let support = self.counts[class].iter().sum::<usize>();
                let answers = self.counts.iter().map(|row| row[class]).sum::<usize>();
                let share = |of: usize| if of == 0 { 0.0 } else { hits / of as f64 };
                Quality {
                    precision: share(answers),
                    recall: share(support),
                    f1: 2.0 * hits / (answers + support).max(1) as f64,
                    support,
                }
            })
            .collect()
    }

    /// Wrong answers by number, the most frequent first: right class, answer, texts.
    pub(super) fn mistakes(&self) -> Vec<(usize, usize, usize)> {
        let mut all: Vec<(usize, usize, usize)> = (self.counts.iter().enumerate())
            .flat_map(|(right, row)| row.iter().enumerate().map(move |(answer, &n)| (right, answer, n)))
            .filter(|&(right, answer, n)| right != answer && n > 0)
            .collect();
        all.sort_by_key(|&(right, answer, n)| (std::cmp::Reverse(n), right, answer));
        all
    }
}

/// The means of qualities: of all classes alike, and by their texts.
pub(super) fn means(qualities: &[Quality]) -> [Quality; 2] {
    let texts: usize = qualities.iter().map(|quality| quality.support).sum();
    let mean = |weight: &dyn Fn(&Quality) -> f64| {
        let mut sum = Quality { support: texts, ..Quality::default() };
        for quality in qualities {
            let weight = weight(quality);
            sum.precision += weight * quality.precision;
            sum.recall += weight * quality.recall;
            sum.f1 += weight * quality.f1;
        }
        sum
    };
    let classes = qualities.len().max(1) as f64;
    [mean(&|_| 1.0 / classes), mean(&|quality| quality.support as f64 / texts.max(1) as f64)]
}

/// Answers of about equal confidence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bin {
    /// Texts.
    pub(super) texts: usize,
    /// The mean probability of the answers.
    pub(super) confidence: f64,
    /// The share of right answers.
    pub(super) accuracy: f64,
}

/// Bins of equal width from 0 to 1, of pairs of an answer's probability and whether it was right.
pub(super) fn calibration(pairs: impl IntoIterator<Item = (f64, bool)>) -> [Bin; 10] {
    let mut bins = [Bin::default(); 10];
    for (confidence, right) in pairs {
        let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
        bin.texts += 1;
        bin.confidence += confidence;
        bin.accuracy += f64::from(u8::from(right));
    }
    for bin in &mut bins {
        bin.confidence /= bin.texts.max(1) as f64;
        bin.accuracy /= bin.texts.max(1) as f64;
    }
    bins
}

/// The mean distance of confidence and accuracy (Guo et al. 2017, expected calibration error).
pub(super) fn calibration_error(bins: &[Bin]) -> f64 {
    let texts: usize = bins.iter().map(|bin| bin.texts).sum();
    let off = bins.iter().map(|bin| bin.texts as f64 * (bin.confidence - bin.accuracy).abs());
    off.sum::<f64>() / texts.max(1) as f64
}

/// A round width for at most `most` bins that reach up to a value.
pub(super) fn bin_width(largest: usize, most: usize) -> usize {
    let steps = (0..).flat_map(|power| [1, 2, 5].map(|step| step * 10_usize.pow(power)));
    steps.into_iter().find(|width| largest / width < most).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualities_are_scikit_learn_s() {
        // sklearn.metrics.classification_report([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0], zero_division=0)
        let pairs = [0, 0, 0, 1, 1, 2].into_iter().zip([0, 0, 1, 1, 0, 0]);
        let confusion = Confusion::of(3, pairs);
        assert_eq!(confusion.counts, [[2, 1, 0], [1, 1, 0], [1, 0, 0]]);
        let qualities = confusion.qualities();
        let near = |quality: &Quality, [precision, recall, f1]: [f64; 3]| {
            let found = [quality.precision, quality.recall, quality.f1];
            assert!(
                found.iter().zip([precision, recall, f1]).all(|(a, b)| (a - b).abs() < 1e-4),
                "{quality:?}"
            );
        };
        near(&qualities[0], [0.5, 0.6667, 0.5714]);
        near(&qualities[1], [0.5, 0.5, 0.5]);
        near(&qualities[2], [0.0, 0.0, 0.0]);
        let [of_classes, of_texts] = means(&qualities);
        near(&of_classes, [0.3333, 0.3889, 0.3571]);
        near(&of_texts, [0.4167, 0.5, 0.4524]);
        assert_eq!(of_texts.support, 6);
        assert_eq!(confusion.mistakes(), [(0, 1, 1), (1, 0, 1), (2, 0, 1)]);
    }

    #[test]
    fn bins_hold_what_is_equally_sure() {
        let bins = calibration([(0.55, true), (0.59, false), (1.0, true), (0.95, true)]);
        assert_eq!((bins[5].texts, bins[9].texts), (2, 2));
        assert!((bins[5].confidence - 0.57).abs() < 1e-9 && (bins[5].accuracy - 0.5).abs() < 1e-9);
        assert!((calibration_error(&bins) - (2.0 * 0.07 + 2.0 * 0.025) / 4.0).abs() < 1e-9);
        assert_eq!(calibration_error(&calibration([])), 0.0);
    }

    #[test]
    fn bins_have_round_widths() {
        assert_eq!(
            [bin_width(9, 40), bin_width(99, 40), bin_width(2493, 40), bin_width(0, 40)],
            [1, 5, 100, 1]
        );
    }
}
