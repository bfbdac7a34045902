//! What a result is worth: whether a training went wrong, and whether its model is better than guessing.

use kilornn_host::OwnedPrediction;
use shell_words::quote;

use crate::data::counts::Counts;
use crate::data::{Dataset, Example};
use crate::excerpt::excerpt;
use crate::fit::Epoch;
use crate::hints;
use crate::network::loss::Tally;
use crate::numbers::grouped;
use crate::recipe::{ClassWeights, EmbeddingBits, MOST_UNITS, Recipe};
use crate::warning::{Kind, Warning};

/// A loss that is so many times the first one has not just fluctuated.
const RISE: f64 = 1000.0;

/// A loss below this has not risen from anywhere: one text that is sure and wrong makes a thousand times as much.
const SMALL: f64 = 0.01;

/// The share of right answers that may be lost by quantization without a word.
const LOST: f64 = 0.02;

/// How a network came to be, which decides what can be done about it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Provenance<'a> {
    /// It was trained.
    Trained {
        /// With this recipe.
        recipe: &'a Recipe,
        /// The epochs so far.
        epochs: &'a [Epoch],
        /// On these data.
        data: &'a Dataset,
        /// Their counts.
        counts: &'a Counts,
    },
    /// Its weights are another library's.
    Imported {
        /// How they are read, and how the model file is made.
        recipe: &'a Recipe,
    },
    /// It comes as a model file.
    Given,
}

/// The answers to some texts.
#[derive(Debug, Clone)]
pub(crate) struct Answered<'a> {
    /// What these texts are called: `test`, ...
    part: &'a str,
    /// Names of the classes.
    labels: &'a [String],
    /// For each text the class that is right and the one that was answered.
    pairs: Vec<(usize, usize)>,
}

impl<'a> Answered<'a> {
    /// These predictions for these texts.
    pub(crate) fn new(
        part: &'a str,
        labels: &'a [String],
        examples: &[Example],
        predictions: &[OwnedPrediction],
    ) -> Self {
        let pairs =
            examples.iter().zip(predictions).map(|(example, found)| (example.class, found.class as usize));
        Self { part, labels, pairs: pairs.collect() }
    }
}

/// Whether the loss rose a thousandfold, from the untrained network's on.
pub(crate) fn of_course(origin: &Provenance<'_>, classes: usize) -> Option<Warning> {
    let Provenance::Trained { epochs, .. } = origin else { return None };
    let mut least = (classes as f64).ln();
    for epoch in *epochs {
        let loss = epoch.val_loss.map_or(epoch.loss, |validation| validation.max(epoch.loss));
        if loss > RISE * least.max(SMALL) {
            let message = format!(
                "the loss rose from {least:.2} to {loss:.3e} in epoch {}: what the network learned before is lost ({})",
                epoch.epoch,
                of_divergence(origin),
            );
            return Some(Warning::new(Kind::LossRose, message));
        }
        least = least.min(epoch.loss);
    }
    None
}

/// What to do about a training that diverges.
pub(crate) fn of_divergence(origin: &Provenance<'_>) -> String {
    let Provenance::Trained { recipe, data, counts, .. } = origin else { return String::new() };
    let mut remedies = Vec::new();
    if hints::is_unbounded(recipe)
        && let Some(hint) = hints::long_texts(recipe, data, counts)
    {
        return format!("the likely cause: {}", hint.message);
    }
    if hints::is_unbounded(recipe) {
        remedies.push(format!("--set state_limit={}", Recipe::default().state_limit));
    }
    if recipe.clip_norm == 0.0 {
        remedies.push("--set clip_norm=1".to_owned());
    }
    remedies.push(format!("--set learning_rate={}", three_digits(recipe.learning_rate / 10.0)));
    format!("try {}", remedies.join(", or "))
}

/// A number as one would write it, without the digits that rounding adds.
fn three_digits(number: f32) -> f32 {
    format!("{number:.2e}").parse().unwrap_or(number)
}

