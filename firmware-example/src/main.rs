//! A text classifier on a microcontroller.
//!
//! [`kilornn_app`] is the application, which is generic over serial line, clock, display and flash. The module `board`
//! is a file of `src/boards` that `build.rs` chooses; its `main` puts [`drivers`] together and runs the application with
//! them. `build.rs` also chooses the model and the capacity of the classifier.

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

/// Runs the application for ever: when it ends, it begins again.
#[cfg(not(feature = "semihosting"))]
fn run_for_ever(mut hardware: Hardware<impl Serial, impl Meter, impl Display, impl Slot>) -> ! {
    loop {
        match kilornn_app::run::<{ model::UNITS }, { model::WINDOW }>(&mut hardware, model::bytes()) {
            Ended::Closed => {}
            Ended::Restart => drivers::processor::restart(),
        }
    }
}
