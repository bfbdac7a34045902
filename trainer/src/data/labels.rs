//! Classes: their names, and which of them are left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Example;
use super::bytes::read_text;
use super::encoding::Encoding;
use super::lines;
use crate::error::InputError;
use crate::excerpt::excerpt;
use crate::recipe::hint;

/// Most classes that a model may have.
const MOST: usize = 256;

/// What keeps a label from being the name of a class, if anything does.
pub(crate) fn fault(label: &str) -> Option<&'static str> {
    if label.is_empty() {
        return Some("empty label (give the text one, or leave it out)");
    }
    // A model file has the names of its classes one a line.
    label
        .contains(['\n', '\r'])
        .then_some("a label of several lines (was a quote closed too late? write it in one line)")
}

/// Reads a file that names the classes, one a line.
pub(super) fn read(path: &Path, encoding: Option<Encoding>) -> Result<Vec<String>, InputError> {
    let content = read_text(path, encoding)?;
    let mut labels = Vec::new();
    let mut seen = BTreeSet::new();
    // Editors leave empty lines at the end.
    for (line, label) in lines::of(path, content.trim_end())? {
        let label = label.trim();
        if label.is_empty() || !seen.insert(label) {
            let reason = if label.is_empty() { "empty label" } else { "this label stands twice" };
            return Err(InputError::at_line(path, line, format!("{reason} (one class a line)")));
        }
        labels.push(label.to_owned());
    }
    if labels.len() > MOST {
        return Err(InputError::in_file(path, format!("{} classes; {MOST} are the most", labels.len())));
    }
    Ok(labels)
}

/// A label that is a whole number: `3`, `-1`, `2.0` (as programs write a column of which a value is missing). `07` is a
/// name: it would not come back as it was.
pub(super) fn whole(label: &str) -> Option<i64> {
    let digits = match label.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => label,
    };
    digits.parse().ok().filter(|number: &i64| number.to_string() == digits)
}

/// The classes of training data whose labels are numbers, if they come without a list. Those from 0 are the numbers of
/// the classes; others are names in their order.
pub(super) fn of_numbers(numbers: &BTreeSet<i64>) -> Result<Vec<String>, String> {
    let gap = (numbers.first() == Some(&0)).then(|| (0..).find(|n| !numbers.contains(n))).flatten();
    if let Some(gap) = gap.filter(|&gap| gap < numbers.len() as i64) {
        return Err(format!(
            "class {gap} (`{gap}`) has no example: numbers from 0 are taken for the numbers of the classes \
             (if they are names, list them, one a line, in labels.txt or a file for --labels)"
        ));
    }
    within_limit(numbers.iter().map(i64::to_string).collect())
}

/// The same for names, in alphabetical order.
pub(super) fn of_names(names: &BTreeSet<&str>) -> Result<Vec<String>, String> {
    within_limit(names.iter().map(|&name| name.to_owned()).collect())
}

fn within_limit(labels: Vec<String>) -> Result<Vec<String>, String> {
    match labels.len() {
        n if n > MOST => Err(format!(
            "{n} different labels, {MOST} are the most: is it the right column? (choose with --label NAME)"
        )),
        _ => Ok(labels),
    }
}

/// Classes of which some are left out, with all their examples. Labels in files may be numbers of the whole list,
/// so examples are classified by that and renumbered afterwards.
pub(super) struct Kept {
    /// The names of those that stay.
    pub(super) labels: Vec<String>,
    /// The new number of each class of the whole list, unless it is left out.
    number: Vec<Option<usize>>,
}

impl Kept {
    /// All classes but those that are named.
    pub(super) fn new(all: &[String], without: &[String]) -> Result<Self, InputError> {
        if let Some(unknown) = without.iter().find(|label| !all.contains(label)) {
            let hint = hint(unknown, all.iter().map(String::as_str));
            let reason = format!(
                "--without {}: no such class{hint}; the classes are {}",
                excerpt(unknown),
                shown(all)
            );
            return Err(InputError::new(reason));
        }
        let mut labels = Vec::new();
        let number = all.iter().map(|label| {
            let stays = !without.contains(label);
            stays.then(|| {
                labels.push(label.clone());
                labels.len() - 1
            })
        });
        let number = number.collect();
        Ok(Self { labels, number })
    }

    /// The new number of a class of the whole list, unless it is left out.
    pub(super) fn class(&self, class: usize) -> Option<usize> {
        self.number[class]
    }

    /// Whether the example's class stays.
    pub(super) fn has(&self, example: &Example) -> bool {
        self.class(example.class).is_some()
    }

