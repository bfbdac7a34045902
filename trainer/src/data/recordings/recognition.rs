//! Whether data are recordings of numbers, or texts.

use super::Framing;
use super::forms::{Form, Wanted, told_by};
use super::framing::InputKind;
use crate::data::bytes;
use crate::data::formats::Format;
use crate::data::inputs::Inputs;
use crate::data::layout::{self, CHANNELS, Found};
use crate::data::source::{Family, Part};
use crate::error::{InputError, STANDARD_INPUT};

/// Whether these data are recordings. Options decide; else the first that was named does. What can be read as texts, is
/// texts, unless its content could not be read so.
pub(in crate::data) fn are_recordings(inputs: &Inputs, framing: &Framing) -> Result<bool, InputError> {
    if let Some(told) = framing.told() {
        return Ok(told == InputKind::Numbers);
    }
    let Some(path) = inputs.data.first().filter(|_| inputs.reading.form.text.is_none()) else {
        return Ok(false);
    };
    if path.as_os_str() != STANDARD_INPUT && !path.exists() {
        return Ok(false);
    }
    let wanted = Wanted {
        reading: &inputs.reading,
        framing,
        channels: &framing.channels,
        needs_groups: false,
        has_labels: true,
    };
    let is_told = |path| Ok(told_by(&bytes::beginning(path)?, &wanted).is_some());
    if !path.is_dir() {
        return is_told(path);
    }
    let Ok(found) = layout::find::<dyn Form>(path) else { return Ok(false) };
    let Some(part) = train(found) else { return Ok(false) };
    if !part.sources.iter().all(|source| source.format.is_of_one_class()) {
        return part.sources.first().map_or(Ok(false), |source| is_told(&source.path));
    }
    // Folders with tables: a text file beside them, which describes them, is no data.
    let texts = layout::find::<dyn Format>(path).ok().and_then(train);
    let texts =
        texts.map_or(0, |part| part.sources.iter().filter(|source| !source.path.ends_with(CHANNELS)).count());
    Ok(texts < 2)
}

/// What a folder has to train on.
fn train<F: ?Sized + Family>(found: Found<F>) -> Option<Part<F>> {
    found.train.or(found.whole)
}
