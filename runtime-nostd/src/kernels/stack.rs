//! One step of a network that is not a single SimpleRNN: layer after layer, each with its part of the memory.

#[cfg(feature = "gru")]
use super::gru;
#[cfg(feature = "lstm")]
use super::lstm;
use super::numbers::Numbers;
use super::step_in_stack;
use crate::layers::{Embedding, Layer};
use crate::shape::state_words;
use crate::{Model, Values};

/// Takes one step with a row of the embedding, in memory of the model's shape. The last layer's part of the memory comes
/// first, and behind the first layer's part is the list that steps of SimpleRNNs share.
#[inline(never)]
pub(super) fn step(model: &Model<'_>, row: u32, memory: &mut [u32]) {
    let contents = model.contents();
    let embedding = &model.text().embedding;
    let states = state_words(contents);
    let Some((mut states, list)) = memory.split_at_mut_checked(states) else { return };
    let mut numbers = Numbers::Row { embedding, row };
    let mut width = embedding.width();
    let mut folded = matches!(embedding, Embedding::Folded).then_some(row);
    for (place, layer) in contents.layers.iter().enumerate() {
        let words = layer.state_words(width);
        let Some(rest) = states.len().checked_sub(words) else { return };
        let Some((others, own)) = states.split_at_mut_checked(rest) else { return };
        let bias_row = folded.take();
        let shift = contents.layers.get(place + 1).map_or(0, Layer::input_shift);
        let units = layer.units() as usize;
        let outputs = match layer {
            Layer::SimpleRnn(rnn) => {
                let values = bytemuck::try_cast_slice_mut::<u32, i8>(own).unwrap_or_default();
                step_in_stack(rnn, numbers, values, list);
                Values::Int8(values)
            }
            #[cfg(feature = "gru")]
            Layer::Gru(gru) => {
                let Some((inputs, states)) = split(own, width, units) else { return };
                fill(inputs, numbers);
                let biases = bias_row.map_or(&[][..], |row| gru.biases(inputs.len(), row as usize));
                let states = bytemuck::try_cast_slice_mut(states).unwrap_or_default();
                gru::step(gru, inputs, states, biases);
                Values::Int16(inputs.get(width as usize..).unwrap_or_default())
            }
            #[cfg(feature = "lstm")]
            Layer::Lstm(lstm) => {
                let Some((inputs, rest)) = split(own, width, units) else { return };
                fill(inputs, numbers);
                let Some((cells, new)) = rest.split_at_mut_checked(units) else { return };
                let biases = bias_row.map_or(&[][..], |row| lstm.biases(inputs.len(), row as usize));
                let cells = bytemuck::try_cast_slice_mut(cells).unwrap_or_default();
                let new = bytemuck::try_cast_slice_mut(new).unwrap_or_default();
                lstm::step(lstm, inputs, cells, new, biases);
                Values::Int16(inputs.get(width as usize..).unwrap_or_default())
            }
        };
        numbers = Numbers::Below { values: outputs, shift };
        (states, width) = (others, layer.units());
    }
}

/// The inputs of a layer with gates, and what it has beside them.
fn split(own: &mut [u32], width: u32, units: usize) -> Option<(&mut [i16], &mut [u32])> {
    let (inputs, rest) = own.split_at_mut_checked((width as usize + units) / 2)?;
    Some((bytemuck::try_cast_slice_mut(inputs).unwrap_or_default(), rest))
}

/// Writes what comes in before the layer's own outputs.
fn fill(inputs: &mut [i16], numbers: Numbers<'_>) {
    let mut places = inputs.iter_mut();
    numbers.for_each(|number| {
        if let Some(place) = places.next() {
            *place = number;
        }
    });
}
