//! The gradients of a whole network by an objective, against differences of its loss.

use rand::SeedableRng;

use super::loss::Objective;
use super::*;

const TEXTS: [&[u32]; 4] = [&[1, 2, 3], &[2, 2], &[4, 1, 1, 3], &[3]];

/// Forms of networks.
const FORMS: [&str; 7] = [
    "units = 5\nactivation = \"tanh\"",
    "cell = \"gru\"\nunits = 5",
    "cell = \"lstm\"\nunits = 5",
    "cell = \"fastgrnn\"\nunits = 5",
    "cell = [\"fastgrnn\", \"gru\"]\nunits = [5, 3]",
    "cell = \"gru\"\nunits = [5, 3]",
    "cell = [\"lstm\", \"simple-rnn\", \"gru\"]\nactivation = \"tanh\"\nunits = [3, 4, 5]",
];

/// A network over five words, and a batch of all texts.
fn case(form: &str, outputs: usize) -> (Network, Batch) {
    let recipe = Recipe::from_toml(&format!("embedding = 4\n{form}")).unwrap();
    let mut network = Network::new(&recipe, 5, outputs, &mut ChaCha8Rng::seed_from_u64(2));
    network.embedding.values.iter_mut().for_each(|w| *w *= 15.0);
    let texts: Vec<Vec<u32>> = TEXTS.iter().map(|text| text.to_vec()).collect();
    (network, Batch::new(&[0, 1, 2, 3], &texts, None))
}

/// Mean loss of the batch, and gradients, always with the same masks.
fn backward(network: &Network, batch: &Batch, classes: &[usize], objective: &Objective) -> (f64, Gradients) {
    let dropout = Dropout { embedding: 0.0, recurrent: 0.3, layers: 0.3, state: 0.3 };
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let training =
        Training { objective, dropout, opinions: None, squares: false, grid: None, processor: &Device::Cpu };
    let (score, gradients) = network.backward(batch, classes, training, &mut rng).unwrap();
    (score.mean_loss(), gradients)
}

#[test]
fn gradients_are_those_of_the_whole_objective() {
    for form in FORMS {
        for (outputs, classes, weights) in
            [(1, [0, 1, 1, 0], vec![0.5, 2.0]), (3, [0, 2, 1, 2], vec![0.5, 2.0, 1.5])]
        {
            let (network, batch) = case(form, outputs);
            let objective = Objective { class_weights: weights, label_smoothing: 0.2, l2: 0.05 };
            let (_, gradients) = backward(&network, &batch, &classes, &objective);
            assert_eq!(gradients.others.len(), network.parameters().len() - 1);
            let mut compared = 0;
            for which in 0..gradients.others.len() {
                for index in 0..gradients.others[which].len() {
                    let at = |by: f32| {
                        let mut nudged = network.clone();
                        nudged.others_mut()[which].values[index] += by;
                        backward(&nudged, &batch, &classes, &objective).0
                    };
                    let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
                    let analytic = f64::from(gradients.others[which][index]);
                    assert!(
                        (numeric - analytic).abs() < 2e-3,
                        "{form}: {which}, {index}: {analytic}, numerically {numeric}"
                    );
                    compared += usize::from(analytic.abs() > 0.01);
                }
            }
            assert!(compared > 20, "{form}: only {compared} gradients of any size");
            for (row, id) in gradients.rows.iter().enumerate() {
                for column in 0..4 {
                    let at = |by: f32| {
                        let mut nudged = network.clone();
                        nudged.embedding.values[*id as usize * 4 + column] += by;
                        backward(&nudged, &batch, &classes, &objective).0
                    };
                    let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
                    let analytic = f64::from(gradients.embedding[row * 4 + column]);
                    assert!((numeric - analytic).abs() < 2e-3, "{form}: word {id}: {analytic}, {numeric}");
                }
            }
        }
    }
}

#[test]
fn class_weights_and_the_penalty_are_keras_s() {
    // Keras divides the weighted sum by the examples, not by the weights, and adds the penalty once.
    let (network, batch) = case(FORMS[0], 1);
    let classes = [0, 1, 1, 0];
    let loss = |weights: [f32; 2], l2: f32| {
        let objective = Objective { class_weights: weights.into(), label_smoothing: 0.0, l2 };
        backward(&network, &batch, &classes, &objective).0
    };
    let (zeros, ones) = (loss([1.0, 0.0], 0.0), loss([0.0, 1.0], 0.0));
    assert!((loss([3.0, 0.25], 0.0) - (3.0 * zeros + 0.25 * ones)).abs() < 1e-9);
    let Layer { kernel, recurrent_kernel, .. } = network.lowest();
    let kernels = [kernel, recurrent_kernel, &network.dense_kernel];
    let squares: f32 = kernels.iter().flat_map(|kernel| &kernel.values).map(|w| w * w).sum();
    assert!((loss([1.0, 1.0], 0.1) - loss([1.0, 1.0], 0.0) - 0.1 * f64::from(squares)).abs() < 1e-5);
}
