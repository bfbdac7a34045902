//! Trains, quantizes and exports recurrent text classifiers for the `kilornn` runtime.
//!
//! The program `kilornn` is this library behind a command line. Its commands, files and formats are stable interfaces; the
//! library follows them and may change with every version before 1.0.
//!
//! # What others may use
//!
//! In the order in which data flows:
//!
//! - [`data`] reads labelled texts, [`data::Dataset::read`], and recordings of numbers, [`data::Recordings::read`].
//! - [`recipe`] says how to train: [`recipe::Recipe::load`].
//! - [`text`] makes ids of words, with the device's own tokenizer: [`text::Encoder`].
//! - [`network`] is the float network, its forward and backward pass, and the quantization grid; [`optim`] trains it step by
//!   step, with numbers from [`random`] streams.
//! - [`fit`] puts these together: [`fit::Material`] splits and encodes data, [`fit::fit`] trains.
//! - [`import`] makes a network of what Keras or PyTorch saved.
//! - [`quantize`] writes the `.kilo` file: [`quantize::export`].
//! - [`evaluate`] scores networks and model files, [`predict`] runs a model file, [`explain`] says what each word did.
//! - [`footprint`] says what a model takes on a device. The crate `kilornn-host` talks to one.
//! - [`error::InputError`] tells faults of the input from faults of the program, a [`warning::Warning`] is what a person should
//!   look at.
//!
//! [`commands`] is for the program itself. [`memory`] is for programs that train. [`numbers`] and [`plot`] are public for this repository's own tools. All other
//! modules are private.
//!
//! ```no_run
//! use kilornn_trainer::data::{Dataset, Inputs};
//! use kilornn_trainer::fit::{Interrupt, Material, TrainingState, fit};
//! use kilornn_trainer::quantize::export;
//! use kilornn_trainer::recipe::Recipe;
//!
//! # fn main() -> anyhow::Result<()> {
//! let data = Dataset::read(&Inputs::from(std::path::Path::new("data/starter")))?;
//! let recipe = Recipe::load("starter", &[])?;
//! let material = Material::new(&recipe, 0, &data)?;
//! let mut network = material.network(&recipe, 0);
//! let task = material.task(&recipe, 0);
//! let state = TrainingState::new(&task, &network);
//! let state = fit(&mut network, &task, state, &Interrupt::listen()?, |_, _| Ok(()))?;
//! let sample = material.sample(&data);
//! let exported = export(&network, &material.encoder, &recipe, &data.labels, &sample, state.grid.as_ref())?;
//! std::fs::write("model.kilo", exported.file)?;
//! # Ok(())
//! # }
//! ```

pub mod commands;
pub mod data;
pub mod error;
pub mod evaluate;
mod excerpt;
pub mod explain;
mod file_parts;
pub mod fit;
#[cfg(test)]
mod fixture;
pub mod footprint;
mod hints;
pub mod import;
pub mod memory;
pub mod network;
pub mod optim;
pub mod plot;
pub mod predict;
mod processor;
mod progress;
pub mod quantize;
pub mod random;
pub mod recipe;
mod report;
mod request;
mod run_folder;
mod search;
mod suggest;
mod teacher;
pub mod text;
mod verdict;
pub mod warning;

pub use kilornn_host::numbers;
