//! `kilornn train`: data -> fit -> quantize -> model file.

use std::path::PathBuf;

use anyhow::Result;
use shell_words::quote;

use super::data::show;
use super::outcome::{Metrics, Outcome};
use super::{Console, grouped};
use crate::data::counts::Counts;
use crate::data::{Columns, Dataset, Inputs, read_groups, read_unlabelled};
use crate::error::InputError;
use crate::fit::checkpoint::{self, Asked};
use crate::fit::{Epoch, Interrupt, Interrupted, Material, State, Task, fit};
use crate::processor::Processor;
use crate::recipe::{Recipe, Teacher, Validation};
use crate::run_folder::{Begin, RunFolder};

/// Train a model: fit the float network, quantize it, test both.
///
/// DATA is a folder, or one or more files to train on. Files are
///
///   .tsv, .csv   with a header that names the columns (choose with --text and --label)
///   .jsonl       one JSON object a line, with keys of these names
///   .txt         one text a line, all of the class that the file's name says
///
/// and may be compressed (.csv.gz). A folder has
///
///   train.csv (or .tsv, .jsonl), or
///   train/ with a folder for each class, one text a file (train/pos/1.txt), or
///   train/ with a file for each class, one text a line (train/pos.txt), or
///   such folders or files without train/ around them: all of it is to train on
///
/// and, where there are any, dev and test in one of these forms, and labels.txt, which names the
/// classes in order, one a line. `kilornn data DATA` shows what is found.
///
/// The output folder keeps config.toml, vocabulary.json, weights.safetensors, metrics.json, model.kilo
/// and report.html, which a browser shows.
///
/// After every epoch it has a checkpoint: a training that Ctrl-C or anything worse ended goes on with the
/// same command and --resume, to the same model, bit for bit. `kilornn recipes` shows what recipes there
/// are, and `kilornn recipes --keys` what they can say.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(flatten)]
    inputs: Inputs,
    /// A recipe's name (seed, compact, starter) or a TOML file
    #[arg(long, default_value = "compact")]
    recipe: String,
    /// Change a key of the recipe, for example --set epochs=3 (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Output folder [default: runs/DATA-RECIPE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the model or the interrupted training in the output folder, if there is one
    #[arg(long)]
    force: bool,
    /// Go on with the interrupted training in the output folder, or begin if there is none yet
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Keep whole groups of examples for validation, such as all reviews of one film: the column or key that holds the
    /// group of each training example. The recipe's validation_split says how much
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The groups are not with the texts, but in this file: in its column or under its key --group [default: group], or
    /// one a line if it is a .txt file
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    /// Texts without labels, which the recipe's teacher judges (can be repeated)
    #[arg(long, value_name = "FILE")]
    unlabelled: Vec<PathBuf>,
    /// Seed of all randomness: the same seed gives the same model
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where to compute: cpu, cuda or cuda:N (in a program that was built with --features cuda). Evaluation and epochs on
    /// the microcontroller's grid stay on the CPU, and so do the embedding and the optimizer
    #[arg(long, value_name = "PROCESSOR", default_value = "cpu")]
    device: Processor,
    /// Print one JSON object on standard output (and the rest on standard error)
    #[arg(long)]
    json: bool,
}

