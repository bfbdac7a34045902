//! The folder that a training run leaves behind.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;

use crate::error::InputError;
use crate::network::Network;
use crate::recipe::Recipe;
use crate::text::Encoder;

/// The model file in a run's folder.
pub const MODEL: &str = "model.kilo";

/// A run's folder. Files in it are written whole or not at all.
#[derive(Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes the folder. One that holds a model is only used again with `force`.
    pub fn create(path: &Path, force: bool) -> Result<Self> {
        if path.join(MODEL).exists() && !force {
            let reason = "holds a trained model already: choose another --out, or --force to replace it";
            return Err(InputError::in_file(path, reason).into());
        }
        std::fs::create_dir_all(path).map_err(|error| InputError::in_file(path, error.to_string()))?;
        Ok(Self(path.to_owned()))
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What was asked for: the recipe with all its keys, as one that can be trained again on `data`,
    /// the arguments that name it.
    pub fn write_config(&self, recipe: &Recipe, seed: u64, data: &str) -> Result<()> {
        let toml = toml::to_string(recipe)?;
        let text = format!("# kilornn train {data} --recipe <this file> --seed {seed}\n\n{toml}");
        self.write("config.toml", text.as_bytes())
    }

    /// The vocabulary, a JSON list by falling frequency: word `i` is row `i + 1` of the embedding.
    pub fn write_vocabulary(&self, encoder: &Encoder) -> Result<()> {
        self.write_json("vocabulary.json", &encoder.words())
    }

    /// The float weights, under Keras's names.
    pub fn write_weights(&self, network: &Network) -> Result<()> {
        let mut tensors = BTreeMap::new();
        let bytes: Vec<(&str, Vec<usize>, Vec<u8>)> = network
            .parameters()
            .iter()
            .map(|p| (p.name, p.shape.to_vec(), p.values.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        for (name, shape, bytes) in &bytes {
            tensors.insert(*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?);
        }
        self.write("weights.safetensors", &safetensors::serialize(tensors, None)?)
    }

    /// Anything that serializes, as JSON.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        self.write(name, format!("{}\n", serde_json::to_string_pretty(value)?).as_bytes())
    }

    /// The model file.
    pub fn write_model(&self, file: &[u8]) -> Result<()> {
        self.write(MODEL, file)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        write_whole(&self.path(name), content)
    }
}

/// Writes a file beside its place and then moves it there: an interruption leaves the old one or the new one.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        // Temporary files are for their owner alone; what the person keeps is as their umask says.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(".kilornn-").tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("{}: cannot be written", path.display()))
}
