//! The file format: golden files, damage, and files with a right checksum and wrong contents.

use crate::common::{Aligned, Narrow, Tables, encode};
use kilornn::layers::{Activation, Embedding, Order, Table};
use kilornn::layers::{Dense, SimpleRnn};
use kilornn::text::Lowercase;
use kilornn::{
    Classifier, Contents, Error, Head, Input, Model, PadStates, Padding, Sequence, Text, Truncating, file,
};

/// A model of the first released version, with what it must say for ever.
static STARTER: &[u8] = kilornn::include_model!("../golden/v2-starter.kilo");
const STARTER_ANSWERS: &str = include_str!("../golden/v2-starter.txt");

/// One of version 3, with pairs of words.
static PAIRS: &[u8] = kilornn::include_model!("../golden/v3-pairs.kilo");
const PAIRS_ANSWERS: &str = include_str!("../golden/v3-pairs.txt");

/// A model of the draft before it.
static DRAFT: &[u8] = kilornn::include_model!("../golden/v1-starter.kilo");

#[test]
fn golden_files_stay_readable() {
    for (file, answers, version) in [(STARTER, STARTER_ANSWERS, 2), (PAIRS, PAIRS_ANSWERS, 3)] {
        if cfg!(not(feature = "unicode")) {
            assert_eq!(Model::from_bytes(file).unwrap_err(), Error::UnicodeNeeded);
            continue;
        }
        let model = Model::from_bytes(file).unwrap();
        let mut classifier: Classifier<32> = Classifier::new(&model).unwrap();
        let mut checked = 0;
        for line in answers.lines() {
            let (logit, text) = line.split_once('\t').unwrap();
            classifier.push(text);
            let logits: Vec<String> = classifier.finish().logits().map(|logit| logit.to_string()).collect();
            assert_eq!(logits.join(","), logit, "{text}");
            checked += 1;
        }
        assert!(checked >= 8);
        // It states the oldest version that has what it needs.
        assert_eq!(file[4], version);
        let mut buffer = vec![0; file.len()];
        assert_eq!(file::encode(model.contents(), &mut buffer).as_deref(), Some(file));
    }
}

/// The model that examples in the documentation use: the golden one, with lower-casing that needs no feature.
#[test]
fn the_model_of_the_documentation_is_the_golden_one() {
    let mut contents = file::decode(STARTER).unwrap();
    if let Input::Text(text) = &mut contents.input {
        text.normalization.lowercase = Lowercase::Ascii;
    }
    let mut buffer = vec![0; STARTER.len()];
    let expected = file::encode(&contents, &mut buffer).unwrap();
    assert!(expected == include_bytes!("../../docs/starter.kilo"));
}

#[test]
fn labels_are_found_by_number() {
    let tables = Tables::new(1, 12, 8, 5, None);
    let labels = |labels: &str| {
        let bytes = encode(&Contents { labels, ..tables.contents() });
        let model = Model::from_bytes(&bytes).unwrap();
        (0..6).map(|class| model.label(class).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels("one\ntwo\nthrée\n\n5"), ["one", "two", "thrée", "", "5", ""]);
    assert_eq!(labels("\n\n\n\n"), [""; 6]);
}

#[test]
fn every_truncation_is_refused() {
    for length in 0..STARTER.len() {
        let error = Model::from_bytes(&STARTER[..length]).unwrap_err();
        assert!(matches!(error, Error::Truncated { .. }), "{length} bytes: {error}");
    }
    let longer = [STARTER, &[0]].concat();
    assert!(matches!(Model::from_bytes(&longer), Err(Error::Oversized { .. })));
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut bytes = Tables::new(1, 12, 8, 2, Some(Narrow { width: 4, shift: 2, bits: 4 })).file();
    Model::from_bytes(&bytes).unwrap();
    for byte in 0..bytes.len() {
        for bit in 0..8 {
            bytes[byte] ^= 1 << bit;
            assert!(Model::from_bytes(&bytes).is_err(), "bit {bit} of byte {byte}");
            bytes[byte] ^= 1 << bit;
        }
    }
}

#[test]
fn foreign_newer_and_damaged_files_are_told_apart() {
    assert_eq!(Model::from_bytes(b"").unwrap_err(), Error::Truncated { needed: 16, found: 0 });
    let foreign = Model::from_bytes(b"\x7FELF and so on and on").unwrap_err();
    assert_eq!(foreign, Error::NotAModel { found: *b"\x7FELF" });
    let mut newer = STARTER.to_vec();
    newer[4] = 9;
    assert_eq!(Model::from_bytes(&newer).unwrap_err(), Error::Version { found: 9, supported: file::VERSION });
    let draft = Model::from_bytes(DRAFT).unwrap_err();
    assert_eq!(draft, Error::Version { found: 1, supported: file::VERSION });
    assert!(draft.to_string().contains("update the runtime or export again"));
    let mut damaged = STARTER.to_vec();
    damaged[100] ^= 1;
    assert!(matches!(Model::from_bytes(&damaged), Err(Error::Checksum { .. })));
}

/// The parts of contents with one layer.
struct Parts<'a> {
    labels: &'a str,
    text: Text<'a>,
    rnn: SimpleRnn<'a>,
    dense: Dense<'a>,
}

