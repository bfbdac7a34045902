//! A number as it stands in a file.

use crate::excerpt::excerpt;

/// What stands where a value is missing, in small letters.
const MISSING: [&str; 11] = ["", "?", "-", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing"];

/// Why something is no number that a channel can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Missing,
    Infinite,
    TooLarge,
    DecimalComma,
    Text,
}

/// The number that a field holds.
pub(super) fn parse(field: &str) -> Result<f32, Fault> {
    let field = field.trim();
    match field.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(fault(field)),
        Err(_) => Err(no_number(field)),
    }
}

/// Why a number cannot be taken.
fn fault(field: &str) -> Fault {
    match field.to_lowercase() {
        lower if lower.contains("nan") => Fault::Missing,
        lower if lower.contains("inf") => Fault::Infinite,
        _ => Fault::TooLarge,
    }
}

/// What stands there instead of a number.
fn no_number(field: &str) -> Fault {
    if MISSING.contains(&field.to_lowercase().as_str()) {
        Fault::Missing
    } else if field.contains(',') && field.replacen(',', ".", 1).parse::<f32>().is_ok() {
        Fault::DecimalComma
    } else {
        Fault::Text
    }
}

/// The same for a number that was no text.
pub(super) fn check(value: f64) -> Result<f32, Fault> {
    let single = value as f32;
    match (value.is_nan(), value.is_infinite(), single.is_finite()) {
        (true, ..) => Err(Fault::Missing),
        (_, true, _) => Err(Fault::Infinite),
        (.., true) => Ok(single),
        (.., false) => Err(Fault::TooLarge),
    }
}

impl Fault {
    /// What is wrong with a field, and what to do; `place` says where in its line it stands.
    pub(super) fn reason(self, field: &str, place: &str) -> String {
        let field = excerpt(field.trim());
        match self {
            Self::Missing => {
                let found = if field.is_empty() { "an empty field".to_owned() } else { format!("`{field}`") };
                format!(
                    "{place}: a value is missing ({found}), where a sensor always gives one (put in the value before it, \
                     or remove the recording)"
                )
            }
            Self::Infinite => {
                format!("{place}: `{field}` is infinite (correct it, or remove the recording)")
            }
            Self::TooLarge => {
                format!(
                    "{place}: `{field}` is beyond what 32 bits can hold (correct it, or choose a smaller unit)"
                )
            }
            Self::DecimalComma => format!(
                "{place}: `{field}` has a decimal comma (write a point: {})",
                field.replacen(',', ".", 1)
            ),
            Self::Text => format!("{place}: `{field}` stands where a number should be (correct it)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_what_is_none() {
        for (field, value) in [("1", 1.0), (" -0.5 ", -0.5), ("+2e3", 2000.0), (".5", 0.5), ("-1", -1.0)] {
            assert_eq!(parse(field), Ok(value), "{field:?}");
        }
        for (field, fault) in [
            ("", Fault::Missing),
            (" ", Fault::Missing),
            ("NaN", Fault::Missing),
            ("-nan", Fault::Missing),
            ("?", Fault::Missing),
            ("N/A", Fault::Missing),
            ("inf", Fault::Infinite),
            ("-Infinity", Fault::Infinite),
            ("1e39", Fault::TooLarge),
            ("-1e999", Fault::TooLarge),
            ("1,5", Fault::DecimalComma),
            ("walk", Fault::Text),
            ("1.5.2", Fault::Text),
            ("1_000", Fault::Text),
            ("information", Fault::Text),
        ] {
            assert_eq!(parse(field), Err(fault), "{field:?}");
        }
        assert_eq!(check(1e39), Err(Fault::TooLarge));
        assert_eq!(check(f64::NAN), Err(Fault::Missing));
        assert_eq!(check(f64::NEG_INFINITY), Err(Fault::Infinite));
        assert_eq!(check(0.5), Ok(0.5));
    }
}