    /// The example under its new number, unless its class is left out.
    pub(super) fn example(&self, example: Example) -> Option<Example> {
        Some(Example { class: self.class(example.class)?, ..example })
    }
}

/// The classes of a model, as data that test it name them.
pub(super) struct ModelClasses<'a> {
    model: &'a [String],
    /// What labels in files mean: the model's classes, or a list of more of which some are left out.
    pub(super) all: Vec<String>,
    kept: Kept,
}

impl<'a> ModelClasses<'a> {
    /// Reads `lists` that lie beside the data, which must agree with the model. Classes `without` are left out, whether the
    /// model knows them or not.
    pub(super) fn new(
        model: &'a [String],
        lists: &[PathBuf],
        without: &[String],
        encoding: Option<Encoding>,
    ) -> Result<Self, InputError> {
        let mut all = model.to_vec();
        for list in lists {
            let found = read(list, encoding)?;
            let is_of_more = Kept::new(&found, without).is_ok_and(|kept| kept.labels == model);
            if is_of_more {
                all = found;
            } else if found != model {
                let reason = format!("its classes are {}, the model's {}", shown(&found), shown(model));
                return Err(InputError::in_file(list, reason));
            }
        }
        let kept = Kept::new(&all, without)?;
        Ok(Self { model, all, kept })
    }

    /// The model's own number of a class that stays; it may have one for what is left out.
    pub(super) fn number(&self, class: usize) -> Option<usize> {
        let label = &self.kept.labels[self.kept.class(class)?];
        self.model.iter().position(|known| known == label)
    }

    /// The classes that stay and of which there is no example, which `has` says of a class by the model's number.
    pub(super) fn missing(&self, has: impl Fn(usize) -> bool) -> Vec<&String> {
        let number = |label: &String| self.model.iter().position(|known| known == label);
        self.kept.labels.iter().filter(|label| !number(label).is_some_and(&has)).collect()
    }
}

/// The names of the classes, or the first of many.
pub(crate) fn shown(labels: &[impl AsRef<str>]) -> String {
    let first = |n: usize| labels[..n].iter().map(|it| excerpt(it.as_ref())).collect::<Vec<_>>().join(", ");
    match labels.len() {
        n @ 0..=12 => first(n),
        n => format!("{}, ... ({n} in all)", first(10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_come_back_as_they_were_but_for_zeros_behind_the_point() {
        let of = |labels: &[&str]| labels.iter().map(|label| whole(label)).collect::<Vec<_>>();
        assert_eq!(
            of(&["0", "10", "-1", "1.0", "2.00", "-0.0"]),
            [Some(0), Some(10), Some(-1), Some(1), Some(2), None]
        );
        assert_eq!(of(&["07", "1.5", "+1", "1.", ".0", "x", "", "99999999999999999999"]), [None; 8]);
    }

    #[test]
    fn numbers_from_zero_are_numbers_and_others_are_names() {
        let of = |numbers: &[i64]| of_numbers(&numbers.iter().copied().collect());
        assert_eq!(of(&[1, 0, 1, 2]).unwrap(), ["0", "1", "2"]);
        assert_eq!(of(&[5, 10, 1, 2]).unwrap(), ["1", "2", "5", "10"]);
        assert_eq!(of(&[1, -1]).unwrap(), ["-1", "1"]);
        assert!(of(&[0, 2]).unwrap_err().starts_with("class 1 (`1`) has no example"));
        assert!(of(&[0, 9_000_000_000_000]).unwrap_err().starts_with("class 1 (`1`) has no example"));
        assert_eq!(of_numbers(&(0..256).collect()).unwrap().len(), 256);
        assert!(of_numbers(&(0..257).collect()).unwrap_err().starts_with("257 different labels"));
        assert_eq!(of(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn classes_left_out_renumber_those_behind_them() {
        let all = ["a", "b", "c"].map(str::to_owned);
        let kept = Kept::new(&all, &["b".to_owned()]).unwrap();
        let class = |class| Some(kept.example(Example::new(class, ""))?.class);
        assert_eq!(kept.labels, ["a", "c"]);
        assert_eq!([class(0), class(1), class(2)], [Some(0), None, Some(1)]);
        assert_eq!(Kept::new(&all, &[]).unwrap().labels, all);
        let error = Kept::new(&all, &["oos".to_owned()]).err().unwrap().to_string();
        assert_eq!(error, "--without oos: no such class; the classes are a, b, c");
    }
}
