//! Counts of recordings.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Recording, Recordings, Statistics};
use crate::data::counts::Lengths;
use crate::data::repeats::Repeats;

/// Counts, as `kilornn data --json` prints them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RecordingCounts {
    /// Names of the classes.
    pub(crate) labels: Vec<String>,
    /// Names of the channels.
    pub(crate) channels: Vec<String>,
    /// The time from frame to frame, if a column says it.
    pub(crate) interval: Option<f64>,
    /// What to train on.
    pub(crate) train: PartCounts,
    /// What to validate on.
    pub(crate) dev: Option<PartCounts>,
    /// What to test on.
    pub(crate) test: Option<PartCounts>,
    /// Recordings that are there more than once.
    pub(crate) duplicates: Repeats,
}

/// Counts of a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PartCounts {
    /// Recordings, or windows of them.
    pub(crate) examples: usize,
    /// Examples of each class.
    pub(crate) per_class: Vec<usize>,
    /// Frames of an example.
    pub(crate) steps: Lengths,
    /// Groups, if they were asked for.
    pub(crate) groups: Option<usize>,
    /// Frames that stand in no window, if windows were cut.
    pub(crate) left_over: Option<usize>,
    /// The values of each channel.
    pub(crate) channels: Vec<Statistics>,
}

impl RecordingCounts {
    pub(crate) fn of(data: &Recordings) -> Self {
        let cuts = |part: usize| data.cuts.map(|cuts| cuts[part].left_over);
        let part = |number, part: &[Recording]| PartCounts::of(data, part, cuts(number));
        Self {
            labels: data.labels.clone(),
            channels: data.channels.clone(),
            interval: data.interval,
            train: part(0, &data.train),
            dev: data.dev.as_ref().map(|dev| part(1, dev)),
            test: data.test.as_ref().map(|test| part(2, test)),
            duplicates: data.repeats,
        }
    }

    /// The parts that there are, by name.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, &PartCounts)> {
        let parts = [Some(&self.train), self.dev.as_ref(), self.test.as_ref()];
        super::PARTS.into_iter().zip(parts).filter_map(|(name, part)| Some((name, part?)))
    }
}

impl PartCounts {
    fn of(data: &Recordings, part: &[Recording], left_over: Option<usize>) -> Self {
        let mut per_class = vec![0; data.labels.len()];
        part.iter().for_each(|recording| per_class[recording.class] += 1);
        let lengths = part.iter().map(|recording| data.steps(recording)).collect();
        let groups: BTreeSet<&str> = part.iter().filter_map(|recording| recording.group.as_deref()).collect();
        Self {
            examples: part.len(),
            per_class,
            steps: Lengths::of(&Lengths::sorted(lengths)),
            groups: Some(groups.len()).filter(|&groups| groups > 0),
            left_over,
            channels: Statistics::of(part, data.channels.len()),
        }
    }
}
