//! The classifier against the formulas, computed naively.

use crate::common::{Narrow, Tables};
use kilornn::State;
use kilornn::layers::{Activation, Order};
use kilornn::text::{Unit, WordHash};
use kilornn::{Classifier, Error, Model, Session, Truncating, Unknown, Values};
use proptest::prelude::*;

/// What the model should say about a text, by the naive way: all words first, then Keras's
/// `pad_sequences`, then step by step.
fn expected(tables: &Tables, text: &str) -> (Vec<i64>, Vec<i64>) {
    let mut rows = tables.read_rows(text);
    let maxlen = tables.maxlen as usize;
    if maxlen > 0 && rows.len() > maxlen {
        match tables.truncating {
            Truncating::Pre => drop(rows.drain(..rows.len() - maxlen)),
            Truncating::Post => rows.truncate(maxlen),
        }
    }
    let mut state = vec![0; tables.units];
    if let Some((states, cycle)) = &tables.states {
        let filled = tables.units.next_multiple_of(4);
        let mut index = 0;
        for _ in rows.len()..maxlen {
            index += 1;
            if index == states.len() / filled {
                index = *cycle as usize;
            }
        }
        let bytes = &states[index * filled..][..tables.units];
        state = bytes.iter().map(|&b| i64::from(b)).collect();
    }
    for row in rows {
        state = tables.step(row, &state);
    }
    let logits = tables.logits(&state);
    (state, logits)
}

fn check<const UNITS: usize, const WINDOW: usize>(tables: &Tables, texts: &[String], chunk: usize) {
    let file = tables.file();
    let model = Model::from_bytes(&file).unwrap();
    let mut classifier = Classifier::<UNITS, WINDOW>::new(&model).unwrap();
    let mut workspace = vec![0xA5; model.workspace() + chunk];
    let mut session = Session::new(&model, &mut workspace[chunk..]).unwrap();
    for text in texts {
        let (state, logits) = expected(tables, text);
        session.push(text);
        assert_eq!(session.finish().logits().map(i64::from).collect::<Vec<_>>(), logits, "{text}");
        text.as_bytes().chunks(chunk).for_each(|chunk| classifier.push(chunk));
        let prediction = classifier.finish();
        assert_eq!(prediction.logits().map(i64::from).collect::<Vec<_>>(), logits, "{text}");
        let class = match logits[..] {
            [logit] => usize::from(logit > 0),
            _ => (0..logits.len()).rev().max_by_key(|&class| logits[class]).unwrap(),
        };
        assert_eq!(prediction.class() as usize, class, "{text}");
        assert_eq!(prediction.label(), format!("class {class}"));
        let all: f32 = (0..model.classes()).map(|class| prediction.probability(class)).sum();
        assert!((all - 1.0).abs() < 1e-3, "probabilities add up to {all}");
        assert!((0..model.classes()).all(|c| prediction.probability(c) <= prediction.score()));
        assert_eq!(prediction.words() as usize, text.split(' ').filter(|w| !w.is_empty()).count());
        assert_eq!(units(classifier.state(), tables), state, "{text}");
    }
}

/// The states of the units that are the network's; those that fill a block stay zero.
fn units(state: Values<'_>, tables: &Tables) -> Vec<i64> {
    let (units, filling) = state.int8().unwrap().split_at(tables.units);
    assert!(filling.len() < 4 && filling.iter().all(|&h| h == 0));
    units.iter().map(|&h| i64::from(h)).collect()
}

/// A projected embedding of any kind, or none.
fn narrow() -> impl Strategy<Value = Option<Narrow>> {
    let narrow = (1usize..=5, 0u8..=6, any::<bool>()).prop_map(|(half, shift, four)| match four {
        true => Narrow { width: 2 * half, shift: 2 * shift, bits: 4 },
        false => Narrow { width: half, shift, bits: 8 },
    });
    proptest::option::of(narrow)
}

fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![Just(Unit::Word), Just(Unit::WordPair)]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![5 => (0u32..12).prop_map(|i| format!("w{i}")), 1 => Just("unheard".to_owned())];
    let text = proptest::collection::vec(word, 0..30).prop_map(|words| words.join(" "));
    proptest::collection::vec(text, 1..6)
}

