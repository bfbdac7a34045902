//! GRU, LSTM and stacks of layers against the formulas, computed naively, and against real numbers.

use crate::common::{Aligned, Narrow, encode};
use crate::stacks::{Cell, Owned, Real, Stack, Strength};
use fastrand::Rng;
use kilornn::layers::{Activation, Order};
use kilornn::{Classifier, Error, Model, Session, State, Truncating, Values};
use proptest::prelude::*;

/// The cells with gates.
const GATED: [Cell; 3] = [Cell::Gru, Cell::Lstm, Cell::FastGrnn];

/// Room for any network.
const ROOM: usize = 4096;

/// Steps a network through rows, by the runtime and by the formulas, in memory of both kinds.
fn compare(stack: &Stack, rows: impl IntoIterator<Item = u32>) {
    let file = encode(&stack.contents());
    let model = Model::from_bytes(&file).unwrap();
    assert_eq!(model.contents(), &stack.contents());
    let mut state = State::<ROOM>::zero(&model).unwrap();
    let mut expected = stack.zero();
    for row in rows {
        model.step(row, &mut state);
        stack.step(row, &mut expected);
        let values: Vec<i64> = state.values().iter().map(i64::from).collect();
        assert_eq!(values, expected.last().unwrap().outputs);
    }
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        2 => Just(Cell::Gru),
        2 => Just(Cell::Lstm),
        2 => Just(Cell::FastGrnn),
        1 => Just(Cell::Simple(Activation::Relu, Order::Columns)),
        1 => Just(Cell::Simple(Activation::Relu, Order::Pairs)),
        1 => Just(Cell::Simple(Activation::Tanh, Order::Pairs)),
    ]
}

/// An embedding of a width that layers with gates can read, or a folded one.
fn narrow(most: usize) -> impl Strategy<Value = Option<Narrow>> {
    let narrow = (1usize..=most / 4, 0u8..=12, any::<bool>()).prop_map(|(fours, shift, four)| match four {
        true => Narrow { width: 4 * fours, shift, bits: 4 },
        false => Narrow { width: 4 * fours, shift: shift.min(8), bits: 8 },
    });
    proptest::option::of(narrow)
}

fn strength() -> impl Strategy<Value = Strength> {
    prop_oneof![Just(Strength::Calm), Just(Strength::Wild)]
}

proptest! {
    #[test]
    fn a_layer_follows_the_formulas(
        (seed, cell, fours) in (any::<u64>(), 0..GATED.len(), 1usize..=64),
        (narrow, strength) in (narrow(256), strength()),
    ) {
        let stack = Stack::new(seed % 100_000, &[(GATED[cell], 4 * fours)], narrow, false, strength);
        compare(&stack, (0..12).map(|step| step * 5 % 13));
    }

    #[test]
    fn stacks_follow_the_formulas(
        (seed, narrow, strength) in (0u64..100_000, narrow(16), strength()),
        layers in proptest::collection::vec((cell(), (1usize..=6).prop_map(|fours| 4 * fours)), 1..=4),
        pads in any::<bool>(),
    ) {
        let stack = Stack::new(seed, &layers, narrow, pads, strength);
        compare(&stack, (0..24).map(|step| step * 5 % if pads { 14 } else { 13 }));
    }

    /// A classifier and a session read texts, remember words and take pads, as Keras's `pad_sequences` has them.
    #[test]
    fn texts_windows_and_pads_follow_keras(
        (seed, layers) in (0u64..1000, proptest::collection::vec((cell(), Just(4)), 1..=3)),
        texts in proptest::collection::vec(proptest::collection::vec(0u32..14, 0..20), 1..5),
        (maxlen, pre, pads) in (0u32..12, any::<bool>(), any::<bool>()),
        (chunk, misaligned) in (1usize..9, 0usize..4),
    ) {
        let pads = pads && maxlen > 0;
        let mut stack = Stack::new(seed, &layers, None, pads, Strength::Calm);
        stack.tables.maxlen = maxlen;
        stack.tables.truncating = if pre { Truncating::Pre } else { Truncating::Post };
        let file = encode(&stack.contents());
        let model = Model::from_bytes(&file).unwrap();
        let mut classifier: Classifier<128, 12> = Classifier::new(&model).unwrap();
        let mut workspace = vec![0xA5; model.workspace() + misaligned];
        let mut session = Session::new(&model, &mut workspace[misaligned..]).unwrap();
        for text in texts {
            let text: String = text.iter().map(|word| format!("w{word} ")).collect();
            let mut rows = stack.tables.read_rows(&text);
            let cut = rows.len().saturating_sub(maxlen as usize);
            match (maxlen, pre) {
                (0, _) => {}
                (_, true) => drop(rows.drain(..cut)),
                (_, false) => rows.truncate(maxlen as usize),
            }
            let before = if pads { maxlen as usize - rows.len() } else { 0 };
            let mut state = stack.zero();
            for row in std::iter::repeat_n(13, before).chain(rows) {
                stack.step(row, &mut state);
            }
            let expected = stack.logits(&state);
            text.as_bytes().chunks(chunk).for_each(|chunk| classifier.push(chunk));
            let logits: Vec<i64> = classifier.finish().logits().map(i64::from).collect();
            prop_assert_eq!(&logits, &expected);
            session.push(&text);
            let logits: Vec<i64> = session.finish().logits().map(i64::from).collect();
            prop_assert_eq!(&logits, &expected);
            let outputs = &state.last().unwrap().outputs;
            prop_assert_eq!(&session.state().iter().map(i64::from).collect::<Vec<_>>(), outputs);
        }
    }
}

