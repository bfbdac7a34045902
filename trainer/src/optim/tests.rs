//! Every optimizer, as a recipe makes it, against its formula applied to all values in doubles.

use candle_core::{Device, Tensor, Var};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::network::Parameter;

const ROWS: usize = 8;
const WIDTH: usize = 3;
const STEPS: usize = 4000;

/// The formulas of Keras 3, one value at a time: weight, its two moments, gradient, rate, step from 1.
type Formula = fn(w: &mut f64, moments: &mut [f64; 2], g: f64, rate: f64, step: i32);

fn rmsprop(w: &mut f64, [v, _]: &mut [f64; 2], g: f64, rate: f64, _: i32) {
    *v = 0.9 * *v + 0.1 * g * g;
    *w -= rate * g / (*v + 1e-7).sqrt();
}

fn adam(w: &mut f64, [m, v]: &mut [f64; 2], g: f64, rate: f64, step: i32) {
    *m += (g - *m) * (1.0 - 0.9);
    *v += (g * g - *v) * (1.0 - 0.999);
    *w -= *m * rate * (1.0 - 0.999f64.powi(step)).sqrt() / (1.0 - 0.9f64.powi(step)) / (v.sqrt() + 1e-7);
}

fn adamw(w: &mut f64, [m, v]: &mut [f64; 2], g: f64, rate: f64, step: i32) {
    *m = 0.9 * *m + 0.1 * g;
    *v = 0.999 * *v + 0.001 * g * g;
    let (m, v) = (*m / (1.0 - 0.9f64.powi(step)), *v / (1.0 - 0.999f64.powi(step)));
    *w -= rate * (m / (v.sqrt() + 1e-7) + 0.1 * *w);
}

fn sgd(w: &mut f64, _: &mut [f64; 2], g: f64, rate: f64, _: i32) {
    *w -= rate * g;
}

fn momentum(w: &mut f64, [m, _]: &mut [f64; 2], g: f64, rate: f64, _: i32) {
    *m = 0.9 * *m - rate * g;
    *w += *m;
}

fn nesterov(w: &mut f64, [m, _]: &mut [f64; 2], g: f64, rate: f64, _: i32) {
    *m = 0.9 * *m - rate * g;
    *w += 0.9 * *m - rate * g;
}

const CASES: [(&str, Formula); 6] = [
    ("optimizer = \"rmsprop\"", rmsprop),
    ("optimizer = \"adam\"", adam),
    ("optimizer = \"adamw\"\nweight_decay = 0.1", adamw),
    ("optimizer = \"sgd\"", sgd),
    ("optimizer = \"sgd\"\nmomentum = 0.9", momentum),
    ("optimizer = \"sgd\"\nmomentum = 0.9\nnesterov = true", nesterov),
];

/// Row 0 is never touched, row 1 only in the first steps, the others come and go: from every few steps on to every 1,500.
fn touched(step: usize) -> Vec<u32> {
    let touches = |&row: &u32| match row {
        1 => step < 3,
        _ => step % [5, 18, 60, 167, 420, 1500][row as usize - 2] < 2,
    };
    (1..ROWS as u32).filter(touches).collect()
}

/// Gradients of so many rows at a step.
fn gradient(step: usize, rows: usize) -> Vec<f32> {
    (0..rows * WIDTH).map(|i| ((step + 2 * i) as f32).sin()).collect()
}

/// The rate changes from step to step, as a schedule's does.
fn rate(step: usize) -> f32 {
    0.01 * (1.0 - step as f32 / (2 * STEPS) as f32)
}

fn begin() -> Vec<f32> {
    (0..ROWS * WIDTH).map(|i| i as f32 / 10.0 - 1.0).collect()
}

fn embedding(toml: &str, lazy: bool) -> AnyOptimizer {
    AnyOptimizer::new(&Recipe::from_toml(toml).unwrap(), true, [ROWS, WIDTH], lazy)
}

/// Takes a step with the rows that are touched in it. Returns what these rows were when they were read.
fn step(optimizer: &mut AnyOptimizer, values: &mut [f32], step: usize) -> Vec<f32> {
    let rows = touched(step);
    optimizer.get().catch_up(values, &rows);
    let read = rows.iter().flat_map(|&row| values[row as usize * WIDTH..][..WIDTH].to_vec()).collect();
    let gradient = gradient(step, rows.len());
    let of_rows = Rows { ids: &rows, gradient: &gradient, squares: None };
    optimizer.get().update_rows(values, of_rows, rate(step));
    read
}

