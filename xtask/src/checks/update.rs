//! New models over the serial line, with the reset button pressed at every moment.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use kilornn_host::client::Failure;
use kilornn_link::frame::CHUNK;
use kilornn_link::message::{Request, Response, RunningModel, Source, Update, checksum};

use super::Bench;
use crate::labelled::differences;
use crate::process;
use crate::report::Outcome;
use crate::sentences::SENTENCES;
use crate::terminal::Terminal;

/// The smallest model that is shipped, so that there are not too many moments.
const NEW: &str = "models/imdb-8k.kilo";

/// Sends a model in as many messages as it takes; before the answer to each, the board is reset, and must come up with
/// the old model. Then once without a reset, and it must come up with the new one.
pub(super) fn resets(bench: &Bench<'_>) -> Result<Outcome> {
    let file = file()?;
    let requests = requests(&file);
    let announced = announced(&file);
    if bench.board.memory.slots.is_none() {
        let mut terminal = bench.terminal()?;
        return match terminal.client().request(Request::Update(announced), |_| Some(())) {
            Err(Failure::Refused { refusal, .. }) => {
                println!("    this board's flash is not written, and it says so: {refusal:?}");
                Ok(Outcome::Passed)
            }
            other => bail!("a board without slots answers {other:?}"),
        };
    }
    let mut terminal = Terminal::start_with_control(bench.emulation()?, &bench.elf)?;
    let old = model(&mut terminal)?;
    ensure!(old.source == Source::BuiltIn && old.checksum != announced.checksum, "{old:?}");
    for moment in 0..=requests.len() {
        let (sent, rest) = requests.split_at(moment);
        for &request in sent {
            taken(&mut terminal, request)?;
        }
        // The board is reset while this request is on its way or being worked on, or before it is read.
        if let Some(&request) = rest.first() {
            let bytes = terminal.client().encode(request)?;
            terminal.send(&bytes)?;
        }
        terminal.reset()?;
        terminal.wait_for("\n> ").with_context(|| format!("after a reset at message {moment}"))?;
        let found = model(&mut terminal)?;
        ensure!(found == old, "after a reset at message {moment} of {}: {found:?}", requests.len());
    }
    for &request in &requests {
        taken(&mut terminal, request)?;
    }
    // Whether the last message came before the reset or after it: the old model or the new one.
    let bytes = terminal.client().encode(Request::Commit)?;
    terminal.send(&bytes)?;
    terminal.reset()?;
    terminal.wait_for("\n> ")?;
    let found = model(&mut terminal)?;
    ensure!(found == old || found.checksum == announced.checksum, "{found:?}");
    // And without a reset.
    let revision = send(&mut terminal, &file)?;
    terminal
        .client()
        .request(Request::Restart, |response| matches!(response, Response::Restarting).then_some(()))?;
    terminal.wait_for("\n> ")?;
    let found = model(&mut terminal)?;
    let is_new = found.checksum == announced.checksum
        && matches!(found.source, Source::Slot { revision: found, .. } if found == revision);
    ensure!(is_new, "after the update {found:?} runs");
    let texts = SENTENCES.map(str::to_owned);
    for (text, host) in texts.iter().zip(bench.trainer.predict(&process::root().join(NEW), &texts)?) {
        let (board, _) = terminal.classify(text.as_bytes())?;
        let found = differences(&host, &board);
        ensure!(found.is_empty(), "{text:?}: {}", found.join("; "));
    }
    println!("    {} resets: the old model or the new one each time", requests.len() + 2);
    Ok(Outcome::Passed)
}

/// The model that is sent.
pub(super) fn file() -> Result<Vec<u8>> {
    let path = process::root().join(NEW);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The announcement of it, which is the first request of an update.
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
pub(super) fn send(terminal: &mut Terminal, file: &[u8]) -> Result<u32> {
    terminal.client().update(file, None, |_| Ok(()))
}

/// The model that runs.
fn model(terminal: &mut Terminal) -> Result<RunningModel> {
    terminal.client().info()?.model.context("no model runs")
}

/// Sends a request that must be taken.
fn taken(terminal: &mut Terminal, request: Request<'_>) -> Result<()> {
    let read = |response: Response<'_>| matches!(response, Response::Received { .. }).then_some(());
    Ok(terminal.client().request(request, read)?)
}
