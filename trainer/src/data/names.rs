//! What looks like a mistake in the names of classes.

use std::collections::BTreeMap;

use crate::excerpt::{excerpt, first_of, is_unseen};
use crate::warning::{Kind, Warning};

/// Fewer training examples than this teach nothing of a class,
const FEW: usize = 3;
/// and are a mistake rather than a small data set where another class has as many as this.
const MANY: usize = 20;

/// The most classes that a message names.
const SHOWN: usize = 6;

/// What lists of labels are written with.
const SEPARATORS: [char; 4] = [',', ';', '|', '#'];

/// What stands where a value is missing, in small letters.
const MISSING: [&str; 5] = ["nan", "null", "n/a", "#n/a", "undefined"];

/// What lies beside data and is none, in small letters.
const BESIDE: [&str; 6] = ["readme", "license", "licence", "notes", "changelog", "copying"];

/// A class of the training part.
struct Class<'a> {
    name: &'a str,
    examples: usize,
    /// Where the first of them stands.
    place: String,
}

/// Says that a class has no training example, if there is such a class; `examples` are the classes of the examples.
pub(super) fn without_example(labels: &[String], examples: impl Iterator<Item = usize>) -> Option<String> {
    let mut count = vec![0; labels.len()];
    examples.for_each(|class| count[class] += 1);
    let class = count.iter().position(|&count| count == 0)?;
    Some(format!(
        "class {class} (`{}`) has no example (add some, or take it out of the list of classes)",
        excerpt(&labels[class])
    ))
}

/// What looks like a mistake in the names of the classes; `examples` are the training examples, each with its class and
/// where it stands.
pub(super) fn look<O: Copy>(
    labels: &[String],
    examples: impl Iterator<Item = (usize, O)>,
    place: impl Fn(O) -> String,
) -> Vec<Warning> {
    let mut found: Vec<(usize, Option<O>)> = vec![(0, None); labels.len()];
    for (class, origin) in examples {
        found[class].0 += 1;
        found[class].1.get_or_insert(origin);
    }
    let classes = labels.iter().zip(found).map(|(name, (examples, first))| Class {
        name,
        examples,
        place: first.map(&place).unwrap_or_default(),
    });
    warnings(&classes.collect::<Vec<_>>())
}

