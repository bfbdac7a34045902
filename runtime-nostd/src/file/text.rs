//! How text is read, as all versions write it.

use crate::decoder::{Decoder, next};
use crate::{PadStates, Padding, Sequence, Text};

/// Reads its fields.
#[inline(never)]
pub(super) fn read<'a>(decoder: &mut Decoder<'a>, text: &mut Text<'a>) -> postcard::Result<()> {
    text.normalization = next(decoder)?;
    text.vocabulary = next(decoder)?;
    text.unknown = next(decoder)?;
    text.sequence.maxlen = next(decoder)?;
    text.sequence.truncating = next(decoder)?;
    text.sequence.padding = match next::<u8>(decoder)? {
        0 => None,
        1 => Some(Padding::States(next(decoder)?)),
        #[cfg(kilornn_gates)]
        2 => Some(Padding::Row),
        _ => return Err(postcard::Error::DeserializeBadEncoding),
    };
    text.embedding = next(decoder)?;
    Ok(())
}

/// What [`read`] reads.
pub(super) fn fields<'t>(text: &'t Text<'_>) -> impl serde::Serialize + use<'t> {
    let Text { normalization, vocabulary, unknown, sequence, embedding } = text;
    let Sequence { maxlen, truncating, padding } = sequence;
    let padding = match padding {
        None => WirePadding::None,
        Some(Padding::States(states)) => WirePadding::States(states),
        #[cfg(kilornn_gates)]
        Some(Padding::Row) => WirePadding::Row,
    };
    (normalization, vocabulary, unknown, maxlen, truncating, padding, embedding)
}

/// What follows a tag.
#[derive(serde::Serialize)]
enum WirePadding<'t> {
    None,
    States(&'t PadStates<'t>),
    #[cfg(kilornn_gates)]
    Row,
}
