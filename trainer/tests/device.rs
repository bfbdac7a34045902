//! `kilornn device` and the device's own application, at two ends of a line.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::ProgressBar;
use kilornn::Model;
use kilornn_app::simulated::STACK;
use kilornn_host::client::{Client, Failure, Info, Patience};
use kilornn_host::compare::{classify, differences, runs};
use kilornn_host::line::Line;
use kilornn_link::message::{Refusal, Source, checksum};
use kilornn_trainer::predict::predict_all;

mod desk;
mod simulated;

use simulated::{Faults, MemoryLine};

/// What it has built in, and what is sent.
static OLD: &[u8] = kilornn::include_model!("../../models/imdb-8k.kilo");
static NEW: &[u8] = kilornn::include_model!("../../models/imdb-16k.kilo");

/// A line in memory is quick, so that what was lost is soon sent again.
fn patience() -> Patience {
    Patience {
        answer: Duration::from_millis(60),
        flash: Duration::from_millis(500),
        start: Duration::from_secs(5),
        tries: 50,
    }
}

/// A client of a simulated device whose line has no faults.
fn client() -> Client<MemoryLine> {
    Client::new(MemoryLine::to(OLD, Faults::NONE), patience())
}

/// Texts that are short, empty, long, and no English.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "not bad at all",
        "What a wonderful film, I loved every minute of it.",
        "schön, 很好, naïve \u{1F600}",
        "a\rb\nc\u{4}\u{0}d",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("awful, awful and not funny ".repeat(60));
    // As long as a piece, and with characters that straddle two.
    texts.push("x".repeat(256));
    texts.push(format!("x{}", "ä".repeat(300)));
    texts
}

fn agrees(client: &mut Client<MemoryLine>, info: &Info, file: &[u8], texts: &[String]) {
    let model = Model::from_bytes(file).unwrap();
    runs(info, file).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let host = predict_all(&model, &texts, &ProgressBar::hidden());
    let device = classify(client, model.classes(), &texts, || ()).unwrap();
    for ((text, host), device) in texts.iter().zip(&host).zip(&device) {
        assert_eq!(differences(host, &device.prediction), [], "{text:?}");
        assert_eq!(host.score, device.prediction.score);
        assert!(device.ticks > 0);
    }
}

fn updated(client: &mut Client<MemoryLine>, file: &[u8], revision: Option<u32>) -> Result<u32, Failure> {
    let mut told = Vec::new();
    let revision = client.update(file, revision, |done| {
        told.push(done);
        Ok(())
    })?;
    assert!(told.is_sorted() && told.last() == Some(&file.len()));
    Ok(revision)
}

#[test]
fn a_device_says_what_it_is_and_answers_as_the_host() {
    let mut client = client();
    let info = client.first_info().unwrap();
    assert_eq!((info.board.as_str(), info.ticks_per_second), ("simulated", 1_000_000_000));
    let model = info.model.unwrap();
    assert_eq!((model.source, model.length as usize), (Source::BuiltIn, OLD.len()));
    assert_eq!(client.labels(&info).unwrap(), ["negative", "positive"]);
    agrees(&mut client, &info, OLD, &texts());
    assert!(runs(&info, NEW).is_err());

    let statistics = client.statistics().unwrap();
    assert_eq!(statistics.texts as usize, texts().len());
    assert_eq!((statistics.malformed, statistics.losses, statistics.stack), (0, 0, STACK));
    assert_eq!(client.traffic().repeated, 0, "nothing was lost");
}

