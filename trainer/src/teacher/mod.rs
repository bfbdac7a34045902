//! A teacher for distillation: two linear models over word n-grams, far too large for a microcontroller. The probabilities
//! that they give a text say more than its label does (Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network").
//!
//! One reads n-grams weighted by tf-idf, the other by the log-count ratios of naive Bayes (Wang and Manning 2012,
//! "Baselines and bigrams"). A model is overconfident on texts that it was trained on, so these are judged by
//! models that have not seen them (cross-fitting).

mod linear;
mod ngrams;
mod weights;

use kilornn::text::Normalization;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::linear::{score, train};
use self::ngrams::NgramCounts;
use self::weights::Weighted;
use crate::progress;

/// Parts of the training texts that are judged by models of the other parts.
const FOLDS: usize = 5;

/// How sure opinions become: their standard deviation, as a logit.
const SHARPNESS: f32 = 3.0;

/// Cost of an error beside the size of the weights, for tf-idf and for naive Bayes; chosen on IMDB's dev part.
const COSTS: [f32; 2] = [0.5, 0.01];

/// What a teacher thinks.
#[derive(Debug, Clone)]
pub(crate) struct Opinions {
    /// Of the training texts: the probability of class 1 of two, or that of each of more classes.
    pub train: Vec<f32>,
    /// Of the unlabelled ones.
    pub unlabelled: Vec<f32>,
}

/// What a teacher learns from, and judges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lesson<'a> {
    /// Labelled texts.
    pub texts: &'a [&'a str],
    /// Their classes.
    pub classes: &'a [usize],
    /// How many classes there are.
    pub count: usize,
    /// Texts of the same number are not judged by models that have learned from each other.
    pub groups: &'a [usize],
    /// Texts that are only judged.
    pub unlabelled: &'a [&'a str],
    /// Words of the longest n-grams.
    pub longest: usize,
    /// How text becomes words.
    pub normalization: Normalization,
}

/// Learns from labelled texts and judges them, and the unlabelled ones.
pub(crate) fn teach(lesson: &Lesson<'_>) -> Opinions {
    let Lesson { texts, classes, count, groups, unlabelled, longest, normalization } = *lesson;
    let labelled = texts.len();
    let all: Vec<&str> = texts.iter().chain(unlabelled).copied().collect();
    let counts = NgramCounts::of(&all, normalization, longest);
    // Two classes are told apart by one model.
    let asked: Vec<usize> = if count == 2 { vec![1] } else { (0..count).collect() };
    let jobs: Vec<(usize, usize)> =
        (0..asked.len()).flat_map(|column| (0..=FOLDS).map(move |fold| (column, fold))).collect();
    // The last fold's models learn from all labelled texts.
    let of_fold = |text: usize, fold: usize| groups[text] % FOLDS == fold;
    let judged_by = |fold: usize| -> Vec<usize> {
        match fold {
            FOLDS => (labelled..all.len()).collect(),
            _ => (0..labelled).filter(|&text| of_fold(text, fold)).collect(),
        }
    };
    let progress = progress::bar("teacher", 2 * jobs.len(), "models");
    let tf_idf = Weighted::tf_idf(&counts, labelled);
    // For each class and fold, the two models' scores of the texts that they judge.
    let judged: Vec<[Vec<f32>; 2]> = jobs
        .par_iter()
        .map(|&(column, fold)| {
            let positive = |text: usize| classes[text] == asked[column];
            let learned: Vec<usize> = (0..labelled).filter(|&text| !of_fold(text, fold)).collect();
            let places = judged_by(fold);
            let mut rng = ChaCha8Rng::seed_from_u64(fold as u64);
            let mut judge = |vectors: &Weighted<'_>, cost| -> Vec<f32> {
                let model = train(vectors, &learned, positive, counts.used(), cost, &mut rng);
                progress.inc(1);
                places.iter().map(|&text| score(&model, vectors, text)).collect()
            };
            let naive_bayes = Weighted::naive_bayes(&counts, &learned, positive);
            [judge(&tf_idf, COSTS[0]), judge(&naive_bayes, COSTS[1])]
        })
        .collect();
    progress.finish_and_clear();

    // Back into the order of the texts, as texts x classes for each model.
    let mut scores = vec![vec![0.0; all.len() * asked.len()]; 2];
    for (&(column, fold), judged) in jobs.iter().zip(&judged) {
        let places = judged_by(fold);
        for (scores, judged) in scores.iter_mut().zip(judged) {
            places.iter().zip(judged).for_each(|(text, &score)| scores[text * asked.len() + column] = score);
        }
    }
    let deviation = |scores: &[f32]| {
        let seen = &scores[..labelled * asked.len()];
        let mean = seen.iter().sum::<f32>() / seen.len().max(1) as f32;
        let squares: f32 = seen.iter().map(|score| (score - mean).powi(2)).sum();
        (squares / seen.len().max(1) as f32).sqrt().max(f32::MIN_POSITIVE)
    };
    let deviations = [deviation(&scores[0]), deviation(&scores[1])];
    let mean: Vec<f32> = scores[0]
        .iter()
        .zip(&scores[1])
        .map(|(a, b)| (a / deviations[0] + b / deviations[1]) / 2.0)
        .collect();
    let scale = SHARPNESS / deviation(&mean);
    let mut opinions: Vec<f32> = Vec::with_capacity(mean.len());
    for scores in mean.chunks_exact(asked.len()) {
        match scores {
            [score] => opinions.push(1.0 / (1.0 + (-scale * score).exp())),
            _ => {
                let largest = scores.iter().copied().fold(f32::MIN, f32::max);
                let exps = scores.iter().map(|score| (scale * (score - largest)).exp());
                let sum: f32 = exps.clone().sum();
                opinions.extend(exps.map(|e| e / sum));
            }
        }
    }
    let unlabelled = opinions.split_off(labelled * asked.len());
    Opinions { train: opinions, unlabelled }
}
