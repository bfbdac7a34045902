//! Counts the instructions of the engine, in QEMU: `cargo xtask bench device` builds it for every board, runs
//! it and prints the table.
//!
//! The console gets one line of `name=value` for each figure. At the end comes what the host may trace ([`trace`]).
//! [`machine`] is what differs between processors: where the program starts and how it counts.

#![no_std]
#![no_main]
#![deny(unsafe_code)]

mod machine;
#[path = "../model.rs"]
mod model;

use core::hint::black_box;

use kilornn::text::{Tokenizer, WordHash, WordSink};
use kilornn::{Classifier, Model, State, Text, Values};
use semihosting::println;

use machine::Counter;
use model::{UNITS, WINDOW};

/// Sentences as people write them about films.
static TEXTS: &str = include_str!("texts.txt");

/// Steps of which the states are compared with the host's, and that are counted.
const STEPS: u32 = 128;

/// Steps that are counted of a model with so many bytes of weights in its kernels that a board's counter would wrap
/// around: a SysTick has 24 bits.
const FEW_STEPS: u32 = 16;
const LARGE: usize = 23_000;

/// Steps before the one or two that are traced: they bring the states from zero to what they usually are.
const BEFORE: u32 = 8;

/// Bytes of text that are traced.
const TRACED_TEXT: usize = 78;

/// From one word to the next: any number that is prime to the number of rows.
const STRIDE: u32 = 37;

/// Measures everything; called by the machine's `main`.
fn run(counter: &Counter) -> bool {
    let model = match load(file()) {
        Ok(model) => model,
        Err(error) => {
            println!("error: {error}");
            return false;
        }
    };
    // What it takes to make one is not counted.
    let mut state = match State::<UNITS>::zero(&model) {
        Ok(state) => state,
        Err(error) => {
            println!("error: {error}");
            return false;
        }
    };
    // FNV-1a over all states, by which the host sees that they are right.
    let (mut zeros, mut hash) = (0, 0x811C_9DC5u32);
    steps(&model, &mut state, STEPS, |state| {
        zeros += state.iter().filter(|&h| h == 0).count() as u64;
        // Of numbers of 8 bits one byte, of others two at once.
        let mask = if state.int8().is_some() { 0xFF } else { 0xFFFF };
        hash = state.iter().fold(hash, |hash, h| (hash ^ h as u32 & mask).wrapping_mul(0x0100_0193));
    });
    println!("states={hash}");
    let states = u64::from(STEPS) * u64::from(model.contents().units());
    println!("zeros_permille={}", (zeros * 1000 + states / 2) / states);
    let count = if is_large(&model) { FEW_STEPS } else { STEPS };
    let stepping = counter.instructions(|| steps(&model, &mut state, count, |_| {}));
    println!("step_tenths={}", tenths(stepping, count.into()));
    if model.contents().width() > 0 {
        let stepping = counter.instructions(|| steps_again(&model, &mut state, count));
        println!("frame_tenths={}", tenths(stepping, count.into()));
    }

    let tokenizing = counter.instructions(|| tokenize(&model, TEXTS));
    println!("byte_tenths={}", tenths(tokenizing, TEXTS.len() as u64));

    let mut classifier = match Classifier::new(&model) {
        Ok(classifier) => classifier,
        Err(error) => {
            println!("error: {error}");
            return false;
        }
    };
    let (mut classifying, mut words) = (0, 0);
    for text in TEXTS.lines() {
        classifying += counter.instructions(|| words += classify(&mut classifier, text));
    }
    println!("word_tenths={}", tenths(classifying, words.into()));

    let watched = machine::Watched::paint();
    if let Ok(model) = load(file())
        && let Ok(mut classifier) = Classifier::new(&model)
    {
        black_box(classify(&mut classifier, TEXTS));
    }
    println!("stack={}", watched.used());
    println!("ram={}", size_of::<Classifier<'_, UNITS, WINDOW>>());
    trace(&model, &mut state, &mut classifier);
    println!("done");
    true
}

/// The model file, which another may have replaced that is shorter.
fn file() -> &'static [u8] {
    let bytes = model::bytes();
    kilornn::file::length(bytes).ok().and_then(|length| bytes.get(..length)).unwrap_or(bytes)
}

