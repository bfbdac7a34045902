//! Checks of every board that QEMU has, with the model that the board ships with.

use anyhow::{Result, bail, ensure};
use kilornn_host::boards::Memory;
use kilornn_host::client::Failure;
use kilornn_link::frame::FRAME;
use kilornn_link::message::{Refusal, Request};

use super::{Bench, Check, compare, imdb, update};
use crate::firmware::Size;
use crate::labelled::Labelled;
use crate::process;
use crate::report::Outcome;
use crate::sentences::SENTENCES;
use crate::terminal::Terminal;

const LINES: Check = ("lines, as a person types them", lines);
const MEMORY: Check = ("stack and variables are within their marks", memory);

/// All of them, in the order in which they run.
pub(crate) const EVERYWHERE: [Check; 6] = [
    LINES,
    ("frames, and hostile ones", frames),
    ("nothing is lost at full speed", full_speed),
    ("real texts are answered like the host, to the logit", real_texts),
    ("a new model, and resets at every moment", update::resets),
    MEMORY,
];

/// The checks that depend on the core, for boards that differ from another board only in their core.
pub(crate) const OTHER_CORES: [Check; 3] =
    [LINES, MEMORY, ("a real data set is answered like the host, to the logit", real_data_set)];

/// Bytes that wait while the application is at work: what the firmware's queue has room for.
const QUEUE: u64 = 511;

/// Bytes that arrive in a second at 115,200 baud: ten bits each.
const BYTES_PER_SECOND: u64 = 11_520;

/// The most stack that may be in use.
const STACK: u64 = 4_800;

/// The most variables there may be.
const VARIABLES: u64 = 3_200;

/// Texts of real data that are compared.
const TEXTS: usize = 200;

fn lines(bench: &Bench<'_>) -> Result<Outcome> {
    let mut terminal = Terminal::launch(bench.emulation()?, &bench.elf)?;
    let greeting = terminal.wait_for("\n> ")?;
    let expected = format!("KiloRNN {} on {}, model: ", env!("CARGO_PKG_VERSION"), bench.board.name);
    ensure!(greeting.contains(&expected), "the board greets with {greeting:?}");

    let texts = SENTENCES.map(str::to_owned);
    let host = bench.trainer.predict(&bench.model, &texts)?;
    let answer = |index: usize| {
        let Labelled { label, prediction } = &host[index];
        (format!("{label} "), format!(" ({} words, ", prediction.words))
    };
    let is = |said: &str, index: usize| {
        let (label, words) = answer(index);
        said.starts_with(&label) && said.contains(&words) && said.ends_with(" ms)")
    };
    for (index, text) in texts.iter().enumerate() {
        let said = terminal.type_line(text.as_bytes())?;
        ensure!(is(&said, index), "{text:?} is answered {said:?}");
    }
    // A slip of the keys, and second thoughts.
    let [first, second, ..] = &texts;
    for typed in [
        format!("{}xx\x7f\x7f{}", &first[..10], &first[10..]),
        format!("{second}\x15{first}"),
        format!("\x1b[A{first}\x1b[D"),
    ] {
        terminal.send(typed.as_bytes())?;
        terminal.send(b"\r")?;
        // Ctrl-U shows a new prompt before the line that counts.
        terminal.wait_for(first)?;
        terminal.wait_for("\n")?;
        let said = terminal.wait_for("\n> ")?;
        ensure!(is(said.trim_end_matches("\n> "), 0), "{typed:?} is answered {said:?}");
    }
    let help = terminal.type_line(b"help")?;
    ensure!(help.contains("Backspace"), "help says {help:?}");
    let info = terminal.type_line(b"info")?;
    ensure!(info.contains("class 1: ") && info.contains("lost some 0 times"), "info says {info:?}");
    // Line ends of every kind, and empty lines: one answer each.
    for end in ["\r\n", "\n\r\n\n", "\r"] {
        terminal.send(format!("{first}{end}").as_bytes())?;
        terminal.wait_for(first)?;
        let said = terminal.wait_for(" ms)")?;
        ensure!(is(said.trim_start(), 0), "with the line end {end:?}: {said:?}");
    }
    Ok(Outcome::Passed)
}

