//! A sweep on disk: what it was asked for, and every finished trial.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::cell::CellName;
use super::trial::Trial;
use crate::error::InputError;
use crate::fit::checkpoint::Asked;
use crate::run_folder::{Begin, remove_temporary, write_json};

const NAME: &str = "results.json";

/// The finished trials of a sweep. The file is replaced whole after each, so that nothing can end the sweep between
/// two states of it.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    content: Content,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    asked: Asked,
    trials: Vec<Trial>,
}

impl Store {
    /// Opens the results in a folder, which is made if there is none.
    ///
    /// # Errors
    ///
    /// If there are results and `begin` is [`Begin::New`], or `begin` is [`Begin::Resume`] and they are of other texts, another
    /// recipe or another seed. `own` is the recipe's cell: what trials have that were written when there was no other.
    pub(super) fn open(folder: &Path, begin: Begin, asked: Asked, own: Option<CellName>) -> Result<Self> {
        let path = folder.join(NAME);
        let mut trials = Vec::new();
        match (std::fs::read_to_string(&path), begin) {
            (Ok(_), Begin::New) => {
                let reason = "holds a sweep: --resume goes on with it, --force begins anew";
                return Err(InputError::in_file(folder, reason).into());
            }
            (Ok(text), Begin::Resume) => {
                let fault =
                    |reason: String| InputError::in_file(&path, format!("{reason} (--force begins anew)"));
                let before: Content = serde_json::from_str(&text)
                    .map_err(|error| fault(format!("it cannot be read: {error}")))?;
                if let Some(difference) = before.asked.difference(&asked) {
                    return Err(fault(format!("that sweep was another: {difference}")).into());
                }
                trials = before.trials;
                trials.iter_mut().for_each(|trial| trial.size.cell = trial.size.cell.or(own));
            }
            (Ok(_), Begin::Replace) => {}
            (Err(error), _) if error.kind() == std::io::ErrorKind::NotFound => {}
            (Err(error), _) => return Err(InputError::in_file(&path, error.to_string()).into()),
        }
        std::fs::create_dir_all(folder).map_err(|error| InputError::in_file(folder, error.to_string()))?;
        remove_temporary(folder)?;
        let store = Self { path, content: Content { asked, trials } };
        store.write()?;
        Ok(store)
    }

    /// Keeps a trial.
    pub(crate) fn add(&mut self, trial: Trial) -> Result<()> {
        self.content.trials.push(trial);
        self.write()
    }

    /// All finished trials, in the order in which they were finished.
    pub(crate) fn trials(&self) -> &[Trial] {
        &self.content.trials
    }

    fn write(&self) -> Result<()> {
        write_json(&self.path, &self.content)
    }
}
