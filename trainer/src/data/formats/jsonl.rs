//! JSON Lines: one JSON object a line.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Field, Format, Name, Record, numbered, there_are};
use crate::error::InputError;

/// Lines of `{"text": "...", "label": ...}`, with other keys allowed; a label is a string or an integer.
pub(super) struct JsonLines;

impl Format for JsonLines {
    fn endings(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson", "json"]
    }

    fn records(&self, path: &Path, content: &str, names: &[Name<'_>]) -> Result<Vec<Record>, InputError> {
        if content.is_empty() {
            return Err(InputError::in_file(path, "the file is empty"));
        }
        numbered(content)
            .filter(|(_, content)| !content.trim().is_empty())
            .map(|(line, content)| {
                let values =
                    parse(content, names).map_err(|reason| InputError::at_line(path, line, reason))?;
                Ok(Record { line: Some(line), values })
            })
            .collect()
    }
}

fn parse(line: &str, names: &[Name<'_>]) -> Result<Vec<String>, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.rsplit_once(" at line ").map_or(&*reason, |(reason, _)| reason);
        let hint = match line.trim_start().starts_with('[') {
            true => "; JSON Lines has one object a line, without a list around them",
            false => "",
        };
        format!("invalid JSON in column {}: {reason}{hint}", error.column())
    })?;
    let Value::Object(object) = value else {
        return Err(format!("{}, where there should be an object `{{...}}`", kind(&value)));
    };
    names.iter().map(|name| field(&object, name)).collect()
}

/// A field's value as text.
fn field(object: &Map<String, Value>, &Name(field, key): &Name<'_>) -> Result<String, String> {
    let Some(value) = object.get(key) else {
        let keys: Vec<&str> = object.keys().map(String::as_str).collect();
        let there = if keys.is_empty() { "there are none".to_owned() } else { there_are(&keys) };
        return Err(format!("no key `{key}`; {there} (choose with {} NAME)", field.option()));
    };
    match (field, value) {
        (_, Value::String(string)) => Ok(string.clone()),
        (Field::Text, other) => Err(format!("`{key}` is {}; it should be a string", kind(other))),
        (_, Value::Number(number)) if !number.is_f64() => Ok(number.to_string()),
        (_, other) => Err(format!("`{key}` is {}; it should be a string or an integer", kind(other))),
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
    use super::super::Columns;
    use super::super::tests::{fault, named, read, row};
    use super::*;

    #[test]
    fn reads_strings_integers_and_escapes() {
        let content =
            "{\"text\": \"a\\n\\u00e9\", \"label\": \"pos\", \"id\": [1]}\r\n\n{\"label\":-1,\"text\":\"\"}";
        let rows = read(&JsonLines, content, &Columns::default()).unwrap();
        assert_eq!(rows, [row(1, "pos", "a\né"), row(3, "-1", "")]);
        let rows = read(&JsonLines, r#"{"review": "b", "stars": 5}"#, &named("review", "stars")).unwrap();
        assert_eq!(rows, [row(1, "5", "b")]);
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
            "file:2: `text` is a list; it should be a string"
        );
        for (label, kind) in
            [("1.5", "a number with a fraction"), ("null", "null"), ("true", "true or false")]
        {
            let said = second(&format!(r#"{{"text": "b", "label": {label}}}"#));
            assert_eq!(said, format!("file:2: `label` is {kind}; it should be a string or an integer"));
        }
        assert_eq!(second("3"), "file:2: a number, where there should be an object `{...}`");
        let said = fault(&JsonLines, "[\n{\"text\": \"a\", \"label\": 0}\n]");
        assert!(
            said.starts_with("file:1: invalid JSON in column 1: EOF while parsing a list; JSON Lines"),
            "{said}"
        );
        assert_eq!(fault(&JsonLines, ""), "file: the file is empty");
    }
}
