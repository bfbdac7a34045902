//! What a person should know before they trust a result.
//!
//! Every warning is of a [`Kind`], which it prints, and each kind has a section of its own in
//! `docs/when-training-goes-wrong.md`: what it means and what to do.

use std::fmt;

use serde::Serialize;

/// What happened, where, and what to do about it. Displays as `warning[kind]: message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What it is about.
    pub kind: Kind,
    /// In a sentence, with what to do in parentheses at its end.
    pub message: String,
}

impl Warning {
    /// A warning.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warning[{}]: {}", self.kind.name(), self.message)
    }
}

/// Declares [`Kind`] with the name of each.
macro_rules! kinds {
    ($($(#[doc = $docs:literal])+ $kind:ident = $name:literal,)+) => {
        /// What a warning is about. Names are for scripts: they stay as they are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum Kind {
            $($(#[doc = $docs])+ #[serde(rename = $name)] $kind,)+
        }

        impl Kind {
            /// All that there are.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// What it is called.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// The same text more than once in a part, or in two parts.
    DuplicateTexts = "duplicate-texts",
    /// The same text with different labels.
    ContradictoryLabels = "contradictory-labels",
    /// Texts in which the tokenizer finds no word.
    NoWords = "no-words",
    /// A part that has no text of some classes.
    MissingClass = "missing-class",
    /// A class with next to no training example, beside large ones.
    RareClass = "rare-class",
    /// Names of different classes that look like one.
    SimilarNames = "similar-names",
    /// Names of classes that are likely none.
    OddNames = "odd-names",
    /// Names of classes that look like several labels in one.
    SeveralLabels = "several-labels",
    /// What lies in a data folder and is not read.
    FilesNotRead = "files-not-read",
    /// Texts that are far longer than the others.
    LongTexts = "long-texts",
    /// Texts of one long word each, which stands nowhere else.
    OneWordTexts = "one-word-texts",
    /// So few texts that nothing can be learned.
    FewTexts = "few-texts",
    /// No text that is not trained on.
    NothingHeldOut = "nothing-held-out",
    /// Texts that validate, all of one class.
    OneClassValidation = "one-class-validation",
    /// The same recording more than once in a part, or, where that may be chance, in two parts.
    DuplicateRecordings = "duplicate-recordings",
    /// Recordings of the same name in two parts.
    SplitRecordings = "split-recordings",
    /// Groups of which there are examples in two parts.
    SharedGroups = "shared-groups",
    /// Values that are far from all others of their channel.
    OutlyingValues = "outlying-values",
    /// Channels that do not change, or not within a recording.
    ConstantChannel = "constant-channel",
    /// Channels with other values in one part than in another, as in another unit.
    ShiftedChannel = "shifted-channel",
    /// Times that are no numbers, so that nothing could be checked.
    UncheckedTime = "unchecked-time",
    /// Recordings that are far longer than the others.
    LongRecordings = "long-recordings",
    /// Recordings that are shorter than a window.
    ShortRecordings = "short-recordings",
    /// So few recordings that nothing can be learned.
    FewRecordings = "few-recordings",
    /// A loss that rose a thousandfold.
    LossRose = "loss-rose",
    /// Answers that are all the same.
    OneAnswer = "one-answer",
    /// No more right answers than the same answer to every text would give.
    NoBetterThanGuessing = "no-better-than-guessing",
    /// Fewer right answers of the model file than of the float network.
    QuantizationLoss = "quantization-loss",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_section_for_each_kind() {
        let page = include_str!("../../docs/when-training-goes-wrong.md");
        let sections: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(sections, kinds, "the sections, and the kinds in their order");
    }
}
