//! `kilornn device TARGET statistics`: the counters of the device since it started.

use anyhow::Result;
use kilornn_link::message::Statistics;
use serde::Serialize;

use super::{Session, shown};
use crate::numbers::grouped;

#[derive(Debug, Serialize)]
struct Report {
    bytes_received: u32,
    losses: u32,
    frames: u32,
    malformed: u32,
    oversized: u32,
    truncated: u32,
    refused: u32,
    texts: u32,
    longest_milliseconds: f64,
    most_sent_bytes: u32,
    /// What may arrive meanwhile at `baud`, sending included.
    longest_bytes: u64,
    baud: u32,
    stack_bytes: u32,
}

/// Shows the counters.
pub(super) fn run(session: &mut Session) -> Result<()> {
    let Statistics {
        bytes,
        losses,
        frames,
        malformed,
        oversized,
        truncated,
        refused,
        texts,
        longest,
        sent,
        stack,
    } = session.client.statistics()?;
    let longest = session.info.time(longest.into());
    // Ten bits a byte: eight, a start and a stop.
    // While a byte is sent, another may arrive.
    let working = (longest.as_secs_f64() * f64::from(session.baud) / 10.0).ceil() as u64;
    let arriving = working + u64::from(sent);
    let console = session.console;
    if !console.json {
        for (what, count) in [
            ("bytes received", bytes),
            ("times that bytes were lost", losses),
            ("frames understood", frames),
            ("  damaged", malformed),
            ("  too long", oversized),
            ("  without an end", truncated),
            ("requests refused", refused),
            ("texts classified", texts),
            ("bytes of stack in use at the deepest", stack),
        ] {
            console.say(format!("{:>12}  {what}", grouped(count as usize)))?;
        }
        console.say(format!(
            "{:>12}  the longest work between two looks at the input; with sending, {} bytes may arrive meanwhile at {} baud",
            shown(longest),
            grouped(arriving as usize),
            session.baud
        ))?;
    }
    console.conclude(&Report {
        bytes_received: bytes,
        losses,
        frames,
        malformed,
        oversized,
        truncated,
        refused,
        texts,
        longest_milliseconds: 1e3 * longest.as_secs_f64(),
        most_sent_bytes: sent,
        longest_bytes: arriving,
        baud: session.baud,
        stack_bytes: stack,
    })
}
