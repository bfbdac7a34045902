//! The whole application on simulated hardware.

mod common;
mod frames;
mod terminal;
mod update;
