//! The arguments that `train`, `sweep` and a search for a budget share: data, recipe, groups, seed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use shell_words::quote;

use crate::data::{Dataset, Grouping, Inputs, read_unlabelled};
use crate::error::InputError;
use crate::recipe::{Recipe, Teacher, Validation};
use crate::run_folder::CONFIG;
use crate::suggest::{Suggestion, Tried};

/// The arguments as they are given.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// A recipe's name (seed, compact, starter, taught) or a TOML file [default: `train` without a budget chooses one that
    /// suits the data; otherwise compact]
    #[arg(long, value_name = "RECIPE")]
    pub(crate) recipe: Option<String>,
    /// Change a key of the recipe, for example --set epochs=3 (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    #[command(flatten)]
    grouping: Grouping,
    /// Texts without labels, which the recipe's teacher judges (can be repeated)
    #[arg(long, value_name = "FILE")]
    unlabelled: Vec<PathBuf>,
    /// Seed of all randomness: the same seed gives the same model
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

/// What is asked for: the arguments, and the recipe that they begin with.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    args: &'a RequestArgs,
    base: Base,
}

/// The recipe before any setting.
#[derive(Debug)]
enum Base {
    /// A built-in recipe or a file.
    Named(String),
    /// None was named, so this one was chosen for the data.
    Suggested(Box<Suggestion>),
}

impl RequestArgs {
    /// Reads the data; if no recipe is named, it is the built-in one `otherwise`, or else one that suits the data.
    ///
    /// # Errors
    ///
    /// If the data or the settings cannot be used.
    pub(crate) fn read(&self, otherwise: Option<&str>) -> Result<(Request<'_>, Dataset)> {
        let data = self.data()?;
        let base = match self.recipe.as_deref().or(otherwise) {
            Some(name) => Base::Named(name.to_owned()),
            None => Base::Suggested(Box::new(Suggestion::of(&data, &self.settings)?)),
        };
        Ok((Request { args: self, base }, data))
    }

    /// The data, with their groups and the unlabelled texts.
    fn data(&self) -> Result<Dataset> {
        let form = &self.inputs.reading.form;
        let inputs = Inputs { beside: self.unlabelled.clone(), ..self.inputs.clone() };
        let mut data = Dataset::read_in_groups(&inputs, &self.grouping)?;
        for file in &self.unlabelled {
            data.unlabelled.extend(read_unlabelled(file, form)?);
        }
        Ok(data)
    }
}

