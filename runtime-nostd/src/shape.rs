//! What a model's state is like, in few bytes: a model and a state that have the same shape fit each other.

use crate::Contents;
use crate::Kernel;
#[cfg(kilornn_gates)]
use crate::Values;
#[cfg(kilornn_gates)]
use crate::layers::Layer;
#[cfg(kilornn_gates)]
use crate::memory::words;

/// The shape of a state.
///
/// For a single SimpleRNN these are its units and the inputs of a step. For any other network they are, in the first
/// number, a fourth of the units of the last layer (7 bits) and half of the words of memory before its outputs (9 bits); in
/// the second, the words of memory and a mark ([`GATED`](Self::GATED) or [`STACKED`](Self::STACKED)) that a single SimpleRNN, whose steps have at
/// most 512 inputs, has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape([u16; 2]);

impl Shape {
    /// The last layer has gates, and outputs of 16 bits.
    #[cfg(kilornn_gates)]
    const GATED: u16 = 0x8000;
    /// The last layer is a SimpleRNN, but not the only layer.
    #[cfg(kilornn_gates)]
    const STACKED: u16 = 0x4000;

    /// Of no network.
    pub(crate) const EMPTY: Self = Self([0, 0]);

    /// The shape of a state of a network that has been checked.
    #[inline]
    pub(crate) fn of(contents: &Contents<'_>) -> Self {
        #[cfg(kilornn_gates)]
        if contents.layers.simple_rnn().is_none() {
            return Self::of_layers(contents);
        }
        Self([contents.units() as u16, (contents.units() + contents.width()) as u16])
    }

    #[cfg(kilornn_gates)]
    fn of_layers(contents: &Contents<'_>) -> Self {
        let words = words(contents, Kernel::TARGET) as u16;
        let (Some(last), below) = (contents.layers.last(), contents.layers.iter().rev().nth(1)) else {
            return Self::EMPTY;
        };
        let width = below.map_or(contents.width(), Layer::units);
        let outputs = last.share(width, Kernel::TARGET).outputs as u16;
        let mark = if matches!(last, Layer::SimpleRnn(_)) { Self::STACKED } else { Self::GATED };
        Self([(last.units() as u16 / 4) | (outputs / 2) << 7, words | mark])
    }

    /// Whether it is of a single SimpleRNN.
    #[inline]
    pub(crate) const fn is_simple_rnn(self) -> bool {
        #[cfg(kilornn_gates)]
        return self.0[1] & (Self::GATED | Self::STACKED) == 0;
        #[cfg(not(kilornn_gates))]
        true
    }

    /// The units of a single SimpleRNN.
    #[inline]
    pub(crate) const fn units(self) -> usize {
        self.0[0] as usize
    }

    /// The inputs of a step of a single SimpleRNN.
    #[inline]
    pub(crate) const fn inputs(self) -> usize {
        self.0[1] as usize
    }

    /// The words of memory for the states, and for what a step needs beside them.
    pub(crate) const fn words(self) -> usize {
        if self.is_simple_rnn() {
            return (self.units() + Kernel::TARGET.list_bytes(self.inputs())).div_ceil(4);
        }
        #[cfg(kilornn_gates)]
        return (self.0[1] & !(Self::GATED | Self::STACKED)) as usize;
        #[cfg(not(kilornn_gates))]
        0
    }

    /// The outputs of the last layer in the memory of a network that is no single SimpleRNN.
    #[cfg(kilornn_gates)]
    pub(crate) fn outputs(self, memory: &[u32]) -> Values<'_> {
        let units = usize::from(self.0[0] & 0x7F) * 4;
        let memory = memory.get(usize::from(self.0[0] >> 7) * 2..).unwrap_or_default();
        if self.0[1] & Self::STACKED != 0 {
            let words = memory.get(..units / 4).unwrap_or_default();
            return Values::Int8(bytemuck::try_cast_slice(words).unwrap_or_default());
        }
        let words = memory.get(..units / 2).unwrap_or_default();
        Values::Int16(bytemuck::try_cast_slice(words).unwrap_or_default())
    }
}