/// A build without a cell refuses models with it, and says which feature it lacks.
#[test]
fn models_of_other_builds_are_refused_by_name() {
    for (file, feature, is_on) in [
        (&include_bytes!("../golden/v4-gru.kilo")[..], "gru", cfg!(feature = "gru")),
        (&include_bytes!("../golden/v4-lstm.kilo")[..], "lstm", cfg!(feature = "lstm")),
        (&include_bytes!("../golden/v5-fastgrnn.kilo")[..], "fastgrnn", cfg!(feature = "fastgrnn")),
    ] {
        let file = Aligned::new(file, 0);
        let expected = match (is_on, cfg!(kilornn_gates)) {
            (true, _) => None,
            // Without any cell, what is known is the format.
            (false, false) if file[4] == 4 => Some(Error::CellNeeded { feature: "gru` or `lstm" }),
            (false, _) => Some(Error::CellNeeded { feature }),
        };
        assert_eq!(Model::from_bytes(&file).err(), expected);
        assert!(expected.is_none_or(|error| error.to_string().contains(&format!("`{feature}`"))));
    }
}

/// What the loader says of contents that were written with a right checksum.
fn refusal(change: impl FnOnce(&mut Parts<'_>)) -> String {
    let tables = Tables::new(1, 12, 8, 2, None);
    let (labels, text) = (tables.labels.as_str(), tables.text());
    let mut parts = Parts { labels, text, rnn: tables.rnn(), dense: tables.dense() };
    change(&mut parts);
    let Parts { labels, text, rnn, dense } = parts;
    let (input, head) = (Input::Text(text), Head::Classes(dense));
    let bytes = encode(&Contents { labels, input, layers: rnn.into(), head });
    Model::from_bytes(&bytes).map(|_| ()).expect_err("the loader let it through").to_string()
}

#[test]
fn hostile_contents_are_refused() {
    let says = |change: fn(&mut Parts<'_>), words: &str| {
        let said = refusal(change);
        assert!(said.contains(words), "`{said}` should say `{words}`");
    };
    says(|c| c.text.vocabulary.slots = 13, "bytes of fingerprints should be 13, but found 12");
    says(|c| c.text.vocabulary.slots = u32::MAX, "slots (at most)");
    says(|c| c.text.vocabulary.pilots = &[0], "pilot bytes, modulo 2,");
    says(|c| c.text.vocabulary.pilots = &[], "pilots should be 1, but found 0");
    let projected = |width, shift, table: Table<'static>| {
        move |c: &mut Parts<'_>| c.text.embedding = Embedding::Projected { width, shift, table }
    };
    let refuses = |width, shift, table, words: &str| {
        let said = refusal(projected(width, shift, table));
        assert!(said.contains(words), "`{said}` should say `{words}`");
    };
    refuses(0, 0, Table::Int8(&[]), "embedding width should be 1");
    refuses(257, 0, Table::Int8(&[0; 257 * 13]), "embedding width (at most)");
    refuses(1, 0, Table::Int4(&[0; 13]), "bits of an embedding's row, modulo 8,");
    refuses(4, 0, Table::Int8(&[0; 51]), "bytes of the embedding should be 52, but found 51");
    refuses(4, 0, Table::Int4(&[0; 27]), "bytes of the embedding should be 26, but found 27");
    refuses(4, 9, Table::Int8(&[0; 52]), "embedding shift (at most)");
    refuses(4, 13, Table::Int4(&[0; 26]), "embedding shift (at most)");
    refuses(4, 0, Table::Int4(&[0; 26]), "bytes of weights should be 104, but found 168");
    says(|c| c.rnn.units = 0, "hidden units should be 1");
    says(|c| c.rnn.units = 300, "hidden units (at most)");
    says(|c| c.rnn.units = 9, "hidden units, modulo 4,");
    says(|c| c.rnn.weights = &[0; 167], "bytes of weights should be 168, but found 167");
    says(|c| c.rnn.activation = Activation::Tanh, "tanh states by columns");
    says(|c| c.rnn.bias_shift = 15, "bias shift");
    says(|c| c.rnn.state_shift = 9, "state shift");
    says(|c| (c.rnn.state_shift, c.rnn.weights) = (7, &[0x81; 168]), "accumulator's bound");
    says(
        |c| {
            let table = Table::Int8(&[0; 39]);
            c.text.embedding = Embedding::Projected { width: 3, shift: 0, table };
            (c.rnn.order, c.rnn.weights) = (Order::Pairs, &[0; 96]);
        },
        "inputs in pairs, modulo 4,",
    );
    says(|c| c.dense.outputs = 0, "bytes of the dense kernel");
    says(|c| (c.dense.outputs, c.dense.kernel, c.dense.bias) = (0, &[], &[]), "outputs should be 1");
    says(|c| c.dense.outputs = 257, "outputs (at most)");
    says(|c| c.dense.bias = &[0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0], "dense bias (at most)");
    says(|c| c.dense.bias = &[0, 0, 0, 0x80, 0, 0, 0, 0], "dense bias (at most)");
    says(|c| c.dense.scale = f32::NAN, "logit scale");
    says(|c| c.dense.scale = 0.0, "logit scale");
    says(|c| c.labels = "one", "labels should be 2, but found 1");
    says(|c| c.labels = "one\ntwo\nthree", "labels should be 2, but found 3");
    let padded = |states: &'static [u8], count, cycle, maxlen| {
        move |c: &mut Parts<'_>| {
            let padding = Some(Padding::States(PadStates { states, count, cycle }));
            c.text.sequence = Sequence { maxlen, truncating: Truncating::Pre, padding };
        }
    };
    assert!(refusal(padded(&[], 0, 0, 5)).contains("pad states should be 1, but found 0"));
    assert!(refusal(padded(&[0; 9], 1, 0, 5)).contains("bytes of pad states should be 8, but found 9"));
    assert!(refusal(padded(&[0; 8], 2, 0, 5)).contains("bytes of pad states should be 16, but found 8"));
    assert!(refusal(padded(&[0; 8], u32::MAX, 0, 5)).contains("bytes of pad states"));
    assert!(refusal(padded(&[0; 16], 2, 2, 5)).contains("pad cycle"));
    assert!(refusal(padded(&[128; 8], 1, 0, 5)).contains("pad state (at most)"));
    assert!(refusal(padded(&[0; 8], 1, 0, 0)).contains("window should be 1"));
    assert!(refusal(padded(&[0; 8], 1, 0, 1 << 20)).contains("window (at most)"));
}

