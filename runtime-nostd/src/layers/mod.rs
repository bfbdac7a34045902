//! The network in integers: [`Embedding`], up to four recurrent [`Layers`] ([`SimpleRnn`], GRU, LSTM,
//! FastGRNN) and [`Dense`], from
//! rows of the embedding to logits.
//!
//! A layer is a struct that borrows its tables from the model file. Its fields are public, so that an exporter can fill
//! them in; the loader checks that computing with them cannot fail. [`Model::step`](crate::Model::step) and
//! [`Dense::logit`] compute.

mod activation;
mod cell;
mod dense;
mod embedding;
#[cfg(feature = "fastgrnn")]
mod fastgrnn;
#[cfg(kilornn_gates)]
mod gates;
#[cfg(feature = "gru")]
mod gru;
mod incoming;
mod layer;
#[cfg(feature = "lstm")]
mod lstm;
mod share;
mod simple_rnn;
#[cfg(kilornn_gates)]
mod wide_tanh;

pub use activation::Activation;
#[cfg(all(kilornn_assembly = "dsp", feature = "fast-tanh"))]
pub(crate) use activation::TANHS;
#[cfg(all(kilornn_assembly, not(all(kilornn_assembly = "dsp", feature = "fast-tanh"))))]
pub(crate) use activation::tanh;
pub use dense::Dense;
pub use embedding::{Embedding, Table};
#[cfg(feature = "fastgrnn")]
pub use fastgrnn::FastGrnn;
#[cfg(kilornn_gates)]
pub use gates::Begin;
#[cfg(all(kilornn_gates, not(kilornn_assembly)))]
pub(crate) use gates::{blocks, halves};
#[cfg(feature = "gru")]
pub use gru::{Gru, GruSum};
pub(crate) use incoming::Incoming;
pub use layer::{LAYERS, Layer, Layers};
#[cfg(feature = "lstm")]
pub use lstm::{Lstm, LstmSum};
#[cfg(all(any(feature = "gru", feature = "fastgrnn"), not(kilornn_assembly)))]
pub(crate) use share::Share;
#[cfg(not(kilornn_assembly))]
pub(crate) use simple_rnn::BLOCK;
pub use simple_rnn::{Order, SimpleRnn};
#[cfg(all(kilornn_gates, kilornn_assembly))]
pub(crate) use wide_tanh::{GATES, TANH};
#[cfg(kilornn_gates)]
pub use wide_tanh::{gate, wide_tanh};
