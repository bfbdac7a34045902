//! Trains, quantizes and exports recurrent text classifiers for the `kilornn` runtime.
//!
//! The modules stand in the order in which data flows: [`data`] and [`text`] read a folder of
//! labelled texts with the device's own tokenizer, [`network`], [`optim`] and [`fit`] train what a
//! [`recipe`] describes, [`quantize`] writes the `.kilo` file, [`answer`], [`evaluate`],
//! [`explain`] and [`device`] run it on the host and on the device. `search` compares networks of many
//! sizes. [`commands`] is what a person types.

pub mod answer;
pub mod commands;
pub mod data;
pub mod device;
pub mod error;
pub mod evaluate;
mod excerpt;
pub mod explain;
mod file_parts;
pub mod fit;
pub mod footprint;
mod hints;
pub mod import;
pub mod network;
pub mod numbers;
pub mod optim;
pub mod plot;
mod processor;
mod progress;
pub mod quantize;
pub mod random;
pub mod recipe;
mod report;
mod request;
mod run_folder;
mod search;
mod teacher;
pub mod text;
mod verdict;
pub mod warning;