#[test]
fn the_largest_network_runs() {
    let widest = Narrow { width: 256, shift: 8, bits: 8 };
    for cell in GATED {
        let layers = [(cell, 256); 4];
        compare(&Stack::new(1, &layers, Some(widest), false, Strength::Wild), [0, 7, 12, 12, 3]);
    }
}

/// A LSTM whose gates are all open adds up until its cell state saturates, and a closed forget gate empties it.
#[test]
fn cell_states_saturate() {
    use kilornn::layers::{Begin, Lstm, LstmSum};
    let open = 1 << 20;
    for sign in [1, -1] {
        let begin = |_, sum| Begin {
            bias: match sum {
                LstmSum::Forget => -open,
                LstmSum::Candidate => sign * open,
                _ => open,
            },
            shift: 0,
        };
        let mut stack = Stack::new(1, &[(Cell::Lstm, 4)], None, false, Strength::Calm);
        let layer = &mut stack.layers[0];
        layer.weights = Lstm::encode_kernel(4, 4, begin, |_, _, _| 0).collect();
        layer.weights.extend(vec![0; 13 * 16]);
        // 2^31 of 2^20 a step: more than 2,048 steps.
        compare(&stack, std::iter::repeat_n(0, 2200));
        let file = encode(&stack.contents());
        let model = Model::from_bytes(&file).unwrap();
        let mut state = State::<ROOM>::zero(&model).unwrap();
        (0..2200).for_each(|_| model.step(0, &mut state));
        let all = state.values();
        assert!(all.iter().all(|h| (h - sign * 4096).abs() <= 1), "{all:?}");
    }
}

/// A FastGRNN whose gates keep everything adds up what `nu` gives until its states saturate, and open gates take them back.
#[test]
fn states_with_a_limit_saturate() {
    use kilornn::layers::{Begin, FastGrnn};
    for sign in [1, -1] {
        let mut stack = Stack::new(1, &[(Cell::FastGrnn, 4)], None, false, Strength::Calm);
        let layer = &mut stack.layers[0];
        let begin = |_| Begin { bias: sign << 20, shift: 0 };
        let kernel = |closed: bool| {
            let offset = if closed { -(1 << 24) } else { 1 << 24 };
            let kernel = FastGrnn::encode_kernel(4, 4, begin, move |_| offset, |_, _| 0);
            kernel.chain(vec![0; 13 * 4]).collect::<Vec<u8>>()
        };
        layer.weights = kernel(true);
        layer.scalars = [1_000, 100];
        // 32,768 of 100 a step.
        compare(&stack, std::iter::repeat_n(0, 400));
        let run = |stack: &Stack, steps: usize| {
            let file = encode(&stack.contents());
            let model = Model::from_bytes(&file).unwrap();
            let mut state = State::<ROOM>::zero(&model).unwrap();
            (0..steps).for_each(|_| model.step(0, &mut state));
            state.values().iter().collect::<Vec<_>>()
        };
        assert_eq!(run(&stack, 400), [sign * 4096; 4]);
        stack.layers[0].weights = kernel(false);
        // 1,100 of 32,768, but for rounding down.
        assert!(run(&stack, 400).iter().all(|h| (h - sign * 137).abs() <= 1));
    }
}