#[test]
fn a_model_is_sent_and_runs() {
    let mut client = client();
    assert_eq!(updated(&mut client, NEW, None).unwrap(), 1);
    assert_eq!(client.info().unwrap().model.unwrap().length as usize, OLD.len(), "until it starts anew");
    let info = client.restart().unwrap();
    assert!(matches!(info.model.unwrap().source, Source::Slot { revision: 1, .. }), "{info:?}");
    agrees(&mut client, &info, NEW, &texts());

    // An older one is refused, with what is newest; a newer one comes into the other slot.
    let refused = updated(&mut client, OLD, Some(1)).unwrap_err();
    assert!(refused.to_string().contains("higher than the newest in its flash, 1"), "{refused}");
    assert_eq!(updated(&mut client, OLD, Some(7)).unwrap(), 7);
    let info = client.restart().unwrap();
    assert_eq!(info.model.unwrap().checksum, checksum(OLD));
    agrees(&mut client, &info, OLD, &texts()[..4]);
}

#[test]
fn an_update_that_ends_early_leaves_the_model_that_was() {
    let mut client = client();
    let ended = client.update(NEW, None, |done| match done {
        1024.. => Err(Failure::TooLong),
        _ => Ok(()),
    });
    assert!(matches!(ended, Err(Failure::TooLong)), "{ended:?}");
    let info = client.restart().unwrap();
    assert_eq!(info.model.unwrap().source, Source::BuiltIn);
    agrees(&mut client, &info, OLD, &texts()[..3]);
    // And the next one has the first revision.
    assert_eq!(updated(&mut client, NEW, None).unwrap(), 1);
}

#[test]
fn what_is_no_model_is_refused_at_the_end() {
    let mut client = client();
    let mut damaged = NEW.to_vec();
    damaged[5000] ^= 1;
    match updated(&mut client, &damaged, None) {
        Err(Failure::Refused { refusal: Refusal::Model(_), reason }) => assert!(!reason.is_empty()),
        other => panic!("{other:?}"),
    }
    let refused = updated(&mut client, &vec![0; 1 << 20], None).unwrap_err().to_string();
    assert!(refused.contains("longer than its room of "), "{refused}");
    assert_eq!(client.restart().unwrap().model.unwrap().source, Source::BuiltIn);
}

#[test]
fn faults_of_the_line_change_nothing_but_the_time() {
    let texts = texts();
    let mut repeated = 0;
    for seed in 0..4 {
        let line = MemoryLine::to(OLD, Faults { seed, one_in: 3000 });
        let faults = line.faults();
        let mut client = Client::new(line, patience());
        let info = client.first_info().unwrap();
        agrees(&mut client, &info, OLD, &texts);
        assert_eq!(updated(&mut client, NEW, None).unwrap(), 1, "seed {seed}");
        let info = client.restart().unwrap();
        agrees(&mut client, &info, NEW, &texts);
        repeated += client.traffic().repeated;
        assert!(faults.iter().any(|faults| faults.load(Ordering::Relaxed) > 0), "seed {seed}");
    }
    assert!(repeated > 0);
}

#[test]
fn a_port_that_goes_with_its_board_is_opened_again() {
    /// A board whose USB is its own, when it starts anew.
    struct Usb {
        line: MemoryLine,
        /// Requests until the port is gone.
        plugged: u32,
        /// How often it must be opened until it is there.
        openings: u32,
    }
    impl Line for Usb {
        fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.plugged = self.plugged.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
            self.line.send(bytes)
        }
        fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
            if self.plugged == 0 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.line.receive(buffer, wait)
        }
        fn reopen(&mut self) -> io::Result<()> {
            self.openings = self.openings.saturating_sub(1);
            if self.openings > 0 {
                return Err(io::ErrorKind::NotFound.into());
            }
            self.plugged = u32::MAX;
            Ok(())
        }
        fn advice(&self) -> String {
            String::new()
        }
    }
    // The first request is answered, in what is sent second the port goes.
    let usb = |openings| Usb { line: MemoryLine::to(OLD, Faults::NONE), plugged: 2, openings };
    let mut client = Client::new(usb(3), patience());
    let info = client.first_info().unwrap();
    assert_eq!(client.restart().unwrap(), info);
    let mut client = Client::new(usb(u32::MAX), Patience { start: Duration::from_millis(200), ..patience() });
    client.first_info().unwrap();
    assert!(matches!(client.restart(), Err(Failure::Gone { .. })));
}

