//! The column of labels: whether it is of names or of numbers, decided once from all files of a data set, and which
//! class each label then means.
//!
//! A column whose labels are all whole numbers is of numbers, any other of names. Beside a list of classes, labels that
//! all stand in it are names; numbers are the positions of the classes in it, from 0, where none of them has a number
//! for a name. Everything else is an error that shows labels and classes.

use std::collections::{BTreeSet, HashMap};

use super::formats::Format;
use super::labels::{self, shown, whole};
use super::source::{Family, Source};
use super::{Origin, in_sources};
use crate::error::{InputError, place};
use crate::excerpt::excerpt;
use crate::recipe::hint;

/// A label as it stands in a file, without blanks around it, and where it stands first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) origin: Origin,
}

/// The labels of all files of a data set.
pub(super) struct Column<'a, F: ?Sized + Family = dyn Format> {
    /// The files, as origins count them.
    sources: Vec<&'a Source<F>>,
    /// The labels of each.
    labels: Vec<&'a [Label]>,
}

/// The classes that there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassList<'a> {
    pub(super) names: &'a [String],
    pub(super) by: By,
}

/// What says which classes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The training part.
    Data,
    /// A list of their names.
    List,
    /// A model that is trained already.
    Model,
}

/// Why labels do not mean listed classes: an index for each label that shows it.
#[derive(Debug, PartialEq, Eq)]
enum Mismatch {
    Unknown(usize),
    /// Labels and classes are numbers, but others.
    OtherNumbers(usize),
    Both {
        number: usize,
        name: usize,
    },
}

impl<'a, F: ?Sized + Family> Column<'a, F> {
    pub(super) fn new(files: impl IntoIterator<Item = (&'a Source<F>, &'a [Label])>) -> Self {
        let (sources, labels) = files.into_iter().unzip();
        Self { sources, labels }
    }

    /// The classes of data that come without a list: the labels of the training part. Numbers from 0 are the numbers
    /// of the classes; other whole numbers are names in their order, all else in alphabetical order.
    fn infer(&self, train: &[Source<F>]) -> Result<Vec<String>, InputError> {
        let is_of_numbers = self.all().all(|label| whole(&label.name).is_some());
        if !is_of_numbers {
            self.agree()?;
        }
        let names = || self.labels[..train.len()].iter().copied().flatten().map(|label| label.name.as_str());
        let classes = match is_of_numbers {
            true => labels::of_numbers(&names().filter_map(whole).collect()),
            false => labels::of_names(&names().collect()),
        };
        classes.map_err(|reason| in_sources(train, reason))
    }

    /// The classes, by the list if there is one, and for each file, which class each of its labels means.
    pub(super) fn read(
        &self,
        train: &[Source<F>],
        list: Option<Vec<String>>,
    ) -> Result<(Vec<String>, Vec<Vec<usize>>), InputError> {
        let (names, by) = match list {
            Some(names) => (names, By::List),
            None => (self.infer(train)?, By::Data),
        };
        let classes = self.classes(ClassList { names: &names, by })?;
        Ok((names, classes))
    }

    /// For each file, which class each of its labels means.
    pub(super) fn classes(&self, listed: ClassList<'_>) -> Result<Vec<Vec<usize>>, InputError> {
        let all: Vec<&Label> = self.all().collect();
        let names: Vec<&str> = all.iter().map(|label| label.name.as_str()).collect();
        let classes =
            meaning(listed.names, &names).map_err(|mismatch| self.fault(&mismatch, &all, listed))?;
        let mut classes = classes.into_iter();
        Ok(self.labels.iter().map(|labels| classes.by_ref().take(labels.len()).collect()).collect())
    }

