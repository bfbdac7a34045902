//! The room that layers have in a network's memory.

#[cfg(feature = "fastgrnn")]
use super::fastgrnn;
#[cfg(feature = "gru")]
use super::gru;
#[cfg(feature = "lstm")]
use super::lstm;
use crate::layers::Layer;
use crate::{Contents, Kernel};

/// A layer's part of the memory, which lasts from step to step, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) words: usize,
    /// Words before the outputs.
    #[cfg(kilornn_gates)]
    pub(crate) outputs: usize,
}

/// The room of a layer with so many inputs from below. The loader has checked their number, or will.
pub(crate) fn room(layer: &Layer<'_>, width: u32, kernel: Kernel) -> Room {
    let (_, _) = (width, kernel);
    match layer {
        Layer::SimpleRnn(rnn) => Room {
            words: rnn.units as usize / 4,
            #[cfg(kilornn_gates)]
            outputs: 0,
        },
        #[cfg(feature = "fastgrnn")]
        Layer::FastGrnn(layer) => fastgrnn::room(layer.units as usize, width as usize),
        #[cfg(feature = "gru")]
        Layer::Gru(gru) => gru::room(kernel, gru.units as usize, width as usize),
        #[cfg(feature = "lstm")]
        Layer::Lstm(lstm) => lstm::room(kernel, lstm.units as usize, width as usize),
    }
}

/// The words of memory for the rooms of all layers.
pub(crate) fn state_words(contents: &Contents<'_>, kernel: Kernel) -> usize {
    let mut width = contents.width();
    let words = contents.layers.iter().map(|layer| {
        let room = room(layer, width, kernel);
        width = layer.units();
        room.words
    });
    words.sum()
}

/// The words of memory for the rooms of all layers, and for the list of inputs that steps of its SimpleRNNs share.
pub(crate) fn words(contents: &Contents<'_>, kernel: Kernel) -> usize {
    let (mut width, mut list) = (contents.width(), 0);
    for layer in contents.layers.iter() {
        match layer {
            Layer::SimpleRnn(rnn) => {
                list = kernel.list_bytes(rnn.units.saturating_add(width) as usize).max(list);
            }
            #[cfg(kilornn_gates)]
            _ => {}
        }
        width = layer.units();
    }
    state_words(contents, kernel) + list.div_ceil(4)
}

/// The least `UNITS` of a state that holds a network's on every target: for each of them it has eight bytes where the kernel
/// is [`Kernel::Wide`], and elsewhere six.
#[cfg(kilornn_gates)]
pub(crate) fn classifier_units(contents: &Contents<'_>) -> u32 {
    let units = |kernel, bytes| (4 * words(contents, kernel)).div_ceil(bytes) as u32;
    units(Kernel::Wide, 8).max(units(Kernel::Dsp, 6))
}
