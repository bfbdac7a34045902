//! The targets of fuzzing. Each takes any bytes, and panics if the runtime does something wrong. It returns a number for
//! the outcome of the run, so that inputs with a new outcome can be kept.

use std::hash::{DefaultHasher, Hasher as _};

use kilornn::layers::{Activation, Layer};
use kilornn::text::{AsciiSet, Lowercase, Normalization, Tokenizer, Unit, WordSink};
use kilornn::{Classifier, Error, Model, Prediction, Session, Unknown, file};

use crate::model;

/// A target of fuzzing.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name on the command line, and that of the folder of its corpus.
    pub name: &'static str,
    /// Runs it with an input, and returns a number for the outcome.
    pub run: fn(&[u8]) -> u64,
    /// Whether its inputs contain a model.
    pub takes_models: bool,
}

/// All targets.
pub const TARGETS: [Target; 3] = [
    Target { name: "loader", run: loader, takes_models: true },
    Target { name: "tokenizer", run: tokenizer, takes_models: false },
    Target { name: "classifier", run: classifier, takes_models: true },
];

fn outcome(what: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// The kind of an error, without its numbers.
fn reason(error: Error) -> (std::mem::Discriminant<Error>, &'static str) {
    let what = if let Error::Invalid { what, .. } = error { what } else { "" };
    (std::mem::discriminant(&error), what)
}

/// Loads the input as a file, as it is and with a right header and checksum. A model that loads must be the same when it
/// is written and read again.
fn loader(input: &[u8]) -> u64 {
    let unsealed = Model::from_bytes(input).err().map(reason);
    let mut sealed = input.to_vec();
    model::seal(&mut sealed);
    let loaded = match Model::from_bytes(&sealed) {
        Err(error) => {
            // Every error has a text.
            assert!(!error.to_string().is_empty());
            Err(reason(error))
        }
        Ok(model) => {
            let contents = model.contents();
            let mut buffer = vec![0; sealed.len() + 64];
            let written = file::encode(contents, &mut buffer).expect("no longer than it was");
            let again = Model::from_bytes(written).expect("what was loaded loads again");
            assert_eq!(again.contents(), contents);
            for class in [0, 1, model.classes() - 1, model.classes(), u32::MAX] {
                assert!(class < model.classes() || model.label(class).is_empty());
            }
            let text = contents.text().expect("there is no other input");
            let sequence = &text.sequence;
            for pads in [0, 1, 2, 1000, u32::MAX] {
                if let Some(states) = sequence.padding.as_ref().and_then(|padding| padding.states()) {
                    let state = states.state(pads, contents.units()).expect("a state for any number of pads");
                    assert_eq!(state.len(), contents.units() as usize);
                }
            }
            for hash in [0, 1, 0x8000_0000, u32::MAX, (sealed.len() as u32).wrapping_mul(0x9E37_79B9)] {
                assert!(text.vocabulary.slot(hash).is_none_or(|slot| slot < text.vocabulary.slots));
            }
            let cells: Vec<&str> = contents.layers.iter().map(|layer| layer.name()).collect();
            let sizes = (contents.units(), cells, text.vocabulary.slots.ilog2_or_zero());
            Ok((sizes, sequence.padding.is_some(), sequence.window().ilog2_or_zero()))
        }
    };
    outcome((unsealed, loaded))
}

/// The binary logarithm of numbers that may be zero.
trait Magnitude {
    fn ilog2_or_zero(self) -> u32;
}

impl Magnitude for u32 {
    fn ilog2_or_zero(self) -> u32 {
        self.checked_ilog2().unwrap_or(0)
    }
}

#[derive(Default, PartialEq, Eq, Debug)]
struct Words {
    done: Vec<String>,
    current: String,
}

impl WordSink for Words {
    fn char(&mut self, c: char) {
        self.current.push(c);
    }
    fn end(&mut self) {
        assert!(!self.current.is_empty(), "an empty word");
        self.done.push(std::mem::take(&mut self.current));
    }
}

/// Two bytes of settings and one for the length of chunks, then a text: compares the tokenizer with the standard library
/// on the whole string.
fn tokenizer(input: &[u8]) -> u64 {
    let (settings, text) = input.split_at(input.len().min(3));
    let setting = |index: usize| settings.get(index).copied().unwrap_or_default();
    let normalization = Normalization {
        unit: if setting(0) & 1 == 0 { Unit::WordPair } else { Unit::Character },
        lowercase: [Lowercase::Unicode, Lowercase::Ascii, Lowercase::Off][usize::from(setting(0) >> 1) % 3],
        separators: match setting(1) {
            0 => AsciiSet::new(""),
            c @ 1..=127 => AsciiSet::new(&format!(" {}", char::from(c))),
            _ => Normalization::KERAS.separators,
        },
    };
    let chunk = usize::from(setting(2)) % 17 + 1;

    let mut streamed = Words::default();
    let mut tokenizer = Tokenizer::new(normalization);
    for _ in 0..2 {
        // Twice, since nothing of the first text may be left.
        streamed = Words::default();
        text.chunks(chunk).for_each(|chunk| tokenizer.push(chunk, &mut streamed));
        tokenizer.finish(&mut streamed);
    }

    let text = String::from_utf8_lossy(text);
    let lower: String = match normalization.lowercase {
        Lowercase::Off => text.into_owned(),
        Lowercase::Ascii => text.to_ascii_lowercase(),
        Lowercase::Unicode => text.chars().flat_map(char::to_lowercase).collect(),
    };
    // The tokenizer finds single words; the classifier makes pairs of them.
    let whole: Vec<&str> = if normalization.unit.is_character() {
        lower.split("").filter(|c| !c.is_empty()).collect()
    } else {
        lower.split(|c| normalization.separators.contains(c)).filter(|word| !word.is_empty()).collect()
    };
    assert_eq!(streamed.done, whole);
    assert_eq!(streamed.current, "");
    let classes = whole.iter().flat_map(|word| word.bytes()).fold([0u64; 4], |mut seen, byte| {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
        seen
    });
    outcome((setting(0) % 6, whole.len().min(8), classes.map(u64::count_ones)))
}

/// Two bytes that say where the model ends and the text begins. A model that loads must classify any text without a
/// panic, with the same valid prediction however the text is cut into chunks.
fn classifier(input: &[u8]) -> u64 {
    let Some((&border, rest)) = input.split_first_chunk::<2>() else { return 0 };
    let (file, text) = rest.split_at(usize::from(u16::from_le_bytes(border)).min(rest.len()));
    let mut file = file.to_vec();
    model::seal(&mut file);
    let Ok(model) = Model::from_bytes(&file) else { return 1 };
    let mut workspace = vec![0xA5; model.workspace()];
    let mut session = Session::new(&model, &mut workspace).expect("room for the model");
    session.push(text);
    let whole = examine(&model, session.finish());
    let outputs: Vec<i32> = session.state().iter().collect();
    assert_eq!(outputs.len(), model.contents().units() as usize);
    let is_relu = matches!(model.contents().layers.last(), Some(Layer::SimpleRnn(rnn)) if rnn.activation == Activation::Relu);
    let (least, most) = match (session.state().int8(), is_relu) {
        (Some(_), true) => (0, 127),
        (Some(_), false) => (-127, 127),
        _ => (-1 << 14, 1 << 14),
    };
    assert!(outputs.iter().all(|value| (least..=most).contains(value)), "{outputs:?}");
    // Twice with the same session, since nothing of the first text may be left.
    text.chunks(3).for_each(|chunk| session.push(chunk));
    assert_eq!(examine(&model, session.finish()), whole);
    if model.contents().inputs() <= 512 && model.contents().window() <= 64 {
        let mut classifier = Classifier::<512, 64>::new(&model).expect("room for the model");
        classifier.push(text);
        assert_eq!(examine(&model, classifier.finish()), whole);
        assert_eq!(classifier.state(), session.state());
    }
    outcome(whole)
}

/// Checks everything about a prediction; returns what must not depend on chunks.
fn examine(model: &Model<'_>, prediction: Prediction<'_>) -> (u32, u32, u32, Vec<i32>) {
    let logits: Vec<i32> = prediction.logits().collect();
    assert_eq!(Some(logits.len()), model.contents().dense().map(|dense| dense.outputs as usize));
    assert!(prediction.class() < model.classes());
    assert_eq!(prediction.label(), model.label(prediction.class()));
    assert!(prediction.known_words() <= prediction.words());
    let unknown = model.contents().text().map(|text| text.unknown);
    if unknown == Some(Unknown::Drop) && prediction.words() == 0 {
        assert_eq!(prediction.known_words(), 0);
    }
    let sum: f32 = (0..model.classes())
        .map(|class| {
            let probability = prediction.probability(class);
            assert!((0.0..=1.001).contains(&probability), "a probability of {probability}");
            probability
        })
        .sum();
    assert!((sum - 1.0).abs() < 0.01, "probabilities add up to {sum}");
    assert!(prediction.score() >= 0.0);
    (prediction.class(), prediction.words(), prediction.known_words(), logits)
}
