//! New models over the serial line, with the reset button pressed at every moment.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use kilornn_link::frame::CHUNK;
use kilornn_link::message::{Request, Response, RunningModel, Source, Update, checksum};

use super::{Bench, SENTENCES};
use crate::machine::{Machine, encode};
use crate::process;
use crate::report::Outcome;

/// The smallest model that is shipped, so that there are not too many moments.
const NEW: &str = "models/imdb-8k.kilo";

/// Sends a model in as many messages as it takes; before the answer to each, the board is reset, and must come up with
/// the old model. Then once without a reset, and it must come up with the new one.
pub(super) fn resets(bench: &Bench<'_>) -> Result<Outcome> {
    let file = file()?;
    let requests = requests(&file);
    let announced = announced(&file);
    if bench.board.memory.slots.is_none() {
        let mut machine = Machine::start(&bench.board, &bench.elf)?;
        return machine.request(Request::Update(announced), |response| match response {
            Response::Refused(refusal) => {
                println!("    this board's flash is not written, and it says so: {refusal:?}");
                Ok(Outcome::Passed)
            }
            other => bail!("a board without slots answers {other:?}"),
        });
    }
    let mut machine = Machine::start_with_control(&bench.board, &bench.elf)?;
    let old = model(&mut machine)?;
    ensure!(old.source == Source::BuiltIn && old.checksum != announced.checksum, "{old:?}");
    for moment in 0..=requests.len() {
        let (sent, rest) = requests.split_at(moment);
        for &request in sent {
            taken(&mut machine, request)?;
        }
        // On its way, or at work, or not at all.
        if let Some(&request) = rest.first() {
            machine.send(&encode(0xFFFF, request)?)?;
        }
        machine.reset()?;
        machine.wait_for("\n> ").with_context(|| format!("after a reset at message {moment}"))?;
        let found = model(&mut machine)?;
        ensure!(found == old, "after a reset at message {moment} of {}: {found:?}", requests.len());
    }
    for &request in &requests {
        taken(&mut machine, request)?;
    }
    // Whether the last message came before the reset or after it: the old model or the new one.
    machine.send(&encode(0xFFFF, Request::Commit)?)?;
    machine.reset()?;
    machine.wait_for("\n> ")?;
    let found = model(&mut machine)?;
    ensure!(found == old || found.checksum == announced.checksum, "{found:?}");
    // And without a reset.
    let revision = send(&mut machine, &file)?;
    machine.request(Request::Restart, |response| match response {
        Response::Restarting => Ok(()),
        other => bail!("{other:?}"),
    })?;
    machine.wait_for("\n> ")?;
    let found = model(&mut machine)?;
    let is_new = found.checksum == announced.checksum
        && matches!(found.source, Source::Slot { revision: found, .. } if found == revision);
    ensure!(is_new, "after the update {found:?} runs");
    let texts = SENTENCES.map(str::to_owned);
    for (text, host) in texts.iter().zip(bench.trainer.predict(&process::root().join(NEW), &texts)?) {
        let differences = machine.classify(text.as_bytes())?.differences(&host);
        ensure!(differences.is_empty(), "{text:?}: {}", differences.join("; "));
    }
    println!("    {} resets: the old model or the new one each time", requests.len() + 2);
    Ok(Outcome::Passed)
}

/// The model that is sent.
pub(super) fn file() -> Result<Vec<u8>> {
    let path = process::root().join(NEW);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// What is said of it beforehand.
fn announced(file: &[u8]) -> Update {
    Update { length: file.len() as u32, checksum: checksum(file), revision: None }
}

/// All requests of an update but the last.
fn requests(file: &[u8]) -> Vec<Request<'_>> {
    let pieces = file.chunks(CHUNK).enumerate();
    let pieces = pieces.map(|(index, bytes)| Request::Piece { offset: (index * CHUNK) as u32, bytes });
    [Request::Update(announced(file))].into_iter().chain(pieces).collect()
}

/// Sends a model; its revision.
pub(super) fn send(machine: &mut Machine, file: &[u8]) -> Result<u32> {
    for request in requests(file) {
        taken(machine, request)?;
    }
    machine.request(Request::Commit, |response| match response {
        Response::Updated { revision } => Ok(revision),
        other => bail!("{other:?}"),
    })
}

/// The model that runs.
fn model(machine: &mut Machine) -> Result<RunningModel> {
    machine.request(Request::Info, |response| match response {
        Response::Info(info) => info.model.context("no model runs"),
        other => bail!("{other:?}"),
    })
}

/// Sends a request that must be taken.
fn taken(machine: &mut Machine, request: Request<'_>) -> Result<()> {
    machine.request(request, |response| match response {
        Response::Received { .. } => Ok(()),
        other => bail!("{other:?}"),
    })
}
