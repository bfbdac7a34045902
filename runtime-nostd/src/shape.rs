//! What a model's state is like, in few bytes: a model and a state that have the same shape fit each other.

use crate::Contents;
#[cfg(kilornn_gates)]
use crate::Values;
use crate::layers::Layer;
use crate::scratch::list_bytes;

/// The shape of a state.
///
/// For a single SimpleRNN these are its units and the inputs of a step. For any other network they are, in the first
/// number, the units of the last layer (9 bits) and a fourth of what comes into it (7 bits); in the second, the words of
/// memory and a mark ([`GATED`](Self::GATED) or [`STACKED`](Self::STACKED)) that a single SimpleRNN, whose steps have at
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
        let words = layer_words(contents, list_bytes) as u16;
        let last = contents.units() as u16;
        match &*contents.layers {
            [.., Layer::SimpleRnn(_)] => Self([last, words | Self::STACKED]),
            [.., below, _] => Self([last | (below.units() as u16 / 4) << 9, words | Self::GATED]),
            _ => Self([last | (contents.width() as u16 / 4) << 9, words | Self::GATED]),
        }
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
            return (self.units() + list_bytes(self.inputs())).div_ceil(4);
        }
        #[cfg(kilornn_gates)]
        return (self.0[1] & !(Self::GATED | Self::STACKED)) as usize;
        #[cfg(not(kilornn_gates))]
        0
    }

    /// The outputs of the last layer in the memory of a network that is no single SimpleRNN.
    #[cfg(kilornn_gates)]
    pub(crate) fn outputs(self, memory: &[u32]) -> Values<'_> {
        let units = usize::from(self.0[0] & 0x1FF);
        if self.0[1] & Self::STACKED != 0 {
            let words = memory.get(..units / 4).unwrap_or_default();
            return Values::Int8(bytemuck::try_cast_slice(words).unwrap_or_default());
        }
        let first = usize::from(self.0[0] >> 9) * 2;
        let words = memory.get(first..first + units / 2).unwrap_or_default();
        Values::Int16(bytemuck::try_cast_slice(words).unwrap_or_default())
    }
}

/// The words of memory for the states of all layers.
pub(crate) fn state_words(contents: &Contents<'_>) -> usize {
    let mut width = contents.width();
    let words = contents.layers.iter().map(|layer| {
        let words = layer.state_words(width);
        width = layer.units();
        words
    });
    words.sum()
}

/// The words of memory for the states of all layers, and for the list of inputs that steps of its SimpleRNNs share, whose
/// bytes depend on the number of inputs.
pub(crate) fn layer_words(contents: &Contents<'_>, list_bytes: fn(usize) -> usize) -> usize {
    let (mut width, mut list) = (contents.width(), 0);
    for layer in contents.layers.iter() {
        match layer {
            Layer::SimpleRnn(rnn) => list = list_bytes(rnn.units.saturating_add(width) as usize).max(list),
            #[cfg(kilornn_gates)]
            _ => {}
        }
        width = layer.units();
    }
    state_words(contents) + list.div_ceil(4)
}