/// Wherever the tables end up, and whatever precedes them, the weights can be read in words.
#[test]
fn weights_lie_at_a_multiple_of_four() {
    for labels in ["a\nb", "a\nbc", "a\nbcd", "a\nbcde"] {
        let tables = Tables::new(1, 12, 8, 2, None);
        let bytes = encode(&Contents { labels, ..tables.contents() });
        let model = Model::from_bytes(&bytes).unwrap();
        let offset = model.contents().layers[0].weights().as_ptr().addr() - bytes.as_ptr().addr();
        assert_eq!(offset % 4, 0, "{labels:?}");
        assert_eq!(model.contents(), &Contents { labels, ..tables.contents() });
        for behind in 1..4 {
            let bytes = Aligned::new(&bytes, behind);
            assert_eq!(Model::from_bytes(&bytes).unwrap_err(), Error::Unaligned { found: behind as u32 });
        }
    }
}

#[test]
fn undecodable_contents_are_refused() {
    // A right header and checksum around bytes that postcard cannot read, or that go on too long.
    for (padding, body) in [(0, &[0xFF; 40][..]), (0, &[][..]), (0, &[0; 200][..]), (3, &[0, 0][..])] {
        let length = (12 + body.len() + 4) as u32;
        let mut bytes = [b"KILO\x02\x00", &[padding, 0][..], &length.to_le_bytes()[..], body].concat();
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
        bytes.extend(crc.to_le_bytes());
        assert!(Model::from_bytes(&bytes).is_err());
    }
    // Sound contents behind more padding than there may be, behind padding that is not zero, and with a header that
    // is not: each with a right checksum.
    let sound = Tables::new(1, 12, 8, 2, None).file();
    let padding = usize::from(sound[6]);
    let resealed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.to_vec();
        bytes.truncate(bytes.len() - 4);
        change(&mut bytes);
        let length = bytes.len() as u32 + 4;
        bytes[8..12].copy_from_slice(&length.to_le_bytes());
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
        bytes.extend(crc.to_le_bytes());
        Model::from_bytes(&Aligned::new(&bytes, 0)).map(|_| ())
    };
    assert_eq!(resealed(&|_| ()), Ok(()));
    let pad = |count: usize, value: u8| {
        move |bytes: &mut Vec<u8>| {
            bytes.splice(12..12 + padding, vec![value; count]);
            bytes[6] = count as u8;
        }
    };
    assert_eq!(resealed(&pad((padding + 1) % 4, 0)).unwrap_err().to_string().split(' ').next(), Some("the"));
    assert_eq!(resealed(&pad(4, 0)), Err(Error::Undecodable));
    assert_eq!(resealed(&pad(3, 1)), Err(Error::Undecodable));
    assert_eq!(resealed(&|bytes| bytes[7] = 1), Err(Error::Undecodable));
}
