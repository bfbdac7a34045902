//! What a program sends, and what a hostile one does.

use kilornn_app::TIMEOUT_MS;
use kilornn_link::frame::{self, CHUNK, FRAME};
use kilornn_link::message::{Header, Message, Refusal, Request, Response, SCORES, Statistics, VERSION};
use proptest::prelude::*;

use crate::common::*;

/// Sends all this to a device with empty slots; its responses.
fn responses(arrivals: Vec<Arrival>) -> Vec<Vec<u8>> {
    messages(&device(&mut empty(), NEW, arrivals).sent)
}

/// After whatever was sent, this must be answered, and counted.
fn statistics_after(mut arrivals: Vec<Arrival>) -> Statistics {
    // As a host sends what was not answered: with one more zero.
    arrivals.push(bytes([0]));
    arrivals.push(bytes(frame(0xBEEF, Request::Statistics)));
    let messages = messages(&device_that_goes_on(arrivals).sent);
    match messages.last().map(|message| response(message)) {
        Some((0xBEEF, Response::Statistics(statistics))) => statistics,
        other => panic!("{other:?}"),
    }
}

fn bytes(bytes: impl Into<Vec<u8>>) -> Arrival {
    Arrival::Bytes(bytes.into())
}

#[test]
fn a_text_in_pieces_is_answered_like_the_host() {
    let text = "Not bad at all, schön. ".repeat(40);
    let model = kilornn::Model::from_bytes(NEW).unwrap();
    let mut classifier = kilornn::Classifier::<UNITS, WINDOW>::new(&model).unwrap();
    classifier.push(&text);
    let host = classifier.finish();
    let mut requests = Vec::new();
    for (index, piece) in text.as_bytes().chunks(100).enumerate() {
        let piece = Request::Text { offset: 100 * index as u32, bytes: piece };
        requests.extend([piece, piece]); // sent twice, counted once
    }
    let length = text.len() as u32;
    requests.extend([Request::Classify { length }, Request::Classify { length }]);
    requests.extend([Request::Scores { first: 0 }, Request::Label { class: host.class() }]);
    exchange(&mut empty(), NEW, &requests, |responses| {
        let [.., first, again, Response::Scores(scores), Response::Label(label)] = responses else {
            panic!("{responses:?}")
        };
        assert_eq!(first, again);
        let Response::Prediction(prediction) = first else { panic!("{first:?}") };
        assert_eq!((prediction.class, prediction.score), (host.class(), host.score()));
        assert_eq!((prediction.words, prediction.known), (host.words(), host.known_words()));
        assert_eq!(*label, host.label());
        let logit = host.logits().next().unwrap();
        assert_eq!(scores.iter().map(|score| score.logit).collect::<Vec<_>>(), [-logit, logit]);
        for (class, score) in (0..).zip(scores) {
            assert_eq!(score.probability, host.probability(class));
        }
    });
}

#[test]
fn scores_of_many_classes_come_in_parts() {
    static MANY: &[u8] = kilornn::include_model!("../../../../models/snips.kilo");
    let text = b"play some jazz";
    let requests = [
        Request::Text { offset: 0, bytes: text },
        Request::Classify { length: text.len() as u32 },
        Request::Scores { first: 5 },
        Request::Scores { first: 7 },
    ];
    exchange(&mut empty(), MANY, &requests, |responses| {
        let [.., Response::Scores(scores), Response::Refused(refusal)] = responses else {
            panic!("{responses:?}")
        };
        assert!(scores.len() == 2 && SCORES >= 2);
        assert_eq!(refusal, &Refusal::Class { classes: 7 });
    });
}

