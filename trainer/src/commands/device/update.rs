//! `kilornn device TARGET update` and `restart`: another model onto the device.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use kilornn_host::compare;
use kilornn_link::message;
use serde::Serialize;

use super::{Session, info, shown};
use crate::commands::{parse_model, read_model};
use crate::error::InputError;
use crate::fit::{Interrupt, Interrupted};
use crate::numbers::grouped;
use crate::progress;

/// Send another model to the device, which runs it from then on
///
/// The model goes into a part of the flash that the running one is not in. The device checks it as a whole before it
/// takes it for the newest, then starts anew. So whatever ends this early (Ctrl-C, a cable, a power cut), the device runs
/// the model that it had; then simply do it again. In QEMU the new model lasts as long as this command.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model: a .kilo file, or the folder of a run
    model: PathBuf,
    /// Its revision, which must be higher than the newest on the device [default: the next]
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Leave the device running as it is: the model runs from its next start on
    #[arg(long)]
    no_restart: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    bytes: usize,
    checksum: String,
    revision: u32,
    seconds: f64,
    restarted: bool,
    model: Option<info::Running>,
}

/// Updates.
pub(super) fn run(args: &Args, open: impl FnOnce() -> Result<Session>) -> Result<()> {
    let (path, bytes) = read_model(&args.model)?;
    let model = parse_model(&path, &bytes)?;
    let mut session = open()?;
    let console = session.console;
    session
        .info
        .fits(&model, bytes.len())
        .map_err(|reason| InputError::in_file(&path, format!("{reason} ({})", session.info.board)))?;

    let begun = Instant::now();
    let interrupt = Interrupt::listen()?;
    let progress = progress::bar(session.target.as_str(), bytes.len(), "bytes");
    let sent = session.client.update(&bytes, args.revision, |done| -> Result<()> {
        progress.set_position(done as u64);
        Ok(interrupt.check()?)
    });
    progress.finish_and_clear();
    if sent.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
        eprintln!("interrupted: the device goes on with the model that it had");
    }
    let revision = sent?;
    let seconds = begun.elapsed().as_secs_f64();
    console.say(format!(
        "{}: {} bytes are in the flash as revision {revision}, after {seconds:.1} s",
        path.display(),
        grouped(bytes.len())
    ))?;
    if args.no_restart {
        console.say("the device runs it from its next start on")?;
    } else {
        session.info = session.client.restart()?;
        compare::runs(&session.info, &bytes)?;
        console.say(format!("the device runs it: {}", info::described(&session.info)))?;
    }
    let labels = session.client.labels(&session.info)?;
    console.conclude(&Report {
        bytes: bytes.len(),
        checksum: format!("{:08x}", message::checksum(&bytes)),
        revision,
        seconds,
        restarted: !args.no_restart,
        model: session.info.model.as_ref().map(|model| info::Running::new(model, labels)),
    })
}

/// Starts the device anew.
pub(super) fn restart(session: &mut Session) -> Result<()> {
    let begun = Instant::now();
    session.info = session.client.restart()?;
    let time = begun.elapsed();
    session.console.say(format!(
        "answers again after {}; model: {}",
        shown(time),
        info::described(&session.info)
    ))?;
    let labels = session.client.labels(&session.info)?;
    session.console.conclude(&serde_json::json!({
        "seconds": time.as_secs_f64(),
        "model": session.info.model.as_ref().map(|model| info::Running::new(model, labels)),
    }))
}
