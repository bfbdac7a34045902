//! Recordings of numbers: sequences of frames with labels, found, read and checked before anything is trained.
//!
//! `framing` has the options, `family` finds files in folders, `forms` reads them, each form of file in a module of its
//! own. `agreement` gives all files the same channels, `repeats` says when two recordings are the same, `windows` cuts them,
//! `statistics` says what values there are, `counts` counts, and `look` says what looks like a mistake.

mod agreement;
mod channels;
pub(crate) mod counts;
mod family;
mod forms;
mod framing;
mod look;
mod recognition;
mod repeats;
mod statistics;
#[cfg(test)]
mod tests;
mod windows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

pub use framing::{Framing, InputKind};
pub(super) use recognition::are_recordings;
pub use statistics::{Standardization, Statistics};

use super::column::{By, ClassList, Column};
use super::counts::missing_classes;
use super::files::{in_parallel, mix};
use super::form::Reading;
use super::grouping::Grouping;
use super::inputs::{Inputs, TestPart, find_test};
use super::repeats::{Found, Repeats, find};
use super::source::Source;
use super::{Origin, bytes, in_sources, labels, names};
use crate::error::{InputError, place};
use crate::excerpt::excerpt;
use crate::progress;
use crate::warning::{Kind, Warning};
use agreement::Asked;
use forms::{File, Form, Parsed, Wanted};
use repeats::{Values, is_certain};
use windows::{Cut, Windows};

/// A sequence of frames and its class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// The number of its class.
    pub class: usize,
    /// The values: frame after frame, and in each one of every channel. All are finite.
    pub values: Vec<f32>,
    /// What the file calls it, if it does.
    pub name: Option<Arc<str>>,
    /// What must not be torn apart when training and validation are, if that was asked for.
    pub group: Option<Arc<str>>,
    /// Where it stands. [`Recordings::place`] puts it in words.
    pub origin: Origin,
}

impl Recording {
    /// The same without its values.
    fn without_values(&self) -> Self {
        Self {
            class: self.class,
            values: Vec::new(),
            name: self.name.clone(),
            group: self.group.clone(),
            origin: self.origin,
        }
    }
}

/// Recordings in their parts.
#[derive(Debug, Clone, Default)]
pub struct Recordings {
    /// Names of the classes.
    pub labels: Vec<String>,
    /// Names of the channels, in the order of a frame. Where nothing names them, they are numbers from 1.
    pub channels: Vec<String>,
    /// What to train on.
    pub train: Vec<Recording>,
    /// What to validate on, if there is any.
    pub dev: Option<Vec<Recording>>,
    /// What to test on, if there is any.
    pub test: Option<Vec<Recording>>,
    /// The time from one frame to the next, in the unit of the data, if a column says it.
    pub interval: Option<f64>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// What a person should look at in them.
    pub warnings: Vec<Warning>,
    /// What was left over when windows were cut of each part, if they were.
    pub(crate) cuts: Option<[Cut; 3]>,
    /// Recordings that are there more than once, before any was cut.
    pub(crate) repeats: Repeats,
}