/// Whether answers are better than the same answer to every text.
pub(crate) fn of_answers(origin: &Provenance<'_>, answered: &Answered<'_>) -> Option<Warning> {
    let Answered { part, labels, pairs } = answered;
    let mut texts = vec![0; labels.len()];
    pairs.iter().for_each(|(right, _)| texts[*right] += 1);
    let (class, most) = most_frequent(&texts);
    let right = pairs.iter().filter(|(right, answer)| right == answer).count();
    let (_, first) = *pairs.first()?;
    // Where the texts themselves are of one class, an answer of that class is right.
    if most == pairs.len() && right > 0 {
        return None;
    }
    let share = |texts: usize| texts as f64 / pairs.len() as f64;
    let (kind, found) = if pairs.iter().all(|(_, answer)| *answer == first) {
        let found = format!(
            "all {} {part} texts get the same answer, `{}`: the model tells nothing apart",
            grouped(pairs.len()),
            excerpt(&labels[first])
        );
        (Kind::OneAnswer, found)
    } else if right <= most {
        let found = format!(
            "{:.4} of the {} {part} texts are answered right, but answering `{}` to all of them would be right for {:.4}: \
             the model is worth no more than guessing",
            share(right),
            grouped(pairs.len()),
            excerpt(&labels[class]),
            share(most),
        );
        (Kind::NoBetterThanGuessing, found)
    } else {
        return None;
    };
    Some(Warning::new(kind, format!("{found} ({})", likely_cause(origin))))
}

/// The class that most texts are of, and how many, given the texts of each.
fn most_frequent(texts: &[usize]) -> (usize, usize) {
    texts.iter().copied().enumerate().max_by_key(|(_, texts)| *texts).unwrap_or_default()
}

/// Why a model may be worth nothing, and what to do.
fn likely_cause(origin: &Provenance<'_>) -> String {
    match origin {
        Provenance::Given => {
            "is it the model for these texts, and are their labels those that it was trained with?".into()
        }
        Provenance::Imported { recipe } => {
            // Only a SimpleRNN's activation is told when it is imported.
            let activation = if recipe.has_simple_rnn() { "activation, " } else { "" };
            format!(
                "the weights may be read in another way than they were trained: check {activation}padding, maxlen, the \
                 tokenizer or vocabulary, and the order of the classes"
            )
        }
        Provenance::Trained { recipe, epochs, counts, .. } => {
            let classes = counts.labels.len();
            if let Some(rose) = of_course(origin, classes) {
                return rose.message;
            }
            if hints::is_unbounded(recipe) && counts.train.far_longer > 0 {
                return of_divergence(origin);
            }
            let texts = counts.train.examples;
            let (class, most) = most_frequent(&counts.train.per_class);
            let share = most as f64 / texts.max(1) as f64;
            if share > 0.75 && recipe.class_weight == ClassWeights::None {
                return format!(
                    "the likely cause: {share:.2} of the training texts are of the class `{}`; --set \
                     class_weight=balanced lets the others count as much",
                    excerpt(&counts.labels[class]),
                );
            }
            let learned = epochs.last().map_or(0.0, |epoch| epoch.accuracy);
            if learned < (1.0 + share) / 2.0 {
                // Nearer to guessing than to knowing all of them.
                let how = match learned <= share + 0.05 {
                    true => "not learned its training texts either",
                    false => "learned its training texts only in part",
                };
                format!(
                    "the likely cause: it has {how}, of which it answered {learned:.4} right in the last epoch; train \
                     longer with --set epochs={}, change the learning rate of {}, or see whether texts and labels \
                     belong together",
                    3 * recipe.epochs,
                    recipe.learning_rate,
                )
            } else {
                format!(
                    "the likely cause: it has learned its training texts, of which it answered {learned:.4} right in the \
                     last epoch, and nothing that holds for others; see whether both have the same labels for the same \
                     things, then try more texts, or --set dropout=0.3"
                )
            }
        }
    }
}

