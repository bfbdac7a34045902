//! Rows of the embedding to logits: the network, in integers.
//!
//! A layer is a struct of views into the model file with a public layout, which the exporter fills in, and one
//! crate-private `check` by which the loader proves that computing with it cannot fail. Computing is
//! [`Model::step`](crate::Model::step)'s and [`Dense::logit`]'s.

mod activation;
mod dense;
mod embedding;
mod simple_rnn;
mod state;

pub use activation::Activation;
#[cfg(kilornn_assembly)]
pub(crate) use activation::tanh;
pub use dense::Dense;
pub use embedding::{Embedding, Table};
#[cfg(not(kilornn_assembly))]
pub(crate) use simple_rnn::BLOCK;
pub use simple_rnn::{Order, SimpleRnn};
pub use state::State;