    /// Refuses files with numbers beside files with names: labels of numbers alone are names only if they stand among
    /// the names of the others.
    fn agree(&self) -> Result<(), InputError> {
        // Files of one class each have a column in common.
        let (of_one, of_more): (Vec<_>, Vec<_>) =
            (self.sources.iter().zip(&self.labels)).partition(|(source, _)| source.format.is_of_one_class());
        let of_one: Vec<&Label> = of_one.into_iter().flat_map(|(_, labels)| *labels).collect();
        let of_more = of_more.into_iter().map(|(_, labels)| labels.iter().collect());
        let is_number = |label: &&Label| whole(&label.name).is_some();
        let (numbers, names): (Vec<Vec<&Label>>, Vec<_>) =
            of_more.chain([of_one]).partition(|labels| labels.iter().all(is_number));
        let named: BTreeSet<&str> = names.iter().flatten().map(|label| label.name.as_str()).collect();
        let number = numbers.iter().flatten().find(|label| !named.contains(label.name.as_str()));
        let name = names.iter().flatten().find(|label| !is_number(label));
        match (number, name) {
            (Some(number), Some(name)) => Err(self.disagreement(number, name)),
            _ => Ok(()),
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a Label> {
        self.labels.iter().copied().flatten()
    }

    /// The labels of the file of one of them, numbers by size.
    fn of_file(&self, label: &Label) -> String {
        let labels = self.labels[label.origin.file as usize];
        let mut names: Vec<&str> = labels.iter().map(|label| label.name.as_str()).collect();
        names.sort_unstable_by_key(|name| (whole(name), *name));
        shown(&names)
    }

    fn disagreement(&self, number: &Label, name: &Label) -> InputError {
        self.at(
            number,
            format!(
                "label `{}` is a number, but `{}` in {} is a name: the labels of a data set are one or the other in all its \
                 files (write them alike; here they are {}, there {})",
                excerpt(&number.name),
                excerpt(&name.name),
                self.place(name),
                self.of_file(number),
                self.of_file(name),
            ),
        )
    }

    fn fault(&self, mismatch: &Mismatch, all: &[&Label], listed: ClassList<'_>) -> InputError {
        let whose = if listed.by == By::Model { "the model's classes" } else { "the classes" };
        let classes = shown(listed.names);
        match *mismatch {
            Mismatch::Both { number, name } => self.disagreement(all[number], all[name]),
            Mismatch::OtherNumbers(label) => {
                let what_to_do = match listed.by {
                    By::Data => "write the labels alike in all files",
                    By::List => "name the classes as the labels do, or train without the list",
                    By::Model => "test on texts with the labels that the model was trained on",
                };
                let name = excerpt(&all[label].name);
                let reason = format!(
                    "label `{name}`: the labels of this file are the numbers {}, and {whose} have the names {classes}; they \
                     disagree, for classes that have numbers for names are not counted from 0 ({what_to_do})",
                    self.of_file(all[label])
                );
                self.at(all[label], reason)
            }
            Mismatch::Unknown(label) => {
                let what_to_do = match listed.by {
                    By::Data => "correct it, or add training examples of it",
                    By::List => "correct it, or list it as a class",
                    By::Model => "correct it: the model can answer nothing else",
                };
                let Label { name, .. } = all[label];
                let hint = hint(name, listed.names.iter().map(String::as_str));
                let name = excerpt(name);
                let reason = format!("unknown label `{name}`{hint}; {whose} are {classes} ({what_to_do})");
                self.at(all[label], reason)
            }
        }
    }

    fn at(&self, label: &Label, reason: String) -> InputError {
        let path = &self.sources[label.origin.file as usize].path;
        match label.origin.line {
            0 => InputError::in_file(path, reason),
            line => InputError::at_line(path, line as usize, reason),
        }
    }

    fn place(&self, label: &Label) -> String {
        let Origin { file, line } = label.origin;
        place(&self.sources[file as usize].path, (line > 0).then_some(line as usize))
    }
}

/// Which of the classes each of all labels means, if there is one way to read them.
pub(crate) fn classes_of(classes: &[String], labels: &[String]) -> Option<Vec<usize>> {
    meaning(classes, &labels.iter().map(String::as_str).collect::<Vec<_>>()).ok()
}

fn meaning(classes: &[String], labels: &[&str]) -> Result<Vec<usize>, Mismatch> {
    let by_name: HashMap<&str, usize> =
        classes.iter().enumerate().map(|(class, name)| (name.trim(), class)).collect();
    let is_of_numbers = labels.iter().all(|label| whole(label).is_some());
    let classes_are_numbered = classes.iter().any(|name| whole(name).is_some());
    let named: Vec<Option<usize>> = labels
        .iter()
        .map(|&label| {
            // `1.0` is `1` where the column is of numbers.
            let number = || by_name.get(whole(label).filter(|_| is_of_numbers)?.to_string().as_str());
            by_name.get(label).or_else(number).copied()
        })
        .collect();
    if let Some(classes) = named.iter().copied().collect() {
        return Ok(classes);
    }
    let position = |label: &str| {
        let position = usize::try_from(whole(label)?).ok();
        position.filter(|&position| position < classes.len() && !classes_are_numbered)
    };
    let in_no_way = (0..labels.len()).find(|&i| named[i].is_none() && position(labels[i]).is_none());
    match in_no_way {
        Some(label) if is_of_numbers && classes_are_numbered => Err(Mismatch::OtherNumbers(label)),
        Some(label) => Err(Mismatch::Unknown(label)),
        None => match (named.iter().position(Option::is_none), named.iter().position(Option::is_some)) {
            (Some(number), Some(name)) => Err(Mismatch::Both { number, name }),
            _ => Ok(labels.iter().filter_map(|label| position(label)).collect()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(classes: &[&str], labels: &[&str]) -> Result<Vec<usize>, Mismatch> {
        meaning(&classes.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(), labels)
    }

    #[test]
    fn labels_are_names_of_classes_or_their_numbers() {
        assert_eq!(of(&["neg", "pos"], &["pos", "neg"]), Ok(vec![1, 0]));
        assert_eq!(of(&["neg", "pos"], &["1", "0"]), Ok(vec![1, 0]));
        assert_eq!(of(&["neg", "pos"], &["1.0"]), Ok(vec![1]));
        assert_eq!(of(&["1", "2", "10"], &["10", "2.0"]), Ok(vec![2, 1]));
        assert_eq!(of(&["-1", "1"], &["1", "-1"]), Ok(vec![1, 0]));
        assert_eq!(of(&["0", "other"], &["other", "0"]), Ok(vec![1, 0]));
        assert_eq!(of(&["1.0", "x"], &["1.0"]), Ok(vec![0]));
        assert_eq!(of(&["07", "8"], &["8", "07"]), Ok(vec![1, 0]));
    }

    #[test]
    fn what_is_not_clear_is_no_class() {
        assert_eq!(of(&["1", "2", "3"], &["1", "2", "0"]), Err(Mismatch::OtherNumbers(2)));
        assert_eq!(of(&["0", "other"], &["0", "1"]), Err(Mismatch::OtherNumbers(1)));
        assert_eq!(of(&["neg", "pos"], &["0", "1", "2"]), Err(Mismatch::Unknown(2)));
        assert_eq!(of(&["neg", "pos"], &["-1", "1"]), Err(Mismatch::Unknown(0)));
        assert_eq!(of(&["neg", "pos"], &["neg", "0", "x"]), Err(Mismatch::Unknown(2)));
        assert_eq!(of(&["neg", "pos"], &["1", "neg"]), Err(Mismatch::Both { number: 0, name: 1 }));
        assert_eq!(of(&["0", "1"], &["neg", "pos"]), Err(Mismatch::Unknown(0)));
    }
}