#[test]
fn requests_out_of_order_are_refused_and_change_nothing() {
    let requests = [
        Request::Scores { first: 0 },
        Request::Text { offset: 3, bytes: b"x" },
        Request::Text { offset: 0, bytes: b"good " },
        Request::Text { offset: 9, bytes: b"x" },
        Request::Classify { length: 4 },
        Request::Text { offset: 5, bytes: b"film" },
        Request::Classify { length: 9 },
        Request::Text { offset: 9, bytes: b"x" },
        Request::Text { offset: u32::MAX, bytes: b"xx" },
        Request::Scores { first: 2 },
        Request::Label { class: 2 },
        Request::Classify { length: 9 },
    ];
    exchange(&mut empty(), NEW, &requests, |responses| {
        let refused = |refusal| Response::Refused(refusal);
        assert_eq!(responses[0], refused(Refusal::NotClassified));
        assert_eq!(responses[1], refused(Refusal::Offset { received: 0 }));
        assert_eq!(responses[3], refused(Refusal::Offset { received: 5 }));
        assert_eq!(responses[4], refused(Refusal::Offset { received: 5 }));
        assert_eq!(responses[7], refused(Refusal::Offset { received: 0 }));
        assert_eq!(responses[9], refused(Refusal::Class { classes: 2 }));
        assert_eq!(responses[10], refused(Refusal::Class { classes: 2 }));
        assert_eq!(responses[11], responses[6]);
    });
}

#[test]
fn lines_between_frames_are_answered_and_drop_a_text_in_pieces() {
    let piece = frame(1, Request::Text { offset: 0, bytes: b"good " });
    let classify = frame(2, Request::Classify { length: 5 });
    let run = device(&mut empty(), NEW, vec![bytes(piece), bytes(b"awful\r"), bytes(classify)]);
    assert_eq!(run.shown, ["negative"]);
    let messages = messages(&run.sent);
    let (_, refused) = response(&messages[1]);
    assert_eq!(refused, Response::Refused(Refusal::Offset { received: 0 }));
    // And a frame drops a line that was begun.
    let run =
        device(&mut empty(), NEW, vec![bytes(b"awful "), bytes(frame(1, Request::Info)), bytes(b"good\r")]);
    assert_eq!(run.shown, ["positive"]);
}

#[test]
fn every_kind_of_bad_frame_is_counted_and_the_next_is_understood() {
    let good = frame(7, Request::Info);
    let mut flipped = good.clone();
    flipped[3] ^= 0x40;
    let statistics = statistics_after(vec![bytes(flipped)]);
    assert_eq!((statistics.malformed, statistics.frames), (1, 1));
    // Cut short by the next frame.
    let statistics = statistics_after(vec![bytes(&good[..5])]);
    assert_eq!((statistics.malformed, statistics.frames), (1, 1));
    // Too long, however long.
    for length in [FRAME, FRAME + 1, 100_000] {
        let mut long = vec![0];
        long.resize(length, 0x55);
        let statistics = statistics_after(vec![bytes(long)]);
        assert_eq!((statistics.oversized, statistics.malformed, statistics.frames), (1, 0, 1), "{length}");
    }
    // One frame in another.
    let mut interleaved = good[..4].to_vec();
    interleaved.extend(&good);
    interleaved.extend(&good[4..]);
    let statistics = statistics_after(vec![bytes(interleaved)]);
    assert_eq!(statistics.frames, 2, "the inner one and the one after: {statistics:?}");
    assert!(statistics.malformed > 0, "{statistics:?}");
    // Of another version, or no request, or with something behind it: answered.
    let other = |version, body: &[u8]| {
        let mut message = [0; FRAME];
        let header = Header { version, sequence: 9 };
        frame::encode(&Message { header, body: Raw(body) }, &mut message).unwrap().to_vec()
    };
    for (frame, refusal) in [
        (other(VERSION + 1, &[0]), Refusal::Version { supported: VERSION }),
        (other(VERSION, &[200]), Refusal::Unknown),
        (other(VERSION, &[0, 0]), Refusal::Unknown),
        (other(VERSION, &[2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]), Refusal::Unknown),
    ] {
        let messages = responses(vec![bytes(frame)]);
        assert_eq!(response(&messages[0]), (9, Response::Refused(refusal)));
    }
}

/// Bytes that are written as they are.
struct Raw<'b>(&'b [u8]);

impl serde::Serialize for Raw<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple as _;
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

