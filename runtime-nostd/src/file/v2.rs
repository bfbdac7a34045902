//! The contents as versions 2 and 3 write them: text, one SimpleRNN, classes. Their fields follow one another in the order
//! in which [`fields`] reads them.

use super::{Decoder, end, next};
use crate::layers::{Layer, Layers, SimpleRnn};
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
    let written = read(body).ok()?;
    let start = written.layers.first().map(Layer::weights)?.as_ptr().addr() - body.as_ptr().addr();
    Some((body.len(), start))
}

/// Reads contents.
pub(super) fn read(body: &[u8]) -> postcard::Result<Contents<'_>> {
    let mut decoder = Decoder::from_bytes(body);
    let contents = fields(&mut decoder)?;
    end(decoder)?;
    Ok(contents)
}

fn fields<'a>(decoder: &mut Decoder<'a>) -> postcard::Result<Contents<'a>> {
    Ok(Contents {
        labels: next(decoder)?,
        input: Input::Text(Text {
            normalization: next(decoder)?,
            vocabulary: next(decoder)?,
            unknown: next(decoder)?,
            sequence: Sequence {
                maxlen: next(decoder)?,
                truncating: next(decoder)?,
                padding: next::<Option<PadStates<'_>>>(decoder)?.map(Padding::States),
            },
            embedding: next(decoder)?,
        }),
        layers: Layers::from(SimpleRnn {
            units: next(decoder)?,
            activation: next(decoder)?,
            order: next(decoder)?,
            weights: next(decoder)?,
            bias_shift: next(decoder)?,
            state_shift: next(decoder)?,
            input_shift: 0,
        }),
        head: Head::Classes(next(decoder)?),
    })
}
