//! `kilornn device`: everything that is done with a device over its serial line.

mod bench;
mod classify;
mod info;
mod statistics;
mod update;
mod validate;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use kilornn_host::Emulation;
use kilornn_host::client::{Client, Info, Patience};
use kilornn_host::cost::Cost;
use kilornn_host::line::Line;
use kilornn_host::port::Port;
use kilornn_host::prediction::Measured;
use kilornn_host::qemu::Qemu;

use super::Console;
use super::firmware::Firmware;
use crate::error::InputError;

/// Talk to a device: what it is, texts to it, another model onto it.
///
/// TARGET is a serial port (/dev/ttyACM0, COM3) or qemu:BOARD, which builds the firmware and runs
/// it in QEMU.
///
///   kilornn device /dev/ttyACM0 info
///   kilornn device /dev/ttyACM0 classify "not bad at all"
///   kilornn device /dev/ttyACM0 update runs/mine
///   kilornn device /dev/ttyACM0 validate runs/mine mydata
///   kilornn device qemu:microbit bench
///
/// A person can type texts into the same port with any terminal, as `screen /dev/ttyACM0 115200`
/// or `picocom -b 115200 /dev/ttyACM0`; only one program at a time can have a port open.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, subcommand_value_name = "ACTION", subcommand_help_heading = "Actions")]
pub struct Args {
    /// A serial port, or qemu:BOARD
    target: String,
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
struct Connection {
    /// Bits a second on the serial port (QEMU's line has no speed)
    #[arg(long, value_name = "RATE", default_value_t = 115_200, global = true, value_parser = clap::value_parser!(u32).range(1..))]
    baud: u32,
    /// For qemu:BOARD: the model to build in, a .kilo file or the folder of a run [default: the board's, or the one to validate]
    // Not `model`, which is the id of what actions call MODEL.
    #[arg(id = "built_in", long = "model", value_name = "FILE", global = true)]
    built_in: Option<PathBuf>,
    #[command(flatten)]
    firmware: Firmware,
    /// Print one JSON object on standard output
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what device this is, how large a model may be, and which model runs
    ///
    /// Room is what the firmware was built for: units are the hidden units (and the numbers of a word, where the embedding
    /// is not folded) that a model may have, remembered words those that it may need before its first step (maxlen, where
    /// the last words count). The checksum tells models apart: `update` and `validate` compare it.
    Info,
    Classify(classify::Args),
    Validate(validate::Args),
    Bench(bench::Args),
    /// Show what has happened on the device since it started
    ///
    /// Frames that were damaged, too long or cut short are no fault of the device: noise, a loose cable, or a wrong --baud.
    /// Losses are: then it was busy while more arrived than it can hold. The longest stretch between two looks at the
    /// input says how much that must be.
    Statistics,
    Update(update::Args),
    /// Start the device anew, with the newest model in its flash
    Restart,
}

/// Runs `kilornn device`.
pub fn run(args: &Args) -> Result<()> {
    let to_build = match &args.action {
        Action::Validate(validate) => Some(validate.model()),
        _ => None,
    };
    let open = || Session::open(&args.target, &args.connection, to_build);
    match &args.action {
        Action::Info => info::run(&mut open()?),
        Action::Classify(args) => classify::run(args, open),
        Action::Validate(args) => validate::run(args, open),
        Action::Bench(args) => bench::run(args, open),
        Action::Statistics => statistics::run(&mut open()?),
        Action::Update(args) => update::run(args, open),
        Action::Restart => update::restart(&mut open()?),
    }
}

/// A device that answers.
struct Session {
    client: Client,
    info: Info,
    target: String,
    /// How QEMU emulates the device, if it does.
    emulation: Option<Emulation>,
    /// Bits a second of the serial port; in QEMU, of the port that its line stands for.
    baud: u32,
    console: Console,
}

impl Session {
    fn open(target: &str, connection: &Connection, to_build: Option<&Path>) -> Result<Self> {
        let console = Console { json: connection.json };
        let baud = connection.baud;
        let (line, emulation): (Box<dyn Line>, _) = match target.strip_prefix("qemu:") {
            Some(board) => {
                let on = connection.firmware.on(board)?;
                let model = match connection.built_in.as_deref().or(to_build) {
                    Some(model) => super::read_model(model)?.0,
                    None => on.default_model(),
                };
                eprintln!("building the firmware for {} with {}", on.board.name, model.display());
                let elf = on.build(&model)?;
                (Box::new(Qemu::start(&on.emulation, &elf)?), Some(on.emulation))
            }
            None if connection.built_in.is_some() => {
                let reason = "--model is for qemu:BOARD; `update` sends a model to a device";
                return Err(InputError::new(reason).into());
            }
            None => {
                let port = Port::open(target, baud).map_err(|error| InputError::new(error.to_string()))?;
                (Box::new(port), None)
            }
        };
        let mut client = Client::new(line, Patience::default());
        let info = match &emulation {
            Some(_) => client.first_info(),
            None => client.info(),
        };
        let info = info.with_context(|| match &emulation {
            Some(emulation) => format!("{target} ({} {})", emulation.program, emulation.machine),
            None => format!("{target} at {baud} baud"),
        })?;
        Ok(Self { client, info, target: target.to_owned(), emulation, baud, console })
    }

    /// Classes of the model that runs; fails if none does.
    fn classes(&self) -> Result<u32> {
        let model =
            self.info.model.context("the device has no model to classify with: `update` sends one")?;
        Ok(model.classes)
    }

    /// The time that these texts took.
    fn cost(&self, answers: &[Measured]) -> Cost {
        Cost::of(answers, &self.info, self.emulation.as_ref())
    }

    /// Instructions in so many ticks, which are known only in QEMU.
    fn instructions(&self, ticks: u64) -> Option<u64> {
        Some(self.emulation.as_ref()?.instructions(ticks, self.info.ticks_per_second))
    }
}

/// A duration for a person.
fn shown(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 10.0 => format!("{seconds:.1} s"),
        seconds if seconds >= 0.001 => format!("{:.2} ms", 1e3 * seconds),
        seconds => format!("{:.1} us", 1e6 * seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let of = |seconds| shown(Duration::from_secs_f64(seconds));
        assert_eq!(
            [of(12.34), of(1.5), of(0.001), of(0.000_012_3)],
            ["12.3 s", "1500.00 ms", "1.00 ms", "12.3 us"]
        );
    }
}