impl Recordings {
    /// Reads recordings to train on. Without a list of classes, the labels of the training part are the classes.
    ///
    /// # Errors
    ///
    /// With an [`InputError`] that says where, if files cannot be read, are not of the form that they should have, do not
    /// have the same channels, have values that no sensor gives, or have fewer than two classes; and if a recording stands
    /// in two parts.
    pub fn read(inputs: &Inputs, framing: &Framing, grouping: &Grouping) -> Result<Self> {
        let inputs = &grouping.beside(inputs);
        let parts = inputs.find::<dyn Form>()?;
        let reading = Reading { group: grouping.column(), ..inputs.reading.clone() };
        let wanted = Wanted {
            reading: &reading,
            framing,
            channels: &framing.channels,
            needs_groups: false,
            has_labels: true,
        };
        let sources: Vec<Source<dyn Form>> = [&parts.train[..], &parts.dev, &parts.test].concat();
        let mut contents = parse(&sources, parts.train.len(), &wanted)?;
        let asked = Asked { names: &framing.channels, by: "--channels" };
        let channels = agreement::agree(&mut contents, &parts.channels, asked, &reading.form)?;
        let interval = agreement::interval(&contents)?;

        let labelled = sources.iter().zip(contents.iter().map(|(_, parsed)| &parsed.labels[..]));
        let (listed, classes) = Column::new(labelled).read(&parts.train, parts.labels)?;
        let kept = labels::Kept::new(&listed, &inputs.without)?;
        let mut warnings = parts.warnings;
        warnings.extend(unchecked_time(&contents));
        let has_names = contents.iter().all(|(_, parsed)| parsed.has_names);

        let mut contents = contents.into_iter().map(|(_, parsed)| parsed.recordings).zip(classes);
        let mut take = |count: usize| numbered(contents.by_ref().take(count));
        let mut all = [take(parts.train.len()), take(parts.dev.len()), take(parts.test.len())];
        if let Some(groups) = grouping.read(all[0].len(), &reading.form)? {
            if parts.train.len() > 1 {
                let reason = "--groups has a line for each recording of one file, in its order, and there are several files \
                              (name a column with --group, or lay the files of a group into a folder of the class's folder)";
                return Err(InputError::new(reason).into());
            }
            for (recording, group) in all[0].iter_mut().zip(groups) {
                recording.group = Some(group.into());
            }
        }
        for (part, sources) in all.iter_mut().zip([&parts.train, &parts.dev, &parts.test]) {
            part.retain_mut(|recording| {
                let class = kept.class(recording.class);
                recording.class = class.unwrap_or_default();
                class.is_some()
            });
            if !sources.is_empty() && sources.iter().all(|source| source.format.is_of_one_class()) {
                mix(part, kept.labels.len(), |recording| recording.class);
            }
        }
        let files = sources.iter().map(|source| source.path.clone()).collect();
        let [train, dev, test] = all;
        let [dev, test] = [dev, test].map(|part| Some(part).filter(|part| !part.is_empty()));
        let mut data = Self {
            labels: kept.labels,
            channels,
            train,
            dev,
            test,
            interval,
            files,
            warnings,
            ..Self::default()
        };
        data.check_classes(&parts.train)?;
        let all = [&data.train, data.dev.as_deref().unwrap_or(&[]), data.test.as_deref().unwrap_or(&[])];
        let found = find(all, |recording| Values(&recording.values), |recording| recording.class);
        data.refuse_leak(&found)?;
        let (repeats, looked) = (found.repeats, look::whole(&data, &found, has_names));
        data.repeats = repeats;
        data.warnings.extend(looked);
        if let Some(windows) = Windows::of(framing) {
            data.cut(windows);
            data.check_windows(&parts.train)?;
        }
        let examples = data.train.iter().map(|recording| (recording.class, recording));
        let found = names::look(&data.labels, examples, |recording| data.place(recording));
        data.warnings.extend(found);
        Ok(data)
    }

    /// Reads recordings to test a model on, whose classes and channels these are: files, and the test parts of folders.
    /// Recordings of the classes `without` are left out, whether the model knows these classes or not. What is read is the
    /// test part; there is no other. Where the options name channels, these stand for the model's, in their order.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), and if labels or channels are not those of the model.
    pub fn read_test(
        paths: &[PathBuf],
        reading: &Reading,
        framing: &Framing,
        (labels, channels): (&[String], &[String]),
        without: &[String],
    ) -> Result<Self> {
        let OfModel { sources, contents, lists, interval, mut warnings } =
            OfModel::read(paths, reading, framing, channels, true)?;
        let model = labels::ModelClasses::new(labels, &lists, without, reading.form.encoding)?;
        let labelled = sources.iter().zip(contents.iter().map(|parsed| &parsed.labels[..]));
        let classes = Column::new(labelled).classes(ClassList { names: &model.all, by: By::Model })?;
        let all = contents.into_iter().map(|parsed| parsed.recordings).zip(classes);
        let mut test = numbered(all);
        test.retain_mut(|recording| {
            let class = model.number(recording.class);
            recording.class = class.unwrap_or_default();
            class.is_some()
        });
        if test.is_empty() {
            return Err(in_sources(&sources, "all its recordings are left out".to_owned()).into());
        }
        let missing = model.missing(|class| test.iter().any(|recording| recording.class == class));
        warnings.extend(missing_classes("test recording", &missing));
        let labels = labels.to_vec();
        Self::of_test(labels, channels, test, &sources, framing, interval, warnings)
    }

