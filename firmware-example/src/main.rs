//! A text classifier on a microcontroller.
//!
//! [`kilornn_app`] is the application and knows no board: it is generic over where text comes from, where answers go
//! and what can be measured. A file of `boards` is one board: its `main` wires [`drivers`] to the application.
//! The board, the model and the sizes of the buffers come from `build.rs`.

#![no_std]
#![no_main]
#![deny(unsafe_code)]

mod drivers;
mod model;

// `mod board`, in the file of src/boards that the feature names.
include!(concat!(env!("OUT_DIR"), "/board.rs"));
