//! New models, and what a power cut leaves.

use kilornn_app::Ended;
use kilornn_app::hardware::Slot;
use kilornn_app::store::MODEL;
use kilornn_link::frame::CHUNK;
use kilornn_link::message::{Refusal, Request, Response, Source, Update, checksum};

use crate::common::*;

fn announced(file: &[u8], revision: Option<u32>) -> Update {
    Update { length: file.len() as u32, checksum: checksum(file), revision }
}

/// All requests of an update.
fn update(file: &[u8], revision: Option<u32>) -> Vec<Request<'_>> {
    let pieces = file.chunks(CHUNK).enumerate();
    let mut requests = vec![Request::Update(announced(file, revision))];
    requests.extend(pieces.map(|(index, bytes)| Request::Piece { offset: (index * CHUNK) as u32, bytes }));
    requests.push(Request::Commit);
    requests
}

/// Sends a model and says how the last request was answered.
fn send<F: Slot + Clone>(slots: &mut [F; 2], file: &[u8], revision: Option<u32>) -> u32 {
    let mut given = None;
    exchange(slots, OLD, &update(file, revision), |responses| {
        let (last, pieces) = responses.split_last().unwrap();
        for (index, response) in pieces.iter().enumerate() {
            let length = (index * CHUNK).min(file.len()) as u32;
            assert_eq!(response, &Response::Received { length });
        }
        let &Response::Updated { revision } = last else { panic!("{last:?}") };
        given = Some(revision);
    });
    given.unwrap()
}

/// Starts a device, which must classify, and says which model it runs.
fn starts_with<F: Slot + Clone>(slots: &mut [F; 2], built_in: &[u8]) -> (Source, u32) {
    let text = b"A wonderful film.";
    let requests = [
        Request::Info,
        Request::Text { offset: 0, bytes: text },
        Request::Classify { length: text.len() as u32 },
    ];
    let mut model = None;
    exchange(slots, built_in, &requests, |responses| {
        let [Response::Info(info), Response::Received { .. }, Response::Prediction(prediction)] = responses
        else {
            panic!("{responses:?}")
        };
        assert_eq!((prediction.class, prediction.words), (1, 3));
        model = info.model.map(|model| (model.source, model.checksum));
    });
    model.unwrap()
}

#[test]
fn the_newest_model_runs() {
    let mut slots = empty();
    assert_eq!(starts_with(&mut slots, OLD), (Source::BuiltIn, checksum(OLD)));
    assert_eq!(send(&mut slots, NEW, None), 1);
    let in_slot = |index, revision, file| (Source::Slot { index, revision }, checksum(file));
    assert_eq!(starts_with(&mut slots, OLD), in_slot(0, 1, NEW));
    // The other slot, and the first again.
    assert_eq!(send(&mut slots, OLD, Some(7)), 7);
    assert_eq!(starts_with(&mut slots, OLD), in_slot(1, 7, OLD));
    assert_eq!(send(&mut slots, NEW, None), 8);
    assert_eq!(starts_with(&mut slots, OLD), in_slot(0, 8, NEW));
}

#[test]
fn a_restart_is_answered_and_then_asked_of_the_board() {
    let ended = exchange(&mut empty(), OLD, &[Request::Restart], |responses| {
        assert_eq!(responses, [Response::Restarting]);
    });
    assert_eq!(ended, Ended::Restart);
}

/// Cuts the power in the midst of every step of an update there is.
fn cut_everywhere<const WRITE: usize, const ERASE: usize>(earlier: &[&[u8]], file: &[u8]) {
    let power = Power::default();
    let flash = Flash::<WRITE, ERASE>::new((20_usize << 10).next_multiple_of(ERASE), &power);
    let mut before = [flash.clone(), flash];
    for (revision, file) in (1..).zip(earlier) {
        assert_eq!(send(&mut before, file, None), revision);
    }
    let old = starts_with(&mut before, OLD);
    power.restore();
    let revision = send(&mut before.clone(), file, None);
    let steps = power.steps();
    let words = (file.len().next_multiple_of(WRITE) + 20_usize.next_multiple_of(WRITE)) / WRITE;
    assert_eq!(steps as usize, (MODEL as usize + file.len()).div_ceil(ERASE) + words);

    let mut old_runs = 0;
    for step in 0..steps {
        let mut slots = before.clone();
        power.cut_at(step);
        device(&mut slots, OLD, vec![Arrival::Bytes(frames(&update(file, None)))]);
        power.restore();
        match starts_with(&mut slots, OLD) {
            found if found == old => old_runs += 1,
            (Source::Slot { revision: found, .. }, sum) => {
                assert_eq!((found, sum), (revision, checksum(file)), "power cut in step {step} of {steps}");
            }
            other => panic!("power cut in step {step} of {steps}: {other:?} runs"),
        }
        // And the same update, sent again, succeeds. (The next number, should the first have been complete.)
        let again = send(&mut slots, file, None);
        let (Source::Slot { revision, .. }, sum) = starts_with(&mut slots, OLD) else {
            panic!("step {step}")
        };
        assert_eq!((revision, sum), (again, checksum(file)), "power cut in step {step} of {steps}");
    }
    // The new model runs only if the very last word, which ends the header, is as good as whole.
    assert!(old_runs >= steps - 1, "{old_runs} of {steps}");
    println!(
        "{steps} power cuts, flash of {WRITE}-byte words and {ERASE}-byte sectors: old or new runs after each"
    );
}

#[test]
fn a_power_cut_at_any_step_leaves_the_built_in_or_the_new_model() {
    cut_everywhere::<4, 1024>(&[], OLD);
}

