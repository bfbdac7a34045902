//! The contents as versions 2 and 3 write them: text, one SimpleRNN, classes. Their fields follow one another in the order
//! in which [`read`] reads them.

use super::text;
use crate::decoder::{Decoder, end, next};
use crate::layers::{Layer, SimpleRnn};
use crate::{Contents, Head, Input};

/// Writes contents into `buffer`; returns how many bytes they take, and where the weights begin. `None` if the buffer is
/// too small, or if the contents are not what these versions can say.
pub(super) fn write(contents: &Contents<'_>, buffer: &mut [u8]) -> Option<(usize, usize)> {
    let Contents { labels, input: Input::Text(text), layers, head: Head::Classes(dense) } = contents;
    let SimpleRnn { units, activation, order, weights, bias_shift, state_shift, input_shift: _ } =
        layers.simple_rnn()?;
    let fields =
        (labels, text::fields(text), (units, activation, order, weights, bias_shift, state_shift), dense);
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
    text::read(&mut decoder, text)?;
    #[cfg(kilornn_gates)]
    if text.sequence.padding == Some(crate::Padding::Row) {
        return Err(postcard::Error::DeserializeBadEncoding);
    }
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
