//! Seeded random numbers. Every purpose has a stream of its own, so that what is added to one does not shift the others.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are drawn for: each is an independent stream of the same seed.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// Initial weights.
    Weights,
    /// Order of the examples.
    Order,
    /// Dropout.
    Dropout,
    /// Which texts validate.
    Validation,
}

impl Stream {
    /// The generator of this stream.
    pub fn rng(self, seed: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(self as u64);
        rng
    }

    /// The generator of this stream, from a position that [`ChaCha8Rng::get_word_pos`] gave.
    pub(crate) fn rng_at(self, seed: u64, position: u128) -> ChaCha8Rng {
        let mut rng = self.rng(seed);
        rng.set_word_pos(position);
        rng
    }
}
