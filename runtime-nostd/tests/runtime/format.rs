//! The file format: golden files, damage, and files with a right checksum and wrong contents.

use crate::common::{Tables, encode};
use kilornn::layers::Embedding;
use kilornn::{Classifier, Contents, Error, Model, Padding, Sequence, Truncating, file};

/// A model of the first released version, with what it must say for ever.
const STARTER: &[u8] = include_bytes!("../golden/v1-starter.kilo");
const STARTER_ANSWERS: &str = include_str!("../golden/v1-starter.txt");

#[test]
fn golden_files_stay_readable() {
    let model = Model::from_bytes(STARTER).unwrap();
    let mut classifier: Classifier<32> = Classifier::new(&model).unwrap();
    let mut checked = 0;
    for line in STARTER_ANSWERS.lines() {
        let (logit, text) = line.split_once('\t').unwrap();
        classifier.push(text);
        let logits: Vec<String> = classifier.finish().logits().map(|logit| logit.to_string()).collect();
        assert_eq!(logits.join(","), logit, "{text}");
        checked += 1;
    }
    assert!(checked >= 8);
    let mut buffer = vec![0; STARTER.len()];
    assert_eq!(file::encode(model.contents(), &mut buffer).as_deref(), Some(STARTER));
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
    let mut bytes = Tables::new(1, 12, 8, 2, Some(4)).file();
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
    newer[4] = 2;
    assert_eq!(Model::from_bytes(&newer).unwrap_err(), Error::Version { found: 2, supported: 1 });
    let mut damaged = STARTER.to_vec();
    damaged[100] ^= 1;
    assert!(matches!(Model::from_bytes(&damaged), Err(Error::Checksum { .. })));
}

/// What the loader says of contents that were written with a right checksum.
fn refusal(change: impl FnOnce(&mut Contents<'_>)) -> String {
    let tables = Tables::new(1, 12, 8, 2, None);
    let mut contents = tables.contents();
    change(&mut contents);
    let bytes = encode(&contents);
    Model::from_bytes(&bytes).map(|_| ()).expect_err("the loader let it through").to_string()
}

#[test]
fn hostile_contents_are_refused() {
    let says = |change: fn(&mut Contents<'_>), words: &str| {
        let said = refusal(change);
        assert!(said.contains(words), "`{said}` should say `{words}`");
    };
    says(|c| c.vocabulary.slots = 13, "bytes of fingerprints should be 13, but found 12");
    says(|c| c.vocabulary.slots = u32::MAX, "slots (at most)");
    says(|c| c.vocabulary.pilots = &[0], "pilot bytes, modulo 2,");
    says(|c| c.vocabulary.pilots = &[], "pilots should be 1, but found 0");
    says(|c| c.embedding = Embedding::Folded { table: &[0; 8] }, "bytes of the folded table should be 104");
    says(
        |c| c.embedding = Embedding::Projected { width: 257, table: &[], kernel: &[], bias: &[] },
        "embedding width (at most)",
    );
    says(
        |c| c.embedding = Embedding::Projected { width: 1, table: &[0; 13], kernel: &[0; 7], bias: &[0; 32] },
        "bytes of the input kernel should be 8, but found 7",
    );
    says(
        |c| {
            c.embedding =
                Embedding::Projected { width: 1, table: &[0; 13], kernel: &[0; 8], bias: &[0x7F; 32] }
        },
        "accumulator's bound",
    );
    says(|c| c.rnn.units = 0, "should be");
    says(|c| c.rnn.units = 300, "should be");
    says(|c| c.rnn.units = 9, "should be");
    says(|c| c.rnn.kernel = &[0; 63], "bytes of the recurrent kernel should be 64, but found 63");
    says(|c| c.rnn.input_shift = 17, "input shift");
    says(|c| c.rnn.recurrent_shift = 17, "recurrent shift");
    says(|c| c.rnn.recurrent_shift = 16, "accumulator's bound");
    says(|c| c.rnn.output_shift = 31, "output shift");
    says(|c| c.dense.outputs = 0, "bytes of the dense kernel");
    says(|c| (c.dense.outputs, c.dense.kernel, c.dense.bias) = (0, &[], &[]), "outputs should be 1");
    says(|c| c.dense.outputs = 257, "outputs (at most)");
    says(|c| c.dense.bias = &[0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0], "dense bias (at most)");
    says(|c| c.dense.bias = &[0, 0, 0, 0x80, 0, 0, 0, 0], "dense bias (at most)");
    says(|c| c.dense.scale = f32::NAN, "logit scale");
    says(|c| c.dense.scale = 0.0, "logit scale");
    says(|c| c.labels = "one", "labels should be 2, but found 1");
    says(|c| c.labels = "one\ntwo\nthree", "labels should be 2, but found 3");
    let padded = |states: &'static [u8], cycle, maxlen| {
        move |c: &mut Contents<'_>| {
            let padding = Some(Padding { states, cycle });
            c.sequence = Sequence { maxlen, truncating: Truncating::Pre, padding };
        }
    };
    assert!(refusal(padded(&[], 0, 5)).contains("pad states should be 1, but found 0"));
    assert!(refusal(padded(&[0; 9], 0, 5)).contains("bytes of pad states should be 8, but found 9"));
    assert!(refusal(padded(&[0; 16], 2, 5)).contains("pad cycle"));
    assert!(refusal(padded(&[128; 8], 0, 5)).contains("pad state (at most)"));
    assert!(refusal(padded(&[0; 8], 0, 0)).contains("window should be 1"));
    assert!(refusal(padded(&[0; 8], 0, 1 << 20)).contains("window (at most)"));
}

