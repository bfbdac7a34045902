//! Dropout: which values a training step leaves out.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// What is left out of a batch in training.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Dropout {
    /// Share of the numbers of each word's embedding.
    pub embedding: f32,
    /// Share of the state that the recurrent kernel sees, the same at all steps of a text.
    pub recurrent: f32,
    /// Share of the outputs of a recurrent layer that the next layer reads, the same at all steps of a text.
    pub layers: f32,
    /// Share of the last state.
    pub state: f32,
}

/// A mask for dropout, if there is any: zero for a share of the values, and for the others what makes up for them in
/// the mean.
pub(super) fn mask(length: usize, share: f32, rng: &mut ChaCha8Rng) -> Option<Vec<f32>> {
    let keep = 1.0 / (1.0 - share);
    let mut draw = || if rng.random::<f32>() < share { 0.0 } else { keep };
    (share > 0.0).then(|| (0..length).map(|_| draw()).collect())
}
