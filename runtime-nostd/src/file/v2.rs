//! The contents as versions 2 and 3 write them: text, one SimpleRNN, classes.

use serde::{Deserialize, Serialize};

use crate::layers::{Activation, Dense, Embedding, Layers, Order, SimpleRnn};
use crate::text::{Normalization, Vocabulary};
use crate::{Contents, Head, Input, PadStates, Padding, Sequence, Text, Truncating, Unknown};

/// In the order of the fields in the file.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    labels: &'a str,
    normalization: Normalization,
    #[serde(borrow)]
    vocabulary: Vocabulary<'a>,
    unknown: Unknown,
    maxlen: u32,
    truncating: Truncating,
    padding: Option<PadStates<'a>>,
    embedding: Embedding<'a>,
    units: u32,
    activation: Activation,
    order: Order,
    weights: &'a [u8],
    bias_shift: u8,
    state_shift: u8,
    dense: Dense<'a>,
}

/// Writes contents into `buffer`; returns how many bytes they take, and where the weights begin. `None` if the buffer is
/// too small, or if the contents are not what these versions can say.
pub(super) fn write(contents: &Contents<'_>, buffer: &mut [u8]) -> Option<(usize, usize)> {
    let Contents { labels, input: Input::Text(text), layers, head: Head::Classes(dense) } = *contents;
    let Text { normalization, vocabulary, unknown, sequence, embedding } = text;
    let Sequence { maxlen, truncating, padding } = sequence;
    let SimpleRnn { units, activation, order, weights, bias_shift, state_shift, input_shift: _ } =
        *layers.simple_rnn()?;
    let padding = padding.and_then(|padding| padding.states().copied());
    let wire = Wire {
        labels,
        normalization,
        vocabulary,
        unknown,
        maxlen,
        truncating,
        padding,
        embedding,
        units,
        activation,
        order,
        weights,
        bias_shift,
        state_shift,
        dense,
    };
    let body = &*postcard::to_slice(&wire, buffer).ok()?;
    let written: Wire<'_> = postcard::from_bytes(body).ok()?;
    Some((body.len(), written.weights.as_ptr().addr() - body.as_ptr().addr()))
}

/// Reads contents.
pub(super) fn read<'a>(decoder: &mut super::Decoder<'a>) -> postcard::Result<Contents<'a>> {
    let wire = Wire::deserialize(decoder)?;
    Ok(Contents {
        labels: wire.labels,
        input: Input::Text(Text {
            normalization: wire.normalization,
            vocabulary: wire.vocabulary,
            unknown: wire.unknown,
            sequence: Sequence {
                maxlen: wire.maxlen,
                truncating: wire.truncating,
                padding: wire.padding.map(Padding::States),
            },
            embedding: wire.embedding,
        }),
        layers: Layers::from(SimpleRnn {
            units: wire.units,
            activation: wire.activation,
            order: wire.order,
            weights: wire.weights,
            bias_shift: wire.bias_shift,
            state_shift: wire.state_shift,
            input_shift: 0,
        }),
        head: Head::Classes(wire.dense),
    })
}
