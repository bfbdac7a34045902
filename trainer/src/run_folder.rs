//! The folder that a training run leaves behind.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::error::InputError;
use crate::network::Network;
use crate::recipe::Recipe;
use crate::text::Encoder;

/// The model file in a run's folder.
pub(crate) const MODEL: &str = "model.kilo";

/// The page about a run.
pub(crate) const REPORT: &str = "report.html";

/// What was asked for.
pub(crate) const CONFIG: &str = "config.toml";

/// What an interrupted training goes on from.
const CHECKPOINT: &str = "checkpoint.bin";

/// How temporary files begin.
const TEMPORARY: &str = ".kilornn-";

/// What is to happen to an earlier run in the same folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// There must be none: neither a model nor an interrupted training.
    New,
    /// It may be replaced.
    Replace,
    /// An interrupted training is resumed.
    Resume,
}

impl Begin {
    /// From the flags `--force` and `--resume`.
    pub(crate) fn asked(force: bool, resume: bool) -> Self {
        match (force, resume) {
            (true, _) => Self::Replace,
            (_, true) => Self::Resume,
            _ => Self::New,
        }
    }
}

/// A run's folder. Files in it are written whole or not at all.
#[derive(Debug)]
pub(crate) struct RunFolder(PathBuf);

impl RunFolder {
    /// Checks whether a run may begin in a folder, without making one.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub(crate) fn check(path: &Path, begin: Begin) -> Result<()> {
        let holds = |name: &str| path.join(name).exists();
        let refused = match begin {
            Begin::New if holds(CHECKPOINT) => {
                "holds an interrupted training: --resume goes on with it, --force begins anew"
            }
            Begin::New if holds(MODEL) => {
                "holds a trained model already: choose another --out, or --force to replace it"
            }
            Begin::Resume if holds(MODEL) && !holds(CHECKPOINT) => {
                "holds a trained model and no interrupted training: there is nothing to resume"
            }
            _ => "",
        };
        if !refused.is_empty() {
            return Err(InputError::in_file(path, refused).into());
        }
        Ok(())
    }

    /// Makes the folder, or takes one that is there.
    ///
    /// # Errors
    ///
    /// If there is an earlier run that `begin` does not allow for, or the folder cannot be made.
    pub(crate) fn open(path: &Path, begin: Begin) -> Result<Self> {
        Self::check(path, begin)?;
        std::fs::create_dir_all(path).map_err(|error| InputError::in_file(path, error.to_string()))?;
        Ok(Self(path.to_owned()))
    }

    /// The bytes of the checkpoint and its path, if there is one.
    pub(crate) fn read_checkpoint(&self) -> Result<Option<(PathBuf, Vec<u8>)>> {
        let path = self.path(CHECKPOINT);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some((path, bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(InputError::in_file(&path, error.to_string()).into()),
        }
    }

    /// Replaces the checkpoint by what `write` writes.
    pub(crate) fn write_checkpoint(&self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        write_with(&self.path(CHECKPOINT), write)
    }

    /// Removes the checkpoint, and what a killed training left half written.
    pub(crate) fn remove_checkpoint(&self) -> Result<()> {
        let path = self.path(CHECKPOINT);
        if path.exists() {
            std::fs::remove_file(path)?;
        }
        remove_temporary(&self.0)
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What was asked for: the recipe with all its keys, as one that can be trained again, below the
    /// lines of a comment.
    pub(crate) fn write_config(&self, recipe: &Recipe, comment: &str) -> Result<()> {
        let toml = toml::to_string(recipe)?;
        let comment: String = comment.lines().map(|line| format!("# {line}\n")).collect();
        let text = format!("{comment}\n{toml}");
        self.write(CONFIG, text.as_bytes())
    }

    /// The text of that file.
    pub(crate) fn read_config(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.path(CONFIG))?)
    }

    /// The vocabulary, a JSON list by falling frequency: word `i` is row `i + 1` of the embedding.
    pub(crate) fn write_vocabulary(&self, encoder: &Encoder) -> Result<()> {
        self.write_json("vocabulary.json", &encoder.words())
    }

    /// The float weights, under Keras's names.
    pub(crate) fn write_weights(&self, network: &Network) -> Result<()> {
        let tensors = network.parameters().into_iter();
        let tensors = tensors.map(|parameter| Ok((parameter.name.clone(), parameter.tensor()?)));
        let tensors = tensors.collect::<Result<Vec<_>>>()?;
        self.write("weights.safetensors", &safetensors::serialize(tensors, None)?)
    }

    /// Anything that serializes, as JSON.
    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        write_json(&self.path(name), value)
    }

    /// The page about the run.
    pub(crate) fn write_report(&self, page: &str) -> Result<()> {
        self.write(REPORT, page.as_bytes())
    }

    /// The model file.
    pub(crate) fn write_model(&self, file: &[u8]) -> Result<()> {
        self.write(MODEL, file)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        write_whole(&self.path(name), content)
    }
}

/// Removes from a folder what a killed program left half written.
pub(crate) fn remove_temporary(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a JSON file, whole or not at all.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_with(path, |file| {
        let mut file = BufWriter::new(file);
        serde_json::to_writer_pretty(&mut file, value)?;
        Ok(writeln!(file).and_then(|()| file.flush())?)
    })
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    write_with(path, |file| Ok(file.write_all(content)?))
}

/// Writes a file beside its place and then moves it there: an interruption leaves the old one or the new one.
fn write_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let replace = || -> Result<()> {
        let mut builder = tempfile::Builder::new();
        // Temporary files are for their owner alone; what the person keeps is as their umask says.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(TEMPORARY).tempfile_in(folder)?;
        write(&mut file)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    replace().with_context(|| format!("{}: cannot be written", path.display()))
}
