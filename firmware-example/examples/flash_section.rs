//! A model in its own part of the flash, which can be written without building the program again. Here QEMU loads it; for
//! a board there is `probe-rs download --binary-format bin --base-address 0x300000 model.kilo`.
//!
//! ```sh
//! cargo run --release --example flash_section -- \
//!     -device loader,file=../models/imdb-compact.kilo,addr=0x300000,force-raw=on
//! ```

#![no_std]
#![no_main]

use core::slice;

use cortex_m_rt::entry;
use kilornn::{Classifier, Error, Model, file};
use semihosting::process::ExitCode;
use semihosting::{eprintln, println};

// `boards.toml` says where that part begins and ends: it is where the firmware keeps models that are sent to it.
unsafe extern "C" {
    static _slots_start: u8;
    static _slots_end: u8;
}

/// All of that part of the flash.
fn model_flash() -> &'static [u8] {
    let (start, end) = (&raw const _slots_start, &raw const _slots_end);
    // SAFETY: these bytes are readable flash that the linker script gives to nothing else, and nothing writes them while
    // the program runs.
    unsafe { slice::from_raw_parts(start, end.addr() - start.addr()) }
}

fn classify() -> Result<(), Error> {
    let flash = model_flash();
    // If there is no model, or if it is longer than the flash, loading returns an error.
    let model = flash.get(..file::length(flash)?).unwrap_or(flash);
    let model = Model::from_bytes(model)?;
    let mut classifier: Classifier<64> = Classifier::new(&model)?;
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
