//! Cross-entropy: value, gradient and accuracy of a batch of logits.
//!
//! In doubles and in a form that no logit makes overflow. `candle_nn::loss` knows neither label smoothing nor a teacher's
//! probabilities nor weights of classes, and its binary cross-entropy is NaN from a logit of 20 on; the tests compare ours with
//! it where both are defined.

/// Sums over examples: loss, and how many were right.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Sum of losses, in nats.
    pub loss: f64,
    /// Examples whose most probable class is the right one.
    pub correct: usize,
    /// Examples.
    pub examples: usize,
}

impl Tally {
    /// The mean loss of an example.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.examples.max(1) as f64
    }

    /// The share of examples that were right.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.examples.max(1) as f64
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.examples += other.examples;
    }
}

/// What is minimized besides the plain cross-entropy.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// For each class, what the loss of its examples is multiplied by.
    pub class_weights: Vec<f32>,
    /// Share of each target that is spread evenly over all classes.
    pub label_smoothing: f32,
    /// What the sum of squares of the kernels' weights is multiplied by (weight decay as an L2 penalty).
    pub l2: f32,
}

impl Objective {
    /// Cross-entropy alone.
    pub fn plain(classes: usize) -> Self {
        Self { class_weights: vec![1.0; classes], label_smoothing: 0.0, l2: 0.0 }
    }
}

/// The probabilities that the network should give an example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target<'a> {
    /// The class that is right.
    pub class: usize,
    /// The share that is spread evenly over all classes (Keras's `label_smoothing`).
    pub smoothing: f32,
    /// Probabilities instead of the right class, one for each logit.
    pub opinion: Option<&'a [f32]>,
}

impl Target<'_> {
    /// One class and no other.
    pub fn class(class: usize) -> Self {
        Self { class, smoothing: 0.0, opinion: None }
    }

    /// The probability that one of `outputs` logits should give.
    fn probability(&self, output: usize, outputs: usize) -> f64 {
        // One logit is that of class 1.
        let (class, classes) = if outputs == 1 { (1, 2) } else { (output, outputs) };
        let plain = match self.opinion {
            Some(opinion) => f64::from(opinion[output]),
            None => f64::from(u8::from(class == self.class)),
        };
        let smoothing = f64::from(self.smoothing);
        plain * (1.0 - smoothing) + smoothing / classes as f64
    }
}

/// Loss and correctness of one example. One logit is that of class 1 against class 0 (Keras's `binary_crossentropy`, in the stable form
/// of its TensorFlow backend); several are one for each class (`categorical_crossentropy`).
pub fn score(logits: &[f32], target: Target<'_>) -> Tally {
    let loss = match *logits {
        [z] => {
            let z = f64::from(z);
            let y = target.probability(0, 1);
            z.max(0.0) - z * y + (-z.abs()).exp().ln_1p()
        }
        _ => {
            let (_, largest) = first_largest(logits);
            let sum: f64 = logits.iter().map(|&z| f64::from(z - largest).exp()).sum();
            let losses = logits.iter().enumerate().map(|(output, &z)| {
                target.probability(output, logits.len()) * (sum.ln() - f64::from(z - largest))
            });
            losses.sum()
        }
    };
    Tally { loss, correct: usize::from(class(logits) == target.class), examples: 1 }
}

/// The gradient of an example's loss by its logits: probability minus target.
pub fn gradient(logits: &[f32], target: Target<'_>, out: &mut [f32]) {
    match (logits, out) {
        (&[z], [g]) => {
            let p = 1.0 / (1.0 + (-f64::from(z)).exp());
            *g = (p - target.probability(0, 1)) as f32;
        }
        (logits, out) => {
            let (_, largest) = first_largest(logits);
            let sum: f64 = logits.iter().map(|&z| f64::from(z - largest).exp()).sum();
            for (output, (g, &z)) in out.iter_mut().zip(logits).enumerate() {
                let p = f64::from(z - largest).exp() / sum;
                *g = (p - target.probability(output, logits.len())) as f32;
            }
        }
    }
}

/// The class that logits stand for: of one, whether it is positive (a probability of exactly one half counts as class 0, as in
/// Keras); of several, the first of the largest.
pub fn class(logits: &[f32]) -> usize {
    match *logits {
        [z] => usize::from(z > 0.0),
        _ => first_largest(logits).0,
    }
}

