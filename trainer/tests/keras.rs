//! The encoder against Keras's own Tokenizer, on recorded cases: word index and sequences.

use kilornn_keras_fixture::{self as keras_fixture, Fit, Settings};
use kilornn_trainer::recipe::{Letters, Recipe, UnknownWords};
use kilornn_trainer::text::Encoder;

/// The recipe that asks for the same. Keras counts the pad, and the oov token if there is one, in `num_words`.
fn recipe(settings: &Settings) -> Recipe {
    Recipe {
        lowercase: if settings.lower { Letters::Unicode } else { Letters::None },
        char_level: settings.char_level,
        filters: settings.filters.clone(),
        unknown: if settings.oov { UnknownWords::Row } else { UnknownWords::Drop },
        vocabulary: settings.num_words.saturating_sub(1 + usize::from(settings.oov)),
        ..Recipe::default()
    }
}

/// Keras gives the oov token id 1 and the words the ids from 2; the encoder gives the words the ids
/// from 1 and unknown words the one behind the last.
fn in_our_order(ids: &[u32], encoder: &Encoder) -> Vec<u32> {
    match encoder.unknown_id() {
        None => ids.to_vec(),
        Some(unknown) => ids.iter().map(|&id| if id == 1 { unknown } else { id - 1 }).collect(),
    }
}

#[test]
fn ranks_and_encodes_as_keras_does() {
    let fits = keras_fixture::read().fits;
    assert!(fits.len() >= 40, "only {} fitted tokenizers", fits.len());
    let (mut limited, mut unknown) = (0, 0);
    for Fit { settings, documents, index, sequences } in &fits {
        let recipe = recipe(settings);
        let encoder = Encoder::fit(&recipe, documents.iter().map(String::as_str));
        let kept = if recipe.vocabulary == 0 { index.len() } else { recipe.vocabulary.min(index.len()) };
        assert_eq!(encoder.words(), &index[..kept], "{settings:?} {documents:?}");
        limited += usize::from(kept < index.len());
        for (text, ids) in sequences {
            let found = encoder.encode(text);
            assert_eq!(found, in_our_order(ids, &encoder), "{text:?} by {settings:?} {documents:?}");
            unknown += usize::from(found.iter().any(|&id| Some(id) == encoder.unknown_id()));
        }
    }
    assert!(
        limited >= 10 && unknown >= 10,
        "{limited} limited vocabularies, {unknown} texts with unknown words"
    );
}
