//! Classes: their names, and which class a label means.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::bytes::read_text;
use super::formats::Row;
use super::{Example, Origin, Source};
use crate::error::InputError;
use crate::recipe::hint;

/// Most classes that a model may have.
const MOST: usize = 256;

/// Reads a file that names the classes, one a line.
pub(super) fn read(path: &Path) -> Result<Vec<String>, InputError> {
    let labels: Vec<String> = read_text(path)?.lines().map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    for (line, label) in (1..).zip(&labels) {
        if label.is_empty() || !seen.insert(label) {
            let reason = if label.is_empty() { "empty label" } else { "this label stands twice" };
            return Err(InputError::at_line(path, line, format!("{reason} (one class a line)")));
        }
    }
    if labels.len() > MOST {
        return Err(InputError::in_file(path, format!("{} classes; {MOST} are the most", labels.len())));
    }
    Ok(labels)
}

/// The classes of training data that come without a list: the distinct labels. Numbers from 0 are
/// the numbers of the classes; other integers are names in their order, all else in alphabetical order.
pub(super) fn infer<'a>(labels: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let names: BTreeSet<&str> = labels.into_iter().collect();
    // `07` is a name: it would not come back as it was.
    let number = |name: &&str| name.parse().ok().filter(|number: &i64| number.to_string() == **name);
    if let Some(numbers) = names.iter().map(number).collect::<Option<BTreeSet<i64>>>()
        && let Some(first) = numbers.first()
    {
        let gap = (*first == 0).then(|| (0..).find(|n| !numbers.contains(n))).flatten();
        if let Some(gap) = gap.filter(|&gap| gap < numbers.len() as i64) {
            return Err(format!(
                "class {gap} (`{gap}`) has no example: numbers from 0 are taken for the numbers of the classes \
                 (if they are names, list them, one a line, in labels.txt or a file for --labels)"
            ));
        }
        return within_limit(numbers.iter().map(i64::to_string).collect());
    }
    within_limit(names.into_iter().map(str::to_owned).collect())
}

fn within_limit(labels: Vec<String>) -> Result<Vec<String>, String> {
    match labels.len() {
        n if n > MOST => Err(format!(
            "{n} different labels, {MOST} are the most: is it the right column? (choose with --label NAME)"
        )),
        _ => Ok(labels),
    }
}

/// Turns the rows of a file, the one of this number, into examples: a label is the name of a class or its number.
pub(super) fn classify(
    source: &Source,
    file: usize,
    rows: Vec<Row>,
    labels: &[String],
) -> Result<Vec<Example>, InputError> {
    let by_name: HashMap<&str, usize> =
        labels.iter().enumerate().map(|(class, name)| (name.as_str(), class)).collect();
    rows.into_iter()
        .map(|Row { line, label, text, group: _ }| {
            let number = || label.parse().ok().filter(|&class: &usize| class < labels.len());
            match by_name.get(label.as_str()).copied().or_else(number) {
                Some(class) => {
                    let origin = Origin { file: file as u32, line: line.unwrap_or(0) as u32 };
                    Ok(Example { class, text, origin })
                }
                None => {
                    let label: String = label.chars().take(60).collect();
                    let reason = format!(
                        "unknown label `{label}`; the classes are {} (correct it, or list it as a class)",
                        shown(labels)
                    );
                    Err(match line {
                        Some(line) => InputError::at_line(&source.path, line, reason),
                        None => InputError::in_file(&source.path, reason),
                    })
                }
            }
        })
        .collect()
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
            let reason = format!("--without {unknown}: no such class{hint}; the classes are {}", shown(all));
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

    /// Whether the example's class stays.
    pub(super) fn has(&self, example: &Example) -> bool {
        self.number[example.class].is_some()
    }

    /// The example under its new number, unless its class is left out.
    pub(super) fn example(&self, example: Example) -> Option<Example> {
        Some(Example { class: self.number[example.class]?, ..example })
    }
}

/// The names of the classes, or the first of many.
pub(super) fn shown(labels: &[String]) -> String {
    match labels.len() {
        0..=12 => labels.join(", "),
        n => format!("{}, ... ({n} in all)", labels[..10].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_from_zero_are_numbers_and_all_else_is_a_name() {
        let of = |labels: &[&str]| infer(labels.iter().copied());
        assert_eq!(of(&["1", "0", "1", "2"]).unwrap(), ["0", "1", "2"]);
        assert_eq!(of(&["5", "10", "1", "2"]).unwrap(), ["1", "2", "5", "10"]);
        assert_eq!(of(&["1", "-1"]).unwrap(), ["-1", "1"]);
        assert_eq!(of(&["spam", "ham", "0"]).unwrap(), ["0", "ham", "spam"]);
        assert_eq!(of(&["02", "1"]).unwrap(), ["02", "1"]);
        assert!(of(&["0", "2"]).unwrap_err().starts_with("class 1 (`1`) has no example"));
        assert!(of(&["0", "9000000000000"]).unwrap_err().starts_with("class 1 (`1`) has no example"));
        let many: Vec<String> = (0..257).map(|n| n.to_string()).collect();
        assert_eq!(infer(many[..256].iter().map(String::as_str)).unwrap().len(), 256);
        assert!(infer(many.iter().map(String::as_str)).unwrap_err().starts_with("257 different labels"));
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
