//! Groups of examples: what must not be torn apart when training and validation are.

use std::path::PathBuf;

use shell_words::quote;

use super::files::read_groups;
use super::form::Form;
use super::inputs::Inputs;
use crate::error::InputError;

/// Where the groups of training examples are.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Grouping {
    /// Keep whole groups of examples for validation, such as all reviews of one film or all recordings of one person: the
    /// column or key that holds the group of each training example. The recipe's validation_split says how much
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// The groups are not with the examples, but in this file: in its column or under its key --group [default: group], or
    /// one a line if it is a .txt file
    // Its lines are those of the training file, of which --without leaves some out.
    #[arg(long, value_name = "FILE", conflicts_with = "without")]
    pub groups: Option<PathBuf>,
}

impl Grouping {
    /// Whether groups are asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.group.is_some() || self.groups.is_some()
    }

    /// The column or key of the data themselves that holds the groups.
    pub(super) fn column(&self) -> Option<String> {
        self.group.clone().filter(|_| self.groups.is_none())
    }

    /// The same data, beside which the file of groups may lie.
    pub(super) fn beside(&self, inputs: &Inputs) -> Inputs {
        let mut inputs = inputs.clone();
        inputs.beside.extend(self.groups.clone());
        inputs
    }

    /// The groups of so many training examples, if they are in a file of their own.
    pub(super) fn read(&self, examples: usize, form: &Form) -> Result<Option<Vec<String>>, InputError> {
        let Some(file) = &self.groups else { return Ok(None) };
        let groups = read_groups(file, self.group.as_deref().unwrap_or("group"), form)?;
        if groups.len() != examples {
            let reason = format!(
                "has {} groups, but there are {examples} training examples: it must have the group of each",
                groups.len(),
            );
            return Err(InputError::in_file(file, reason));
        }
        Ok(Some(groups))
    }

    /// The options that say this, for a shell.
    pub(crate) fn options(&self) -> impl Iterator<Item = String> {
        let group = self.group.as_ref().map(|name| format!("--group {}", quote(name)));
        let groups = self.groups.as_ref().map(|path| format!("--groups {}", quote(&path.to_string_lossy())));
        group.into_iter().chain(groups)
    }
}
