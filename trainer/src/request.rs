//! The arguments that `train`, `sweep` and a search for a budget share: data, recipe, groups, seed.

use std::path::PathBuf;

use anyhow::Result;
use shell_words::quote;

use crate::data::{Dataset, Inputs, Reading, read_groups, read_unlabelled};
use crate::error::InputError;
use crate::recipe::{Recipe, Teacher, Validation};

#[derive(Debug, clap::Args)]
pub(crate) struct Request {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// A recipe's name (seed, compact, starter, taught) or a TOML file
    #[arg(long, default_value = "compact")]
    pub(crate) recipe: String,
    /// Change a key of the recipe, for example --set epochs=3 (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Keep whole groups of examples for validation, such as all reviews of one film: the column or key that holds the
    /// group of each training example. The recipe's validation_split says how much
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The groups are not with the texts, but in this file: in its column or under its key --group [default: group], or
    /// one a line if it is a .txt file
    // Its lines are those of the training file, of which --without leaves some out.
    #[arg(long, value_name = "FILE", conflicts_with = "without")]
    groups: Option<PathBuf>,
    /// Texts without labels, which the recipe's teacher judges (can be repeated)
    #[arg(long, value_name = "FILE")]
    unlabelled: Vec<PathBuf>,
    /// Seed of all randomness: the same seed gives the same model
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

impl Request {
    /// Whether whole groups are to validate.
    pub(crate) fn is_by_groups(&self) -> bool {
        self.group.is_some() || self.groups.is_some()
    }

    /// The recipe, with more settings after those given. If groups are named, whole groups validate, and a teacher does not
    /// judge a group by models that have learned from it.
    pub(crate) fn recipe_with(&self, more: &[String]) -> Result<Recipe, InputError> {
        self.recipe_of(&[&self.settings, more].concat())
    }

    /// The same, with other settings than those given.
    pub(crate) fn recipe_of(&self, settings: &[String]) -> Result<Recipe, InputError> {
        let recipe = Recipe::load(&self.recipe, settings)?;
        if !self.is_by_groups() {
            return Ok(recipe);
        }
        match (recipe.validation_split > 0.0, recipe.teacher) {
            (true, _) => Ok(Recipe { validation: Validation::Groups, ..recipe }),
            (false, Teacher::Ngrams) => Ok(recipe),
            (false, Teacher::None) => Err(InputError::new(
                "groups serve a validation_split or a teacher, and the recipe has neither (--set validation_split=0.1)",
            )),
        }
    }

    /// The data, with their groups and the unlabelled texts.
    pub(crate) fn data(&self) -> Result<Dataset> {
        let beside = self.group.clone().filter(|_| self.groups.is_none());
        let reading = Reading { group: beside, ..self.inputs.reading.clone() };
        let form = &self.inputs.reading.form;
        let beside = self.groups.iter().chain(&self.unlabelled).cloned().collect();
        let mut data = Dataset::read(&Inputs { reading, beside, ..self.inputs.clone() })?;
        if let Some(file) = &self.groups {
            let groups = read_groups(file, self.group.as_deref().unwrap_or("group"), form)?;
            if groups.len() != data.train.len() {
                let reason = format!(
                    "has {} groups, but there are {} training examples: it must have the group of each",
                    groups.len(),
                    data.train.len()
                );
                return Err(InputError::in_file(file, reason).into());
            }
            data.groups = Some(groups);
        }
        for file in &self.unlabelled {
            data.unlabelled.extend(read_unlabelled(file, form)?);
        }
        Ok(data)
    }

    /// The settings that keep texts for validation, if the recipe and the data do not, and in words which texts validate.
    pub(crate) fn validation(&self, data: &Dataset) -> Result<(Vec<String>, String)> {
        let set = |settings: &[&str]| settings.iter().map(|&setting| setting.to_owned()).collect();
        let split = Recipe::load(&self.recipe, &self.settings)?.validation_split;
        Ok(match (split > 0.0, self.is_by_groups()) {
            (true, true) => (vec![], format!("groups, {split} of the training texts")),
            (true, false) => (vec![], format!("{split} of the training texts")),
            (false, true) => (
                set(&["validation_split=0.1"]),
                "groups, held out by the sweep: a tenth of the training texts".into(),
            ),
            (false, false) if data.dev.is_some() => (vec![], "the dev part".into()),
            (false, false) => (
                set(&["validation_split=0.1", "validation=random"]),
                "a tenth of the training texts, held out at random by the sweep, since there is neither a dev part \
                 nor a validation_split"
                    .into(),
            ),
        })
    }

    /// `DATA-RECIPE`: the name of the output folder if none is given.
    pub(crate) fn name(&self) -> String {
        let recipe = PathBuf::from(&self.recipe);
        let recipe = recipe.file_stem().unwrap_or_default().to_string_lossy();
        format!("{}-{recipe}", self.inputs.name())
    }

    /// The command that trains this, with another recipe and more options.
    pub(crate) fn train_command(&self, recipe: &str, more: &[String]) -> String {
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
        let unlabelled = self.unlabelled.iter();
        words.extend(unlabelled.map(|path| format!("--unlabelled {}", quote(&path.to_string_lossy()))));
        words.extend_from_slice(more);
        words.join(" ")
    }
}

/// Settings as arguments for a shell.
pub(crate) fn set_options(settings: &[String]) -> Vec<String> {
    let option = |setting: &String| match setting.split_once('=') {
        Some((key, value)) => format!("--set {}={}", quote(key), quote(value)),
        None => format!("--set {}", quote(setting)),
    };
    settings.iter().map(option).collect()
}
