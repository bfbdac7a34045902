//! What the device answers, computed on the host by the device's own code.

use indicatif::ProgressBar;
use kilornn::{Classifier, Model};
use rayon::prelude::*;

/// The answer to one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The most probable class.
    pub class: u32,
    /// Its probability.
    pub score: f32,
    /// Words of the text.
    pub words: u32,
    /// Those in the vocabulary.
    pub known_words: u32,
    /// Integer logits.
    pub logits: Vec<i32>,
}

/// Answers for many texts, on all cores, in order.
pub fn answer_all(model: &Model<'_>, texts: &[&str], progress: &ProgressBar) -> Vec<Answer> {
    // The window is part of a classifier's type: the next larger of a few.
    match model.contents().sequence.window() {
        0 => answer_with::<0>(model, texts, progress),
        1..=1024 => answer_with::<1024>(model, texts, progress),
        _ => answer_with::<65536>(model, texts, progress),
    }
}

fn answer_with<const WINDOW: usize>(
    model: &Model<'_>,
    texts: &[&str],
    progress: &ProgressBar,
) -> Vec<Answer> {
    let answers = texts.par_chunks(64).flat_map_iter(|texts| {
        let classifier = Classifier::<512, WINDOW>::new(model);
        let Ok(mut classifier) = classifier.map(Box::new) else {
            unreachable!("the loader allows 256 units and windows of 65,536 words")
        };
        let answers: Vec<Answer> = texts
            .iter()
            .map(|text| {
                classifier.push(text);
                let prediction = classifier.finish();
                Answer {
                    class: prediction.class(),
                    score: prediction.score(),
                    words: prediction.words(),
                    known_words: prediction.known_words(),
                    logits: prediction.logits().collect(),
                }
            })
            .collect();
        progress.inc(texts.len() as u64);
        answers
    });
    answers.collect()
}
