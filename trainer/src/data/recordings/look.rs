//! What looks like a mistake in recordings.

use std::collections::{BTreeMap, BTreeSet};

use super::windows::Cut;
use super::{PARTS, Recording, Recordings, Statistics};
use crate::data::counts::{self, Lengths};
use crate::data::labels::shown;
use crate::data::repeats::{Found, Repeats};
use crate::excerpt::{excerpt, first_of};
use crate::numbers::grouped;
use crate::warning::{Kind, Warning};

/// The most names that a message shows.
const SHOWN: usize = 6;

/// A mean that lies so many deviations from that of the training part, is of another unit, or of another sensor.
const FAR: f64 = 10.0;

/// The same for deviations that differ by a factor; between g and m/s2 it is 9.8.
const OTHER_SCALE: f64 = 9.0;

/// What can be said of recordings as they stand in files, before they are cut. `have_names` says that a column names them.
pub(super) fn whole(data: &Recordings, repeats: &Found<'_, Recording>, have_names: bool) -> Vec<Warning> {
    let mut found = Vec::new();
    found.extend(repeated(data, repeats.repeats));
    found.extend(contradictory(data, repeats));
    if have_names {
        found.extend(in_two_parts(data, Kind::SplitRecordings, |recording| recording.name.as_deref()));
    }
    found.extend(in_two_parts(data, Kind::SharedGroups, |recording| recording.group.as_deref()));
    found.extend(missing_classes(data));
    found.extend(long(data));
    found.extend(constant(data));
    found.extend(outlying(data));
    found.extend(shifted(data));
    found
}

/// What can be said of what would be trained on.
pub(super) fn before_training(data: &Recordings) -> Vec<Warning> {
    let all = [short(data), few(data), nothing_held_out(data)];
    data.warnings.iter().cloned().chain(all.into_iter().flatten()).collect()
}

fn repeated(data: &Recordings, repeats: Repeats) -> impl Iterator<Item = Warning> {
    let count = |part: &Option<Vec<Recording>>| part.as_ref().map_or(0, Vec::len);
    let sizes = [data.train.len(), count(&data.dev), count(&data.test)];
    repeats.said(sizes, "recordings").map(|(count, all, what)| {
        let message = format!("{} of {} {what}", grouped(count), grouped(all));
        Warning::new(Kind::DuplicateRecordings, message)
    })
}

fn contradictory(data: &Recordings, found: &Found<'_, Recording>) -> Option<Warning> {
    let ((_, recording), (_, before)) = found.contradiction?;
    let class = |recording: &Recording| excerpt(&data.labels[recording.class]);
    let message = format!(
        "{} recordings have more than one label, the first is `{}` in {} and `{}` in {} (correct the label that is wrong)",
        grouped(found.repeats.contradictory),
        class(before),
        data.place(before),
        class(recording),
        data.place(recording)
    );
    Some(Warning::new(Kind::ContradictoryLabels, message))
}

/// What stands in two parts and is no copy: names of recordings whose rows may have been split, and groups.
fn in_two_parts(data: &Recordings, kind: Kind, what: impl Fn(&Recording) -> Option<&str>) -> Option<Warning> {
    let mut stand_in: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let mut places: BTreeMap<(&str, usize), &Recording> = BTreeMap::new();
    for (part, (_, recordings)) in data.parts().enumerate() {
        for recording in recordings {
            if let Some(name) = what(recording) {
                stand_in.entry(name).or_default().insert(part);
                places.entry((name, part)).or_insert(recording);
            }
        }
    }
    stand_in.retain(|_, parts| parts.len() > 1);
    let (first, parts) = stand_in.first_key_value()?;
    let parts: Vec<&usize> = parts.iter().take(2).collect();
    let name_of: Vec<&str> = data.parts().map(|(name, _)| name).collect();
    let [one, other] = parts[..] else { return None };
    let names = first_of(stand_in.keys().map(|name| format!("`{}`", excerpt(name))), SHOWN, ", ");
    let place = |part: usize| data.place(places[&(*first, part)]);
    let at = format!("{} ({}) and {} ({})", name_of[*one], place(*one), name_of[*other], place(*other));
    let message = match kind {
        Kind::SharedGroups => format!(
            "groups stand in several parts, {names}: `{}` in {at}: results say little of new groups (if that matters, split the \
             data by groups)",
            excerpt(first)
        ),
        _ => format!(
            "recordings of the same name stand in several parts, {names}: `{}` in {at} (if rows of one recording were split, \
             leave each recording whole; if they are others, give them other names)",
            excerpt(first)
        ),
    };
    Some(Warning::new(kind, message))
}

fn missing_classes(data: &Recordings) -> Vec<Warning> {
    let missing = |(name, part): (&str, &[Recording])| {
        let has = |class: usize| part.iter().any(|recording| recording.class == class);
        let empty = (0..data.labels.len()).filter(|&class| !has(class)).map(|class| &data.labels[class]);
        counts::missing_classes(&format!("{name} recording"), &empty.collect::<Vec<_>>())
    };
    data.parts().filter_map(missing).collect()
}

