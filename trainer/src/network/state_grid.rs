//! The scales of a layer's states.

use serde::{Deserialize, Serialize};

/// The scales of a layer's states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum StateGrid {
    /// States of 8 bits, a SimpleRNN's.
    Int8 {
        /// The real number that one step of each unit's state stands for.
        scales: Vec<f32>,
        /// A state's step times a recurrent weight's is `2^state_shift` steps of the accumulator.
        state_shift: u8,
    },
    /// States of 16 bits, of a layer with gates.
    Int16 {
        /// The largest state is `2^state_bits` steps.
        state_bits: u8,
        /// The largest state: 1.0 of a cell whose states cannot be larger.
        limit: f32,
        /// For each column, by how many bits the device shifts its accumulator to the right.
        shifts: Vec<u8>,
    },
}

impl StateGrid {
    /// What the device multiplies with for a number from 0 to 1 that makes a part of a state: 2^15 stands for the largest
    /// state.
    pub(crate) fn share(&self, number: f32) -> i16 {
        (number * 32_768.0 / self.limit()).round().clamp(0.0, 32_767.0) as i16
    }

    /// The number that this is.
    pub(crate) fn round_share(&self, number: f32) -> f32 {
        f32::from(self.share(number)) * self.limit() / 32_768.0
    }

    /// The largest state of a layer with gates.
    pub(crate) fn limit(&self) -> f32 {
        match self {
            Self::Int8 { .. } => 1.0,
            Self::Int16 { limit, .. } => *limit,
        }
    }
}