    /// Reads recordings whose class a model is to say, from files and the test parts of folders: labels that they have are
    /// not read, and every class is 0. Where nothing says which rows of a table are a recording, they all are one. What is
    /// read is the test part; there is no other. Where the options name channels, these stand for the model's, in their
    /// order.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read) that are not about labels, and if channels are not those of the model.
    pub fn read_unlabelled(
        paths: &[PathBuf],
        reading: &Reading,
        framing: &Framing,
        channels: &[String],
    ) -> Result<Self> {
        let OfModel { sources, contents, interval, warnings, .. } =
            OfModel::read(paths, reading, framing, channels, false)?;
        let all = contents.into_iter().flat_map(|parsed| parsed.recordings).collect();
        Self::of_test(Vec::new(), channels, all, &sources, framing, interval, warnings)
    }

    /// A test part, cut as the options say.
    fn of_test(
        labels: Vec<String>,
        channels: &[String],
        test: Vec<Recording>,
        sources: &[Source<dyn Form>],
        framing: &Framing,
        interval: Option<f64>,
        warnings: Vec<Warning>,
    ) -> Result<Self> {
        let mut data = Self {
            labels,
            channels: channels.to_vec(),
            test: Some(test),
            interval,
            files: sources.iter().map(|source| source.path.clone()).collect(),
            warnings,
            ..Self::default()
        };
        if let Some(windows) = Windows::of(framing) {
            data.cut(windows);
            if data.test.is_none() {
                let reason = "no recording is as long as a window (choose a smaller --window)";
                return Err(in_sources(sources, reason.to_owned()).into());
            }
        }
        Ok(data)
    }

    /// Refuses classes without an example, and too few of them.
    fn check_classes(&self, sources: &[Source<dyn Form>]) -> Result<(), InputError> {
        let without =
            names::without_example(&self.labels, self.train.iter().map(|recording| recording.class));
        let reason = match (without, &self.labels[..]) {
            (Some(reason), _) => reason,
            (None, [_, _, ..]) => return Ok(()),
            (None, labels) => {
                format!("there must be at least two classes; there is only `{}`", labels::shown(labels))
            }
        };
        Err(in_sources(sources, reason))
    }

    /// Refuses windows that no recording of some class is long enough for.
    fn check_windows(&self, sources: &[Source<dyn Form>]) -> Result<(), InputError> {
        let has = |class: usize| self.train.iter().any(|window| window.class == class);
        let Some(class) = (0..self.labels.len()).find(|&class| !has(class)) else { return Ok(()) };
        let reason = format!(
            "no recording of the class `{}` is as long as a window (choose a smaller --window)",
            excerpt(&self.labels[class])
        );
        Err(in_sources(sources, reason))
    }

    /// Refuses a recording that stands in two parts: what a model does with it says nothing of others.
    fn refuse_leak(&self, found: &Found<'_, Recording>) -> Result<(), InputError> {
        let leak = found.across.iter().find(|((_, recording), _)| is_certain(recording));
        let Some(&((part, recording), (other, before))) = leak else { return Ok(()) };
        let reason = format!(
            "this recording stands in the {} part and in the {} part ({}): a result on it would say nothing of others \
             (remove it from one of them)",
            PARTS[part],
            PARTS[other],
            self.place(before)
        );
        let Origin { file, line } = recording.origin;
        let (path, name) = (&self.files[file as usize], recording.name.as_deref());
        Err(match (line, name) {
            (0, Some(name)) => InputError::in_file(path, format!("{name}: {reason}")),
            (0, None) => InputError::in_file(path, reason),
            (line, _) => InputError::at_line(path, line as usize, reason),
        })
    }

    /// What a person should look at before training: the data's own warnings, and what else there is to say of what would
    /// be trained on.
    pub(crate) fn before_training(&self) -> Vec<Warning> {
        look::before_training(self)
    }

    /// Puts windows in the place of recordings, part by part.
    fn cut(&mut self, windows: Windows) {
        let channels = self.channels.len();
        let mut cuts = [Cut::default(); 3];
        let parts = [Some(&mut self.train), self.dev.as_mut(), self.test.as_mut()];
        for (part, cut) in parts.into_iter().zip(&mut cuts) {
            if let Some(part) = part {
                (*part, *cut) = windows.cut(std::mem::take(part), channels);
            }
        }
        self.dev.take_if(|part| part.is_empty());
        self.test.take_if(|part| part.is_empty());
        self.cuts = Some(cuts);
    }

