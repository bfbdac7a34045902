//! `models/models.toml`: the models that are shipped or can be rebuilt, how they are trained, and their marks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::process::root;

/// Where the data sets lie, if nobody says otherwise: no part of the repository, but beside it. Relative to the root,
/// where the commands run.
pub(crate) const DATA: &str = "../shared/data";

/// One model.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) name: String,
    /// Its folder among the data sets.
    pub(crate) data: String,
    /// A built-in recipe; without it, the file beside the model.
    recipe: Option<String>,
    /// Files of the folder to train on, if they are not its training part.
    #[serde(default)]
    files: Vec<String>,
    /// Further arguments of `kilornn train`; `{data}` stands for the data's folder.
    #[serde(default)]
    arguments: Vec<String>,
    pub(crate) shipped: bool,
    /// A class whose test texts are left out.
    pub(crate) without: Option<String>,
    /// What `at_least` is about.
    #[serde(default)]
    pub(crate) metric: Metric,
    pub(crate) at_least: Option<f64>,
    pub(crate) at_most_bytes: Option<u64>,
}

/// A figure that a mark can be about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    #[default]
    Accuracy,
    MacroF1,
}

impl Model {
    /// The shipped file, seen from the root.
    pub(crate) fn file(&self) -> PathBuf {
        Path::new("models").join(format!("{}.kilo", self.name))
    }

    /// A built-in recipe's name, or a file seen from the root.
    fn recipe(&self) -> String {
        self.recipe.clone().unwrap_or_else(|| format!("models/{}.toml", self.name))
    }

    /// The recipe as it is written.
    fn recipe_text(&self) -> Result<String> {
        let file = match &self.recipe {
            Some(name) => format!("trainer/recipes/{name}.toml"),
            None => self.recipe(),
        };
        fs::read_to_string(root().join(&file)).with_context(|| format!("there is no recipe {file}"))
    }

    /// Its data among the data sets that lie in `sets`.
    pub(crate) fn data(&self, sets: &Path) -> PathBuf {
        sets.join(&self.data)
    }

    /// What follows `kilornn train`, but for the output folder.
    pub(crate) fn training(&self, sets: &Path) -> Vec<String> {
        let data = self.data(sets).display().to_string();
        let mut arguments: Vec<String> = self.files.iter().map(|file| format!("{data}/{file}")).collect();
        if arguments.is_empty() {
            arguments.push(data.clone());
        }
        arguments.extend(["--recipe".to_owned(), self.recipe()]);
        arguments.extend(self.arguments.iter().map(|argument| argument.replace("{data}", &data)));
        arguments
    }

    /// What a trained model depends on, but for the trainer and the texts: as long as it is the same, so is the model.
    pub(crate) fn fingerprint(&self) -> Result<String> {
        let given = [&self.files[..], &self.arguments].concat().join(" ");
        Ok(format!("# {} {given}\n{}", self.data, self.recipe_text()?))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    model: Vec<Model>,
}

/// All models, in the manifest's order.
pub(crate) fn read() -> Result<Vec<Model>> {
    let path = root().join("models/models.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).context("models/models.toml")
}

fn parse(text: &str) -> Result<Vec<Model>> {
    let Manifest { model: models } = toml::from_str(text)?;
    for (index, model) in models.iter().enumerate() {
        ensure!(
            models[..index].iter().all(|other| other.name != model.name),
            "two models are called {}",
            model.name
        );
    }
    Ok(models)
}

/// The model of this name.
pub(crate) fn find(name: &str) -> Result<Model> {
    let models = read()?;
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    match names.iter().position(|known| *known == name) {
        Some(index) => Ok(models[index].clone()),
        None => bail!("models/models.toml has no model {name}; there is {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kilornn_host::numbers::grouped;

    const TWO: &str = r#"
        [[model]]
        name = "a"
        data = "imdb"
        arguments = ["--unlabelled", "{data}/more.tsv.gz"]
        shipped = false
        metric = "macro_f1"
        [[model]]
        name = "b"
        data = "imdb"
        recipe = "compact"
        shipped = true
        at_least = 0.5
    "#;

    #[test]
    fn a_model_says_how_it_is_trained() {
        let models = parse(TWO).unwrap();
        let training = models[0].training(Path::new("sets"));
        assert_eq!(
            training,
            ["sets/imdb", "--recipe", "models/a.toml", "--unlabelled", "sets/imdb/more.tsv.gz"]
        );
        assert_eq!(models[1].training(Path::new("sets")), ["sets/imdb", "--recipe", "compact"]);
        let other = parse(&TWO.replace("recipe = \"compact\"", "files = [\"phrases.tsv\"]")).unwrap();
        assert_eq!(other[1].training(Path::new("sets"))[..2], ["sets/imdb/phrases.tsv", "--recipe"]);
        assert_eq!((models[0].metric, models[1].metric), (Metric::MacroF1, Metric::Accuracy));
    }

    #[test]
    fn what_is_unknown_missing_or_there_twice_is_an_error() {
        let fault = |text: String| format!("{:#}", parse(&text).unwrap_err());
        assert!(fault(TWO.replace("at_least", "at_leats")).contains("unknown field `at_leats`"));
        assert!(fault(format!("{TWO}[[models]]\n")).contains("unknown field `models`"));
        assert!(fault(TWO.replace("macro_f1", "f1")).contains("unknown variant `f1`"));
        assert!(fault(TWO.replace("shipped = true", "")).contains("missing field `shipped`"));
        assert_eq!(fault(TWO.replace("\"b\"", "\"a\"")), "two models are called a");
    }

    #[test]
    fn every_shipped_file_is_in_the_manifest_and_its_card_knows_its_size() {
        let models = read().unwrap();
        let folder = root().join("models");
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "kilo") {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let listed = models.iter().any(|model| model.shipped && model.name == name);
                assert!(listed, "models/{name}.kilo is shipped, but models.toml does not say so");
            }
        }
        for model in models.iter().filter(|model| model.shipped) {
            let bytes = fs::metadata(root().join(model.file()));
            let bytes = bytes.unwrap_or_else(|_| panic!("there is no {}", model.file().display())).len();
            let card = folder.join(format!("{}.md", model.name));
            let card =
                fs::read_to_string(&card).unwrap_or_else(|_| panic!("there is no card {}", card.display()));
            let size = format!("{} bytes", grouped(bytes as usize));
            assert!(card.contains(&size), "the card of {} does not say {size}", model.name);
            assert!(card.contains("accuracy"), "the card of {} says nothing of its accuracy", model.name);
            assert!(model.at_most_bytes.is_none_or(|most| bytes <= most), "{} is too large", model.name);
        }
    }

    #[test]
    fn every_model_has_a_recipe() {
        for model in read().unwrap() {
            model.fingerprint().unwrap();
        }
    }
}