/// The largest distance of values from what they should be.
fn distance(values: &[f32], wanted: &[f64]) -> f64 {
    assert_eq!(values.len(), wanted.len());
    values.iter().zip(wanted).map(|(w, wanted)| (f64::from(*w) - wanted).abs()).fold(0.0, f64::max)
}

/// Both where all rows move in every step and where those that no batch touches wait.
#[test]
fn rows_are_where_dense_formulas_have_them_when_they_are_read() {
    for ((toml, formula), lazy) in CASES.into_iter().flat_map(|case| [(case, false), (case, true)]) {
        let mut optimizer = embedding(toml, lazy);
        let mut values = begin();
        let mut wanted: Vec<f64> = values.iter().map(|&w| w.into()).collect();
        let mut moments = vec![[0.0; 2]; ROWS * WIDTH];
        let (mut most, mut moved_while_untouched) = (0f64, 0f64);
        for at in 0..STEPS {
            let rows = touched(at);
            let read = step(&mut optimizer, &mut values, at);
            let as_read: Vec<f64> =
                rows.iter().flat_map(|&row| wanted[row as usize * WIDTH..][..WIDTH].to_vec()).collect();
            most = most.max(distance(&read, &as_read));
            let gradient = gradient(at, rows.len());
            let all = scatter(ROWS * WIDTH, Rows { ids: &rows, gradient: &gradient, squares: None });
            for (i, ((w, moments), g)) in wanted.iter_mut().zip(&mut moments).zip(all).enumerate() {
                let before = *w;
                formula(w, moments, g.into(), rate(at).into(), at as i32 + 1);
                if i / WIDTH == 1 && at >= 3 {
                    moved_while_untouched += (*w - before).abs();
                }
            }
            // As at the end of an epoch.
            if (at + 1) % 1300 == 0 || at + 1 == STEPS {
                optimizer.get().settle(&mut values);
            }
            if !lazy || (at + 1) % 1300 == 0 || at + 1 == STEPS {
                most = most.max(distance(&values, &wanted));
            }
        }
        assert!(most < 1e-5, "{toml}, lazy {lazy}: {most} from the formula");
        let moves = !toml.contains("rmsprop") && toml != CASES[3].0;
        assert_eq!(moved_while_untouched > 1e-3, moves, "{toml}: {moved_while_untouched}");
    }
}

/// Rows that waited for long, with one update and the other.
#[test]
fn waiting_is_the_dense_update_but_for_rounding() {
    for toml in [
        CASES[1].0,
        CASES[2].0,
        CASES[4].0,
        CASES[5].0,
        "optimizer = \"adamw\"\nweight_decay = 20.0",
        "optimizer = \"adam\"\nepsilon = 1.0",
        // Nothing goes on along the momentum; it goes on for longer; the squares are forgotten before.
        "optimizer = \"adamw\"\nbeta_1 = 0.0",
        "optimizer = \"adam\"\nbeta_1 = 0.95",
        "optimizer = \"adamw\"\nbeta_1 = 0.99\nweight_decay = 0.1",
        "optimizer = \"adamw\"\nbeta_1 = 0.99\nbeta_2 = 0.99\nweight_decay = 0.1",
        "optimizer = \"adam\"\nbeta_1 = 0.9\nbeta_2 = 0.5",
    ] {
        let (mut dense, mut lazy, mut resumed) =
            (embedding(toml, false), embedding(toml, true), embedding(toml, true));
        let (mut of_dense, mut of_lazy, mut of_resumed) = (begin(), begin(), begin());
        let mut most = 0f32;
        for at in 0..STEPS {
            let read = [step(&mut dense, &mut of_dense, at), step(&mut lazy, &mut of_lazy, at)];
            most = read[0].iter().zip(&read[1]).map(|(a, b)| (a - b).abs()).fold(most, f32::max);
            // Short waits of Adam are replayed.
            for row in touched(at).into_iter().filter(|row| matches!(row, 2 | 3) && !toml.contains("sgd")) {
                let here = row as usize * WIDTH..(row as usize + 1) * WIDTH;
                assert_eq!(of_lazy[here.clone()], of_dense[here], "{toml}: row {row} at step {at}");
            }
            // It goes on from what is written of it with the same bits, wherever that is.
            assert_eq!(step(&mut resumed, &mut of_resumed, at), read[1]);
            if at % 777 == 0 {
                let mut bytes = vec![0; 1 << 20];
                postcard::to_slice(&resumed, &mut bytes).unwrap();
                resumed = postcard::from_bytes(&bytes).unwrap();
            }
        }
        lazy.get().settle(&mut of_lazy);
        resumed.get().settle(&mut of_resumed);
        assert_eq!(of_lazy, of_resumed, "{toml}");
        most = of_dense.iter().zip(&of_lazy).map(|(a, b)| (a - b).abs()).fold(most, f32::max);
        assert!(most < 5e-6, "{toml}: {most} from the dense update");
    }
}

