#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod activation;
mod classifier;
mod error;
pub mod file;
mod kernels;
pub mod layers;
mod load;
mod model;
mod prediction;
pub mod text;

pub use classifier::Classifier;
pub use error::Error;
pub use load::Model;
pub use model::{Contents, Padding, Sequence, Truncating, Unknown};
pub use prediction::Prediction;
