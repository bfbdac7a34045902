//! Predictions of the device, computed on the host by the device's own code.

use indicatif::ProgressBar;
use kilornn::{Classifier, Model};
use kilornn_host::OwnedPrediction;
use rayon::prelude::*;

/// Room for every model that the loader allows: four layers of 256 units.
const UNITS: usize = 4096;

/// Predictions for many texts, on all cores, in order.
pub fn predict_all(model: &Model<'_>, texts: &[&str], progress: &ProgressBar) -> Vec<OwnedPrediction> {
    // The window is part of a classifier's type: the next larger of a few.
    match model.contents().text().map_or(0, |text| text.sequence.window()) {
        0 => predict_with::<0>(model, texts, progress),
        1..=1024 => predict_with::<1024>(model, texts, progress),
        _ => predict_with::<65536>(model, texts, progress),
    }
}

/// Predictions for the beginnings of a text that end at these bytes, in rising order. The text is read once, so that a
/// long one takes no longer than its length; a model that counts the last words reads those again for each end.
pub fn predict_beginnings(model: &Model<'_>, text: &str, ends: &[usize]) -> Vec<OwnedPrediction> {
    match model.contents().text().map_or(0, |text| text.sequence.window()) {
        0 => beginnings_with::<0>(model, text, ends),
        1..=1024 => beginnings_with::<1024>(model, text, ends),
        _ => beginnings_with::<65536>(model, text, ends),
    }
}

fn predict_with<const WINDOW: usize>(
    model: &Model<'_>,
    texts: &[&str],
    progress: &ProgressBar,
) -> Vec<OwnedPrediction> {
    let predictions = texts.par_chunks(64).flat_map_iter(|texts| {
        let mut classifier = classifier::<WINDOW>(model);
        let predictions: Vec<OwnedPrediction> = texts
            .iter()
            .map(|text| {
                classifier.push(text);
                finish(&mut classifier)
            })
            .collect();
        progress.inc(texts.len() as u64);
        predictions
    });
    predictions.collect()
}

fn beginnings_with<const WINDOW: usize>(
    model: &Model<'_>,
    text: &str,
    ends: &[usize],
) -> Vec<OwnedPrediction> {
    let mut classifier = classifier::<WINDOW>(model);
    let mut behind = 0;
    ends.iter()
        .map(|&end| {
            classifier.push(&text[behind..end]);
            behind = end;
            finish(&mut classifier.clone())
        })
        .collect()
}

fn classifier<'m, const WINDOW: usize>(model: &'m Model<'m>) -> Box<Classifier<'m, UNITS, WINDOW>> {
    let Ok(classifier) = Classifier::new(model) else {
        unreachable!("the loader allows four layers of 256 units and windows of 65,536 words")
    };
    Box::new(classifier)
}

fn finish<const WINDOW: usize>(classifier: &mut Classifier<'_, UNITS, WINDOW>) -> OwnedPrediction {
    OwnedPrediction::from(&classifier.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{READINGS, exported};

    #[test]
    fn beginnings_are_classified_as_texts_of_their_own() {
        for toml in READINGS {
            let (texts, file) = exported(toml);
            let model = Model::from_bytes(&file).unwrap();
            for text in texts.iter().filter(|text| text.len() < 500) {
                // Within words, too.
                let ends: Vec<usize> = (0..=text.len()).step_by(7).collect();
                let beginnings: Vec<&str> = ends.iter().map(|&end| &text[..end]).collect();
                let expected = predict_all(&model, &beginnings, &ProgressBar::hidden());
                assert_eq!(predict_beginnings(&model, text, &ends), expected, "{toml}: {text}");
            }
        }
    }
}
