//! Frames: what comes out of a line is what went in, whatever lies between.

use kilornn_link::frame::{self, CHUNK, Damage, FRAME, MESSAGE, Piece, Splitter};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a splitter tells, in memory of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Text(u8),
    Message(Vec<u8>),
    Damaged(Damage),
}

fn split(splitter: &mut Splitter, bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    for &byte in bytes {
        match splitter.push(byte) {
            Piece::Text(byte) => events.push(Event::Text(byte)),
            Piece::Inside => {}
            Piece::Message(message) => events.push(Event::Message(message.to_vec())),
            Piece::Damaged(damage) => events.push(Event::Damaged(damage)),
        }
    }
    events
}

fn framed(message: &[u8]) -> Vec<u8> {
    // Postcard writes an array, unlike a slice, without its length: the message is these very bytes.
    struct Raw<'m>(&'m [u8]);
    impl serde::Serialize for Raw<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeTuple as _;
            let mut tuple = serializer.serialize_tuple(self.0.len())?;
            self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
            tuple.end()
        }
    }
    let mut buffer = [0xAA; FRAME];
    frame::encode(&Raw(message), &mut buffer).unwrap().to_vec()
}

fn message(bytes: &[u8]) -> Event {
    Event::Message(bytes.to_vec())
}

#[test]
fn every_byte_value_passes() {
    for byte in 0..=u8::MAX {
        for length in [1, 2, 253, 254, 255, CHUNK, MESSAGE] {
            let bytes = vec![byte; length];
            assert_eq!(split(&mut Splitter::new(), &framed(&bytes)), [message(&bytes)], "{byte} x {length}");
        }
    }
    let all: Vec<u8> = (0..=u8::MAX).collect();
    assert_eq!(split(&mut Splitter::new(), &framed(&all)), [message(&all)]);
}

#[test]
fn a_frame_is_as_long_as_promised_and_no_longer() {
    for byte in [0, 1] {
        assert!(framed(&[byte; MESSAGE]).len() <= FRAME);
    }
    assert!(frame::encode(&[1_u8; 16], &mut [0; 16]).is_err(), "a buffer that is too small is refused");
    assert!(frame::encode(&(), &mut []).is_err());
}

#[test]
fn frames_may_follow_each_other_and_share_a_zero() {
    let (one, two) = (framed(b"one"), framed(b"two"));
    let expected = [message(b"one"), message(b"two")];
    assert_eq!(split(&mut Splitter::new(), &[&one[..], &two].concat()), expected);
    // A sender that idles with zeros loses nothing, either.
    assert_eq!(split(&mut Splitter::new(), &[&[0; 9][..], &one[1..], &[0; 4], &two].concat()), expected);
}

#[test]
fn text_and_frames_share_a_line() {
    let line = [b"ok\r", &framed(b"one")[..], b"not bad\r", &framed(b"two"), b"!"].concat();
    let text = |text: &str| text.bytes().map(Event::Text).collect::<Vec<_>>();
    let expected =
        [&text("ok\r")[..], &[message(b"one")], &text("not bad\r"), &[message(b"two")], &text("!")];
    assert_eq!(split(&mut Splitter::new(), &line), expected.concat());
}

#[test]
fn a_frame_that_is_too_long_is_skipped_to_its_end() {
    for length in [FRAME - 1, FRAME, 10 * FRAME] {
        let line = [&[0][..], &vec![b'x'; length], &framed(b"next")].concat();
        let expected = [Event::Damaged(Damage::Oversized), message(b"next")];
        assert_eq!(split(&mut Splitter::new(), &line), expected, "{length}");
    }
    // As long as the longest, but no frame.
    let line = [&[0][..], &[b'x'; FRAME - 2], &framed(b"next")].concat();
    assert_eq!(split(&mut Splitter::new(), &line), [Event::Damaged(Damage::Malformed), message(b"next")]);
}

#[test]
fn a_frame_without_an_end_can_be_given_up() {
    let frame = framed(b"message");
    for length in 0..frame.len() {
        let mut splitter = Splitter::new();
        assert_eq!(split(&mut splitter, &frame[..length]), []);
        // Only a zero, or nothing: that is no frame yet.
        assert_eq!(splitter.give_up(), length > 1, "{length}");
        assert!(!splitter.give_up());
        assert_eq!(split(&mut splitter, b"a"), [Event::Text(b'a')]);
        assert_eq!(split(&mut splitter, &frame), [message(b"message")]);
    }
    assert!(!Splitter::new().give_up());
}