/// Whether the model file answers noticeably fewer texts right than the float network does.
pub(crate) fn of_quantization(
    origin: &Provenance<'_>,
    part: &str,
    float: Tally,
    device: Tally,
) -> Option<Warning> {
    let lost = float.accuracy() - device.accuracy();
    // A rounding error less, so that two points of a hundred texts are two points.
    if float.examples == 0 || lost < LOST - 1e-9 {
        return None;
    }
    let remedy = match origin {
        Provenance::Trained { recipe, .. } if recipe.quantized_epochs == 0 => format!(
            "train the last epochs with the device's integers: --set quantized_epochs={}",
            recipe.epochs.div_ceil(2)
        ),
        Provenance::Trained { recipe, .. } if recipe.embedding_bits == EmbeddingBits::Four => {
            "--set embedding_bits=8".to_owned()
        }
        Provenance::Trained { recipe, .. } if recipe.last_units() < MOST_UNITS => {
            let units = recipe.resized((2 * recipe.last_units()).min(MOST_UNITS)).setting();
            format!("more hidden units: --set units={}", quote(&units))
        }
        Provenance::Imported { recipe } if recipe.embedding_bits == EmbeddingBits::Four => {
            "--set embedding_bits=8".to_owned()
        }
        Provenance::Trained { recipe, .. } => {
            format!("more of the epochs on the device's integers: --set epochs={}", 2 * recipe.epochs)
        }
        _ => "calibrate on more texts, and such as the device will read: --data".to_owned(),
    };
    let message = format!(
        "the int8 model answers {:.4} of the {} {part} texts right, the float network {:.4}: quantization loses {:.1} points \
         ({remedy})",
        device.accuracy(),
        grouped(float.examples),
        float.accuracy(),
        100.0 * lost,
    );
    Some(Warning::new(Kind::QuantizationLoss, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Encoder;

    fn trained<R>(toml: &str, losses: &[f64], accuracy: f64, check: impl FnOnce(&Provenance<'_>) -> R) -> R {
        let recipe = Recipe::from_toml(toml).unwrap();
        let train = (0..10).map(|i| Example::new(usize::from(i > 7), "a text")).collect();
        let data = Dataset { labels: vec!["n".into(), "p".into()], train, ..Dataset::default() };
        let encoder = Encoder::fit(&recipe, ["a text"]);
        let counts = Counts::of(&data, &encoder);
        let epochs: Vec<Epoch> = (1..)
            .zip(losses)
            .map(|(epoch, &loss)| Epoch { epoch, loss, accuracy, ..Epoch::default() })
            .collect();
        check(&Provenance::Trained { recipe: &recipe, epochs: &epochs, data: &data, counts: &counts })
    }

    fn answers(origin: &Provenance<'_>, pairs: &[(usize, usize)]) -> Option<(&'static str, String)> {
        let labels = ["n", "p"].map(str::to_owned);
        let warning = of_answers(origin, &Answered { part: "test", labels: &labels, pairs: pairs.to_vec() })?;
        Some((warning.kind.name(), warning.message))
    }

    /// The settings that a message advises, each of which a recipe takes.
    fn advised(message: &str) -> Vec<String> {
        let settings = message.split("--set ").skip(1);
        let settings = settings.map(|rest| match rest.split_once("='") {
            // A list is quoted.
            Some((key, rest)) if !key.contains(' ') => {
                format!("{key}={}", rest.split('\'').next().unwrap_or_default())
            }
            _ => rest.split([' ', ',', ';', ')']).next().unwrap_or_default().to_owned(),
        });
        settings
            .inspect(|setting| drop(Recipe::load("compact", std::slice::from_ref(setting)).unwrap()))
            .collect()
    }

    #[test]
    fn a_loss_that_explodes_is_told_and_one_that_wavers_is_not() {
        let rose = |losses: &[f64]| trained("", losses, 0.5, |origin| of_course(origin, 2));
        assert_eq!(rose(&[0.7, 0.3, 0.9, 0.1]), None);
        assert_eq!(rose(&[0.7, 1e-6, 0.2]), None, "nothing is lost");
        let message = rose(&[0.5, 6e19, 0.7]).unwrap().message;
        assert!(message.starts_with("the loss rose from 0.50 to 6.000e19 in epoch 2"), "{message}");
        assert_eq!(advised(&message), ["clip_norm=1", "learning_rate=0.0001"], "{message}");
        let advice =
            |toml: &str| trained(toml, &[0.5, 6e19], 0.5, |origin| of_course(origin, 2).unwrap().message);
        let unbounded = advised(&advice("state_limit = 0"));
        assert_eq!(unbounded, ["state_limit=10000", "clip_norm=1", "learning_rate=0.0001"]);
        let gates = advised(&advice("state_limit = 0\ncell = \"gru\""));
        assert_eq!(gates, ["clip_norm=1", "learning_rate=0.0001"], "gates bound their states");
        assert!(rose(&[1e4]).unwrap().message.contains("in epoch 1"), "from the untrained network's");
        assert!(rose(&[f64::INFINITY]).is_some());
    }

    #[test]
    fn one_answer_and_guesses_are_called_so() {
        let of = |pairs: &[(usize, usize)]| answers(&Provenance::Given, pairs);
        assert_eq!(of(&[(0, 0), (1, 1), (0, 0)]), None);
        assert_eq!(of(&[(0, 0), (0, 0)]), None, "the texts are of one class");
        assert_eq!(of(&[(0, 0), (1, 0), (0, 0)]).unwrap().0, "one-answer");
        let (kind, message) = of(&[(0, 1), (1, 1), (0, 0), (1, 0), (0, 0)]).unwrap();
        assert_eq!(kind, "no-better-than-guessing");
        assert!(message.starts_with("0.6000 of the 5 test texts are answered right"), "{message}");
        assert!(message.contains("answering `n` to all of them would be right for 0.6000"), "{message}");
    }

    #[test]
    fn the_cause_fits_what_happened() {
        let wrong = [(0, 0), (1, 0), (1, 0)];
        let cause = |toml: &str, losses: &[f64], accuracy: f64| {
            trained(toml, losses, accuracy, |origin| answers(origin, &wrong).unwrap().1)
        };
        assert_eq!(advised(&cause("", &[0.6], 0.8)), ["class_weight=balanced"]);
        let balanced = "class_weight = \"balanced\"";
        let (nothing, by_heart) = (cause(balanced, &[0.6], 0.8), cause(balanced, &[0.1], 1.0));
        assert!(nothing.contains("has not learned its training texts either"), "{nothing}");
        assert!(by_heart.contains("nothing that holds for others"), "{by_heart}");
        assert_eq!([advised(&nothing), advised(&by_heart)], [["epochs=30"], ["dropout=0.3"]]);
        assert!(cause(balanced, &[1e9], 0.5).contains("the loss rose"));
        let imported = answers(&Provenance::Imported { recipe: &Recipe::default() }, &wrong).unwrap().1;
        assert!(!imported.contains("learning") && imported.contains("activation"), "{imported}");
        let gru = Recipe::from_toml("cell = \"gru\"").unwrap();
        let imported = answers(&Provenance::Imported { recipe: &gru }, &wrong).unwrap().1;
        assert!(!imported.contains("activation"), "{imported}");
    }

    #[test]
    fn two_points_lost_by_quantization_are_told() {
        let score = |correct| Tally { loss: 0.0, correct, examples: 100 };
        let imported = Provenance::Imported { recipe: &Recipe::default() };
        let lost =
            |origin: &Provenance<'_>, device| of_quantization(origin, "test", score(90), score(device));
        assert_eq!(lost(&imported, 89), None);
        assert!(lost(&imported, 88).unwrap().message.contains("loses 2.0 points (calibrate on more texts"));
        trained("epochs = 7", &[], 0.5, |origin| {
            assert_eq!(advised(&lost(origin, 50).unwrap().message), ["quantized_epochs=4"]);
        });
        for (toml, remedy) in [
            ("embedding_bits = 4", "embedding_bits=8"),
            ("units = 200", "units=256"),
            ("units = 256", "epochs=20"),
            ("cell = \"gru\"\nunits = [20, 12]", "units=[40,24]"),
            ("cell = \"lstm\"\nunits = [60, 200]", "units=[76,256]"),
            ("units = [12, 256]", "epochs=20"),
        ] {
            trained(&format!("quantized_epochs = 1\n{toml}"), &[], 0.5, |origin| {
                assert_eq!(advised(&lost(origin, 50).unwrap().message), [remedy]);
            });
        }
    }
}