/// Trains.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let recipe = recipe(args)?;
    let processor = args.device.open()?;
    // All input is read and checked before anything is written.
    let data = data(args)?;
    let material = Material::new(&recipe, args.seed, &data)?;
    let counts = Counts::of(&data, &material.encoder);
    show(console, &counts, 10)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(name(args)));
    let begin = match (args.force, args.resume) {
        (true, _) => Begin::Replace,
        (_, true) => Begin::Resume,
        _ => Begin::New,
    };
    let folder = RunFolder::open(&out, begin)?;

    let task = Task { processor, ..material.task(&recipe, args.seed) };
    let mut network = material.network(&recipe, args.seed);
    let parameters = network.parameters().iter().map(|p| p.values.len()).sum();
    console.say(format!(
        "training on {} texts, validating on {}; vocabulary {} words, {} parameters",
        grouped(task.train.texts.len()),
        grouped(task.validation.map_or(0, |v| v.texts.len())),
        grouped(material.encoder.words().len()),
        grouped(parameters),
    ))?;
    let mut metrics = Metrics {
        examples: task.train.texts.len(),
        vocabulary: material.encoder.words().len(),
        parameters,
        epochs: Vec::new(),
        test: None,
        quantized: None,
        data: counts,
    };
    let asked = Asked::of(&task)?;
    let state = match folder.read_checkpoint()? {
        Some((path, bytes)) if begin == Begin::Resume => {
            let state = checkpoint::read(&path, &bytes, &asked, &mut network)?;
            metrics.epochs.clone_from(&state.history);
            console.say(format!("going on after epoch {}", state.history.len()))?;
            state
        }
        _ => {
            folder.remove_checkpoint()?;
            State::new(&task, &network)
        }
    };
    folder.write_config(&recipe, &command(args, "<this file>", &[]))?;
    let interrupt = Interrupt::listen()?;
    let fitted = fit(&mut network, &task, state, &interrupt, |network, state| {
        folder.write_checkpoint(|file| checkpoint::write(file, &asked, network, state))?;
        if let Some(epoch) = state.history.last() {
            console.say(epoch_line(epoch, recipe.epochs, task.train.texts.len()))?;
        }
        metrics.epochs.clone_from(&state.history);
        folder.write_json("metrics.json", &metrics)
    });
    if fitted.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
        let settings: Vec<String> =
            args.settings.iter().map(|setting| format!("--set {}", quote(setting))).collect();
        let out = format!("--out {}", quote(&out.to_string_lossy()));
        let again = command(args, &args.recipe, &[&settings[..], &[out, "--resume".to_owned()]].concat());
        console.say(format!("interrupted after {} epochs; to go on:\n  {again}", metrics.epochs.len()))?;
    }
    let State { grid, best_epoch, .. } = fitted?;
    if let Some(epoch) = best_epoch {
        console.say(format!(
            "the network is that of epoch {epoch}, the best by {}",
            recipe.early_stopping.word()
        ))?;
    }
    let Material { encoder, held, .. } = &material;
    let outcome = Outcome {
        name: &name(args),
        network: &network,
        encoder,
        recipe: &recipe,
        grid: grid.as_ref(),
        data: &data,
        held,
    };
    outcome.deliver(console, &folder, metrics)?;
    folder.remove_checkpoint()
}

/// The recipe. Who names groups wants to validate on whole ones; a teacher does not judge one by the rest of it.
fn recipe(args: &Args) -> Result<Recipe, InputError> {
    let recipe = Recipe::load(&args.recipe, &args.settings)?;
    if args.group.is_none() && args.groups.is_none() {
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
fn data(args: &Args) -> Result<Dataset> {
    let beside = args.group.clone().filter(|_| args.groups.is_none());
    let columns = Columns { group: beside, ..args.inputs.columns.clone() };
    let mut data = Dataset::read(&Inputs { columns, ..args.inputs.clone() })?;
    if let Some(file) = &args.groups {
        let groups = read_groups(file, args.group.as_deref().unwrap_or("group"))?;
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
    for file in &args.unlabelled {
        data.unlabelled.extend(read_unlabelled(file, &args.inputs.columns.text)?);
    }
    Ok(data)
}

/// What these data, trained by this recipe, are called.
fn name(args: &Args) -> String {
    let recipe = PathBuf::from(&args.recipe);
    let recipe = recipe.file_stem().unwrap_or_default().to_string_lossy();
    format!("{}-{recipe}", args.inputs.name())
}

/// The command that trains this again, with another recipe and more options.
fn command(args: &Args, recipe: &str, more: &[String]) -> String {
    let mut words = vec![
        "kilornn train".to_owned(),
        args.inputs.command_line(),
        format!(
            "--recipe {}",
            if recipe.starts_with('<') { recipe.to_owned() } else { quote(recipe).into_owned() }
        ),
        format!("--seed {}", args.seed),
    ];
    words.extend(args.group.as_ref().map(|name| format!("--group {}", quote(name))));
    words.extend(args.groups.as_ref().map(|path| format!("--groups {}", quote(&path.to_string_lossy()))));
    words.extend(
        args.unlabelled.iter().map(|path| format!("--unlabelled {}", quote(&path.to_string_lossy()))),
    );
    words.extend_from_slice(more);
    words.join(" ")
}

fn epoch_line(epoch: &Epoch, epochs: usize, examples: usize) -> String {
    let mut line = format!(
        "epoch {}/{epochs} - {:.1} s - {} examples/s - loss {:.4} - accuracy {:.4}",
        epoch.epoch,
        epoch.seconds,
        grouped((examples as f64 / epoch.seconds.max(1e-3)) as usize),
        epoch.loss,
        epoch.accuracy
    );
    if let (Some(loss), Some(accuracy)) = (epoch.val_loss, epoch.val_accuracy) {
        line += &format!(" - val_loss {loss:.4} - val_accuracy {accuracy:.4}");
    }
    line
}
