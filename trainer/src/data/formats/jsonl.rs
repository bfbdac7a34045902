//! JSON Lines: one JSON object a line.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{CALIBRATES, Each, Field, File, Format, NUMBERS, Name, Wanted, excerpt, there_are};
use crate::data::lines;
use crate::error::InputError;

/// Lines of `{"text": "...", "label": ...}`, with other keys allowed; a label is a string, an integer, true or false.
pub(super) struct JsonLines;

impl Format for JsonLines {
    fn endings(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson", "json"]
    }

    fn records(&self, file: File<'_>, wanted: &Wanted<'_>, each: Each<'_>) -> Result<(), InputError> {
        let File { path, content } = file;
        if content.is_empty() {
            return Err(InputError::in_file(path, "the file is empty"));
        }
        for (line, content) in lines::of(path, content)? {
            if content.trim().is_empty() {
                continue;
            }
            let fault = |reason| InputError::at_line(path, line, reason);
            let object = parse(content).map_err(fault)?;
            let mut values = [const { Cow::Borrowed("") }; Wanted::MOST];
            for (name, value) in wanted.names.iter().zip(&mut values) {
                *value = field(&object, name, wanted).map_err(fault)?;
            }
            let values = values.each_ref().map(|value| value.as_ref());
            each(Some(line), &values[..wanted.names.len()])?;
        }
        Ok(())
    }
}

const NO_LIST: &str = "; JSON Lines has one object a line, without a list around them";

fn parse(line: &str) -> Result<Map<String, Value>, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.rsplit_once(" at line ").map_or(&*reason, |(reason, _)| reason);
        let hint = if line.trim_start().starts_with('[') { NO_LIST } else { "" };
        format!("invalid JSON in column {}: {reason}{hint}", error.column())
    })?;
    match value {
        Value::Object(object) => Ok(object),
        other => {
            let hint = if other.is_array() { NO_LIST } else { "" };
            Err(format!("{}, where there should be an object `{{...}}`{hint}", kind(&other)))
        }
    }
}

/// A field's value as text.
fn field<'o>(
    object: &'o Map<String, Value>,
    &Name(field, key): &Name<'_>,
    wanted: &Wanted<'_>,
) -> Result<Cow<'o, str>, String> {
    let shown = excerpt(key);
    let Some(value) = object.get(key) else {
        let there = there_are(&object.keys().map(String::as_str).collect::<Vec<_>>());
        if field == Field::Label && wanted.calibrates {
            return Err(format!("no key `{shown}`; {there}: {CALIBRATES}"));
        }
        return Err(format!("no key `{shown}`; {there} (choose with {} NAME)", field.option()));
    };
    match (field, value) {
        (_, Value::String(string)) => Ok(string.into()),
        (Field::Text, Value::Number(_)) => Err(format!("`{shown}` is a number: {NUMBERS}")),
        (Field::Text, Value::Array(list)) if list.iter().all(is_of_numbers) => {
            Err(format!("`{shown}` is a list of numbers: {NUMBERS}"))
        }
        (Field::Text, Value::Array(list)) if list.iter().all(Value::is_string) => Err(format!(
            "`{shown}` is a list; it should be a string (join its words, with spaces between them)"
        )),
        (Field::Text, other) => Err(format!("`{shown}` is {}; it should be a string", kind(other))),
        // An empty label, which is told like any other.
        (Field::Label, Value::Null) => Ok("".into()),
        (Field::Label, Value::Bool(label)) => Ok(if *label { "true" } else { "false" }.into()),
        (Field::Label, Value::Array(_)) => Err(format!(
            "`{shown}` is a list: KiloRNN gives a text one label, not several (choose one of them for each text, or train \
             a model for each label, with two classes)"
        )),
        (_, Value::Number(number)) if number.as_f64().is_none_or(|it| it.fract() == 0.0) => {
            Ok(number.to_string().into())
        }
        (_, other) => Err(format!("`{shown}` is {}; it should be a string or an integer", kind(other))),
    }
}

