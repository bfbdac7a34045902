//! Reading what postcard serialized, one value after the other.

use serde::Deserialize;

/// Reads one value after the other.
pub(crate) type Decoder<'a> = postcard::Deserializer<'a, postcard::de_flavors::Slice<'a>>;

/// Reads the next value.
pub(crate) fn next<'a, T: Deserialize<'a>>(decoder: &mut Decoder<'a>) -> postcard::Result<T> {
    T::deserialize(decoder)
}

/// Fails if something follows the last value.
pub(crate) fn end(decoder: Decoder<'_>) -> postcard::Result<()> {
    if decoder.finalize()?.is_empty() { Ok(()) } else { Err(postcard::Error::DeserializeBadEncoding) }
}
