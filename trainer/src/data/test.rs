//! What a model that is trained already is tested on.

use std::path::PathBuf;

use anyhow::Result;

use super::column::{By, ClassList, Column};
use super::counts::missing_classes;
use super::files::read_all;
use super::form::Reading;
use super::formats::Format;
use super::{Example, check_texts, in_sources, inputs, join, labels};
use crate::error::InputError;
use crate::warning::Warning;

/// What a model is tested on.
#[derive(Debug, Clone, Default)]
pub struct Test {
    /// Texts, and the model's own number of the class of each.
    pub examples: Vec<Example>,
    /// What a person should look at.
    pub warnings: Vec<Warning>,
}

impl Test {
    /// Reads texts to test a model with these `labels` on: files, and the test parts of folders. Texts of the classes
    /// `without` are left out, whether the model knows these classes or not.
    ///
    /// # Errors
    ///
    /// With an [`InputError`](crate::error::InputError) if there is nothing to test on, or it cannot be read, or its labels
    /// are not those of the model.
    pub fn read(paths: &[PathBuf], reading: &Reading, labels: &[String], without: &[String]) -> Result<Self> {
        let inputs::TestPart { sources, labels: lists, mut warnings } =
            inputs::find_test::<dyn Format>(paths)?;
        let mut all = labels.to_vec();
        for list in lists {
            let found = labels::read(&list, reading.form.encoding)?;
            let is_of_more = labels::Kept::new(&found, without).is_ok_and(|kept| kept.labels == labels);
            if is_of_more {
                all = found;
            } else if found != labels {
                let reason = format!(
                    "its classes are {}, the model's {}",
                    labels::shown(&found),
                    labels::shown(labels)
                );
                return Err(InputError::in_file(&list, reason).into());
            }
        }
        let kept = labels::Kept::new(&all, without)?;
        // The model's own number of each class that stays: it may have one for what is left out.
        let number: Vec<Option<usize>> =
            kept.labels.iter().map(|label| labels.iter().position(|known| known == label)).collect();
        let contents = read_all(&sources, 0, reading)?;
        let column = Column::new(sources.iter().zip(contents.iter().map(|contents| &contents.labels[..])));
        let classes = column.classes(ClassList { names: &all, by: By::Model })?;
        let (examples, _) = join(&sources, contents.into_iter().zip(classes), all.len());
        let examples = examples.into_iter().filter_map(|example| {
            let example = kept.example(example)?;
            Some(Example { class: number[example.class]?, ..example })
        });
        let examples: Vec<Example> = examples.collect();
        if examples.is_empty() {
            return Err(in_sources(&sources, "all its examples are left out".to_owned()).into());
        }
        check_texts(&examples, &sources.iter().map(|source| source.path.clone()).collect::<Vec<_>>())?;
        let has_text = |label: &&String| {
            let class = labels.iter().position(|known| known == *label);
            examples.iter().any(|example| Some(example.class) == class)
        };
        let missing: Vec<&String> = kept.labels.iter().filter(|label| !has_text(label)).collect();
        warnings.extend(missing_classes("test text", &missing));
        Ok(Self { examples, warnings })
    }
}
