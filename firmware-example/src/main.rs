//! A text classifier on a microcontroller.
//!
//! [`kilornn_app`] is the application and knows no board: it is generic over where text comes from, where answers go,
//! what can be measured and where models are kept. The module `board` is one file of `src/boards`, which `build.rs`
//! chose: its `main` wires [`drivers`] to the application. The model and the sizes of the buffers come from `build.rs`,
//! too.

#![no_std]
#![no_main]
#![deny(unsafe_code)]

mod drivers;
mod model;

// The board's module and name.
include!(concat!(env!("OUT_DIR"), "/board.rs"));