/// A number, or a list of them, as a step of a sequence is.
fn is_of_numbers(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().all(Value::is_number),
        other => other.is_number(),
    }
}

/// What a value is, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fault, named, read, row};
    use super::*;
    use crate::data::form::Reading;

    #[test]
    fn reads_strings_integers_and_escapes() {
        let content =
            "{\"text\": \"a\\n\\u00e9\", \"label\": \"pos\", \"id\": [1]}\n\n{\"label\":-1,\"text\":\"\"}";
        let rows = read(&JsonLines, content, &Reading::default()).unwrap();
        assert_eq!(rows, [row(1, "pos", "a\né"), row(3, "-1", "")]);
        let rows = read(&JsonLines, r#"{"review": "b", "stars": 5}"#, &named("review", "stars")).unwrap();
        assert_eq!(rows, [row(1, "5", "b")]);
        let labels = [("true", "true"), ("false", "false"), ("2.0", "2.0"), ("null", ""), ("\"\"", "")];
        for (label, name) in labels {
            let content = format!(r#"{{"text": "b", "label": {label}}}"#);
            assert_eq!(read(&JsonLines, &content, &Reading::default()).unwrap(), [row(1, name, "b")]);
        }
    }

    #[test]
    fn names_line_column_and_reason() {
        let good = r#"{"text": "a", "label": 0}"#;
        let second = |line: &str| fault(&JsonLines, &format!("{good}\n{line}\n"));
        assert_eq!(
            second(r#"{"text": "b" "label": 1}"#),
            "file:2: invalid JSON in column 14: expected `,` or `}`"
        );
        assert_eq!(second(r#"{"text": "b"#), "file:2: invalid JSON in column 11: EOF while parsing a string");
        assert_eq!(
            second(r#"{"body": "b", "label": 1}"#),
            "file:2: no key `text`; there are `body`, `label` (choose with --text NAME)"
        );
        assert_eq!(second("{}"), "file:2: no key `text`; there are none (choose with --text NAME)");
        assert_eq!(
            second(r#"{"text": "b"}"#),
            "file:2: no key `label`; there is only `text` (choose with --label NAME)"
        );
        assert_eq!(
            second(r#"{"text": ["b"], "label": 1}"#),
            "file:2: `text` is a list; it should be a string (join its words, with spaces between them)"
        );
        assert_eq!(second(r#"{"text": null, "label": 1}"#), "file:2: `text` is null; it should be a string");
        for (label, kind) in [("1.5", "a number with a fraction"), ("{}", "an object")] {
            let said = second(&format!(r#"{{"text": "b", "label": {label}}}"#));
            assert_eq!(said, format!("file:2: `label` is {kind}; it should be a string or an integer"));
        }
        let said = second(r#"{"text": "b", "label": ["x", "y"]}"#);
        assert!(said.starts_with("file:2: `label` is a list: KiloRNN gives a text one label"), "{said}");
        for numbers in ["3", "0.5", "[1, 2.5]", "[[1, 2], [3, 4]]"] {
            let said = second(&format!(r#"{{"text": {numbers}, "label": 1}}"#));
            assert!(said.contains(": what is read as texts has words, not numbers"), "{said}");
        }
        assert_eq!(second("3"), "file:2: a number, where there should be an object `{...}`");
        let said = fault(&JsonLines, "[\n{\"text\": \"a\", \"label\": 0}\n]");
        assert!(
            said.starts_with("file:1: invalid JSON in column 1: EOF while parsing a list; JSON Lines"),
            "{said}"
        );
        assert!(
            fault(&JsonLines, "[{\"text\": \"a\"}]").contains("{...}`; JSON Lines has one object a line")
        );
        assert_eq!(fault(&JsonLines, ""), "file: the file is empty");
    }
}
