//! One module a board, chosen by a feature of the same name.

#[cfg(feature = "mps2-an386")]
mod mps2_an386;