#[test]
fn no_answer_says_what_was_tried_and_what_was_heard() {
    struct Mute(&'static [u8]);
    impl Line for Mute {
        fn send(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
        fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
            let bytes = std::mem::take(&mut self.0);
            buffer[..bytes.len()].copy_from_slice(bytes);
            if bytes.is_empty() {
                std::thread::sleep(wait);
            }
            Ok(bytes.len())
        }
        fn advice(&self) -> String {
            "is it on?".into()
        }
    }
    let patience = Patience { tries: 3, answer: Duration::from_millis(10), ..patience() };
    let said = |mute| Client::new(mute, patience).info().unwrap_err().to_string();
    let silent = said(Mute(b""));
    assert!(silent.starts_with("no answer: a request was sent 3 times"), "{silent}");
    assert!(silent.ends_with("nothing came from it; is it on?"), "{silent}");
    let other = said(Mute(b"U-Boot 2024.01\r\n\r\n\x1b[0m=> "));
    assert!(other.contains("U-Boot 2024.01 / ") && !other.contains('\x1b'), "{other}");
}

#[cfg(unix)]
mod port {
    //! The program itself, on a pseudo-terminal.

    use super::*;
    use desk::Desk;

    #[test]
    fn the_program_works_on_a_serial_port() {
        let path = simulated::on_a_port(OLD);
        let desk = Desk::empty();
        let model = |name: &str| format!("{}/../models/{name}.kilo", env!("CARGO_MANIFEST_DIR"));
        let (old, new) = (model("imdb-8k"), model("imdb-16k"));
        desk.write("texts.tsv", "label\ttext\n0\tawful\n1\tnot bad at all\n1\tI loved it\n");
        desk.write("long.txt", "a long text\n".repeat(100));
        let device = |args: &[&str]| desk.json(&[&["device", &path], args, &["--json"]].concat());

        let info = device(&["info"]);
        assert_eq!((&info["board"], &info["model"]["source"]), (&"simulated".into(), &"built in".into()));
        assert_eq!(info["model"]["labels"], serde_json::json!(["negative", "positive"]));

        // As `predict` has it, and what the device adds.
        let said = device(&["classify", "--scores", "not bad at all", ""]);
        let host = desk.json(&["predict", &old, "--json", "not bad at all", ""]);
        for (device, host) in
            said["predictions"].as_array().unwrap().iter().zip(host["predictions"].as_array().unwrap())
        {
            for key in ["text", "label", "class", "score", "words", "known_words"] {
                assert_eq!(device[key], host[key], "{key}");
            }
            assert_eq!(device["scores"][1]["logit"], host["logits"][0]);
        }
        let long = device(&["classify", "--file", "long.txt"]);
        assert_eq!(long["predictions"][0]["words"], 300);
        // Line ends, byte order marks and encodings are not the text's.
        let plain = device(&["classify", "a lovely\nroom, café"])["predictions"].clone();
        for (name, content) in [
            ("lf.txt", "a lovely\nroom, café\n".as_bytes()),
            ("crlf.txt", "\u{FEFF}a lovely\r\nroom, café\r\n".as_bytes()),
            ("cr.txt", "a lovely\rroom, café\r".as_bytes()),
            ("latin1.txt", b"a lovely\r\nroom, caf\xE9\r\n"),
        ] {
            desk.write(name, content);
            let encoding: &[&str] = if name == "latin1.txt" { &["--encoding", "latin1"] } else { &[] };
            let file = device(&[&["classify", "--file", name], encoding].concat())["predictions"].clone();
            for key in ["text", "words", "known_words", "score"] {
                assert_eq!(file[0][key], plain[0][key], "{name}: {key}");
            }
            let args = [&["device", &path, "classify", "--json"], encoding].concat();
            let output = desk.run_on(&args, content);
            let lines: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let texts: Vec<_> =
                lines["predictions"].as_array().unwrap().iter().map(|it| it["text"].clone()).collect();
            assert_eq!(texts, ["a lovely", "room, café"], "{name}");
        }
        let shown = desk.ok(&["device", &path, "classify", "not bad at all"]);
        assert!(shown.contains("\tnot bad at all\n  4 words, "), "{shown}");

        let report = device(&["validate", &old, "texts.tsv"]);
        assert_eq!((&report["texts"], &report["mismatches"]), (&3.into(), &0.into()));
        assert_eq!(device(&["validate", &old, "texts.tsv", "--limit", "2"])["texts"], 2);
        let output = desk.run(&["device", &path, "validate", &new, "texts.tsv"]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        for file in [OLD, NEW] {
            assert!(error.contains(&format!("{:08x}", checksum(file))), "both are named: {error}");
        }

        let later = device(&["update", &new, "--no-restart"]);
        assert_eq!((&later["revision"], &later["model"]["source"]), (&1.into(), &"built in".into()));
        assert_eq!(device(&["restart"])["model"]["revision"], 1);
        let sent = device(&["update", &old, "--revision", "5"]);
        assert_eq!(sent["model"]["checksum"], format!("{:08x}", checksum(OLD)));
        assert_eq!((&sent["revision"], &sent["model"]["revision"]), (&5.into(), &5.into()));
        let output = desk.run(&["device", &path, "update", &old, "--revision", "5"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("higher than the newest in its flash, 5"));

        // What cannot run there is not sent.
        let said = desk.refused(&["device", &path, "update", &model("imdb-64k")]);
        assert!(
            said.contains("imdb-64k.kilo: the model has 64,569 bytes, and the device has room for "),
            "{said}"
        );

        let bench = device(&["bench", "--texts", "10"]);
        assert_eq!((&bench["texts"], &bench["baud"]), (&10.into(), &115_200.into()));
        assert!(bench["line_bytes_per_second"].as_f64().unwrap() > 0.0);
        let statistics = device(&["statistics"]);
        // Ten texts, and one of spaces for the line.
        assert_eq!((&statistics["texts"], &statistics["malformed"]), (&11.into(), &0.into()));

        // All actions have something for a person, too.
        for (action, part) in [("info", "classes   negative, positive"), ("statistics", "frames understood")]
        {
            assert!(desk.ok(&["device", &path, action]).contains(part));
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_advice() {
        let desk = Desk::empty();
        let said = desk.refused(&["device", "/nowhere/tty", "info"]);
        assert!(
            said.contains("cannot open the serial port /nowhere/tty: ") && said.contains("there is "),
            "{said}"
        );
        let said = desk.refused(&["device", "qemu:toaster", "info"]);
        assert!(said.contains("mps2-an386"), "{said}");
        assert!(
            desk.refused(&["device", "/nowhere/tty", "info", "--model", "x.kilo"]).contains("qemu:BOARD")
        );
        assert!(
            desk.refused(&["device", "qemu:microbit", "info", "--firmware", "."]).contains("boards.toml")
        );
        // Without the sources there is nothing to build; a device at a port needs none.
        for command in [&["device", "qemu:microbit", "info"][..], &["device", "/nowhere/tty", "info"]] {
            let output = desk.command(command).env("KILORNN_FIRMWARE", "").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{said}");
            let is_told = said.contains("git clone https://github.com/kilornn/kilornn\n")
                && said.contains("--firmware kilornn/firmware-example");
            assert_eq!(is_told, command[1].starts_with("qemu"), "{said}");
        }
        // Before the port is opened.
        desk.write("bad.kilo", b"\x89PNG");
        assert!(desk.refused(&["device", "/nowhere/tty", "update", "bad.kilo"]).contains("bad.kilo: "));
        desk.refused(&["device", "/nowhere/tty"]);
        desk.refused(&["device", "/nowhere/tty", "info", "--baud", "0"]);
        for action in ["info", "classify", "validate", "bench", "statistics", "update", "restart"] {
            assert!(desk.ok(&["device", "x", action, "--help"]).contains("--json"), "{action}");
        }
    }
}
