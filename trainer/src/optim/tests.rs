//! Every optimizer, as a recipe makes it, against its formula applied to all values in doubles.

use super::*;

const ROWS: usize = 7;
const WIDTH: usize = 3;
const STEPS: usize = 200;

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

/// Row 0 is never touched, row 1 only in the first steps, the others come and go.
fn touched(step: usize) -> Vec<u32> {
    (1..ROWS)
        .filter(|&row| if row == 1 { step < 3 } else { (step * 5 + row * 3) % 11 < 2 })
        .map(|r| r as u32)
        .collect()
}

#[test]
fn rows_are_updated_as_dense_formulas_update_them() {
    for (toml, formula) in CASES {
        let recipe = Recipe::from_toml(toml).unwrap();
        let mut optimizer = Any::new(&recipe, "embedding", ROWS * WIDTH, WIDTH);
        let mut values: Vec<f32> = (0..ROWS * WIDTH).map(|i| i as f32 / 10.0 - 1.0).collect();
        let mut wanted: Vec<f64> = values.iter().map(|&w| w.into()).collect();
        let mut moments = vec![[0.0; 2]; ROWS * WIDTH];
        let (mut most, mut moved_while_untouched) = (0f64, 0f64);
        for step in 0..STEPS {
            let rows = touched(step);
            let gradient: Vec<f32> = (0..rows.len() * WIDTH).map(|i| ((step + 2 * i) as f32).sin()).collect();
            // The rate changes from step to step, as a schedule's does.
            let rate = 0.01 * (1.0 - step as f32 / 400.0);
            let of_rows = Rows { ids: &rows, gradient: &gradient, squares: None };
            optimizer.get().update_rows(&mut values, of_rows, rate);
            let all = scatter(ROWS * WIDTH, of_rows);
            for (i, ((w, moments), g)) in wanted.iter_mut().zip(&mut moments).zip(all).enumerate() {
                let before = *w;
                formula(w, moments, g.into(), rate.into(), step as i32 + 1);
                if i / WIDTH == 1 && step >= 3 {
                    moved_while_untouched += (*w - before).abs();
                }
            }
            for (w, wanted) in values.iter().zip(&wanted) {
                most = most.max((f64::from(*w) - wanted).abs());
            }
        }
        assert!(most < 2e-5, "{toml}: {most} from the formula");
        let moves = !matches!(recipe.optimizer, OptimizerKind::Rmsprop) && toml != CASES[3].0;
        assert_eq!(moved_while_untouched > 1e-3, moves, "{toml}: {moved_while_untouched}");
    }
}

#[test]
fn kernels_and_biases_follow_the_formulas() {
    for (toml, formula) in CASES {
        let recipe = Recipe::from_toml(toml).unwrap();
        for (name, decays) in [("kernel", true), ("bias", false)] {
            if !decays && recipe.optimizer == OptimizerKind::Adamw {
                continue;
            }
            let mut optimizer = Any::new(&recipe, name, 4, 4);
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
                    "{toml}, {name}: {w}, by the formula {wanted}"
                );
            }
        }
    }
}

#[test]
fn biases_do_not_decay() {
    let recipe = Recipe::from_toml(CASES[2].0).unwrap();
    let step = |name: &str| {
        let mut values = [1.0];
        Any::new(&recipe, name, 1, 1).get().update(&mut values, &[0.0], 0.01);
        values[0]
    };
    assert_eq!((step("dense_bias"), step("dense_kernel")), (1.0, 1.0 - 0.01 * 0.1));
}
