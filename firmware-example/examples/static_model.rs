//! A model that is part of the program.
//!
//! ```sh
//! cargo run --release --example static_model
//! ```

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use cortex_m_rt::entry;
use kilornn::{Classifier, Error, Model};
use semihosting::process::ExitCode;
use semihosting::{eprintln, println};

/// In flash, where every core can read it.
static MODEL: &[u8] = kilornn::include_model!("../../models/imdb-compact.kilo");

fn classify() -> Result<(), Error> {
    let model = Model::from_bytes(MODEL)?;
    let mut classifier: Classifier<16> = Classifier::new(&model)?;
    for text in ["A wonderful film, I loved every minute.", "Dull, slow and far too long."] {
        classifier.push(text);
        println!("{}: {text}", classifier.finish().label());
    }
    Ok(())
}

#[entry]
fn main() -> ! {
    match classify() {
        Ok(()) => ExitCode::SUCCESS.exit_process(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE.exit_process()
        }
    }
}
