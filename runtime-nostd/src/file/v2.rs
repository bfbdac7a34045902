//! The contents as versions 2 and 3 write them: text, one SimpleRNN, classes. Their fields follow one another in the order
//! in which [`read`] reads them.

use super::{Decoder, end, next};
use crate::layers::{Layer, SimpleRnn};
use crate::{Contents, Head, Input, PadStates, Padding, Sequence, Text};

/// Writes contents into `buffer`; returns how many bytes they take, and where the weights begin. `None` if the buffer is
/// too small, or if the contents are not what these versions can say.
pub(super) fn write(contents: &Contents<'_>, buffer: &mut [u8]) -> Option<(usize, usize)> {
    let Contents { labels, input: Input::Text(text), layers, head: Head::Classes(dense) } = contents;
    let Text { normalization, vocabulary, unknown, sequence, embedding } = text;
    let Sequence { maxlen, truncating, padding } = sequence;
    let SimpleRnn { units, activation, order, weights, bias_shift, state_shift, input_shift: _ } =
        layers.simple_rnn()?;
    let states = padding.as_ref().and_then(Padding::states);
    let input = (normalization, vocabulary, unknown, maxlen, truncating, states, embedding);
    let fields = (labels, input, (units, activation, order, weights, bias_shift, state_shift), dense);
    let body = &*postcard::to_slice(&fields, buffer).ok()?;
    let mut written = Contents::EMPTY;
    read(body, &mut written).ok()?;
    let start = written.layers.first().map(Layer::weights)?.as_ptr().addr() - body.as_ptr().addr();
    Some((body.len(), start))
}

/// Reads contents.
#[inline(never)]
pub(super) fn read<'a>(body: &'a [u8], contents: &mut Contents<'a>) -> postcard::Result<()> {
    let mut decoder = Decoder::from_bytes(body);
    contents.labels = next(&mut decoder)?;
    let Input::Text(text) = &mut contents.input;
    text.normalization = next(&mut decoder)?;
    text.vocabulary = next(&mut decoder)?;
    text.unknown = next(&mut decoder)?;
    text.sequence.maxlen = next(&mut decoder)?;
    text.sequence.truncating = next(&mut decoder)?;
    text.sequence.padding = next::<Option<PadStates<'_>>>(&mut decoder)?.map(Padding::States);
    text.embedding = next(&mut decoder)?;
    contents.layers.set(SimpleRnn {
        units: next(&mut decoder)?,
        activation: next(&mut decoder)?,
        order: next(&mut decoder)?,
        weights: next(&mut decoder)?,
        bias_shift: next(&mut decoder)?,
        state_shift: next(&mut decoder)?,
        input_shift: 0,
    });
    contents.head = Head::Classes(next(&mut decoder)?);
    end(decoder)
}