/// Random networks whose weights are like those of trained ones: root of the mean square of the differences between the
/// states and those of real numbers, over steps from `from` to `to`.
fn error(cell: Cell, seed: u64, from: usize, to: usize, input: impl Fn(&mut Rng) -> i64) -> f64 {
    let (units, width) = (32, 8);
    let narrow = Narrow { width, shift: 4, bits: 8 };
    let stack = Stack::new(seed, &[(cell, units)], Some(narrow), false, Strength::Calm);
    let layer: &Owned = &stack.layers[0];
    let (mut exact, mut real) = (stack.zero(), Real::zero(units));
    let mut random = Rng::with_seed(seed);
    let (mut squares, mut power, mut count) = (0.0, 0.0, 0);
    for step in 0..to {
        let row = random.u32(..13);
        let scale = input(&mut random);
        stack.step(row * u32::from(scale != 0), &mut exact);
        let mut x = Vec::new();
        let embedding = stack.tables.text().embedding;
        embedding.for_each_multiplier(row * u32::from(scale != 0), |number| x.push(f64::from(number)));
        layer.real_step(&x, row, &mut real);
        if step >= from {
            for (exact, real) in exact[0].outputs.iter().zip(&real.outputs) {
                squares += (*exact as f64 * layer.limit() / f64::from(1 << layer.state) - real).powi(2);
                power += real.powi(2);
                count += 1;
            }
        }
    }
    let [error, size] = [squares, power].map(|sum: f64| (sum / f64::from(count)).sqrt());
    assert!(size > 0.1, "{cell:?}, network {seed} hardly moves: {size}");
    error
}

#[test]
fn states_are_near_those_of_real_numbers() {
    for cell in GATED {
        for seed in 0..20 {
            let error = error(cell, seed, 0, 128, |_| 1);
            println!("{cell:?} {seed}: {error:.5}");
            assert!(error < 0.001, "{cell:?}, network {seed}: {error}");
        }
    }
}

#[test]
fn states_do_not_drift() {
    for cell in GATED {
        for seed in 0..5 {
            let (early, late) = (error(cell, seed, 0, 200, |_| 1), error(cell, seed, 900, 1100, |_| 1));
            assert!(late < 0.001 && late < 2.0 * early + 0.0002, "{cell:?}, {seed}: {early}, then {late}");
            // The same word for a thousand steps.
            let silent = error(cell, seed, 900, 1000, |_| 0);
            assert!(silent < 0.001, "{cell:?}, {seed}: {silent} in a long silence");
        }
    }
}

/// Any bit of a file flipped, and every length to which it is cut.
#[test]
fn damaged_copies_are_refused() {
    let layers = [(Cell::Gru, 4), (Cell::Simple(Activation::Relu, Order::Columns), 4), (Cell::Lstm, 4)];
    let stack = Stack::new(3, &layers, Some(Narrow { width: 4, shift: 2, bits: 4 }), true, Strength::Calm);
    let mut file = encode(&stack.contents());
    assert_eq!(file[4], 4);
    Model::from_bytes(&file).unwrap();
    for byte in 0..file.len() {
        assert!(Model::from_bytes(&file[..byte]).is_err(), "cut to {byte}");
        for bit in 0..8 {
            file[byte] ^= 1 << bit;
            assert!(Model::from_bytes(&file).is_err(), "bit {bit} of byte {byte}");
            file[byte] ^= 1 << bit;
        }
    }
}

