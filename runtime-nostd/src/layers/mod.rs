//! The network in integers: [`Embedding`], [`SimpleRnn`] and [`Dense`], from rows of the embedding to logits.
//!
//! A layer is a struct that borrows its tables from the model file. Its fields are public, so that an exporter can fill
//! them in; the loader checks that computing with them cannot fail. [`Model::step`](crate::Model::step) and
//! [`Dense::logit`] compute.

mod activation;
mod dense;
mod embedding;
mod simple_rnn;

pub use activation::Activation;
#[cfg(kilornn_assembly)]
pub(crate) use activation::tanh;
pub use dense::Dense;
pub use embedding::{Embedding, Table};
#[cfg(not(kilornn_assembly))]
pub(crate) use simple_rnn::BLOCK;
pub use simple_rnn::{Order, SimpleRnn};
