//! A program that calls all of the runtime that a firmware can call, and nothing else: no board, no model.
//!
//! It is never run. `cargo xtask engine` links it, measures its size and checks that nothing in it can panic. The compiler
//! knows no input, so that it evaluates no check at compile time.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use kilornn::{Classifier, Error, Model};

/// A model and a text, of which the compiler knows neither contents nor length.
static BYTES: [u8; 0] = [];

/// The function from which the linker collects what is needed.
#[unsafe(no_mangle)]
extern "C" fn engine() -> bool {
    black_box(run(black_box(&BYTES))).is_ok()
}

fn run(bytes: &[u8]) -> Result<(), Error> {
    let model = Model::from_bytes(bytes)?;
    black_box((model.classes(), model.label(black_box(0))));
    let mut classifier: Classifier<100, 100> = Classifier::new(&model)?;
    classifier.push(black_box(bytes));
    black_box(classifier.state());
    if black_box(false) {
        classifier.reset();
    }
    #[cfg(feature = "panics")]
    black_box(bytes[black_box(7)]);
    let prediction = classifier.finish();
    black_box((prediction.class(), prediction.label(), prediction.words(), prediction.known_words()));
    #[cfg(feature = "scores")]
    black_box((prediction.score(), prediction.probability(black_box(0))));
    prediction.logits().for_each(|logit| {
        black_box(logit);
    });
    #[cfg(feature = "session")]
    session(&model, bytes)?;
    Ok(())
}

/// The same in memory of any size.
#[cfg(feature = "session")]
fn session(model: &Model<'_>, text: &[u8]) -> Result<(), Error> {
    let mut workspace = [0; 1000];
    let workspace = workspace.get_mut(..black_box(model.workspace())).unwrap_or_default();
    let mut session = kilornn::Session::new(model, workspace)?;
    session.push(black_box(text));
    black_box(session.state());
    if black_box(false) {
        session.reset();
    }
    black_box(session.finish().class());
    black_box(session.last().map(|prediction| prediction.class()));
    Ok(())
}

/// The linker drops it if nothing can panic. It is never inlined, so that it can be found by its name.
#[panic_handler]
#[inline(never)]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        black_box(());
    }
}