#[test]
fn a_frame_cut_anywhere_costs_no_other() {
    let (one, two) = (framed(b"some message"), framed(b"another"));
    for cut in 0..one.len() - 1 {
        let events = split(&mut Splitter::new(), &[&one[..cut], &two].concat());
        assert_eq!(events.last(), Some(&message(b"another")), "cut at {cut}");
        assert!(!events.contains(&message(b"some message")));
    }
    // Where only its last zero is missing, the next frame's first takes its place: one more must open that frame.
    let cut = &one[..one.len() - 1];
    let events = split(&mut Splitter::new(), &[cut, &[0], &two].concat());
    assert_eq!(events, [message(b"some message"), message(b"another")]);
}

#[test]
fn ones_behind_a_zero_are_an_empty_message() {
    // Four bytes of a checksum that is zero. It is no message that anyone sends.
    let garbage = [0, 1, 1, 1, 1, 1];
    let events = split(&mut Splitter::new(), &[&garbage[..], &[0], &framed(b"next")].concat());
    assert_eq!(events, [message(b""), message(b"next")]);
}

#[test]
fn no_flipped_bit_passes_for_a_message() {
    let good = framed(b"\x01\x00some message with a zero");
    for bit in 8..8 * (good.len() - 1) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let events = split(&mut Splitter::new(), &[&bad[..], &framed(b"next")].concat());
        let messages: Vec<&Event> = events.iter().filter(|e| matches!(e, Event::Message(_))).collect();
        assert_eq!(messages, [&message(b"next")], "bit {bit}");
    }
}

#[test]
fn damage_says_what_it_is() {
    let said = [Damage::Malformed, Damage::Oversized, Damage::Truncated].map(|damage| damage.to_string());
    assert_eq!(said, ["the frame is damaged", "the frame is too long", "the frame has no end"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(bytes in vec(any::<u8>(), 0..=MESSAGE)) {
        let frame = framed(&bytes);
        prop_assert!(frame.len() <= FRAME);
        prop_assert!(!frame[1..frame.len() - 1].contains(&0));
        prop_assert_eq!(split(&mut Splitter::new(), &frame), [message(&bytes)]);
    }

    /// Zeros are what matters, so that there are many.
    #[test]
    fn after_any_garbage_the_next_frame_is_understood(
        garbage in vec(prop_oneof![Just(0_u8), any::<u8>(), 1..4_u8], 0..3 * FRAME),
        bytes in vec(any::<u8>(), 0..=MESSAGE),
    ) {
        let mut splitter = Splitter::new();
        split(&mut splitter, &garbage);
        let mut events = split(&mut splitter, &framed(&bytes));
        if let [Event::Message(_), _, ..] = events[..] {
            // The garbage ended in a whole frame but for its last zero, as 0 1 1 1 1 1 is one of an empty message, whose
            // checksum is zero. The next frame's first zero takes its place: one more must open that frame.
            splitter = Splitter::new();
            split(&mut splitter, &garbage);
            events = split(&mut splitter, &[&[0], &framed(&bytes)[..]].concat());
        }
        prop_assert_eq!(events.last(), Some(&message(&bytes)));
        // And it is outside again: what follows is text.
        prop_assert_eq!(split(&mut splitter, b"x"), [Event::Text(b'x')]);
    }

    #[test]
    fn after_a_damaged_frame_the_next_is_understood(
        first in vec(any::<u8>(), 0..=MESSAGE),
        second in vec(any::<u8>(), 0..=MESSAGE),
        place in any::<prop::sample::Index>(),
        flip in 1..=u8::MAX,
        kind in 0..3,
    ) {
        let mut damaged = framed(&first);
        let place = place.index(damaged.len());
        match kind {
            0 => damaged[place] ^= flip,
            1 => drop(damaged.remove(place)),
            _ => damaged.insert(place, flip),
        }
        let mut splitter = Splitter::new();
        let before = split(&mut splitter, &damaged);
        // As the host sends again what had no answer: with one zero more.
        let events = split(&mut splitter, &[&[0], &framed(&second)[..]].concat());
        // What was damaged is no other message than it was; a stray byte before its first zero or after its last
        // leaves it whole.
        prop_assert!(before.iter().all(|e| !matches!(e, Event::Message(m) if *m != first)), "{before:?}");
        prop_assert_eq!(events.last(), Some(&message(&second)));
    }
}
