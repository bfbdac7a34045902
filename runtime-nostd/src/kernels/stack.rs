//! One step of a network of several layers: one after the other, each with its share of the memory.

use super::numbers::Numbers;
#[cfg(feature = "fastgrnn")]
use super::step_fastgrnn;
#[cfg(feature = "gru")]
use super::step_gru;
#[cfg(feature = "lstm")]
use super::step_lstm;
use super::{numbers, step_in_stack};
use crate::layers::Layer;
use crate::memory::state_words;
use crate::{Kernel, Model, Values};

/// Takes one step with a row of the embedding, or with the numbers that are in the memory, which is of the model's
/// shape. The last layer's share comes first in it, and behind the first layer's share is the list that steps of
/// SimpleRNNs share.
#[inline(never)]
pub(super) fn step(model: &Model<'_>, row: Option<u32>, memory: &mut [u32]) {
    let contents = model.contents();
    let numbers = numbers(model, row);
    let states = state_words(contents, Kernel::TARGET);
    let Some((mut states, list)) = memory.split_at_mut_checked(states) else { return };
    let (mut numbers, mut width) = (numbers, contents.width());
    for (place, layer) in contents.layers.iter().enumerate() {
        let share = layer.share(width, Kernel::TARGET);
        let Some(rest) = states.len().checked_sub(share.words) else { return };
        let Some((others, own)) = states.split_at_mut_checked(rest) else { return };
        let shift = contents.layers.get(place + 1).map_or(0, Layer::input_shift);
        match layer {
            Layer::SimpleRnn(rnn) => {
                let values = bytemuck::try_cast_slice_mut::<u32, i8>(own).unwrap_or_default();
                step_in_stack(rnn, numbers, values, list);
            }
            #[cfg(feature = "fastgrnn")]
            Layer::FastGrnn(layer) => step_fastgrnn(layer, numbers, own),
            #[cfg(feature = "gru")]
            Layer::Gru(gru) => step_gru(gru, numbers, own),
            #[cfg(feature = "lstm")]
            Layer::Lstm(lstm) => step_lstm(lstm, numbers, own),
        }
        numbers =
            Numbers::Below { values: outputs(layer, own.get(share.outputs..).unwrap_or_default()), shift };
        (states, width) = (others, layer.units());
    }
}

/// The outputs of a layer, with which these words begin.
fn outputs<'r>(layer: &Layer<'_>, words: &'r [u32]) -> Values<'r> {
    let units = layer.units() as usize;
    match layer {
        Layer::SimpleRnn(_) => {
            let words = words.get(..units / 4).unwrap_or_default();
            Values::Int8(bytemuck::try_cast_slice(words).unwrap_or_default())
        }
        _ => {
            let words = words.get(..units / 2).unwrap_or_default();
            Values::Int16(bytemuck::try_cast_slice(words).unwrap_or_default())
        }
    }
}
