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

#[cfg(not(feature = "semihosting"))]
use kilornn_app::Ended;
#[cfg(not(feature = "semihosting"))]
use kilornn_app::hardware::{Display, Hardware, Meter, Serial, Slot};

// The board's module and name.
include!(concat!(env!("OUT_DIR"), "/board.rs"));

/// Runs the application on a board that nobody waits for to end: what ends it begins it again.
#[cfg(not(feature = "semihosting"))]
fn run_for_ever(mut hardware: Hardware<impl Serial, impl Meter, impl Display, impl Slot>) -> ! {
    loop {
        match kilornn_app::run::<{ model::UNITS }, { model::WINDOW }>(&mut hardware, model::bytes()) {
            Ended::Closed => {}
            Ended::Restart => drivers::processor::restart(),
        }
    }
}