/// A network with an embedding of so many rows, and ten steps of a training with pairs, with some rows at each step.
fn train(recipe: &Recipe, rows: usize, lazy: Option<bool>) -> (Optimizers, Network) {
    let mut network = Network::new(recipe, rows, 1, &mut ChaCha8Rng::seed_from_u64(1));
    let mut optimizers = match lazy {
        Some(lazy) => Optimizers::with(recipe, &network, lazy),
        None => Optimizers::new(recipe, &network),
    };
    // Rows 5 and 6 are those of pairs that end with the word of row 4, row 7 with that of row 3.
    let ties = [None, None, None, None, None, Some(4), Some(4), Some(3)];
    let ties = Ties::new(ties.into_iter().chain(std::iter::repeat_n(None, rows - 8)).collect());
    ties.begin(&mut network.embedding);
    let steps: [&[u32]; 10] = [&[1, 5], &[6], &[4, 7], &[2], &[5], &[3], &[1], &[6, 4, 5], &[7, 1], &[2, 6]];
    for (step, rows) in steps.into_iter().enumerate() {
        let backward = |network: &Network| {
            // The gradient is that of the sum of squares, so that it depends on what was read.
            let read = rows.iter().flat_map(|&row| {
                network.embedding.values[row as usize * recipe.embedding..][..recipe.embedding].to_vec()
            });
            let others = &network.parameters()[1..];
            let gradients = Gradients {
                rows: rows.to_vec(),
                embedding: read.map(|value| 2.0 * value).collect(),
                squares: None,
                others: others.iter().map(|parameter| vec![0.1; parameter.values.len()]).collect(),
            };
            Ok::<_, std::convert::Infallible>(((), gradients))
        };
        let Ok(()) = optimizers.step(&mut network, Some(&ties), rows, rate(step), backward);
        // As at the ends of two epochs.
        if step % 5 == 4 {
            optimizers.settle(&mut network, Some(&ties));
        }
    }
    (optimizers, network)
}

#[test]
fn pairs_are_read_with_their_words_whether_rows_wait_or_not() {
    for (toml, _) in CASES {
        let recipe =
            Recipe::from_toml(&format!("units = 2\nembedding = 2\nclip_norm = 0.5\n{toml}")).unwrap();
        let [(_, dense), (_, lazy)] = [false, true].map(|lazy| train(&recipe, 9, Some(lazy)));
        let distance = |a: &Parameter, b: &Parameter| {
            a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max)
        };
        for (dense, lazy) in dense.parameters().into_iter().zip(lazy.parameters()) {
            let distance = distance(dense, lazy);
            assert!(distance < 1e-6, "{toml}: {} differs by {distance}", dense.name);
        }
    }
}

#[test]
fn rows_wait_in_large_embeddings_only() {
    let recipe = Recipe::from_toml("units = 2\nembedding = 2\noptimizer = \"adamw\"").unwrap();
    for (rows, lazy) in [(DENSE / 2, false), (DENSE / 2 + 1, true)] {
        let (optimizers, network) = train(&recipe, rows, None);
        assert_eq!(
            (optimizers.lazy, matches!(optimizers.embedding, AnyOptimizer::LazyAdam(_))),
            (lazy, lazy)
        );
        assert!(optimizers.others.iter().all(|optimizer| matches!(optimizer, AnyOptimizer::Adam(_))));
        assert_eq!(network, train(&recipe, rows, Some(lazy)).1);
    }
}

