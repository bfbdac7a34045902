//! What an n-gram weighs in a vector.

use super::linear::Vectors;
use super::ngrams::{NgramCounts, SLOTS};

/// Texts as vectors: each n-gram's weight, times what its count in the text makes of it.
pub(super) struct Weighted<'a> {
    counts: &'a NgramCounts,
    weights: Vec<f32>,
    scaling: Scaling,
}

enum Scaling {
    /// A text counts an n-gram once.
    Once,
    /// `1 + ln(count)`, and the text's vector is divided by its length.
    Logarithm { lengths: Vec<f32> },
}

impl<'a> Weighted<'a> {
    /// `(1 + ln tf) · idf`, as vectors of length 1; n-grams of one text of the first `labelled` only are left out.
    pub(super) fn tf_idf(counts: &'a NgramCounts, labelled: usize) -> Self {
        let mut weights = vec![0.0_f32; counts.used()];
        for text in 0..labelled {
            counts.text(text).iter().for_each(|&(at, _)| weights[at as usize] += 1.0);
        }
        for weight in &mut weights {
            *weight =
                if *weight < 2.0 { 0.0 } else { 1.0 + ((1.0 + labelled as f32) / (1.0 + *weight)).ln() };
        }
        let length = |text: usize| {
            let squares = counts.text(text).iter().map(|&(at, count)| {
                let value = (1.0 + count.ln()) * weights[at as usize];
                value * value
            });
            squares.sum::<f32>().sqrt().max(f32::MIN_POSITIVE)
        };
        let lengths = (0..counts.len()).map(length).collect();
        Self { counts, weights, scaling: Scaling::Logarithm { lengths } }
    }

    /// The logarithm of how much more often texts of a class have an n-gram than others, by the texts `learned`; with
    /// one more of each.
    pub(super) fn naive_bayes(
        counts: &'a NgramCounts,
        learned: &[usize],
        positive: impl Fn(usize) -> bool,
    ) -> Self {
        let mut ratios = [vec![1.0_f32; counts.used()], vec![1.0_f32; counts.used()]];
        for &text in learned {
            let of_class = &mut ratios[usize::from(positive(text))];
            counts.text(text).iter().for_each(|&(at, _)| of_class[at as usize] += 1.0);
        }
        // Numbers that occur nowhere have the one more as well.
        let unused = (SLOTS - counts.used()) as f64;
        let sums = [0, 1]
            .map(|class: usize| unused + ratios[class].iter().map(|&count| f64::from(count)).sum::<f64>());
        let shift = (sums[0] / sums[1]).ln() as f32;
        let [negative, mut weights] = ratios;
        for (weight, other) in weights.iter_mut().zip(&negative) {
            // In one text only: nothing to learn.
            *weight = if *weight + other < 4.0 { 0.0 } else { (*weight / other).ln() + shift };
        }
        Self { counts, weights, scaling: Scaling::Once }
    }
}

impl Vectors for Weighted<'_> {
    fn vector(&self, index: usize) -> impl Iterator<Item = (u32, f32)> {
        let length = match &self.scaling {
            Scaling::Once => None,
            Scaling::Logarithm { lengths } => Some(lengths[index]),
        };
        self.counts.text(index).iter().map(move |&(at, count)| {
            let weight = self.weights[at as usize];
            (at, length.map_or(weight, |length| weight * (1.0 + count.ln()) / length))
        })
    }
}
