//! The work by which training speed is measured: `cargo xtask bench train` runs this program and its peers
//! (`xtask/peers`) in turn, and takes the time that each says.
//!
//! Reads a line, does that work, answers with a line; the first argument is the folder with the encoded texts.
//!
//! | line | work | answer |
//! |---|---|---|
//! | `seed N`, `gru N`, `lstm N` | N training steps of the seed's shapes, with its SimpleRNN or with another cell | milliseconds |
//! | `products seed`, and alike | none | multiplications in the matrix products of such a step, in the mean |
//! | `sgemm` | one product of two large matrices | its multiplications a millisecond |
//! | `compact` | one epoch of the compact recipe, evaluation included | milliseconds, training steps, accuracy |
//! | `size T W` | one epoch over T texts, each with its last W words, without evaluation | milliseconds, words |
//! | `vocabulary R` | one epoch over short texts of an embedding of R rows, without evaluation | milliseconds, training steps |
//! | `memory` | none | the most kilobytes that were in use so far |
//!
//! `work encode FOLDER DATA` writes the encoded texts to FOLDER: random ones of the seed's shapes, short random ones, and
//! the reviews of DATA, if that is given.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs, io};

use anyhow::{Context, Result, bail, ensure};
use candle_core::Device;
use kilornn_trainer::data::{Dataset, Inputs};
use kilornn_trainer::fit::{Epoch, Examples, Interrupt, Task, TrainingState, fit};
use kilornn_trainer::memory;
use kilornn_trainer::network::loss::Objective;
use kilornn_trainer::network::{Batch, Dropout, Network, Training};
use kilornn_trainer::optim::Optimizers;
use kilornn_trainer::random::Stream;
use kilornn_trainer::recipe::Recipe;
use kilornn_trainer::text::Encoder;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Rows of the seed's embedding: the words of IMDB's training reviews, and the pad.
const ROWS: usize = 88_582;
/// Texts of a batch.
const TEXTS: usize = 128;
/// Words of a text.
const WORDS: usize = 100;
/// Batches that are different.
const BATCHES: usize = 16;

/// Rows of the embeddings by which the cost of a step is compared.
const VOCABULARIES: [usize; 3] = [4_000, 40_000, 400_000];
/// Short texts for each of these: batches enough for rare words to wait for long.
const SHORT_TEXTS: usize = 2_000 * 64;

/// Rows and columns of a large matrix: enough for a product to take as little time for each of its multiplications as this
/// machine needs.
const LARGE: usize = 2048;

fn main() -> Result<()> {
    // As the program `kilornn` does.
    memory::keep_freed();
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [command, folder, data @ ..] if command == "encode" => {
            encode_seed(Path::new(folder))?;
            encode_short(Path::new(folder))?;
            data.first().map_or(Ok(()), |data| encode_compact(Path::new(folder), Path::new(data)))
        }
        [folder] => serve(PathBuf::from(folder)),
        _ => bail!("usage: work FOLDER, or work encode FOLDER [DATA]"),
    }
}

fn serve(folder: PathBuf) -> Result<()> {
    let mut all: HashMap<String, Steps> = HashMap::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_whitespace().collect::<Vec<_>>()[..] {
            [work @ ("seed" | "gru" | "lstm"), steps] => {
                let training = match all.entry(work.to_owned()) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(Steps::new(&folder, work)?),
                };
                format!("{:.3}", training.run(steps.parse()?)?)
            }
            ["products", work] => Steps::new(&folder, work)?.products().to_string(),
            ["sgemm"] => format!("{:.0}", sgemm()),
            ["compact"] => compact(&folder)?,
            ["size", texts, words] => size(&folder, texts.parse()?, words.parse()?)?,
            ["vocabulary", rows] => vocabulary(&folder, rows.parse()?)?,
            ["memory"] => peak_kilobytes()?.to_string(),
            _ => bail!("unknown work: {line}"),
        };
        println!("{answer}");
        io::stdout().flush()?;
    }
    Ok(())
}

