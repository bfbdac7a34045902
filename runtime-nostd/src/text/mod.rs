//! From text to rows of the embedding: bytes -> characters -> words -> slots of the vocabulary.

#[cfg(feature = "unicode")]
mod lowercase;
mod normalize;
mod tokenizer;
mod utf8;
mod vocabulary;

pub use normalize::{AsciiSet, Lowercase, Normalization, Unit};
pub use tokenizer::{Tokenizer, WordSink};
pub use utf8::Utf8Decoder;
pub use vocabulary::{Vocabulary, WordHash};
