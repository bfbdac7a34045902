//! What all tests of the application have in common: simulated devices, and requests to them.

use std::time::Duration;

use kilornn_app::hardware::Slot;
use kilornn_app::simulated::{self, Clock};
pub(crate) use kilornn_app::simulated::{Arrival, Flash, Power};
use kilornn_app::{Ended, run};
use kilornn_link::frame::{self, FRAME, Piece, Splitter};
use kilornn_link::message::{self, Header, Message, Request, Response, VERSION};

/// Room for models, as in every test.
pub(crate) const UNITS: usize = 32;
pub(crate) const WINDOW: usize = 0;

/// Two shipped models, at multiples of four.
pub(crate) static OLD: &[u8] = kilornn::include_model!("../../../../models/imdb-8k.kilo");
pub(crate) static NEW: &[u8] = kilornn::include_model!("../../../../models/imdb-16k.kilo");

/// What a run left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) ended: Ended,
    /// All that was sent.
    pub(crate) sent: Vec<u8>,
    /// All labels that were shown.
    pub(crate) shown: Vec<String>,
}

/// Starts a device and lets all this arrive.
pub(crate) fn device<F: Slot + Clone>(slots: &mut [F; 2], built_in: &[u8], arrivals: Vec<Arrival>) -> Run {
    start::<UNITS, F>(slots, built_in, arrivals, false)
}

/// The same, and whatever ends the application, it begins again.
pub(crate) fn device_that_goes_on(arrivals: Vec<Arrival>) -> Run {
    start::<UNITS, _>(&mut empty(), NEW, arrivals, true)
}

/// Starts a device with room for other models.
pub(crate) fn device_of<const UNITS: usize, F: Slot + Clone>(
    slots: &mut [F; 2],
    built_in: &[u8],
    bytes: Vec<u8>,
) -> Run {
    start::<UNITS, F>(slots, built_in, vec![Arrival::Bytes(bytes)], false)
}

fn start<const UNITS: usize, F: Slot + Clone>(
    slots: &mut [F; 2],
    built_in: &[u8],
    arrivals: Vec<Arrival>,
    run_again: bool,
) -> Run {
    let (mut hardware, host) = simulated::hardware(Clock::standing(), slots.clone());
    arrivals.into_iter().for_each(|arrival| host.to_device.arrive(arrival));
    drop(host.to_device);
    let mut ended = run::<UNITS, WINDOW>(&mut hardware, built_in);
    // As the firmware does on a board of its own.
    while run_again && !hardware.serial.is_closed() {
        ended = run::<UNITS, WINDOW>(&mut hardware, built_in);
    }
    let shown = hardware.display.labels();
    *slots = hardware.slots;
    drop(hardware.serial);
    Run { ended, sent: host.from_device.iter().flatten().collect(), shown }
}

/// A pause of so many milliseconds.
pub(crate) fn pause(ms: u64) -> Arrival {
    Arrival::Pause(Duration::from_millis(ms))
}

/// Two slots without a model, with room for either of the models here.
pub(crate) fn empty() -> [Flash<4, 1024>; 2] {
    let flash = Flash::new(20 << 10, &Power::default());
    [flash.clone(), flash]
}

/// A request as it goes over the line.
pub(crate) fn frame(sequence: u16, body: Request<'_>) -> Vec<u8> {
    let message = Message { header: Header { version: VERSION, sequence }, body };
    frame::encode(&message, &mut [0; FRAME]).unwrap().to_vec()
}

/// Requests, numbered from 0.
pub(crate) fn frames(requests: &[Request<'_>]) -> Vec<u8> {
    (0..).zip(requests).flat_map(|(sequence, &request)| frame(sequence, request)).collect()
}

/// All responses in what was sent, as bytes of messages.
pub(crate) fn messages(sent: &[u8]) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::new();
    let mut messages = Vec::new();
    for &byte in sent {
        match splitter.push(byte) {
            Piece::Message(message) => messages.push(message.to_vec()),
            Piece::Damaged(damage) => panic!("the device sent a frame of which {damage}"),
            Piece::Text(_) | Piece::Inside => {}
        }
    }
    messages
}

/// A response of this version, with its sequence number.
pub(crate) fn response(message: &[u8]) -> (u16, Response<'_>) {
    let (header, body) = message::header(message).unwrap();
    assert_eq!(header.version, VERSION);
    (header.sequence, message::body(body).unwrap())
}

/// Sends requests to a device and hands its responses, which must be as many and in order, to `check`.
pub(crate) fn exchange<F: Slot + Clone>(
    slots: &mut [F; 2],
    built_in: &[u8],
    requests: &[Request<'_>],
    check: impl FnOnce(&[Response<'_>]),
) -> Ended {
    let run = device(slots, built_in, vec![Arrival::Bytes(frames(requests))]);
    let messages = messages(&run.sent);
    let responses: Vec<_> = (0..)
        .zip(&messages)
        .map(|(sequence, message)| {
            let (number, response) = response(message);
            assert_eq!(number, sequence);
            response
        })
        .collect();
    assert_eq!(responses.len(), requests.len());
    check(&responses);
    run.ended
}

/// Bytes at a multiple of four, for the rest of the test.
pub(crate) fn aligned(bytes: &[u8]) -> &'static [u8] {
    let mut words: Vec<u32> = vec![0; bytes.len().div_ceil(4)];
    bytemuck::cast_slice_mut::<_, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
    &bytemuck::cast_slice(words.leak())[..bytes.len()]
}