/// Training of the seed's shapes.
struct Steps {
    /// Of its cell: products of the width of the units that each row of the input product, and of the state, goes through.
    gates: usize,
    network: Network,
    optimizers: Optimizers,
    texts: Vec<Vec<u32>>,
    classes: Vec<usize>,
    batch: usize,
    rng: ChaCha8Rng,
}

impl Steps {
    fn new(folder: &Path, work: &str) -> Result<Self> {
        let (gates, settings) = match work {
            "seed" => (1, Vec::new()),
            "gru" => (3, vec!["cell=gru".to_owned()]),
            "lstm" => (4, vec!["cell=lstm".to_owned()]),
            _ => bail!("unknown work: {work}"),
        };
        let recipe = Recipe::load("seed", &settings)?;
        let network = Network::new(&recipe, ROWS, 1, &mut Stream::Weights.rng(0));
        let optimizers = Optimizers::new(&recipe, &network);
        let (texts, classes) = read(folder, "seed")?;
        Ok(Self { gates, network, optimizers, texts, classes, batch: 0, rng: Stream::Dropout.rng(0) })
    }

    fn run(&mut self, steps: usize) -> Result<f64> {
        let started = Instant::now();
        for _ in 0..steps {
            let first = self.batch % BATCHES * TEXTS;
            self.batch += 1;
            let examples: Vec<usize> = (first..first + TEXTS).collect();
            let batch = Batch::new(&examples, &self.texts, Some(WORDS));
            let (objective, dropout) = (Objective::plain(2), Dropout::default());
            let training = Training {
                objective: &objective,
                dropout,
                opinions: None,
                squares: true,
                grid: None,
                processor: &Device::Cpu,
            };
            let classes = &self.classes[first..first + TEXTS];
            self.optimizers.step(&mut self.network, None, &batch.ids, 0.001, |network| {
                network.backward(&batch, classes, training, &mut self.rng)
            })?;
        }
        Ok(started.elapsed().as_secs_f64() * 1e3)
    }

    /// Multiplications in the matrix products of a step, in the mean over the batches.
    fn products(&self) -> usize {
        let [_, width] = self.network.embedding.shape;
        let (units, outputs) = (self.network.units(), self.network.outputs());
        let columns = self.gates * units;
        let distinct = self.texts.chunks(TEXTS).map(|texts| {
            let words: HashSet<u32> = texts.iter().flatten().copied().collect();
            words.len()
        });
        // The input product, forward and for the gradients of the kernel and of the embedding: of each word once.
        let inputs = 3 * distinct.sum::<usize>() / BATCHES * width * columns;
        // The same three of the state, which the first step has none of.
        let recurrence = 3 * TEXTS * (WORDS - 1) * units * columns;
        // The gradient of the embedding at each occurrence of a word that occurs several times in the batch: the seed adds up
        // the squares of these.
        let squares = self.repeated() * width * columns;
        let dense = 3 * TEXTS * units * outputs;
        inputs + recurrence + squares + dense
    }

    /// Occurrences in a batch of words that occur in it several times, in the mean.
    fn repeated(&self) -> usize {
        let of_batch = |texts: &[Vec<u32>]| {
            let mut counts: HashMap<u32, usize> = HashMap::new();
            texts.iter().flatten().for_each(|&word| *counts.entry(word).or_default() += 1);
            counts.into_values().filter(|&count| count > 1).sum::<usize>()
        };
        self.texts.chunks(TEXTS).map(of_batch).sum::<usize>() / BATCHES
    }
}

