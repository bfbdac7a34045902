//! A device's predictions for many texts, and where they differ from the host's.

use std::fmt;

use kilornn_link::message;

use crate::client::{Client, Failure, Info};
use crate::line::Line;
use crate::prediction::{Counted, Measured, OwnedPrediction};

/// The device runs another model than the file, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherModel {
    /// Length and checksum of the device's model.
    pub device: Option<(u32, u32)>,
    /// Length of the file.
    pub length: usize,
    /// Checksum of the file.
    pub checksum: u32,
}

impl fmt::Display for OtherModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the device runs another model: ")?;
        match self.device {
            Some((length, checksum)) => write!(f, "one of {length} bytes with checksum {checksum:08x}")?,
            None => f.write_str("none")?,
        }
        let Self { length, checksum, .. } = self;
        write!(f, ", where the file has {length} bytes and checksum {checksum:08x} (`update` sends it)")
    }
}

impl std::error::Error for OtherModel {}

/// Checks that the device runs the model of this file.
///
/// # Errors
///
/// If it runs another one or none; the error names both.
pub fn runs(info: &Info, file: &[u8]) -> Result<(), OtherModel> {
    let (length, checksum) = (file.len(), message::checksum(file));
    match info.model {
        Some(model) if model.checksum == checksum && model.length as usize == length => Ok(()),
        model => {
            let device = model.map(|model| (model.length, model.checksum));
            Err(OtherModel { device, length, checksum })
        }
    }
}

/// Classifies texts on a device, one after the other, and asks for the logits of so many classes. `each` is called after
/// every text.
///
/// # Errors
///
/// If an answer does not come.
pub fn classify<L: Line, T: AsRef<[u8]>>(
    client: &mut Client<L>,
    classes: u32,
    texts: &[T],
    mut each: impl FnMut(),
) -> Result<Vec<Measured>, Failure> {
    let answers = texts.iter().map(|text| {
        let answer = client.classify(text.as_ref(), classes)?;
        each();
        Ok(answer)
    });
    answers.collect()
}

/// Logits of all classes: of two classes with one logit, the second has it, and the first its negative.
#[must_use]
pub fn per_class(logits: &[i32]) -> Vec<i32> {
    match *logits {
        [one] => vec![one.wrapping_neg(), one],
        _ => logits.to_vec(),
    }
}

/// Something in which two predictions differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub what: &'static str,
    /// What the host says.
    pub host: String,
    /// What the device says.
    pub device: String,
}

/// In what a device's prediction differs from the host's: class, words, known words, and the logits of all classes.
#[must_use]
pub fn differences(host: &OwnedPrediction, device: &OwnedPrediction) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut compare = |what, host: String, device: String| {
        if host != device {
            differences.push(Difference { what, host, device });
        }
    };
    compare("class", host.class.to_string(), device.class.to_string());
    compare("words", host.words.to_string(), device.words.to_string());
    compare("known words", host.known_words.to_string(), device.known_words.to_string());
    compare("logits", format!("{:?}", per_class(&host.logits)), format!("{:?}", per_class(&device.logits)));
    differences
}

/// Whether an emulated device says anything else than the host: class, words, or a logit.
#[must_use]
pub fn differ(host: &OwnedPrediction, device: &Counted) -> bool {
    (host.class, host.words, per_class(&host.logits))
        != (device.class, device.words, per_class(&device.logits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_told() {
        let host = OwnedPrediction { class: 1, score: 0.9, words: 3, known_words: 2, logits: vec![7] };
        let same = OwnedPrediction { logits: vec![-7, 7], ..host.clone() };
        assert_eq!(differences(&host, &same), []);
        let other =
            OwnedPrediction { class: 0, words: 4, known_words: 1, logits: vec![-6, 7], ..host.clone() };
        let told: Vec<_> =
            differences(&host, &other).into_iter().map(|d| (d.what, d.host, d.device)).collect();
        let expected = [
            ("class", "1", "0"),
            ("words", "3", "4"),
            ("known words", "2", "1"),
            ("logits", "[-7, 7]", "[-6, 7]"),
        ];
        assert_eq!(told, expected.map(|(what, host, device)| (what, host.to_owned(), device.to_owned())));

        let counted = Counted { class: 1, words: 3, logits: vec![7], instructions: 9 };
        assert!(!differ(&host, &counted));
        assert!(differ(&host, &Counted { logits: vec![7, 7], ..counted }));
    }

    #[test]
    fn another_model_is_named() {
        let model = message::RunningModel {
            source: message::Source::BuiltIn,
            length: 9,
            checksum: message::checksum(b"a model__"),
            classes: 2,
            units: 1,
            slots: 1,
            scale: 1.0,
        };
        let info = Info {
            firmware: String::new(),
            board: String::new(),
            ticks_per_second: 1,
            units: 1,
            window: 0,
            room: 0,
            model: Some(model),
        };
        assert!(runs(&info, b"a model__").is_ok());
        let error = runs(&info, b"another__").unwrap_err().to_string();
        assert!(error.contains(&format!("{:08x}", model.checksum)), "{error}");
        assert!(error.contains(&format!("{:08x}", message::checksum(b"another__"))), "{error}");
        assert!(runs(&Info { model: None, ..info }, b"a model__").unwrap_err().to_string().contains("none"));
    }
}