#[test]
fn hostile_layers_are_refused() {
    let refuses = |change: &dyn Fn(&mut Stack), words: &str| {
        let simple = Cell::Simple(Activation::Relu, Order::Columns);
        let layers = [(Cell::Gru, 8), (Cell::Lstm, 8), (Cell::FastGrnn, 8), (simple, 4)];
        let mut stack =
            Stack::new(5, &layers, Some(Narrow { width: 4, shift: 2, bits: 8 }), false, Strength::Calm);
        Model::from_contents(stack.contents()).unwrap();
        change(&mut stack);
        let file = encode(&stack.contents());
        let said = Model::from_bytes(&file).expect_err(words).to_string();
        assert!(said.contains(words), "`{said}` should say `{words}`");
    };
    refuses(&|s| s.layers[0].state = 3, "state bits (at least) should be 4, but found 3");
    refuses(&|s| s.layers[1].state = 15, "state bits (at most) should be 14, but found 15");
    refuses(&|s| s.layers[0].bias_shift = 15, "bias shift (at most)");
    refuses(&|s| s.layers[0].input_shift = 1, "input shift of the first layer should be 0");
    refuses(&|s| s.layers[1].input_shift = 15, "input shift (at most) should be 14");
    refuses(&|s| s.layers[1].input_shift = 3, "shifted inputs (at most) should be 32767, but found 32768");
    refuses(&|s| s.layers[3].input_shift = 3, "shifted inputs (at most)");
    refuses(&|s| s.layers[1].units = 10, "bytes");
    refuses(&|s| s.layers[1].units = 260, "units of a layer (at most) should be 256, but found 260");
    refuses(&|s| s.layers[3].weights.truncate(40), "bytes of weights");
    refuses(&|s| s.layers[3].weights.push(0), "bytes behind all weights should be 0, but found 1");
    // Words with which sums begin: in the low byte the shift.
    refuses(&|s| s.layers[0].weights[8] = 32, "shift of a sum (at most) should be 31, but found 32");
    refuses(&|s| s.layers[1].weights[12] = 255, "shift of a sum (at most)");
    refuses(&|s| s.layers[1].weights[15] = 0x7F, "bound of a sum (at most)");
    refuses(&|s| s.layers[0].weights[3] = 0x80, "bound of a sum (at most)");
    let candidate = |s: &mut Stack| {
        // Half of the range from `x` and half from `h`, which are not shifted.
        for word in [16, 24] {
            s.layers[0].weights[word..word + 4].copy_from_slice(&[0, 0, 0, 0x40]);
        }
    };
    refuses(&candidate, "candidate's bound (at most)");
    // The largest weights.
    refuses(&|s| s.layers[1].weights[16..].fill(0x7F), "bound of a sum (at most)");
    refuses(&|s| s.layers[2].scalars[0] = -1, "zeta (at most) should be 32767, but found 65535");
    refuses(&|s| s.layers[2].scalars[1] = -2, "nu (at most) should be 32767, but found 65534");
    refuses(&|s| s.layers[2].limit_bits = 4, "limit bits (at most) should be 3, but found 4");
    refuses(&|s| s.layers[2].weights[12] = 32, "shift of a sum (at most) should be 31");
    refuses(&|s| s.layers[2].weights[7] = 0x80, "bound of a sum (at most)");
    refuses(
        &|s| s.layers[2].weights[16..20].copy_from_slice(&(1i32 << 30).to_le_bytes()),
        "gate's offset (at most) should be 1073741823, but found 1073741824",
    );
    refuses(&|s| s.tables.states = Some((vec![0; 4], 0)), "layers of a model with pad states should be 1");
}

#[test]
fn gates_read_inputs_in_fours() {
    let tables = |width| Some(Narrow { width, shift: 0, bits: 8 });
    let mut stack = Stack::new(5, &[(Cell::Lstm, 4)], tables(4), false, Strength::Calm);
    stack.tables = crate::common::Tables::new(5, 12, 4, 2, tables(6));
    stack.layers[0].weights.resize(4 * (16 + 4 * 10), 0);
    let error = Model::from_contents(stack.contents()).unwrap_err();
    assert!(error.to_string().contains("inputs of a layer with gates, modulo 4,"), "{error}");
    // Pads may have stored states only where there is one SimpleRNN.
    let mut stack = Stack::new(5, &[(Cell::Gru, 4)], None, false, Strength::Calm);
    (stack.tables.states, stack.tables.maxlen) = (Some((vec![0; 4], 0)), 3);
    let error = Model::from_contents(stack.contents()).unwrap_err();
    assert!(error.to_string().contains("layers with gates of a model with pad states"), "{error}");
}