/// Wherever the tables end up, and whatever precedes them, the recurrent kernel can be read in words.
#[test]
fn the_recurrent_kernel_lies_at_a_multiple_of_four() {
    for labels in ["a\nb", "a\nbc", "a\nbcd", "a\nbcde"] {
        let tables = Tables::new(1, 12, 8, 2, None);
        let bytes = encode(&Contents { labels, ..tables.contents() });
        let model = Model::from_bytes(&bytes).unwrap();
        let offset = model.contents().rnn.kernel.as_ptr().addr() - bytes.as_ptr().addr();
        assert_eq!(offset % 4, 0, "{labels:?}");
        assert_eq!(model.contents(), &Contents { labels, ..tables.contents() });
    }
}

#[test]
fn undecodable_contents_are_refused() {
    // A right header and checksum around bytes that postcard cannot read, or that go on too long.
    for (padding, body) in [(0, &[0xFF; 40][..]), (0, &[][..]), (0, &[0; 200][..]), (3, &[0, 0][..])] {
        let length = (12 + body.len() + 4) as u32;
        let mut bytes = [b"KILO\x01\x00", &[padding, 0][..], &length.to_le_bytes()[..], body].concat();
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
        bytes.extend(crc.to_le_bytes());
        assert!(Model::from_bytes(&bytes).is_err());
    }
    // Sound contents behind more padding than there may be, behind padding that is not zero, and with a header that
    // is not: each with a right checksum.
    let sound = Tables::new(1, 12, 8, 2, None).file();
    let padding = usize::from(sound[6]);
    let resealed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        bytes.truncate(bytes.len() - 4);
        change(&mut bytes);
        let length = bytes.len() as u32 + 4;
        bytes[8..12].copy_from_slice(&length.to_le_bytes());
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
        bytes.extend(crc.to_le_bytes());
        Model::from_bytes(&bytes).map(|_| ())
    };
    assert_eq!(resealed(&|_| ()), Ok(()));
    let pad = |count: usize, value: u8| {
        move |bytes: &mut Vec<u8>| {
            bytes.splice(12..12 + padding, vec![value; count]);
            bytes[6] = count as u8;
        }
    };
    assert_eq!(resealed(&pad(3, 0)), Ok(()));
    assert_eq!(resealed(&pad(4, 0)), Err(Error::Undecodable));
    assert_eq!(resealed(&pad(3, 1)), Err(Error::Undecodable));
    assert_eq!(resealed(&|bytes| bytes[7] = 1), Err(Error::Undecodable));
}
