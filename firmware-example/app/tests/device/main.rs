//! The whole application on a board that is simulated: what arrives is a list of bytes, the flash knows power cuts.

mod frames;
mod lines;
mod simulated;
mod update;