/// Does again, with a mark on either side, what a host may want to trace: some steps, tokenizing, classifying, and a loop
/// that it knows. Of what is large, one step and one word.
fn trace(model: &Model<'_>, state: &mut State<UNITS>, classifier: &mut Classifier<'_, UNITS, WINDOW>) {
    let (count, bytes) = if is_large(model) { (1, 1) } else { (2, TRACED_TEXT) };
    let mut step = 0;
    steps(model, state, BEFORE + count, |_| {
        step += 1;
        if step == BEFORE || step == BEFORE + count {
            machine::mark();
        }
    });
    // The same text as above: a compiler that sees other texts makes other code.
    machine::traced(|| tokenize(model, TEXTS));
    let text = TEXTS.get(..bytes).unwrap_or(TEXTS);
    machine::traced(|| _ = classify(classifier, text));
    machine::known_loop();
}

#[inline(never)]
fn load(bytes: &'static [u8]) -> Result<Model<'static>, kilornn::Error> {
    Model::from_bytes(bytes)
}

/// Steps through words, from a state of zero; `observe` sees every state.
#[inline(never)]
fn steps(model: &Model<'_>, state: &mut State<UNITS>, count: u32, mut observe: impl FnMut(Values<'_>)) {
    let rows = model.contents().rows();
    state.set(&[]);
    let mut row = 0;
    for _ in 0..count {
        row += STRIDE;
        if row >= rows {
            row = row.saturating_sub(rows);
        }
        model.step(row, state);
        observe(state.values());
    }
    black_box(state.values());
}

/// Steps with numbers that are in the state's memory already, as a frame of a sensor's would be.
#[inline(never)]
fn steps_again(model: &Model<'_>, state: &mut State<UNITS>, count: u32) {
    for _ in 0..count {
        model.step_again(state);
    }
    black_box(state.values());
}

/// Whether a step of a model takes so long that few are counted.
fn is_large(model: &Model<'_>) -> bool {
    let contents = model.contents();
    // Of a SimpleRNN, rows of biases are most of the weights.
    contents.layers.simple_rnn().is_none()
        && contents.layers.iter().map(|layer| layer.weights().len()).sum::<usize>() > LARGE
}

/// Reads words and hashes them, which is all that comes before they are looked up.
#[inline(never)]
fn tokenize(model: &Model<'_>, text: &str) {
    struct Hashes(u32, WordHash);

    impl WordSink for Hashes {
        fn char(&mut self, c: char) {
            self.1.char(c);
        }
        fn ascii(&mut self, byte: u8) {
            self.1.byte(byte);
        }
        fn end(&mut self) {
            let hash = core::mem::replace(&mut self.1, WordHash::new(self.0));
            black_box(hash.finish());
        }
    }

    let Some(&Text { vocabulary, normalization, .. }) = model.contents().text() else { return };
    let mut hashes = Hashes(vocabulary.seed, WordHash::new(vocabulary.seed));
    let mut tokenizer = Tokenizer::new(normalization);
    tokenizer.push(text.as_bytes(), &mut hashes);
    tokenizer.finish(&mut hashes);
}

/// Classifies a text; returns its words.
#[inline(never)]
fn classify(classifier: &mut Classifier<'_, UNITS, WINDOW>, text: &str) -> u32 {
    classifier.push(text);
    let prediction = black_box(classifier.finish());
    prediction.words()
}

/// A quotient with one decimal, without floats: rounded half up, as an integer ten times as large.
fn tenths(total: u64, count: u64) -> u64 {
    (total * 20 + count).checked_div(2 * count).unwrap_or(0)
}