#[test]
fn too_little_memory_is_refused_with_what_is_needed() {
    let stack = Stack::new(4, &[(Cell::Lstm, 64), (Cell::Gru, 32)], None, false, Strength::Calm);
    let file = encode(&stack.contents());
    let model = Model::from_bytes(&file).unwrap();
    let needed = model.contents().inputs();
    let error = Classifier::<64>::new(&model).unwrap_err();
    assert_eq!(error, Error::UnitsCapacity { needed, found: 64 });
    // LSTM: inputs, cell states, new outputs. GRU: inputs and outputs, states.
    assert_eq!(model.workspace(), 2 * 64 + 4 * 64 + 2 * 64 + 2 * (64 + 32) + 4 * 32 + 3);
    // On other targets inputs and outputs have 32 bits, and there are eight bytes for each of a state's units.
    let wide = model.contents().memory(kilornn::Kernel::Wide);
    assert_eq!(wide, 4 * 64 + 8 * 64 + 4 * (64 + 32) + 4 * 32);
    assert_eq!(needed as usize, wide.div_ceil(8));
    let mut workspace = vec![0u8; model.workspace()];
    Session::new(&model, &mut workspace).unwrap();
    let short = workspace.len() - 4;
    assert_eq!(
        Session::new(&model, &mut workspace[..short]).unwrap_err(),
        Error::WorkspaceCapacity { needed: short as u32 + 4, found: short as u32 }
    );
    let mut state = State::<ROOM>::zero(&model).unwrap();
    state.set(&[1, 2, 3]);
    assert_eq!(state.values(), Values::Int16(&[0; 32]));
}

/// Random networks of versions from 4 on, with what they must say for ever. `SNAPSHOTS=overwrite` writes them anew.
#[test]
fn golden_files_of_layers_with_gates_stay_readable() {
    let simple = |activation, order| Cell::Simple(activation, order);
    let narrow = Some(Narrow { width: 4, shift: 6, bits: 4 });
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (name, layers, narrow, pads) in [
        ("v4-gru", &[(Cell::Gru, 16)][..], None, false),
        ("v4-lstm", &[(Cell::Lstm, 16)][..], narrow, false),
        ("v5-fastgrnn", &[(Cell::FastGrnn, 16)][..], None, false),
        (
            "v4-stack",
            &[
                (Cell::Gru, 8),
                (simple(Activation::Relu, Order::Columns), 12),
                (Cell::Lstm, 8),
                (simple(Activation::Tanh, Order::Pairs), 4),
            ][..],
            narrow,
            true,
        ),
    ] {
        let stack = Stack::new(4, layers, narrow, pads, Strength::Calm);
        let made = encode(&stack.contents());
        let [file, answers] = ["kilo", "txt"].map(|kind| folder.join(name).with_extension(kind));
        if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
            std::fs::write(&file, &made[..]).unwrap();
            let texts = [
                "",
                "w0",
                "w1 w2",
                "w3 w3 w3",
                "w11 w10 w9 w8 w7 w6",
                "W5, unheard w0!",
                "w4 w1 w4",
                "unheard",
            ];
            let answers_now: String =
                texts.iter().map(|text| format!("{}\t{text}\n", said(&made, text))).collect();
            std::fs::write(&answers, answers_now).unwrap();
        }
        let golden = Aligned::new(&std::fs::read(&file).unwrap(), 0);
        // It states the oldest version that has what it needs.
        assert_eq!(golden[4], name.as_bytes()[1] - b'0');
        assert!(golden[..] == made[..], "{name}");
        let answers = std::fs::read_to_string(&answers).unwrap();
        assert_eq!(answers.lines().count(), 8);
        for line in answers.lines() {
            let (logits, text) = line.split_once('\t').unwrap();
            assert_eq!(said(&golden, text), logits, "{name}: {text}");
        }
    }
}

/// The logits for a text.
fn said(file: &[u8], text: &str) -> String {
    let model = Model::from_bytes(file).unwrap();
    let mut workspace = vec![0; model.workspace()];
    let mut session = Session::new(&model, &mut workspace).unwrap();
    session.push(text);
    let logits: Vec<String> = session.finish().logits().map(|logit| logit.to_string()).collect();
    logits.join(",")
}
