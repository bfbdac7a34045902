//! Loss and accuracy on labelled texts: of the float network, and of the model file that the device runs.

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use kilornn::Model;
use kilornn_host::OwnedPrediction;

use crate::data::{Example, texts_of};
use crate::network::loss::{self, Tally, Target};
use crate::network::{Batch, Batches, Grid, Network, Ruined};
use crate::predict::predict_all;

/// The float network's logits for encoded texts, `texts × outputs`; on the quantization grid, if given.
///
/// # Errors
///
/// With [`Ruined`] if the network's weights are not finite.
pub fn logits(
    network: &Network,
    texts: &[Vec<u32>],
    pad_to: Option<usize>,
    grid: Option<&Grid>,
) -> Result<Vec<f32>> {
    let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
    let outputs = network.outputs();
    let mut all = vec![0.0; texts.len() * outputs];
    for examples in Batches::by_length(&lengths, 256).iter() {
        let logits = network.logits(&Batch::new(examples, texts, pad_to), grid)?;
        for (&example, logits) in examples.iter().zip(logits.chunks_exact(outputs)) {
            all[example * outputs..][..outputs].copy_from_slice(logits);
        }
    }
    ensure!(
        network.is_finite() && all.iter().all(|logit| logit.is_finite()),
        Ruined("training diverged: the network's weights are no finite numbers any more".to_owned())
    );
    Ok(all)
}

/// Loss and accuracy of the float network on encoded texts, on the quantization grid if given. `smoothing` is the share of
/// each target that is spread over all classes.
///
/// # Errors
///
/// Those of [`logits`].
pub fn float(
    network: &Network,
    texts: &[Vec<u32>],
    classes: &[usize],
    smoothing: f32,
    pad_to: Option<usize>,
    grid: Option<&Grid>,
) -> Result<Tally> {
    Ok(score(network, &logits(network, texts, pad_to, grid)?, classes, smoothing))
}

/// Loss and accuracy of logits, `texts × outputs`. `smoothing` is the share of each target that is spread over all classes.
pub fn score(network: &Network, logits: &[f32], classes: &[usize], smoothing: f32) -> Tally {
    let mut score = Tally::default();
    for (logits, &class) in logits.chunks_exact(network.outputs()).zip(classes) {
        score += loss::score(logits, Target { class, smoothing, opinion: None });
    }
    score
}

/// The real logits of a model file's predictions, `texts × outputs`: its integers times their scale.
pub fn real_logits(model: &Model<'_>, predictions: &[OwnedPrediction]) -> Vec<f32> {
    let scale = model.contents().dense().map_or(1.0, |dense| dense.scale);
    predictions.iter().flat_map(|prediction| &prediction.logits).map(|&logit| logit as f32 * scale).collect()
}

/// A model file's predictions for examples, and its loss and accuracy.
pub fn quantized(
    model: &Model<'_>,
    examples: &[Example],
    progress: &ProgressBar,
) -> (Vec<OwnedPrediction>, Tally) {
    let predictions = predict_all(model, &texts_of(examples), progress);
    let mut total = Tally::default();
    for (prediction, example) in predictions.iter().zip(examples) {
        let logits = real_logits(model, std::slice::from_ref(prediction));
        // Float rounding could make equal what integers tell apart: the device's class counts.
        let correct = usize::from(prediction.class as usize == example.class);
        total += Tally { correct, ..loss::score(&logits, Target::class(example.class)) };
    }
    (predictions, total)
}
