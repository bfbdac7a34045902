//! `cargo xtask model`: a model of the manifest, trained anew.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use kilornn_host::numbers::grouped;

use crate::manifest::{self, Model};
use crate::process::root;
use crate::trainer::Trainer;

/// What is asked for.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model, as models/models.toml calls it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// Every model of models/models.toml
    #[arg(long)]
    all: bool,
    /// Replace nothing: fail if a shipped file has other bytes
    #[arg(long)]
    check: bool,
    /// The folder of the data sets, seen from the repository's root
    #[arg(long, value_name = "DIR", default_value = manifest::DATA)]
    data: PathBuf,
}

/// Rebuilds one model or all, and closes with one verdict line.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut models = match &args.name {
        Some(name) => vec![manifest::find(name)?],
        None => manifest::read()?,
    };
    if args.check {
        let is_named = args.name.is_some();
        ensure!(
            !is_named || models[0].shipped,
            "{} is not shipped: there is nothing to check",
            models[0].name
        );
        models.retain(|model| model.shipped);
    }
    for model in &models {
        present(model, &args.data)?;
    }
    let trainer = Trainer::build()?;
    let mut different = Vec::new();
    for model in &models {
        let made = make(&trainer, model, &args.data)?;
        let bytes = fs::read(root().join(&made))?;
        let tested = trainer.test(&made, &model.data(&args.data), model.without.as_deref())?;
        println!(
            "    {}: {} bytes, accuracy {:.4}, macro F1 {:.4} on {} test texts",
            model.name,
            grouped(bytes.len()),
            tested.accuracy,
            tested.macro_f1,
            grouped(tested.examples as usize)
        );
        let shipped = root().join(model.file());
        if args.check {
            let found = fs::read(&shipped).with_context(|| format!("cannot read {}", shipped.display()))?;
            if found != bytes {
                different.push(format!("{} has other bytes than {}", made.display(), model.file().display()));
            }
        } else if model.shipped {
            fs::write(&shipped, &bytes).with_context(|| format!("cannot write {}", shipped.display()))?;
        }
    }
    if !different.is_empty() {
        bail!(
            "{} (other processors round float sums otherwise; docs/figures.md says where the shipped ones were made)",
            different.join("; ")
        );
    }
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    let what = if args.check { "the same bytes as shipped" } else { "made anew" };
    println!("model: PASS - {what}: {}", names.join(", "));
    Ok(())
}

/// Says plainly when a model's data are not there.
pub(crate) fn present(model: &Model, sets: &Path) -> Result<()> {
    let data = model.data(sets);
    ensure!(
        root().join(&data).is_dir(),
        "there is no {}, the data of {} (--data DIR says where the data sets are)",
        data.display(),
        model.name
    );
    Ok(())
}

/// Trains a model, whatever there was. Returns its file, seen from the root.
pub(crate) fn make(trainer: &Trainer, model: &Model, sets: &Path) -> Result<PathBuf> {
    let fingerprint = model.fingerprint()?;
    let run = trainer.models().join(&model.name);
    let stamp = root().join(stamp(&run));
    // Without it the training would count as done, though it may not end.
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    trainer.train(&model.training(sets), &run)?;
    fs::write(stamp, fingerprint)?;
    Ok(run.join("model.kilo"))
}

/// The model that was trained before with the same recipe and arguments, or a new one.
pub(crate) fn made(trainer: &Trainer, model: &Model, sets: &Path) -> Result<PathBuf> {
    let run = trainer.models().join(&model.name);
    let file = run.join("model.kilo");
    let fingerprint = model.fingerprint()?;
    let is_made = fs::read_to_string(root().join(stamp(&run))).is_ok_and(|found| found == fingerprint);
    if is_made && root().join(&file).is_file() { Ok(file) } else { make(trainer, model, sets) }
}

/// Beside a run's folder: what was trained in it.
fn stamp(run: &Path) -> PathBuf {
    run.with_extension("made")
}
