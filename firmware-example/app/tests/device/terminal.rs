//! What a person types, and what is shown.

use kilornn_app::{Ended, QUIET_MS};

use crate::common::*;

/// Types all this, the models' slots being empty; what the terminal shows.
fn typed(text: &[u8]) -> String {
    let run = device(&mut empty(), NEW, vec![Arrival::Bytes(text.to_vec())]);
    shown(&run.sent)
}

/// What a terminal shows: erased characters are gone.
fn shown(sent: &[u8]) -> String {
    let mut shown = String::new();
    for character in String::from_utf8_lossy(sent).replace("\u{8} \u{8}", "\u{8}").chars() {
        match character {
            '\u{8}' => drop(shown.pop()),
            '\r' | '\u{7}' => {}
            other => shown.push(other),
        }
    }
    shown
}

/// The label that the host gives a text, and its words.
fn host(text: &[u8]) -> (String, u32, u32) {
    let model = kilornn::Model::from_bytes(NEW).unwrap();
    let mut classifier = kilornn::Classifier::<UNITS, WINDOW>::new(&model).unwrap();
    classifier.push(text);
    let prediction = classifier.finish();
    (prediction.label().to_owned(), prediction.words(), prediction.known_words())
}

/// The answers among what is shown: lines that end with what an answer ends with.
fn answers(shown: &str) -> Vec<&str> {
    shown.lines().filter(|line| line.ends_with(" ms)")).collect()
}

#[test]
fn a_line_is_echoed_and_answered() {
    let shown = typed(b"What a wonderful film!\r");
    let expected = "\n\
        KiloRNN 0.1.0 on simulated, model: 2 classes, 8 units, 4550 slots, 16129 bytes, built in\n\
        Type a text and press Enter; `help` says more.\n\
        > What a wonderful film!\n\
        positive 0.";
    assert!(shown.starts_with(expected), "{shown}");
    assert!(shown.ends_with(" (4 words, 3 known, 0.000 ms)\n> "), "{shown}");
}

#[test]
fn every_line_end_counts_once_and_empty_lines_never() {
    for end in ["\r", "\n", "\r\n"] {
        let shown = typed(format!("{end}  {end}good{end}{end}bad{end}").as_bytes());
        assert_eq!(answers(&shown).len(), 2, "{shown}");
    }
}

#[test]
fn characters_can_be_erased() {
    let (label, words, known) = host("good schön".as_bytes());
    for typing in [
        "bad\x7f\x7f\x7fgood schön\r",              // Delete
        "good schöß\x08\x08ön\r",                   // Backspace, characters of two bytes
        "\x7f\x7fgood schön\r",                     // more than there is
        "bad\x15good schön\r",                      // Ctrl-U
        "never mind\x03good schön\r",               // Ctrl-C
        "go\x1b[D\x1b[3~\x1bOA\x1b[1;5Cod schön\r", // keys that mean nothing
    ] {
        let shown = typed(typing.as_bytes());
        let found = answers(&shown);
        assert_eq!(found.len(), 1, "{typing:?}: {shown}");
        assert!(found[0].starts_with(&label), "{typing:?}: {shown}");
        assert!(found[0].contains(&format!("({words} words, {known} known,")), "{typing:?}: {shown}");
    }
}

#[test]
fn a_line_of_any_length_is_classified() {
    for repeats in [1, 10, 11, 12, 100, 10_000] {
        let text = "not good at all, schön ".repeat(repeats);
        let (label, words, known) = host(text.as_bytes());
        let shown = typed(format!("{text}\r").as_bytes());
        let expected = format!("({words} words, {known} known, 0.000 ms)");
        let found = answers(&shown);
        assert!(found.len() == 1 && found[0].starts_with(&label) && found[0].ends_with(&expected), "{shown}");
        assert!(shown.contains(&format!("> {text}\n")), "all of it is echoed");
    }
    // The last characters of a long line can be erased, and not more than are held.
    let text = "word ".repeat(100);
    let (_, words, _) = host(format!("{text}good").as_bytes());
    let shown = typed(format!("{text}baad\x08\x08\x08\x08good\r").as_bytes());
    assert!(answers(&shown)[0].contains(&format!("({words} words,")), "{shown}");
}

#[test]
fn commands_are_no_texts() {
    let shown = typed(b"help\rinfo\r info \r");
    assert!(shown.contains("Backspace  erases a character"), "{shown}");
    assert_eq!(shown.matches("class 1: positive").count(), 2, "{shown}");
    assert!(shown.contains("0 texts, 17 bytes received, lost some 0 times; 0 frames, 0 damaged; stack 1234"));
    // But a text may begin with one.
    assert_eq!(answers(&typed(b"help me\r")).len(), 1);
    let erased = format!("{}help\r", "x".repeat(170));
    assert_eq!(answers(&typed(erased.as_bytes())).len(), 1, "the end of a long line is no command");
}

#[test]
fn a_line_of_which_bytes_were_lost_is_not_answered_and_the_next_is() {
    let arrivals = vec![
        Arrival::Bytes(b"not go".to_vec()),
        Arrival::Loss,
        Arrival::Bytes(b"od at ".to_vec()),
        Arrival::Loss,
        Arrival::Bytes(b"all\rgood\r".to_vec()),
    ];
    let run = device(&mut empty(), NEW, arrivals);
    let shown = shown(&run.sent);
    assert_eq!(shown.matches("error: text arrived faster than it was read").count(), 1, "{shown}");
    assert_eq!(answers(&shown).len(), 1, "{shown}");
    assert!(answers(&shown)[0].contains("(1 word, 1 known,"), "{shown}");
}

#[test]
fn control_d_ends_only_between_lines() {
    let quiet = pause(u64::from(QUIET_MS));
    let arrivals = vec![Arrival::Bytes(b"go\x04od\r\x04".to_vec()), quiet, Arrival::Bytes(b"bad\r".to_vec())];
    let run = device(&mut empty(), NEW, arrivals);
    assert_eq!(run.ended, Ended::Closed);
    assert_eq!(run.shown, [host(b"good").0]);
}

#[test]
fn without_a_model_it_says_why_and_takes_a_new_one() {
    let mut damaged = NEW.to_vec();
    damaged[1000] ^= 1;
    let run = device(&mut empty(), aligned(&damaged), vec![Arrival::Bytes(b"good\rinfo\r".to_vec())]);
    let shown = shown(&run.sent);
    assert_eq!(shown.matches("error: no model runs: ").count(), 3, "{shown}");
    assert!(run.shown.is_empty());
}

#[test]
fn the_label_is_shown() {
    let run = device(&mut empty(), NEW, vec![Arrival::Bytes(b"wonderful\rawful\r".to_vec())]);
    assert_eq!(run.shown, ["positive", "negative"]);
}