#[test]
fn a_frame_that_goes_on_no_longer_is_given_up() {
    // A person who typed a zero, and the beginning of a frame, goes on typing.
    let long = pause(u64::from(TIMEOUT_MS) + 1);
    let begun = frame(1, Request::Info)[..6].to_vec();
    let arrivals = vec![bytes(begun.clone()), long, bytes(b"good\r")];
    let run = device(&mut empty(), NEW, arrivals.clone());
    assert_eq!(run.shown, ["positive"]);
    assert_eq!(statistics_after(arrivals).truncated, 1);
    // A short pause is none.
    let whole = frame(1, Request::Info);
    let arrivals = vec![bytes(begun), pause(10), bytes(&whole[6..])];
    let statistics = statistics_after(arrivals);
    assert_eq!((statistics.truncated, statistics.frames), (0, 2));
}

#[test]
fn the_rest_of_a_frame_that_a_reset_cut_does_not_end_the_application() {
    // Every byte, Ctrl-D behind each byte that ends a line, and Ctrl-D alone.
    let all: Vec<u8> = (1..=255).collect();
    for bytes in [&all[..], b"\r\x04\n\x04\x03\x04\x15\x04\x04"] {
        let cut = frame(1, Request::Piece { offset: 0, bytes });
        for start in 1..cut.len() {
            let rest = &cut[start..];
            let at_once = vec![Arrival::Bytes(rest.to_vec())];
            // A slow line: each byte has been read before the next arrives.
            let byte_by_byte = rest.iter().flat_map(|&byte| [pause(1), Arrival::Bytes(vec![byte])]).collect();
            for mut arrivals in [at_once, byte_by_byte] {
                arrivals.push(Arrival::Bytes(frame(2, Request::Info)));
                let responses = responses(arrivals);
                assert_eq!(responses.len(), 1, "from byte {start} on");
                assert!(matches!(response(&responses[0]), (2, Response::Info(_))));
            }
        }
    }
}

#[test]
fn what_is_lost_is_counted() {
    let piece = frame(1, Request::Text { offset: 0, bytes: &[b'a'; CHUNK] });
    let statistics = statistics_after(vec![bytes(&piece[..20]), Arrival::Loss, bytes(&piece[30..])]);
    assert_eq!((statistics.losses, statistics.malformed, statistics.frames), (1, 1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Anything at all, in any pieces, with losses and pauses.
    #[test]
    fn the_link_is_usable_after_any_garbage(garbage in prop::collection::vec(arrival(), 0..20)) {
        let statistics = statistics_after(garbage);
        prop_assert!(statistics.frames >= 1);
    }
}

/// Garbage, or whole frames of valid requests, or parts of them.
fn arrival() -> impl Strategy<Value = Arrival> {
    let request = prop_oneof![
        Just(Request::Info),
        Just(Request::Commit),
        any::<u32>().prop_map(|first| Request::Scores { first }),
        any::<u32>().prop_map(|length| Request::Classify { length }),
        (0..4u32).prop_map(|offset| Request::Text { offset, bytes: b"good film" }),
        (0..4u32).prop_map(|offset| Request::Piece { offset, bytes: b"KILO" }),
        (any::<u32>(), any::<Option<u32>>()).prop_map(|(length, revision)| {
            Request::Update(kilornn_link::message::Update { length, checksum: 0, revision })
        }),
    ];
    let request = (any::<u16>(), request).prop_map(|(sequence, request)| frame(sequence, request));
    let cut = (request.clone(), any::<prop::sample::Index>())
        .prop_map(|(frame, end)| frame[..end.index(frame.len())].to_vec());
    let flipped =
        (request.clone(), any::<prop::sample::Index>(), 0..8).prop_map(|(mut frame, place, bit)| {
            let place = place.index(frame.len());
            frame[place] ^= 1u8 << bit;
            frame
        });
    let noise = prop::collection::vec(prop_oneof![2 => any::<u8>(), 1 => Just(0)], 0..700);
    prop_oneof![
        noise.prop_map(Arrival::Bytes),
        request.prop_map(Arrival::Bytes),
        cut.prop_map(Arrival::Bytes),
        flipped.prop_map(Arrival::Bytes),
        Just(Arrival::Loss),
        (0..2000u64).prop_map(pause),
    ]
}