/// The first of the largest values, and its index.
fn first_largest(values: &[f32]) -> (usize, f32) {
    values
        .iter()
        .copied()
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |best, (i, v)| if v > best.1 { (i, v) } else { best })
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor, Var};

    use super::*;

    fn of(class: usize, smoothing: f32) -> Target<'static> {
        Target { class, smoothing, opinion: None }
    }

    #[test]
    fn binary_is_stable_where_it_saturates() {
        assert!(score(&[200.0], of(1, 0.0)).loss < 1e-80);
        assert_eq!(score(&[200.0], of(0, 0.0)).loss, 200.0);
        assert_eq!(score(&[-200.0], of(1, 0.0)).loss, 200.0);
        assert!((score(&[0.0], of(1, 0.0)).loss - 2f64.ln()).abs() < 1e-12);
        assert_eq!((score(&[0.0], of(0, 0.0)).correct, score(&[0.0], of(1, 0.0)).correct), (1, 0));
    }

    #[test]
    fn smoothed_losses_are_keras_s() {
        // keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2): targets 0.1 and 0.9.
        let p = 1.0 / (1.0 + (-0.7f64).exp());
        for (class, y) in [(0, 0.1), (1, 0.9)] {
            let wanted = -(y * p.ln() + (1.0 - y) * (1.0 - p).ln());
            assert!((score(&[0.7], of(class, 0.2)).loss - wanted).abs() < 1e-6);
        }
        // keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.3): 0.8 and twice 0.1.
        let logits = [0.1f32, -0.4, 1.5];
        let sum: f64 = logits.iter().map(|&z| f64::from(z).exp()).sum();
        let log = logits.map(|z| f64::from(z) - sum.ln());
        let wanted = -(0.1 * log[0] + 0.8 * log[1] + 0.1 * log[2]);
        assert!((score(&logits, of(1, 0.3)).loss - wanted).abs() < 1e-6);
    }

    /// Candle's losses in doubles, and their gradients by its autograd: ours are the same where candle's are numbers.
    #[test]
    fn losses_and_gradients_are_candle_s() {
        let compare =
            |logits: &[f32], class: usize, candle_loss: &dyn Fn(&Var) -> candle_core::Result<Tensor>| {
                let doubles: Vec<f64> = logits.iter().copied().map(f64::from).collect();
                let var = Var::from_vec(doubles, (1, logits.len()), &Device::Cpu).unwrap();
                let loss = candle_loss(&var).unwrap();
                let tally = score(logits, of(class, 0.0));
                assert!((tally.loss - loss.to_scalar::<f64>().unwrap()).abs() < 1e-6, "{logits:?}, {class}");
                let gradients = loss.backward().unwrap();
                let expected = gradients.get(&var).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
                let mut found = vec![0.0; logits.len()];
                gradient(logits, of(class, 0.0), &mut found);
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((f64::from(*found) - expected).abs() < 1e-6, "{logits:?}, {class}");
                }
            };
        for class in 0..4 {
            let target = Tensor::new(&[class as u32], &Device::Cpu).unwrap();
            for logits in [[0.1, -0.4, 1.5, 0.0], [12.0, -80.0, 3.0, 11.0]] {
                compare(&logits, class, &|var| candle_nn::loss::cross_entropy(var, &target));
            }
        }
        for class in 0..2 {
            let target = Tensor::new(&[[class as f64]], &Device::Cpu).unwrap();
            for logit in [0.3, -2.0, 9.0, -15.0] {
                compare(&[logit], class, &|var| {
                    candle_nn::loss::binary_cross_entropy_with_logit(var, &target)
                });
            }
        }
    }

    /// Why ours are not candle's: its binary one takes the logarithm of a probability that rounds to one.
    #[test]
    fn candle_s_binary_loss_is_no_number_where_it_saturates() {
        let [logit, target] = [20f32, 1.0].map(|value| Tensor::new(&[[value]], &Device::Cpu).unwrap());
        let loss = candle_nn::loss::binary_cross_entropy_with_logit(&logit, &target).unwrap();
        assert!(loss.to_scalar::<f32>().unwrap().is_nan());
        assert!(score(&[20.0], of(1, 0.0)).loss < 1e-8);
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        let smoothings = [0.0, 0.2];
        for (logits, smoothing) in [vec![0.3], vec![-2.0], vec![0.1, -0.4, 1.5]]
            .into_iter()
            .flat_map(|l| smoothings.map(|s| (l.clone(), s)))
        {
            for class in 0..logits.len().max(2) {
                let mut analytic = vec![0.0; logits.len()];
                gradient(&logits, of(class, smoothing), &mut analytic);
                for i in 0..logits.len() {
                    let at = |by: f32| {
                        let mut nudged = logits.clone();
                        nudged[i] += by;
                        score(&nudged, of(class, smoothing)).loss
                    };
                    let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
                    assert!((numeric - f64::from(analytic[i])).abs() < 1e-4, "{logits:?} {class}");
                }
            }
        }
    }
}
