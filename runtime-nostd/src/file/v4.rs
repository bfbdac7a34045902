//! The contents as version 4 writes them: an input, layers, a head, then all weights of the layers in one piece.

use serde::{Deserialize, Serialize};

use super::text;
use crate::check::{at_least_one, at_most, exactly};
use crate::decoder::{self, Decoder};
use crate::layers::{LAYERS, Layer};
use crate::{Contents, Error, Head, Input};

/// The kinds of input, each as the number in front of it.
const TEXT: u32 = 0;

/// The kinds of head.
const CLASSES: u32 = 0;

/// Writes contents into `buffer`; returns how many bytes they take, and where the weights begin. `None` if the buffer is
/// too small.
pub(super) fn write(contents: &Contents<'_>, buffer: &mut [u8]) -> Option<(usize, usize)> {
    let Contents { labels, input: Input::Text(text), layers, head: Head::Classes(dense) } = *contents;
    let mut end = 0;
    append(&(labels, TEXT, text::fields(&text), layers.len() as u32), buffer, &mut end)?;
    for layer in layers.iter() {
        append(&layer.number(), buffer, &mut end)?;
        end += layer.write(buffer.get_mut(end..)?)?.len();
    }
    let weights = || layers.iter().map(Layer::weights);
    let length: usize = weights().map(<[u8]>::len).sum();
    append(&(CLASSES, dense, u32::try_from(length).ok()?), buffer, &mut end)?;
    let start = end;
    for weights in weights() {
        buffer.get_mut(end..end.checked_add(weights.len())?)?.copy_from_slice(weights);
        end += weights.len();
    }
    Some((end, start))
}

/// Writes a value into `buffer` at `end`, which then lies behind it.
fn append(value: &impl Serialize, buffer: &mut [u8], end: &mut usize) -> Option<()> {
    *end += postcard::to_slice(value, buffer.get_mut(*end..)?).ok()?.len();
    Some(())
}

/// Reads the next value.
fn next<'a, T: Deserialize<'a>>(decoder: &mut Decoder<'a>) -> Result<T, Error> {
    decoder::next(decoder).map_err(|_| Error::Undecodable)
}

/// Reads contents.
///
/// # Errors
///
/// [`Error::Undecodable`], [`Error::CellNeeded`], and [`Error::Invalid`] if there are too many layers, or if the weights
/// are not as many bytes as the layers need.
#[inline(never)]
pub(super) fn read<'a>(body: &'a [u8], contents: &mut Contents<'a>) -> Result<(), Error> {
    let mut decoder = Decoder::from_bytes(body);
    contents.labels = next(&mut decoder)?;
    tag(&mut decoder, TEXT)?;
    let Input::Text(text) = &mut contents.input;
    text::read(&mut decoder, text).map_err(|_| Error::Undecodable)?;
    let count = next::<u32>(&mut decoder)? as usize;
    at_least_one("layers", count)?;
    at_most("layers (at most)", LAYERS, count)?;
    for _ in 0..count {
        let number = next(&mut decoder)?;
        contents.layers.push(Layer::read(number, &mut decoder)?);
    }
    tag(&mut decoder, CLASSES)?;
    contents.head = Head::Classes(next(&mut decoder)?);
    let weights = next(&mut decoder)?;
    decoder::end(decoder).map_err(|_| Error::Undecodable)?;
    share(weights, contents)
}

/// Reads the number of a kind, of which there is only this one.
fn tag(decoder: &mut Decoder<'_>, only: u32) -> Result<(), Error> {
    if next::<u32>(decoder)? == only { Ok(()) } else { Err(Error::Undecodable) }
}

/// Gives each layer its share of the weights.
#[inline(never)]
fn share<'a>(mut weights: &'a [u8], contents: &mut Contents<'a>) -> Result<(), Error> {
    let Input::Text(text) = &contents.input;
    let (mut width, mut rows) = (text.embedding.width(), text.embedding.is_folded().then(|| text.rows()));
    at_most("embedding width (at most)", 256, width as usize)?;
    for layer in contents.layers.iter_mut() {
        at_most("units of a layer (at most)", 256, layer.units() as usize)?;
        let needed = layer.weights_len(width, rows.take());
        let Some((own, others)) = weights.split_at_checked(needed) else {
            return exactly("bytes of weights", needed, weights.len());
        };
        layer.set_weights(own);
        (weights, width) = (others, layer.units());
    }
    exactly("bytes behind all weights", 0, weights.len())
}