proptest! {
    #[test]
    fn follows_the_formulas(
        texts in texts(),
        (seed, units, outputs) in (0u32..1000, 1usize..=20, 1usize..=5),
        (chunk, narrow, drop, unit) in (1usize..9, narrow(), any::<bool>(), unit()),
    ) {
        let mut tables = Tables::new(seed, 12, units, outputs, narrow).read(unit);
        if drop {
            tables.unknown = Unknown::Drop;
            tables.lay(Order::Columns);
        }
        check::<32, 0>(&tables, &texts, chunk);
    }

    /// All sizes, all densities, weights at their extremes, in both orders.
    #[test]
    fn the_kernel_follows_the_formula(
        (seed, units, narrow) in (0u32..10_000, 1usize..=128, narrow()),
        (closed, bias_shift, state_shift, tanh) in (any::<u8>(), 0u8..=14, 0u8..=8, any::<bool>()),
    ) {
        let mut tables = Tables::new(seed, 12, units, 1, narrow).wild(seed, closed);
        (tables.bias_shift, tables.state_shift) = (bias_shift, state_shift);
        if tanh {
            tables.activation = Activation::Tanh;
        }
        let mut loaded = 0;
        for order in [Order::Columns, Order::Pairs] {
            if order == Order::Pairs && !tables.inputs().is_multiple_of(4) {
                continue;
            }
            tables.lay(order);
            let file = tables.file();
            let model = match Model::from_bytes(&file) {
                Ok(model) => model,
                // Sums may be too large, and tanh is in pairs only.
                Err(Error::Invalid { what: "accumulator's bound (at most)" | "tanh states by columns", .. }) => continue,
                Err(error) => panic!("{error}"),
            };
            loaded += 1;
            let mut state = State::<160>::zero(&model).unwrap();
            let mut expected = vec![0; units];
            for step in 0..24 {
                let row = step * 5 % 13;
                model.step(row, &mut state);
                expected = tables.step(row, &expected);
                prop_assert_eq!(&self::units(state.values(), &tables), &expected);
            }
        }
        // Without shifts, all sums are small enough.
        prop_assert!(loaded > 0 || bias_shift > 12 || state_shift > 0 || narrow.is_some() || tanh);
    }

    #[test]
    fn windows_and_pads_follow_keras(
        texts in texts(),
        (seed, maxlen, pre) in (0u32..1000, 1u32..40, any::<bool>()),
        (stored, cycle) in (1u32..6).prop_flat_map(|stored| (Just(stored), 0..stored)),
        (padded, unit) in (any::<bool>(), unit()),
    ) {
        let mut tables = Tables::new(seed, 12, 6, 1, None).read(unit);
        tables.maxlen = maxlen;
        tables.truncating = if pre { Truncating::Pre } else { Truncating::Post };
        if padded {
            let mut states: Vec<u8> = crate::common::bytes(seed, 8 * stored as usize).iter().map(|b| b & 127).collect();
            states[..8].fill(0);
            states.chunks_mut(8).for_each(|state| state[6..].fill(0));
            tables.states = Some((states, cycle));
        }
        check::<8, 40>(&tables, &texts, 3);
    }
}

#[test]
fn the_widest_and_most_extreme_model_does_not_overflow() {
    // Debug builds check every sum; the loader has bounded them all.
    let widest = Narrow { width: 256, shift: 0, bits: 8 };
    let mut tables = Tables::new(1, 12, 256, 256, Some(widest));
    tables.state_shift = 0;
    tables.labels = (0..256).map(|i| format!("class {i}")).collect::<Vec<_>>().join("\n");
    let long = vec!["w1 w2 w3 unheard w11".to_owned(); 3];
    check::<512, 0>(&tables, &long, 5);
}

