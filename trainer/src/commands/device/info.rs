//! `kilornn device TARGET info`: which device and which model this is.

use anyhow::Result;
use kilornn_host::client::Info;
use kilornn_link::message::{RunningModel, Source};
use serde::Serialize;

use super::Session;
use crate::numbers::grouped;

#[derive(Debug, Serialize)]
struct Report<'a> {
    target: &'a str,
    board: &'a str,
    firmware: &'a str,
    ticks_per_second: u32,
    room_units: u32,
    room_window: u32,
    /// Zero where no model can be sent.
    room_bytes: u32,
    model: Option<Running>,
}

/// The model that runs.
#[derive(Debug, Serialize)]
pub(super) struct Running {
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    bytes: u32,
    checksum: String,
    units: u32,
    vocabulary_slots: u32,
    logit_scale: f32,
    labels: Vec<String>,
}

impl Running {
    pub(super) fn new(model: &RunningModel, labels: Vec<String>) -> Self {
        let (source, slot, revision) = match model.source {
            Source::BuiltIn => ("built in", None, None),
            Source::Slot { index, revision } => ("slot", Some(index), Some(revision)),
        };
        Self {
            source,
            slot,
            revision,
            bytes: model.length,
            checksum: format!("{:08x}", model.checksum),
            units: model.units,
            vocabulary_slots: model.slots,
            logit_scale: model.scale,
            labels,
        }
    }
}

/// One line about the model that runs.
pub(super) fn described(info: &Info) -> String {
    let Some(model) = &info.model else { return "none (`update` sends one)".into() };
    let source = match model.source {
        Source::BuiltIn => "built in".to_owned(),
        Source::Slot { index, revision } => format!("revision {revision}, in slot {index} of the flash"),
    };
    format!("{source}; {} bytes, checksum {:08x}", grouped(model.length as usize), model.checksum)
}

/// Shows the device and its model.
pub(super) fn run(session: &mut Session) -> Result<()> {
    let labels = session.client.labels(&session.info)?;
    let Session { info, console, target, .. } = session;
    let mut rows = vec![
        ("board", format!("{}, firmware {}", info.board, info.firmware)),
        ("clock", format!("{} ticks a second", grouped(info.ticks_per_second as usize))),
    ];
    let sent = match info.room {
        0 => "no model can be sent".to_owned(),
        room => format!("a model that is sent may have {} bytes", grouped(room as usize)),
    };
    rows.push(("room", format!("{} units, {} remembered words; {sent}", info.units, info.window)));
    rows.push(("model", described(info)));
    if let Some(model) = &info.model {
        rows.push((
            "network",
            format!("{} units, {} slots of vocabulary", model.units, grouped(model.slots as usize)),
        ));
        rows.push(("classes", labels.join(", ")));
    }
    if !console.json {
        for (name, value) in rows {
            console.say(format!("{name:<8}  {value}"))?;
        }
    }
    console.conclude(&Report {
        target,
        board: &info.board,
        firmware: &info.firmware,
        ticks_per_second: info.ticks_per_second,
        room_units: info.units,
        room_window: info.window,
        room_bytes: info.room,
        model: info.model.as_ref().map(|model| Running::new(model, labels)),
    })
}
