//! Rows of the embedding to logits: the network, in integers.
//!
//! A layer is a struct of views into the model file with a constructor-free, public layout (the
//! exporter fills it in), one method that computes, and one crate-private `check` by which the
//! loader proves that the method cannot fail.

mod dense;
mod embedding;
mod simple_rnn;

pub use dense::Dense;
pub use embedding::Embedding;
pub use simple_rnn::{SimpleRnn, State};