    /// The parts that there are, by name.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, &[Recording])> {
        let parts = [Some(&self.train), self.dev.as_ref(), self.test.as_ref()];
        PARTS.into_iter().zip(parts).filter_map(|(name, part)| Some((name, &part?[..])))
    }

    /// The group of each training recording, if groups were asked for. Windows of one recording are a group where nothing
    /// else was, for they are too much alike to stand on both sides of a validation split.
    pub fn groups(&self) -> Option<Vec<String>> {
        let of_recording = |recording: &Recording| match (&recording.group, &recording.name) {
            (Some(group), _) => group.to_string(),
            (None, Some(name)) => format!("{}:{name}", recording.origin.file),
            (None, None) => self.place(recording),
        };
        let is_asked = self.cuts.is_some() || self.train.iter().any(|recording| recording.group.is_some());
        is_asked.then(|| self.train.iter().map(of_recording).collect())
    }

    /// How many frames a recording of these data has.
    pub fn steps(&self, recording: &Recording) -> usize {
        recording.values.len() / self.channels.len().max(1)
    }

    /// Where a recording of these data stands: `train.csv:12`, or `train.npz: X[3]`.
    pub fn place(&self, recording: &Recording) -> String {
        let Origin { file, line } = recording.origin;
        let path = self.files.get(file as usize).map_or(Path::new("?"), PathBuf::as_path);
        match (&recording.name, line) {
            (Some(name), 0) => format!("{}: {name}", place(path, None)),
            (_, line) => place(path, (line > 0).then_some(line as usize)),
        }
    }
}

/// Files with the channels of a model.
struct OfModel {
    sources: Vec<Source<dyn Form>>,
    contents: Vec<Parsed>,
    /// Files that name the classes.
    lists: Vec<PathBuf>,
    interval: Option<f64>,
    warnings: Vec<Warning>,
}

impl OfModel {
    fn read(
        paths: &[PathBuf],
        reading: &Reading,
        framing: &Framing,
        channels: &[String],
        has_labels: bool,
    ) -> Result<Self, InputError> {
        let TestPart { sources, labels: lists, channels: names, mut warnings } =
            find_test::<dyn Form>(paths)?;
        let asked = match framing.channels.len() {
            0 => Asked { names: channels, by: "the model's channels" },
            n if n == channels.len() => Asked { names: &framing.channels, by: "--channels" },
            n => {
                let reason =
                    format!("--channels: {n} are named, and the model has {} (name as many)", channels.len());
                return Err(InputError::new(reason));
            }
        };
        let wanted = Wanted { reading, framing, channels: asked.names, needs_groups: false, has_labels };
        let mut contents = parse(&sources, 0, &wanted)?;
        agreement::agree(&mut contents, &names, asked, &reading.form)?;
        let interval = agreement::interval(&contents)?;
        warnings.extend(unchecked_time(&contents));
        let contents = contents.into_iter().map(|(_, parsed)| parsed).collect();
        Ok(Self { sources, contents, lists, interval, warnings })
    }
}

/// Reads files, of which the first so many must say groups if groups were asked for.
fn parse<'s>(
    sources: &'s [Source<dyn Form>],
    train: usize,
    wanted: &Wanted<'_>,
) -> Result<Vec<(&'s Path, Parsed)>, InputError> {
    let bar = progress::bar("reading", 0, "bytes");
    let contents = in_parallel(sources, |number, source| {
        let wanted = Wanted { needs_groups: number < train, ..*wanted };
        let bytes = bytes::read(&source.path)?;
        source.format.read(File { path: &source.path, number, bytes, progress: &bar }, &wanted)
    });
    bar.finish_and_clear();
    Ok(sources.iter().map(|source| source.path.as_path()).zip(contents?).collect())
}

/// The recordings of files, with the numbers of their classes for those of their labels.
fn numbered(files: impl Iterator<Item = (Vec<Recording>, Vec<usize>)>) -> Vec<Recording> {
    let all = files.flat_map(|(recordings, class_of)| {
        recordings
            .into_iter()
            .map(move |recording| Recording { class: class_of[recording.class], ..recording })
    });
    all.collect()
}

/// What the parts are called.
const PARTS: [&str; 3] = ["train", "dev", "test"];

/// Warns of a column of time that is not of numbers.
fn unchecked_time(contents: &[(&Path, Parsed)]) -> Option<Warning> {
    let (path, column) =
        contents.iter().find_map(|(path, parsed)| Some((path, parsed.unchecked_time.as_ref()?)))?;
    let message = format!(
        "{}: the column `{}` holds times that are no numbers: they were left out, and nothing says whether frames are \
         missing (write seconds or milliseconds as numbers)",
        path.display(),
        excerpt(column)
    );
    Some(Warning::new(Kind::UncheckedTime, message))
}
