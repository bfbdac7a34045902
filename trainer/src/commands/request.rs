//! What a training is asked for, in one command or another: data, recipe, groups, seed.

use std::path::PathBuf;

use anyhow::Result;
use shell_words::quote;

use crate::data::{Columns, Dataset, Inputs, read_groups};
use crate::error::InputError;
use crate::recipe::{Recipe, Validation};

#[derive(Debug, clap::Args)]
pub(super) struct Request {
    #[command(flatten)]
    pub(super) inputs: Inputs,
    /// A recipe's name (seed, compact, starter) or a TOML file
    #[arg(long, default_value = "compact")]
    pub(super) recipe: String,
    /// Change a key of the recipe, for example --set epochs=3 (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) settings: Vec<String>,
    /// Keep whole groups of examples for validation, such as all reviews of one film: the column or key that holds the
    /// group of each training example. The recipe's validation_split says how much
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The groups are not with the texts, but in this file: in its column or under its key --group [default: group], or
    /// one a line if it is a .txt file
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    /// Seed of all randomness: the same seed gives the same model
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
}

impl Request {
    /// Whether whole groups are to validate.
    pub(super) fn is_by_groups(&self) -> bool {
        self.group.is_some() || self.groups.is_some()
    }

    /// The recipe, with more settings after those given. Who names groups wants to validate on whole ones.
    pub(super) fn recipe_with(&self, more: &[String]) -> Result<Recipe, InputError> {
        let recipe = Recipe::load(&self.recipe, &[&self.settings, more].concat())?;
        if !self.is_by_groups() {
            return Ok(recipe);
        }
        if recipe.validation_split == 0.0 {
            return Err(InputError::new("groups need a validation_split (--set validation_split=0.1)"));
        }
        Ok(Recipe { validation: Validation::Groups, ..recipe })
    }

    /// The data, with their groups.
    pub(super) fn data(&self) -> Result<Dataset> {
        let Some(file) = &self.groups else {
            let columns = Columns { group: self.group.clone(), ..self.inputs.columns.clone() };
            return Dataset::read(&Inputs { columns, ..self.inputs.clone() });
        };
        let mut data = Dataset::read(&self.inputs)?;
        let groups = read_groups(file, self.group.as_deref().unwrap_or("group"))?;
        if groups.len() != data.train.len() {
            let reason = format!(
                "has {} groups, but there are {} training examples: it must have the group of each",
                groups.len(),
                data.train.len()
            );
            return Err(InputError::in_file(file, reason).into());
        }
        data.groups = Some(groups);
        Ok(data)
    }

    /// `DATA-RECIPE`, after which an output folder is called that nobody named.
    pub(super) fn name(&self) -> String {
        let recipe = PathBuf::from(&self.recipe);
        let recipe = recipe.file_stem().unwrap_or_default().to_string_lossy();
        format!("{}-{recipe}", self.inputs.name())
    }

    /// The command that trains this, with another recipe and more options.
    pub(super) fn train_command(&self, recipe: &str, more: &[String]) -> String {
        let mut words = vec![
            "kilornn train".to_owned(),
            self.inputs.command_line(),
            format!(
                "--recipe {}",
                if recipe.starts_with('<') { recipe.to_owned() } else { quote(recipe).into_owned() }
            ),
            format!("--seed {}", self.seed),
        ];
        words.extend(self.group.as_ref().map(|name| format!("--group {}", quote(name))));
        words.extend(self.groups.as_ref().map(|path| format!("--groups {}", quote(&path.to_string_lossy()))));
        words.extend_from_slice(more);
        words.join(" ")
    }
}

/// Settings as arguments for a shell.
pub(super) fn set_options(settings: &[String]) -> Vec<String> {
    settings.iter().map(|setting| format!("--set {}", quote(setting))).collect()
}