/// All warnings about the names of these classes and how many examples they have.
fn warnings(classes: &[Class<'_>]) -> Vec<Warning> {
    let similar = similar(classes).into_iter().map(|message| Warning::new(Kind::SimilarNames, message));
    let odd = odd(classes).into_iter().map(|message| Warning::new(Kind::OddNames, message));
    let several = several(classes).into_iter().map(|message| Warning::new(Kind::SeveralLabels, message));
    let rare = rare(classes).into_iter().map(|message| Warning::new(Kind::RareClass, message));
    similar.chain(odd).chain(several).chain(rare).collect()
}

/// Names that are one for a person: they differ in case, in white space, `_` and `-`, or in what cannot be seen.
fn similar(classes: &[Class<'_>]) -> Option<String> {
    let mut alike: BTreeMap<String, Vec<&Class<'_>>> = BTreeMap::new();
    for class in classes {
        let mut key = String::new();
        for character in class.name.chars() {
            match character {
                c if c.is_whitespace() || matches!(c, '-' | '_') => {
                    if !key.ends_with(' ') {
                        key.push(' ');
                    }
                }
                c if is_unseen(c) => {}
                c => key.extend(c.to_lowercase()),
            }
        }
        alike.entry(key).or_default().push(class);
    }
    let groups: Vec<String> =
        alike.into_values().filter(|group| group.len() > 1).map(|group| named(&group)).collect();
    (!groups.is_empty()).then(|| {
        format!(
            "{} are names of different classes and look like one (correct the labels if they are one)",
            first_of(groups.into_iter(), SHOWN, "; ")
        )
    })
}

/// Names with characters that cannot be seen, and names that are likely none.
fn odd(classes: &[Class<'_>]) -> Vec<String> {
    let of = |is_odd: &dyn Fn(&str) -> bool| {
        let odd: Vec<&Class<'_>> = classes.iter().filter(|class| is_odd(class.name)).collect();
        (!odd.is_empty()).then(|| named(&odd))
    };
    let lower = |name: &str| name.to_lowercase();
    let unseen = of(&|name| name.chars().any(is_unseen)).map(|names| {
        format!("the class {names} has characters in its name that cannot be seen (correct the labels)")
    });
    let missing = of(&|name| MISSING.contains(&lower(name).as_str())).map(|names| {
        format!("the class {names} looks like a label that is missing (correct it, or leave the class out)")
    });
    let beside = of(&|name| BESIDE.contains(&lower(name).as_str())).map(|names| {
        format!("the class {names} has the name of what lies beside data (move the file if it is no class)")
    });
    [unseen, missing, beside].into_iter().flatten().collect()
}

/// Names whose parts are classes, or parts of other names.
fn several(classes: &[Class<'_>]) -> Option<String> {
    for separator in SEPARATORS {
        let parts = |class: &Class<'_>| {
            class.name.split(separator).map(str::trim).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for class in classes {
            parts(class).into_iter().for_each(|part| *count.entry(part).or_default() += 1);
        }
        let of_several: Vec<&Class<'_>> = classes
            .iter()
            .filter(|class| {
                let parts = parts(class);
                parts.len() > 1
                    && parts.iter().all(|part| !part.is_empty())
                    && parts.iter().any(|part| count[part] > 1)
            })
            .collect();
        if !of_several.is_empty() {
            return Some(format!(
                "{} look like several labels in one: KiloRNN gives a text one class (choose one label for each text, or \
                 train a model for each label, with two classes)",
                named(&of_several)
            ));
        }
    }
    None
}

/// Classes with next to no training example, beside large ones.
fn rare(classes: &[Class<'_>]) -> Option<String> {
    let most = classes.iter().map(|class| class.examples).max().unwrap_or(0);
    let rare: Vec<&Class<'_>> = classes.iter().filter(|class| class.examples < FEW).collect();
    let shown: Vec<String> = rare
        .iter()
        .map(|class| {
            let s = if class.examples == 1 { "" } else { "s" };
            format!("`{}` has {} example{s} ({})", excerpt(class.name), class.examples, class.place)
        })
        .collect();
    // What a terminal would obey is not for typing.
    let name = rare.first()?.name;
    let name = if name.contains(is_unseen) { "LABEL".into() } else { shell_words::quote(name) };
    (most >= MANY).then(|| {
        format!(
            "the class {}: too few to learn from (add some, correct the label, or leave the class out: --without {name})",
            first_of(shown.into_iter(), SHOWN, ", ")
        )
    })
}

/// Names of classes and where their first examples stand.
fn named(classes: &[&Class<'_>]) -> String {
    let shown = classes.iter().map(|class| format!("`{}` ({})", excerpt(class.name), class.place));
    first_of(shown, SHOWN, ", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<(Kind, String)> {
        let class = |(line, &name)| Class { name, examples: 100, place: format!("f:{line}") };
        let classes: Vec<Class<'_>> = (2..).zip(names).map(class).collect();
        warnings(&classes).into_iter().map(|warning| (warning.kind, warning.message)).collect()
    }

    #[test]
    fn names_that_look_like_one_are_told() {
        let [(kind, message)] = &of(&["Neg", "neg", "pos"])[..] else { panic!() };
        assert_eq!(*kind, Kind::SimilarNames);
        assert!(message.starts_with("`Neg` (f:2), `neg` (f:3) are names of different classes"), "{message}");
        for names in [["card arrival", "card_arrival"], ["a  b", "a-b"], ["neg", "neg\u{200B}"], ["É", "é"]]
        {
            assert!(of(&names).iter().any(|(kind, _)| *kind == Kind::SimilarNames), "{names:?}");
        }
        for names in [["A", "A-"], ["ab", "a b"], ["1", "-1"], ["+1", "-1"]] {
            assert_eq!(of(&names), [], "{names:?}");
        }
    }

    #[test]
    fn names_that_are_likely_none_are_told() {
        for (name, begin) in [
            ("a\tb", "the class `a\\tb` (f:3) has characters"),
            ("a\u{200B}", "the class `a\\u{200b}` (f:3) has characters"),
            ("NaN", "the class `NaN` (f:3) looks like a label that is missing"),
            ("README", "the class `README` (f:3) has the name of what lies beside"),
        ] {
            let [(Kind::OddNames, message)] = &of(&["pos", name])[..] else { panic!("{name:?}") };
            assert!(message.starts_with(begin), "{message}");
        }
        assert_eq!(of(&["none", "good", "तुमने\u{200D}"]), []);
    }

    #[test]
    fn several_labels_in_one_are_told() {
        for names in [["a", "a,b"], ["a; b", "b ;c"], ["a|b", "a|c"], ["x", "y#x"], ["['a']", "['b', ['a']"]]
        {
            let found = of(&names);
            assert!(found.iter().any(|(kind, _)| *kind == Kind::SeveralLabels), "{names:?}: {found:?}");
        }
        for names in [["a,b", "c,d"], ["C#", "C"], ["a", "b"]] {
            assert_eq!(of(&names), [], "{names:?}");
        }
    }

    #[test]
    fn next_to_no_examples_are_told_beside_many() {
        let of = |counts: [usize; 3]| {
            let class = |(name, examples)| Class { name, examples, place: "f:9".to_owned() };
            warnings(&["a", "b", "c"].into_iter().zip(counts).map(class).collect::<Vec<_>>())
        };
        let found = of([20, 1, 2]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .message
                .starts_with("the class `b` has 1 example (f:9), `c` has 2 examples (f:9): too few"),
            "{}",
            found[0].message
        );
        assert_eq!(of([19, 1, 1]), []);
        assert_eq!(of([2000, 3, 3]), []);
    }
}
