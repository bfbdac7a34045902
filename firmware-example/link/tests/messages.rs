//! Messages: all of them pass, none is too long, and no bytes at all bring down who reads them.

use std::fmt::Debug;

use kilornn_link::frame::{self, CHUNK, FRAME, MESSAGE, Piece, Splitter};
use kilornn_link::message::{
    self, Header, Info, LABEL, Message, Predicted, Refusal, Request, Response, RunningModel, SCORES, Score,
    Source, Statistics, Update, VERSION,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// As the other end sees it, whatever lies in `held`.
fn through<'h, B: Serialize + Deserialize<'h>>(body: B, held: &'h mut Vec<u8>) -> (Header, B) {
    let header = Header { version: VERSION, sequence: u16::MAX };
    let mut buffer = [0; FRAME];
    let frame = frame::encode(&Message { header, body }, &mut buffer).expect("it fits");
    let mut splitter = Splitter::new();
    for &byte in frame {
        if let Piece::Message(message) = splitter.push(byte) {
            held.extend(message);
        }
    }
    assert!(held.len() <= MESSAGE, "{} bytes", held.len());
    let (header, body) = message::header(held).unwrap();
    (header, message::body(body).unwrap())
}

fn passes<'b, B: Serialize + Deserialize<'b> + PartialEq + Debug + Clone>(body: &B, held: &'b mut Vec<u8>) {
    held.clear();
    let (header, found) = through(body.clone(), held);
    assert_eq!(header, Header { version: VERSION, sequence: u16::MAX });
    assert_eq!(found, *body);
}

#[test]
fn every_request_at_its_largest_passes() {
    let bytes = [0xFF; CHUNK];
    let update = Update { length: u32::MAX, checksum: u32::MAX, revision: Some(u32::MAX) };
    for request in [
        Request::Info,
        Request::Label { class: u32::MAX },
        Request::Text { offset: u32::MAX, bytes: &bytes },
        Request::Text { offset: 0, bytes: &[] },
        Request::Classify { length: u32::MAX },
        Request::Scores { first: u32::MAX },
        Request::Statistics,
        Request::Update(update),
        Request::Update(Update { revision: None, ..update }),
        Request::Piece { offset: u32::MAX, bytes: &bytes },
        Request::Commit,
        Request::Restart,
    ] {
        passes(&request, &mut Vec::new());
    }
}

#[test]
fn every_response_at_its_largest_passes() {
    let name = "ß".repeat(LABEL / 2);
    let model = RunningModel {
        source: Source::Slot { index: u8::MAX, revision: u32::MAX },
        length: u32::MAX,
        checksum: u32::MAX,
        classes: u32::MAX,
        units: u32::MAX,
        slots: u32::MAX,
        scale: f32::MAX,
    };
    // Names of a firmware and a board are the program's own, and short.
    let info = Info {
        firmware: "100.100.100-alpha.100+a12b34c5",
        board: "a-board-with-quite-a-long-name",
        ticks_per_second: u32::MAX,
        units: u32::MAX,
        window: u32::MAX,
        room: u32::MAX,
        model: Some(model),
    };
    let prediction =
        Predicted { class: u32::MAX, score: 1.0, words: u32::MAX, known: u32::MAX, ticks: u64::MAX };
    let score = Score { logit: i32::MIN, probability: f32::MIN_POSITIVE };
    let statistics = Statistics {
        bytes: u32::MAX,
        losses: u32::MAX,
        frames: u32::MAX,
        malformed: u32::MAX,
        oversized: u32::MAX,
        truncated: u32::MAX,
        refused: u32::MAX,
        texts: u32::MAX,
        longest: u32::MAX,
        sent: u32::MAX,
        stack: u32::MAX,
    };
    for response in [
        Response::Info(info),
        Response::Info(Info { model: None, ..info }),
        Response::Info(Info { model: Some(RunningModel { source: Source::BuiltIn, ..model }), ..info }),
        Response::Label(&name),
        Response::Label(""),
        Response::Received { length: u32::MAX },
        Response::Prediction(prediction),
        Response::Scores([score; SCORES].into_iter().collect()),
        Response::Scores(heapless::Vec::new()),
        Response::Statistics(statistics),
        Response::Updated { revision: u32::MAX },
        Response::Restarting,
        Response::Refused(Refusal::Version { supported: u8::MAX }),
        Response::Refused(Refusal::Unknown),
        Response::Refused(Refusal::Offset { received: u32::MAX }),
        Response::Refused(Refusal::Class { classes: u32::MAX }),
        Response::Refused(Refusal::NotClassified),
        Response::Refused(Refusal::NoModel),
        Response::Refused(Refusal::ReadOnly),
        Response::Refused(Refusal::TooLong { room: u32::MAX }),
        Response::Refused(Refusal::Stale { newest: u32::MAX }),
        Response::Refused(Refusal::NoUpdate),
        Response::Refused(Refusal::Checksum { found: u32::MAX }),
        Response::Refused(Refusal::Model(&name)),
        Response::Refused(Refusal::Flash),
    ] {
        passes(&response, &mut Vec::new());
    }
}

#[test]
fn a_body_ends_where_its_message_does() {
    let header = Header { version: 1, sequence: 7 };
    let mut bytes =
        postcard::to_slice(&Message { header, body: Request::Restart }, &mut [0; 8]).unwrap().to_vec();
    let (found, body) = message::header(&bytes).unwrap();
    assert_eq!((found, message::body::<Request<'_>>(body)), (header, Ok(Request::Restart)));
    bytes.push(0);
    let (_, body) = message::header(&bytes).unwrap();
    assert!(message::body::<Request<'_>>(body).is_err(), "more than the message");
    assert!(message::header(&[]).is_err());
    assert!(message::body::<Request<'_>>(&[]).is_err());
}

#[test]
fn the_header_of_another_version_is_still_read() {
    let (header, rest) = message::header(&[200, 0x85, 0x01, 0xEE, 0xFF]).unwrap();
    assert_eq!((header, rest), (Header { version: 200, sequence: 133 }, &[0xEE, 0xFF][..]));
}

#[test]
fn the_bytes_of_a_message_stay() {
    // What is in the field speaks this: such a message changes only with the version.
    let bytes = |request: Request<'_>| {
        let header = Header { version: VERSION, sequence: 300 };
        postcard::to_slice(&Message { header, body: request }, &mut [0; 64]).unwrap().to_vec()
    };
    assert_eq!(bytes(Request::Info), [1, 0xAC, 2, 0]);
    assert_eq!(bytes(Request::Text { offset: 256, bytes: b"hi" }), [1, 0xAC, 2, 2, 0x80, 2, 2, b'h', b'i']);
    assert_eq!(bytes(Request::Restart), [1, 0xAC, 2, 9]);
}

#[test]
fn a_model_is_known_by_its_checksum() {
    // A file ends with the CRC-32 of what is before it, and the CRC-32 of such a whole is one and the same number.
    assert_eq!(message::checksum(b"123456789____"), 0xCBF4_3926);
    assert_ne!(message::checksum(b"one\0\0\0\0"), message::checksum(b"two\0\0\0\0"));
    assert_eq!(message::checksum(b"abc"), message::checksum(b""));
}

fn requests() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        any::<u32>().prop_map(|class| vec_of(&Request::Label { class })),
        (any::<u32>(), vec(any::<u8>(), 0..=CHUNK))
            .prop_map(|(offset, bytes)| vec_of(&Request::Text { offset, bytes: &bytes })),
        any::<u32>().prop_map(|length| vec_of(&Request::Classify { length })),
        (any::<u32>(), any::<u32>(), any::<Option<u32>>()).prop_map(|(length, checksum, revision)| vec_of(
            &Request::Update(Update { length, checksum, revision })
        )),
    ];
    body.boxed()
}

fn vec_of(body: &impl Serialize) -> Vec<u8> {
    postcard::to_slice(body, &mut [0; MESSAGE]).unwrap().to_vec()
}

/// Reads as both ends would; what it is does not matter, that it ends does.
fn read(bytes: &[u8]) {
    let _ = message::body::<Request<'_>>(bytes);
    let _ = message::body::<Response<'_>>(bytes);
    if let Ok((_, body)) = message::header(bytes) {
        let _ = message::body::<Request<'_>>(body);
        let _ = message::body::<Response<'_>>(body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 5000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_are_a_danger(bytes in vec(any::<u8>(), 0..=MESSAGE)) {
        read(&bytes);
    }

    /// Lengths that promise more than there is, in what is a response otherwise.
    #[test]
    fn no_tag_is_a_danger(tag in 0..12_u8, bytes in vec(prop_oneof![any::<u8>(), Just(0xFF), Just(1)], 0..64)) {
        read(&[&[tag][..], &bytes].concat());
    }

    #[test]
    fn what_is_read_is_written_again(bytes in requests()) {
        let request: Request<'_> = message::body(&bytes).unwrap();
        prop_assert_eq!(vec_of(&request), bytes);
    }
}