/// Recordings that are far longer than the others.
fn long(data: &Recordings) -> Option<Warning> {
    let lengths: Vec<usize> = data.train.iter().map(|recording| data.steps(recording)).collect();
    let longest = (0..lengths.len()).max_by_key(|&index| lengths[index])?;
    let steps = Lengths::of(&Lengths::sorted(lengths.clone()));
    let count = lengths.iter().filter(|&&length| length > steps.far_outside()).count();
    (count > 0).then(|| {
        let is = if count == 1 { "is" } else { "are" };
        let message = format!(
            "{} of {} training recordings {is} far longer than the others: {} has {} frames, where half have at most {} and nine \
             in ten at most {} (is it several in one? --window cuts all into pieces of one length)",
            grouped(count),
            grouped(data.train.len()),
            data.place(&data.train[longest]),
            grouped(lengths[longest]),
            grouped(steps.median),
            grouped(steps.p90),
        );
        Warning::new(Kind::LongRecordings, message)
    })
}

/// Channels that say nothing, or something that no sensor says: the same value in all of a recording, as an id has.
fn constant(data: &Recordings) -> Vec<Warning> {
    let channels = data.channels.len();
    let mut is_constant = vec![true; channels];
    let mut is_in_each = vec![data.train.iter().any(|recording| recording.values.len() > channels); channels];
    let first = data.train.first().map(|recording| &recording.values[..]).unwrap_or_default();
    for recording in &data.train {
        for frame in recording.values.chunks_exact(channels) {
            for (channel, value) in frame.iter().enumerate() {
                is_constant[channel] &= *value == first[channel];
                is_in_each[channel] &= *value == recording.values[channel];
            }
        }
    }
    let named = |which: &dyn Fn(usize) -> bool| -> Vec<&String> {
        (0..channels).filter(|&channel| which(channel)).map(|channel| &data.channels[channel]).collect()
    };
    let others = named(&|channel| !is_constant[channel] && !is_in_each[channel]);
    let others = others.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
    let remedy = match others.is_empty() {
        true => "are these the right columns?".to_owned(),
        false if channels > SHOWN * 2 => "leave them out with --channels".to_owned(),
        false => format!("leave out what is no channel: --channels {}", shell_words::quote(&others)),
    };
    let warning = |names: Vec<&String>, what: &str| {
        let s = if names.len() == 1 { "the channel" } else { "the channels" };
        (!names.is_empty()).then(|| {
            let message = format!("{s} {} {what} ({remedy})", shown(&names));
            Warning::new(Kind::ConstantChannel, message)
        })
    };
    let always = warning(
        named(&|channel| is_constant[channel]),
        "never changed in the training recordings, and so says nothing",
    );
    let in_each = warning(
        named(&|channel| is_in_each[channel] && !is_constant[channel]),
        "never changed within a recording, as the number of a person, a label or a setting, which may give the answer away",
    );
    always.into_iter().chain(in_each).collect()
}

/// Values that lie far outside the others of their channel: an error of the sensor, or what it sends for one.
fn outlying(data: &Recordings) -> Option<Warning> {
    let channels = data.channels.len();
    let mut all: Vec<Outliers<'_>> =
        (0..channels).map(|channel| Outliers::beside(usual(&data.train, channels, channel))).collect();
    for recording in &data.train {
        for (index, &value) in recording.values.iter().enumerate() {
            all[index % channels].note(value, recording, index / channels);
        }
    }
    let outliers = all.iter().zip(&data.channels).filter(|(channel, _)| channel.are_apart());
    let count: usize = outliers.clone().map(|(channel, _)| channel.far).sum();
    let (channel, name) = outliers.into_iter().next()?;
    let (recording, step, value) = channel.first?;
    let [low, high] = channel.usual?;
    let values: usize = data.train.iter().map(|recording| recording.values.len()).sum();
    let lies = if count == 1 { "lies" } else { "lie" };
    let message = format!(
        "{} of {} training values {lies} far outside the others: {value} in {} (channel `{}`, frame {}), where nearly all lie \
         between {low} and {high} (what a sensor sends when it fails? remove such recordings, or correct them)",
        grouped(count),
        grouped(values),
        data.place(recording),
        excerpt(name),
        step + 1,
    );
    Some(Warning::new(Kind::OutlyingValues, message))
}

/// Values of a channel that lie far outside nearly all others.
struct Outliers<'a> {
    /// Between which values nearly all lie.
    usual: Option<[f32; 2]>,
    far: usize,
    /// Values between those that are usual and those that lie far outside.
    between: usize,
    first: Option<(&'a Recording, usize, f32)>,
}

impl<'a> Outliers<'a> {
    fn beside(usual: Option<[f32; 2]>) -> Self {
        Self { usual, far: 0, between: 0, first: None }
    }