#[test]
fn an_empty_text_and_one_of_unknown_words_have_defined_answers() {
    let mut tables = Tables::new(3, 12, 8, 1, None);
    tables.unknown = Unknown::Drop;
    tables.lay(Order::Columns);
    let file = tables.file();
    let model = Model::from_bytes(&file).unwrap();
    let mut classifier: Classifier<8> = Classifier::new(&model).unwrap();
    for text in ["", " ", "unheard of", "\u{FFFD}"] {
        classifier.push(text);
        let prediction = classifier.finish();
        assert_eq!(prediction.logits().collect::<Vec<_>>(), [-50], "the bias alone");
        assert_eq!(prediction.known_words(), 0);
    }
    assert_eq!(classifier.finish().words(), 0, "finishing twice is an empty text");
}

#[test]
fn a_pair_is_read_in_place_of_its_second_word() {
    let mut tables = Tables::new(6, 12, 8, 1, None).read(Unit::WordPair);
    tables.unknown = Unknown::Drop;
    tables.lay(Order::Columns);
    let [w0, w1, pair] = {
        let hash = |word| WordHash::of(9, word);
        let slot = |hash| tables.text().vocabulary.slot(hash).unwrap();
        [slot(hash("w0")), slot(hash("w1")), slot(WordHash::pair(hash("w0"), hash("w1")))]
    };
    for (text, rows, words) in [
        ("w0 w1", vec![w0, pair], 2),
        ("W0, w1!", vec![w0, pair], 2),
        ("w1 w0", vec![w1, w0], 2),
        ("w0 unheard w1", vec![w0, w1], 3),
        ("w0 w1 w1", vec![w0, pair, w1], 3),
        ("w1", vec![w1], 1),
    ] {
        let file = tables.file();
        let model = Model::from_bytes(&file).unwrap();
        let mut classifier: Classifier<8> = Classifier::new(&model).unwrap();
        // What was read before does not make a pair with what comes.
        classifier.push("w0");
        classifier.finish();
        text.as_bytes().chunks(1).for_each(|chunk| classifier.push(chunk));
        let prediction = classifier.finish();
        assert_eq!((prediction.known_words() as usize, prediction.words()), (rows.len(), words), "{text}");
        let state = rows.iter().fold(vec![0; 8], |state, &row| tables.step(row, &state));
        assert_eq!(units(classifier.state(), &tables), state, "{text}");
    }
}

#[test]
fn a_prediction_depends_on_its_own_text_alone() {
    let file = Tables::new(4, 12, 8, 1, None).read(Unit::WordPair).file();
    let model = Model::from_bytes(&file).unwrap();
    let mut classifier: Classifier<8> = Classifier::new(&model).unwrap();
    let mut answer = |text: &str| {
        classifier.push(text);
        let prediction = classifier.finish();
        (prediction.logits().collect::<Vec<_>>(), prediction.words(), prediction.known_words())
    };
    let fresh = answer("w1 w2");
    answer("w5 w6 w7");
    assert_eq!(answer("w1 w2"), fresh);
}

#[test]
fn too_small_a_classifier_says_what_it_needs() {
    let mut tables = Tables::new(5, 12, 8, 1, None);
    let file = tables.file();
    let model = Model::from_bytes(&file).unwrap();
    let error = Classifier::<7>::new(&model).unwrap_err();
    assert_eq!(error, Error::UnitsCapacity { needed: 8, found: 7 });
    tables.maxlen = 100;
    let file = tables.file();
    let model = Model::from_bytes(&file).unwrap();
    assert_eq!(
        Classifier::<8, 99>::new(&model).unwrap_err(),
        Error::WindowCapacity { needed: 100, found: 99 }
    );
    Classifier::<8, 100>::new(&model).unwrap();
}

#[test]
fn a_row_or_a_state_that_is_not_the_model_s_changes_nothing() {
    let file = Tables::new(6, 12, 8, 1, None).file();
    let other = Tables::new(6, 12, 16, 1, None).file();
    let (model, other) = (Model::from_bytes(&file).unwrap(), Model::from_bytes(&other).unwrap());
    let mut state: State<16> = State::zero(&model).unwrap();
    model.step(3, &mut state);
    let before = state.clone();
    assert!(before.values().iter().any(|value| value != 0));
    model.step(13, &mut state);
    model.step(u32::MAX, &mut state);
    other.step(3, &mut state);
    assert_eq!(state.values(), before.values());
}