/// Multiplies two large matrices as the trainer does, and returns multiplications a millisecond.
fn sgemm() -> f64 {
    let matrix = || -> Vec<f32> { (0..LARGE * LARGE).map(|i| (i % 13) as f32 - 6.0).collect() };
    let (a, b, mut out) = (matrix(), matrix(), matrix());
    let (row, column) = (LARGE as isize, 1);
    let started = Instant::now();
    // SAFETY: each of the three holds LARGE rows of LARGE values, as the strides say, and `out` is none of the others.
    unsafe {
        gemm::gemm(
            LARGE,
            LARGE,
            LARGE,
            out.as_mut_ptr(),
            column,
            row,
            false,
            a.as_ptr(),
            column,
            row,
            b.as_ptr(),
            column,
            row,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    }
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    black_box(out);
    LARGE.pow(3) as f64 / milliseconds
}

/// One epoch as `kilornn train` runs it.
fn compact(folder: &Path) -> Result<String> {
    let recipe = compact_recipe()?;
    let (texts, classes) = read(folder, "compact")?;
    let (dev_texts, dev_classes) = read(folder, "compact-dev")?;
    let mut network = Network::new(&recipe, recipe.vocabulary + 2, 1, &mut Stream::Weights.rng(0));
    let train = Examples { texts: &texts, classes: &classes, opinions: None };
    let dev = Examples { texts: &dev_texts, classes: &dev_classes, opinions: None };
    let (started, mut accuracy) = (Instant::now(), None);
    train_one(&recipe, &mut network, train, Some(dev), |epoch| accuracy = epoch.val_accuracy)?;
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    let steps = texts.len().div_ceil(recipe.batch);
    Ok(format!("{milliseconds:.3} {steps} {:.4}", accuracy.context("an epoch has an accuracy")?))
}

/// An epoch over some of the texts, cut short: how the cost grows.
fn size(folder: &Path, count: usize, words: usize) -> Result<String> {
    let recipe = compact_recipe()?;
    let (mut texts, classes) = read(folder, "compact")?;
    ensure!(texts.len() >= count, "there are {} texts", texts.len());
    texts.truncate(count);
    texts.iter_mut().for_each(|text| drop(text.drain(..text.len().saturating_sub(words))));
    let mut network = Network::new(&recipe, recipe.vocabulary + 2, 1, &mut Stream::Weights.rng(0));
    let train = Examples { texts: &texts, classes: &classes[..count], opinions: None };
    let started = Instant::now();
    train_one(&recipe, &mut network, train, None, |_| ())?;
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    Ok(format!("{milliseconds:.3} {}", texts.iter().map(Vec::len).sum::<usize>()))
}

/// An epoch over short texts with a vocabulary of so many words, pad and unknown words included.
fn vocabulary(folder: &Path, rows: usize) -> Result<String> {
    let recipe = Recipe { vocabulary: rows - 2, ..compact_recipe()? };
    let (texts, classes) = read(folder, &format!("short-{rows}"))?;
    let mut network = Network::new(&recipe, rows, 1, &mut Stream::Weights.rng(0));
    let train = Examples { texts: &texts, classes: &classes, opinions: None };
    let started = Instant::now();
    train_one(&recipe, &mut network, train, None, |_| ())?;
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    Ok(format!("{milliseconds:.3} {}", texts.len().div_ceil(recipe.batch)))
}

/// Trains for the one epoch of a recipe.
fn train_one(
    recipe: &Recipe,
    network: &mut Network,
    train: Examples<'_>,
    validation: Option<Examples<'_>>,
    mut after: impl FnMut(&Epoch),
) -> Result<()> {
    let (objective, unknown) = (Objective::plain(2), Some(recipe.vocabulary as u32 + 1));
    let task =
        Task { recipe, objective, seed: 0, unknown, ties: None, train, validation, processor: Device::Cpu };
    let state = TrainingState::new(&task, network);
    fit(network, &task, state, &Interrupt::default(), |_, state| {
        state.history.iter().for_each(&mut after);
        Ok(())
    })?;
    Ok(())
}

/// The compact recipe, with the last 400 words of a text, and all in floats.
fn compact_recipe() -> Result<Recipe> {
    let settings = ["maxlen=400", "truncating=pre", "quantized_epochs=0", "epochs=1"].map(str::to_owned);
    Ok(Recipe::load("compact", &settings)?)
}

/// A random word's row, of so many: words are as frequent as they are (Zipf), which decides how many rows a batch touches.
fn word(rng: &mut ChaCha8Rng, rows: usize) -> u32 {
    let row = (rng.random::<f64>() * ((rows - 1) as f64).ln()).exp() as u32;
    row.clamp(1, rows as u32 - 1)
}

fn encode_seed(folder: &Path) -> Result<()> {
    let mut rng = Stream::Order.rng(0);
    let texts: Vec<Vec<u32>> =
        (0..BATCHES * TEXTS).map(|_| (0..WORDS).map(|_| word(&mut rng, ROWS)).collect()).collect();
    let classes: Vec<usize> = (0..texts.len()).map(|text| text % 2).collect();
    write(folder, "seed", &texts, &classes)
}

/// Texts of 4 to 10 words; their class is whether their last word is an odd one.
fn encode_short(folder: &Path) -> Result<()> {
    for rows in VOCABULARIES {
        let mut rng = Stream::Order.rng(0);
        let mut text = || -> Vec<u32> {
            let words = rng.random_range(4..=10);
            // The last row is that of unknown words.
            (0..words).map(|_| word(&mut rng, rows - 1)).collect()
        };
        let texts: Vec<Vec<u32>> = (0..SHORT_TEXTS).map(|_| text()).collect();
        let classes: Vec<usize> = texts.iter().map(|text| text[text.len() - 1] as usize % 2).collect();
        write(folder, &format!("short-{rows}"), &texts, &classes)?;
    }
    Ok(())
}

/// A data set as the compact recipe encodes it. The last fifth of the training texts is for evaluation.
fn encode_compact(folder: &Path, data: &Path) -> Result<()> {
    let recipe = compact_recipe()?;
    let data = Dataset::read(&Inputs::from(data))?;
    let texts: Vec<&str> = data.train.iter().map(|example| example.text.as_str()).collect();
    let encoder = Encoder::fit(&recipe, texts.iter().copied());
    let encoded = encoder.encode_all(&texts);
    let classes: Vec<usize> = data.train.iter().map(|example| example.class).collect();
    let kept = encoded.len() / 5 * 4;
    write(folder, "compact", &encoded[..kept], &classes[..kept])?;
    write(folder, "compact-dev", &encoded[kept..], &classes[kept..])
}

/// For each text: its class, its length and its words, as little-endian 32-bit numbers.
fn write(folder: &Path, name: &str, texts: &[Vec<u32>], classes: &[usize]) -> Result<()> {
    let mut bytes = Vec::new();
    for (text, &class) in texts.iter().zip(classes) {
        let numbers = [class as u32, text.len() as u32];
        bytes.extend(numbers.iter().chain(text).flat_map(|number| number.to_le_bytes()));
    }
    Ok(fs::write(folder.join(name), bytes)?)
}

fn read(folder: &Path, name: &str) -> Result<(Vec<Vec<u32>>, Vec<usize>)> {
    let path = folder.join(name);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let numbers: Vec<u32> =
        bytes.as_chunks::<4>().0.iter().map(|&number| u32::from_le_bytes(number)).collect();
    let (mut rest, mut texts, mut classes) = (&numbers[..], Vec::new(), Vec::new());
    while let [class, length, words @ ..] = rest {
        ensure!(words.len() >= *length as usize, "{} is cut short", path.display());
        let (text, others) = words.split_at(*length as usize);
        texts.push(text.to_vec());
        classes.push(*class as usize);
        rest = others;
    }
    Ok((texts, classes))
}

/// What Linux says of the most memory that this process ever had.
fn peak_kilobytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("memory is known on Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