    fn note(&mut self, value: f32, recording: &'a Recording, step: usize) {
        /// How far outside, in widths of the usual range.
        const FAR: f32 = 10.0;
        let Some([low, high]) = self.usual else { return };
        let outside = (low - value).max(value - high) / (high - low);
        if outside > FAR {
            self.far += 1;
            self.first.get_or_insert((recording, step, value));
        } else if outside > 1.0 {
            self.between += 1;
        }
    }

    /// Whether they lie apart. Where as many values lie between them and the usual ones, they are the end of a long tail,
    /// as of a channel that is mostly silent.
    fn are_apart(&self) -> bool {
        self.far > self.between
    }
}

/// Between which values nearly all of a channel's lie: without a fiftieth at each end. There is no answer if they are too
/// few, or if half of them are one value, as of a channel that is mostly silent: then any sound lies far outside.
fn usual(recordings: &[Recording], channels: usize, channel: usize) -> Option<[f32; 2]> {
    /// Values that are looked at, spread over all.
    const SAMPLE: usize = 50_000;
    const FEWEST: usize = 50;
    let frames: usize = recordings.iter().map(|recording| recording.values.len() / channels).sum();
    let every = frames.div_ceil(SAMPLE).max(1);
    let values =
        recordings.iter().flat_map(|recording| recording.values.iter().skip(channel).step_by(channels));
    let mut sample: Vec<f32> = values.step_by(every).copied().collect();
    if sample.len() < FEWEST {
        return None;
    }
    sample.sort_unstable_by(f32::total_cmp);
    let cut = sample.len() / 50;
    let [low, high] = [sample[cut], sample[sample.len() - 1 - cut]];
    let is_mostly_one_value = sample[sample.len() / 4] == sample[sample.len() * 3 / 4];
    (low < high && !is_mostly_one_value).then_some([low, high])
}

/// Channels that are in another unit, or of another sensor, than in the training part.
fn shifted(data: &Recordings) -> Vec<Warning> {
    let channels = data.channels.len();
    let train = Statistics::of(&data.train, channels);
    let mut found = Vec::new();
    for (name, part) in data.parts().skip(1) {
        let other = Statistics::of(part, channels);
        let is_shifted = |channel: &usize| {
            let (train, other) = (&train[*channel], &other[*channel]);
            let ratio = other.deviation / train.deviation;
            train.deviation > 0.0
                && ((other.mean - train.mean).abs() > FAR * train.deviation
                    || !(1.0 / OTHER_SCALE..=OTHER_SCALE).contains(&ratio))
        };
        let shifted: Vec<usize> = (0..channels).filter(is_shifted).collect();
        let Some(&first) = shifted.first() else { continue };
        let names: Vec<&String> = shifted.iter().map(|&channel| &data.channels[channel]).collect();
        let (train, other) = (&train[first], &other[first]);
        let message = format!(
            "{} other values in the {name} part than in the train part: {}; the mean of `{}` is {:.4} with a deviation of \
             {:.4}, in the train part {:.4} with {:.4} (is the unit another? write all parts in one)",
            if shifted.len() == 1 { "a channel has" } else { "channels have" },
            shown(&names),
            excerpt(&data.channels[first]),
            other.mean,
            other.deviation,
            train.mean,
            train.deviation,
        );
        found.push(Warning::new(Kind::ShiftedChannel, message));
    }
    found
}

/// Recordings that are too short for a window.
fn short(data: &Recordings) -> Option<Warning> {
    let cuts = data.cuts?;
    let dropped: Vec<String> = PARTS
        .into_iter()
        .zip(cuts)
        .filter(|(_, cut)| cut.too_short > 0)
        .map(|(name, Cut { too_short, .. })| format!("{} of the {name} part", grouped(too_short)))
        .collect();
    (!dropped.is_empty()).then(|| {
        let message = format!(
            "recordings, or pieces of one label, are shorter than a window and left out: {} (choose a smaller --window to have \
             them)",
            dropped.join(", ")
        );
        Warning::new(Kind::ShortRecordings, message)
    })
}

/// So few recordings that whatever is learned is chance.
fn few(data: &Recordings) -> Option<Warning> {
    let (count, classes) = (data.train.len(), data.labels.len());
    (count < 10 * classes && count < 100).then(|| {
        let what = if data.cuts.is_some() { "windows" } else { "recordings" };
        let message = format!(
            "{count} training {what} of {classes} classes: too few to learn from, whatever the accuracy says (some tens of each \
             class are the least, hundreds are better)"
        );
        Warning::new(Kind::FewRecordings, message)
    })
}

fn nothing_held_out(data: &Recordings) -> Option<Warning> {
    (data.dev.is_none() && data.test.is_none()).then(|| {
        let message = "there are neither test nor dev recordings: a result on what was trained on says nothing about others \
                       (give --test FILE)";
        Warning::new(Kind::NothingHeldOut, message)
    })
}