#[test]
fn kernels_and_biases_follow_the_formulas() {
    for (toml, formula) in CASES {
        let recipe = Recipe::from_toml(toml).unwrap();
        for is_held_back in [true, false] {
            if !is_held_back && recipe.optimizer == OptimizerKind::Adamw {
                continue;
            }
            let mut optimizer = AnyOptimizer::new(&recipe, is_held_back, [1, 4], false);
            let mut values = [1.0f32, -1.0, 0.5, 0.0];
            let mut wanted = values.map(f64::from);
            let mut moments = [[0.0; 2]; 4];
            for step in 0..50 {
                let gradient: Vec<f32> = (0..4).map(|i| ((step * (i + 1)) as f32).cos()).collect();
                optimizer.get().update(&mut values, &gradient, 0.01);
                for ((w, moments), g) in wanted.iter_mut().zip(&mut moments).zip(&gradient) {
                    formula(w, moments, f64::from(*g), f64::from(0.01f32), step + 1);
                }
            }
            for (w, wanted) in values.iter().zip(wanted) {
                assert!(
                    (f64::from(*w) - wanted).abs() < 1e-5,
                    "{toml}, held back {is_held_back}: {w}, by the formula {wanted}"
                );
            }
        }
    }
}

#[test]
fn biases_do_not_decay() {
    let recipe = Recipe::from_toml(CASES[2].0).unwrap();
    let step = |is_held_back: bool| {
        let mut values = [1.0];
        AnyOptimizer::new(&recipe, is_held_back, [1, 1], false).get().update(&mut values, &[0.0], 0.01);
        values[0]
    };
    assert_eq!([step(false), step(true)], [1.0, 1.0 - 0.01 * 0.1]);
    let layers = Recipe::from_toml("cell = [\"simple-rnn\", \"gru\"]\nunits = [4, 4]").unwrap();
    let network = Network::zeros(&layers, 5, 3);
    let (held, free): (Vec<_>, Vec<_>) = network.parameters().into_iter().partition(|p| p.is_held_back);
    let names = |parameters: Vec<&Parameter>| -> Vec<String> {
        parameters.into_iter().map(|parameter| parameter.name.to_string()).collect()
    };
    assert_eq!(names(free), ["bias", "layer_2/bias", "dense_bias"]);
    assert_eq!(names(held).len(), 6);
}

/// Plain SGD and AdamW beside candle's, which compute in doubles here.
#[test]
fn sgd_and_adamw_are_candle_s() {
    use candle_nn::{AdamW, ParamsAdamW, SGD};

    fn compare<O: candle_nn::Optimizer>(toml: &str, config: O::Config) {
        let mut values = begin();
        let mut ours = embedding(toml, false);
        let doubles: Vec<f64> = values.iter().copied().map(f64::from).collect();
        let var = Var::from_vec(doubles, values.len(), &Device::Cpu).unwrap();
        let mut candle_s = O::new(vec![var.clone()], config).unwrap();
        for step in 0..300 {
            let gradient = gradient(step, ROWS);
            ours.get().update(&mut values, &gradient, rate(step));
            let gradient: Vec<f64> = gradient.into_iter().map(f64::from).collect();
            // The gradient of a sum of products with it.
            let gradient = Tensor::from_vec(gradient, values.len(), &Device::Cpu).unwrap();
            let loss = (var.as_tensor() * gradient).unwrap().sum_all().unwrap();
            candle_s.set_learning_rate(rate(step).into());
            candle_s.backward_step(&loss).unwrap();
        }
        for (value, expected) in values.iter().zip(var.to_vec1::<f64>().unwrap()) {
            assert!((f64::from(*value) - expected).abs() < 1e-4, "{toml}: {value}, candle {expected}");
        }
    }
    let adamw = ParamsAdamW { lr: 0.0, beta1: 0.9, beta2: 0.999, eps: 1e-7, weight_decay: 0.1 };
    compare::<SGD>("optimizer = \"sgd\"", 0.0);
    compare::<AdamW>("optimizer = \"adamw\"\nweight_decay = 0.1", adamw);
}
