//! What a model that is trained already is tested on.

use std::path::PathBuf;

use anyhow::Result;

use super::column::{By, ClassList, Column};
use super::counts::missing_classes;
use super::files::read_all;
use super::form::Reading;
use super::formats::Format;
use super::{Example, check_texts, in_sources, inputs, join, labels};
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
        let inputs::TestPart { sources, labels: lists, mut warnings, .. } =
            inputs::find_test::<dyn Format>(paths)?;
        let model = labels::ModelClasses::new(labels, &lists, without, reading.form.encoding)?;
        let contents = read_all(&sources, 0, reading)?;
        let column = Column::new(sources.iter().zip(contents.iter().map(|contents| &contents.labels[..])));
        let classes = column.classes(ClassList { names: &model.all, by: By::Model })?;
        let (examples, _) = join(&sources, contents.into_iter().zip(classes), model.all.len());
        let examples = examples
            .into_iter()
            .filter_map(|example| Some(Example { class: model.number(example.class)?, ..example }));
        let examples: Vec<Example> = examples.collect();
        if examples.is_empty() {
            return Err(in_sources(&sources, "all its examples are left out".to_owned()).into());
        }
        check_texts(&examples, &sources.iter().map(|source| source.path.clone()).collect::<Vec<_>>())?;
        let missing = model.missing(|class| examples.iter().any(|example| example.class == class));
        warnings.extend(missing_classes("test text", &missing));
        Ok(Self { examples, warnings })
    }
}
