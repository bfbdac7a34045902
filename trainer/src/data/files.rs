//! Files of a data set, read on all cores.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use super::column::Label;
use super::form::{Form, Reading};
use super::formats::{self, Document, Field, File, Format, Wanted};
use super::source::Source;
use super::{Encoding, Example, Origin, bytes, labels, lines};
use crate::error::InputError;
use crate::progress;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct ParsedFile {
    /// Its examples. Until `column` has said which classes the labels mean, a class is the index of a label.
    pub(super) examples: Vec<Example>,
    /// Its different labels.
    pub(super) labels: Vec<Label>,
    /// The group of each example, if that was asked for.
    pub(super) groups: Vec<String>,
}

/// Reads files; `first` is the number of the first one in the data set.
pub(super) fn read_all(
    sources: &[Source],
    first: usize,
    reading: &Reading,
) -> Result<Vec<ParsedFile>, InputError> {
    let progress = progress::bar("reading", sources.len(), "files");
    let contents = in_parallel(sources, |index, source| {
        let contents = read(source, first + index, reading)?;
        progress.inc(1);
        match contents.examples.is_empty() {
            true => Err(InputError::in_file(&source.path, "there are no examples in it")),
            false => Ok(contents),
        }
    });
    progress.finish_and_clear();
    contents
}

/// Reads files on all cores. If several are at fault, the error is about the first of them.
pub(super) fn in_parallel<F: ?Sized + Sync, T: Send>(
    sources: &[Source<F>],
    read: impl Fn(usize, &Source<F>) -> Result<T, InputError> + Sync,
) -> Result<Vec<T>, InputError> {
    let contents: Vec<Result<T, InputError>> =
        sources.par_iter().enumerate().map(|(index, source)| read(index, source)).collect();
    contents.into_iter().collect()
}

/// Reads the file that has this number.
fn read(source: &Source, number: usize, reading: &Reading) -> Result<ParsedFile, InputError> {
    let Source { path, format } = source;
    let content = bytes::read_text(path, reading.form.encoding)?;
    let format = format.of_content(&content, &reading.form).unwrap_or(*format);
    check_form(path, format, &reading.form)?;
    let mut found = ParsedFile::default();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut each = |line: Option<usize>, values: &[&str]| {
        let origin = Origin { file: number as u32, line: line.unwrap_or(0) as u32 };
        let label = values[1].trim();
        let class = match known.get(label) {
            Some(&class) => class,
            None => {
                if let Some(reason) = labels::fault(label) {
                    return Err(match line {
                        Some(line) => InputError::at_line(path, line, reason),
                        None => InputError::in_file(path, reason),
                    });
                }
                known.insert(label.to_owned(), found.labels.len());
                found.labels.push(Label { name: label.to_owned(), origin });
                found.labels.len() - 1
            }
        };
        found.examples.push(Example { class, text: lines::within(values[0]).into_owned(), origin });
        found.groups.extend(values.get(2).map(|&group| group.to_owned()));
        Ok(())
    };
    format.records(File { path, content: &content }, &Wanted::examples(reading), &mut each)?;
    Ok(found)
}

/// Refuses options that say nothing about a file of this format.
fn check_form(path: &Path, format: &dyn Format, form: &Form) -> Result<(), InputError> {
    let option = match form {
        _ if format.has_columns() => return Ok(()),
        Form { no_header: true, .. } => "--no-header",
        Form { delimiter: Some(_), .. } => "--delimiter",
        _ => return Ok(()),
    };
    let reason =
        format!("{option} is about the columns of .csv and .tsv files, and this is none (leave it out)");
    Err(InputError::in_file(path, reason))
}

/// Reads the groups of examples that lie in a file of their own: in the column or under the key `name`, or one a line.
pub(crate) fn read_groups(path: &Path, name: &str, form: &Form) -> Result<Vec<String>, InputError> {
    let format = formats::of(path)?;
    let field = if format.is_of_one_class() { Field::Text } else { Field::Group };
    read_field(path, format, field, name, form)
}

/// Reads texts without labels, from their column or key, or one a line.
pub(crate) fn read_unlabelled(path: &Path, form: &Form) -> Result<Vec<String>, InputError> {
    read_field(path, formats::of(path)?, Field::Text, form.text(), form)
}

/// Reads a text that is a whole file.
pub(crate) fn read_document(path: &Path, encoding: Option<Encoding>) -> Result<String, InputError> {
    Ok(lines::within(Document::text(&bytes::read_text(path, encoding)?)).into_owned())
}

/// Reads texts, one a line.
pub(crate) fn read_lines(path: &Path, encoding: Option<Encoding>) -> Result<Vec<String>, InputError> {
    let content = bytes::read_text(path, encoding)?;
    Ok(lines::of(path, &content)?.map(|(_, line)| line.to_owned()).collect())
}

fn read_field(
    path: &Path,
    format: &dyn Format,
    field: Field,
    name: &str,
    form: &Form,
) -> Result<Vec<String>, InputError> {
    let content = bytes::read_text(path, form.encoding)?;
    let mut all = Vec::new();
    let mut each = |_: Option<usize>, values: &[&str]| {
        all.push(lines::within(values[0]).into_owned());
        Ok(())
    };
    format.records(File { path, content: &content }, &Wanted::one(field, name, form), &mut each)?;
    Ok(all)
}

/// Spreads each class evenly over the whole, and keeps its order. Class after class, the last part
/// of the examples, which `validation_split` validates on, would be of one class.
pub(super) fn mix<T>(examples: &mut Vec<T>, classes: usize, class: impl Fn(&T) -> usize) {
    let mut all = vec![0_u64; classes];
    examples.iter().for_each(|example| all[class(example)] += 1);
    let mut before = vec![0_u64; classes];
    let mut placed: Vec<(u64, T)> = std::mem::take(examples)
        .into_iter()
        .map(|example| {
            // The middle of its share of the whole, as a fraction of 2^33.
            let class = class(&example);
            let place = ((2 * before[class] + 1) << 32) / all[class];
            before[class] += 1;
            (place, example)
        })
        .collect();
    placed.sort_by_key(|(place, example)| (*place, class(example)));
    examples.extend(placed.into_iter().map(|(_, example)| example));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_spread_evenly() {
        let mut examples: Vec<Example> =
            (0..90).map(|n| Example::new(usize::from(n >= 60), n.to_string())).collect();
        mix(&mut examples, 2, |example| example.class);
        for ten in examples.chunks(9) {
            assert_eq!(ten.iter().filter(|example| example.class == 1).count(), 3);
        }
        let of_class = |class| examples.iter().filter(move |e| e.class == class).map(|e| e.text.clone());
        assert!(of_class(0).eq((0..60).map(|n: i32| n.to_string())), "the order within a class is kept");
    }
}
