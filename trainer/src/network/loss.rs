//! Cross-entropy: value, gradient and accuracy of a batch of logits.

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
    /// What an example's loss counts, by its class.
    pub class_weights: Vec<f32>,
    /// Share of each target that is spread evenly over all classes.
    pub label_smoothing: f32,
    /// Times the sum of squares of the kernels' weights.
    pub l2: f32,
}

impl Objective {
    /// Cross-entropy alone.
    pub fn plain(classes: usize) -> Self {
        Self { class_weights: vec![1.0; classes], label_smoothing: 0.0, l2: 0.0 }
    }
}

/// What an example should be answered.
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

/// Scores one example. One logit is that of class 1 against class 0 (Keras's `binary_crossentropy`, in the stable form
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

/// The class that logits tell: of one, whether it is positive (a probability of exactly one half counts as class 0, as in
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