impl Request<'_> {
    /// Settings that were given.
    pub(crate) fn settings(&self) -> &[String] {
        &self.args.settings
    }

    /// The seed of all randomness.
    pub(crate) fn seed(&self) -> u64 {
        self.args.seed
    }

    /// The recipe that was chosen, if none was named.
    pub(crate) fn suggestion(&self) -> Option<&Suggestion> {
        match &self.base {
            Base::Named(_) => None,
            Base::Suggested(suggestion) => Some(suggestion),
        }
    }

    /// Takes the best recipe of those that were chosen for the data, which came to this when they were tried.
    pub(crate) fn take_best(&mut self, tried: &[Option<Tried>]) {
        if let Base::Suggested(suggestion) = &mut self.base {
            suggestion.take_best(tried);
        }
    }

    /// What was chosen and why, in lines for a person; none if a recipe was named.
    pub(crate) fn about(&self) -> Vec<String> {
        self.suggestion().map(Suggestion::lines).unwrap_or_default()
    }

    /// Whether recipes were compared, and one of them taken.
    fn has_compared(&self) -> bool {
        self.suggestion().is_some_and(|suggestion| suggestion.taken().tried.is_some())
    }

    /// Whether whole groups are to validate.
    fn is_by_groups(&self) -> bool {
        self.args.grouping.is_asked()
    }

    /// The recipe, with more settings after those given. If groups are named, whole groups validate, and a teacher does not
    /// judge a group by models that have learned from it.
    pub(crate) fn recipe_with(&self, more: &[String]) -> Result<Recipe, InputError> {
        self.recipe_of(&[&self.args.settings, more].concat())
    }

    /// The same, with other settings than those given.
    pub(crate) fn recipe_of(&self, settings: &[String]) -> Result<Recipe, InputError> {
        self.by_groups(self.set(settings)?)
    }

    /// Another recipe, with the settings given and more.
    pub(crate) fn recipe_from(&self, recipe: &Recipe, more: &[String]) -> Result<Recipe, InputError> {
        self.by_groups(recipe.clone().with(&[&self.args.settings, more].concat())?)
    }

    fn by_groups(&self, recipe: Recipe) -> Result<Recipe, InputError> {
        if !self.is_by_groups() {
            return Ok(recipe);
        }
        match (recipe.validation_split > 0.0, recipe.teacher) {
            (true, _) => Ok(Recipe { validation: Validation::Groups, ..recipe }),
            (false, Teacher::Ngrams) => Ok(recipe),
            // They have validated when recipes were compared.
            (false, Teacher::None) if self.has_compared() => Ok(recipe),
            (false, Teacher::None) => Err(InputError::new(
                "groups serve a validation_split or a teacher, and the recipe has neither (--set validation_split=0.1)",
            )),
        }
    }

    /// The recipe with these settings, whatever validates.
    fn set(&self, settings: &[String]) -> Result<Recipe, InputError> {
        match &self.base {
            Base::Named(name) => Recipe::load(name, settings),
            Base::Suggested(suggestion) => suggestion.taken().recipe.clone().with(settings),
        }
    }

    /// The settings that keep texts for validation, if the recipe and the data do not, and in words which texts validate. `by`
    /// is what needs them, such as `the sweep`.
    pub(crate) fn validation(&self, data: &Dataset, by: &str) -> Result<(Vec<String>, String)> {
        let set = |settings: &[&str]| settings.iter().map(|&setting| setting.to_owned()).collect();
        let split = self.set(&self.args.settings)?.validation_split;
        Ok(match (split > 0.0, self.is_by_groups()) {
            (true, true) => (vec![], format!("groups, {split} of the training texts")),
            (true, false) => (vec![], format!("{split} of the training texts")),
            (false, true) => (
                set(&["validation_split=0.1"]),
                format!("groups, held out by {by}: a tenth of the training texts"),
            ),
            (false, false) if data.dev.is_some() => (vec![], "the dev part".into()),
            (false, false) => (
                set(&["validation_split=0.1", "validation=random"]),
                format!(
                    "a tenth of the training texts, held out at random by {by}, since there is neither a dev part nor a \
                     validation_split"
                ),
            ),
        })
    }

    /// `DATA-RECIPE`, or `DATA` if no recipe is named: the name of the output folder if none is given.
    pub(crate) fn name(&self) -> String {
        let data = self.args.inputs.name();
        match &self.base {
            Base::Named(name) => {
                let recipe = PathBuf::from(name);
                format!("{data}-{}", recipe.file_stem().unwrap_or_default().to_string_lossy())
            }
            Base::Suggested(_) => data,
        }
    }

    /// The command that trains this, with more options. If the recipe was chosen for the data, it is the one that training
    /// leaves in the folder `out`, so that nothing need be tried again.
    pub(crate) fn train_command(&self, out: &Path, more: &[String]) -> String {
        match &self.base {
            Base::Named(name) => self.command(&quote(name), more),
            Base::Suggested(_) => self.command(&quote(&out.join(CONFIG).to_string_lossy()), more),
        }
    }

    /// The command that trains this with the recipe of the file in which the command stands.
    pub(crate) fn command_in_file(&self) -> String {
        self.command("<this file>", &[])
    }

    fn command(&self, recipe: &str, more: &[String]) -> String {
        let args = self.args;
        let mut words = vec![
            "kilornn train".to_owned(),
            args.inputs.command_line(),
            format!("--recipe {recipe}"),
            format!("--seed {}", args.seed),
        ];
        words.extend(args.grouping.options());
        let unlabelled = args.unlabelled.iter();
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