#[test]
fn a_power_cut_at_any_step_leaves_the_old_or_the_new_model() {
    // The slot that is written holds a model already, the older one.
    cut_everywhere::<4, 1024>(&[NEW, OLD], NEW);
}

#[test]
fn a_power_cut_at_any_step_on_flashes_of_other_kinds() {
    cut_everywhere::<1, 16384>(&[NEW], OLD);
    cut_everywhere::<256, 4096>(&[NEW, OLD], NEW);
}

#[test]
fn what_is_of_no_use_is_refused_and_the_old_model_runs() {
    let mut slots = empty();
    send(&mut slots, NEW, Some(5));
    let runs = starts_with(&mut slots, OLD);
    let refused = |slots: &mut [Flash<4, 1024>; 2], requests: &[Request<'_>], check: &dyn Fn(Refusal<'_>)| {
        exchange(slots, OLD, requests, |responses| match responses.last() {
            Some(&Response::Refused(refusal)) => check(refusal),
            other => panic!("{other:?}"),
        });
        assert_eq!(starts_with(slots, OLD), runs);
    };
    // Before anything is written: too long, or not newer than the newest.
    let untouched = slots.clone().map(|slot| slot.memory().to_vec());
    let room = (20 << 10) - MODEL;
    let long = Update { length: room + 1, checksum: 0, revision: None };
    refused(&mut slots, &[Request::Update(long)], &|refusal| assert_eq!(refusal, Refusal::TooLong { room }));
    let stale = announced(OLD, Some(5));
    refused(&mut slots, &[Request::Update(stale)], &|refusal| {
        assert_eq!(refusal, Refusal::Stale { newest: 5 });
    });
    refused(&mut slots, &[Request::Commit], &|refusal| assert_eq!(refusal, Refusal::NoUpdate));
    refused(&mut slots, &[Request::Piece { offset: 0, bytes: b"x" }], &|refusal| {
        assert_eq!(refusal, Refusal::NoUpdate);
    });
    assert_eq!(slots.clone().map(|slot| slot.memory().to_vec()), untouched);

    // In the other slot: not a model, damaged, cut short, of another version, too large for the buffers.
    let because = |words: &'static str| {
        move |refusal: Refusal<'_>| match refusal {
            Refusal::Model(reason) => assert!(reason.contains(words), "{reason}"),
            other => panic!("{other:?}"),
        }
    };
    let mut damaged = OLD.to_vec();
    damaged[4000] ^= 1;
    refused(&mut slots, &update(&damaged, None), &because("damaged"));
    refused(&mut slots, &update(&OLD[..8000], None), &because("cut short"));
    refused(&mut slots, &update(&[7; 300], None), &because("not a KiloRNN model"));
    let mut other_version = OLD.to_vec();
    other_version[4] = 1;
    refused(&mut slots, &update(&other_version, None), &because("version"));
    refused(&mut slots, &update(&[], None), &because("cut short"));
    // What arrived is not what was announced, or not all of it.
    let mut requests = update(OLD, None);
    requests[0] = Request::Update(Update { checksum: 1, ..announced(OLD, None) });
    refused(&mut slots, &requests, &|refusal| {
        assert_eq!(refusal, Refusal::Checksum { found: checksum(OLD) });
    });
    let mut requests = update(OLD, None);
    requests.remove(requests.len() - 2);
    refused(&mut slots, &requests, &|refusal| {
        assert_eq!(refusal, Refusal::Offset { received: (OLD.len() / CHUNK * CHUNK) as u32 });
    });
}

#[test]
fn a_model_too_large_for_the_buffers_is_refused() {
    static LARGE: &[u8] = kilornn::include_model!("../../../../runtime-nostd/tests/golden/v2-starter.kilo");
    let flash = Flash::<4, 1024>::new(64 << 10, &Power::default());
    let mut slots = [flash.clone(), flash];
    // 32 units fit; the same firmware with room for 16 refuses, and says why.
    assert_eq!(send(&mut slots, LARGE, None), 1);
    let flash = Flash::<4, 1024>::new(64 << 10, &Power::default());
    let run = device_of::<16, _>(&mut [flash.clone(), flash], OLD, frames(&update(LARGE, None)));
    let messages = messages(&run.sent);
    let (_, last) = response(messages.last().unwrap());
    let Response::Refused(Refusal::Model(reason)) = last else { panic!("{last:?}") };
    assert!(reason.contains("32") && reason.contains("16"), "{reason}");
    // And one that got there by another firmware is not run.
    let run = device_of::<16, _>(&mut slots, OLD, frames(&[Request::Info]));
    let messages = crate::common::messages(&run.sent);
    let (_, Response::Info(info)) = response(&messages[0]) else { panic!() };
    assert_eq!(info.model.map(|model| model.source), Some(Source::BuiltIn));
}

#[test]
fn pieces_that_are_sent_again_count_once() {
    let mut requests = update(OLD, None);
    let doubled: Vec<_> = requests.iter().flat_map(|&request| [request, request]).collect();
    let mut slots = empty();
    exchange(&mut slots, OLD, &doubled, |responses| {
        assert_eq!(responses.last(), Some(&Response::Updated { revision: 1 }));
        assert!(!responses.iter().any(|response| matches!(response, Response::Refused(_))));
    });
    // One that is left out is not.
    requests.remove(3);
    exchange(&mut empty(), OLD, &requests, |responses| {
        let received = (2 * CHUNK) as u32;
        assert_eq!(responses[3], Response::Refused(Refusal::Offset { received }));
    });
}