fn frames(bench: &Bench<'_>) -> Result<Outcome> {
    let mut terminal = bench.terminal()?;
    let valid = terminal.client().encode(Request::Info)?;
    let mut flipped = valid.clone();
    flipped[4] ^= 0x20;
    let mut oversized = vec![0];
    oversized.resize(10 * FRAME, 0x55);
    let interleaved = [&valid[..4], &valid, &valid[4..]].concat();
    // Every byte value, zeros more often than others.
    let mut random = fastrand::Rng::with_seed(1);
    let noise: Vec<u8> = (0..20_000).map(|_| if random.u8(..16) == 0 { 0 } else { random.u8(..) }).collect();
    let garbage: [(&str, &[u8]); 7] = [
        ("a flipped bit", &flipped),
        ("a frame that is cut short", &valid[..5]),
        ("a frame that is too long", &oversized),
        ("a frame within a frame", &interleaved),
        ("zeros", &[0; 1000]),
        ("half a line", b"What a wonder"),
        ("noise", &noise),
    ];
    let mut frames = 0;
    for (what, bytes) in garbage {
        terminal.send(bytes)?;
        // What a host sends again has one more zero before it.
        terminal.send(&[0])?;
        let statistics = terminal.client().statistics()?;
        ensure!(statistics.frames > frames, "after {what}: {statistics:?}");
        frames = statistics.frames;
    }
    let counted = terminal.client().statistics()?;
    ensure!(counted.malformed >= 3 && counted.oversized >= 1, "damage is counted: {counted:?}");
    ensure!(counted.losses == 0, "nothing is lost: {counted:?}");
    // Wrong requests are refused, and the link goes on.
    for (request, refusal) in [
        (Request::Scores { first: 0 }, Refusal::NotClassified),
        (Request::Text { offset: 7, bytes: b"x" }, Refusal::Offset { received: 0 }),
        (Request::Label { class: 1_000_000 }, Refusal::Class { classes: 2 }),
        (Request::Commit, Refusal::NoUpdate),
    ] {
        match terminal.client().request(request, |_| Some(())) {
            Err(Failure::Refused { refusal: found, .. }) if found == refusal => {}
            other => bail!("{request:?} has the response {other:?}"),
        }
    }
    println!("    {counted:?}");
    drop(terminal);
    compare(bench, &SENTENCES.map(str::to_owned))
}

/// One long line, sent as fast as QEMU takes it, and a calculation for a real line, which does not wait.
fn full_speed(bench: &Bench<'_>) -> Result<Outcome> {
    let text = SENTENCES.join(" ").repeat(80);
    let host = bench.trainer.predict(&bench.model, std::slice::from_ref(&text))?;
    let mut terminal = bench.terminal()?;
    let before = terminal.client().statistics()?;
    let said = terminal.type_line(text.as_bytes())?;
    let after = terminal.client().statistics()?;
    let expected = format!(" ({} words, ", host[0].prediction.words);
    ensure!(said.contains(&expected) && said.starts_with(&host[0].label), "{} bytes: {said:?}", text.len());
    ensure!(after.losses == 0 && after.texts == before.texts + 1, "{after:?}");
    ensure!(after.bytes - before.bytes > text.len() as u32, "bytes are missing: {before:?}, {after:?}");
    // On a real line bytes arrive whether or not they are awaited. What comes during the longest work, and while as
    // much is sent as ever was, must fit into the queue; and on the whole, a byte must take less time than the next one.
    let hertz = u64::from(terminal.client().info()?.ticks_per_second);
    let (_, ticks) = terminal.classify(text.as_bytes())?;
    let waiting = u64::from(after.longest) * BYTES_PER_SECOND / hertz + u64::from(after.sent) + 1;
    let busy = ticks * BYTES_PER_SECOND * 100 / (hertz * text.len() as u64);
    println!(
        "    {} bytes; at 115,200 baud, {waiting} of {QUEUE} bytes wait during the longest work, and classifying takes \
         {busy} % of the time",
        text.len()
    );
    ensure!(waiting <= QUEUE && busy < 90, "at 115,200 baud this board could lose bytes");
    Ok(Outcome::Passed)
}

/// All logits of some hundred real texts.
fn real_texts(bench: &Bench<'_>) -> Result<Outcome> {
    let data = imdb().unwrap_or_else(|| bench.trainer.starter_data());
    bench.trainer.validate(&bench.board.name, &bench.model, &data, TEXTS)?;
    Ok(Outcome::Passed)
}

/// All logits of a whole test part, which an emulated board reads from a file of the host.
fn real_data_set(bench: &Bench<'_>) -> Result<Outcome> {
    let real = process::root().join("../shared/data/snips");
    let (model, data) = match real.is_dir() {
        true => (process::root().join("models/snips.kilo"), real),
        false => (bench.model.clone(), bench.trainer.starter_data()),
    };
    let found = bench.trainer.evaluate(&model, &data, &bench.board.name)?;
    println!("    {} texts: {} differ from the host's", found.examples, found.mismatches);
    ensure!(found.mismatches == 0 && found.examples > 500, "{found:?}");
    Ok(Outcome::Passed)
}

fn memory(bench: &Bench<'_>) -> Result<Outcome> {
    let mut terminal = bench.terminal()?;
    terminal.type_line(b"info")?;
    terminal.classify(SENTENCES.join(" ").as_bytes())?;
    // The deepest of all: a model is checked while another one runs.
    if bench.board.memory.slots.is_some() {
        update::send(&mut terminal, &update::file()?)?;
    }
    let stack = u64::from(terminal.client().statistics()?.stack);
    let variables = Size::of(&bench.elf)?.ram;
    let Memory { ram, .. } = bench.board.memory;
    println!("    {stack} bytes of stack and {variables} of variables, of {}", ram.length);
    ensure!(stack <= STACK, "{stack} bytes of stack are in use, more than {STACK}");
    ensure!(variables <= VARIABLES, "{variables} bytes of variables, more than {VARIABLES}");
    ensure!(stack + variables <= ram.length, "the RAM does not suffice");
    Ok(Outcome::Passed)
}
