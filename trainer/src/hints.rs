//! Warnings before training: what looks wrong in the data, as a recipe reads them.

use crate::data::Dataset;
use crate::data::counts::Counts;
use crate::excerpt::excerpt;
use crate::numbers::grouped;
use crate::recipe::{End, Recipe, Validation};
use crate::warning::{Kind, Warning};

/// What a person should look at before training with this recipe, the data's own warnings ([`Counts::warnings`])
/// first. `held` are the training texts that are kept for validation, by index.
pub(crate) fn before_training(
    recipe: &Recipe,
    data: &Dataset,
    counts: &Counts,
    held: &[usize],
) -> Vec<Warning> {
    [counts.warnings(), hints(recipe, data, counts, held)].concat()
}

fn hints(recipe: &Recipe, data: &Dataset, counts: &Counts, held: &[usize]) -> Vec<Warning> {
    let all = [
        long_texts(recipe, data, counts),
        one_word_texts(recipe, data, counts),
        few_texts(counts),
        nothing_held_out(counts, held),
        one_class_validation(recipe, data, held),
    ];
    all.into_iter().flatten().collect()
}

/// What a person should look at before imported weights are quantized, the data's own warnings first.
pub(crate) fn before_quantizing(recipe: &Recipe, data: &Dataset, counts: &Counts) -> Vec<Warning> {
    counts.warnings().into_iter().chain(long_texts_to_calibrate(recipe, data, counts)).collect()
}

/// Training texts that are far longer than the others, as the recipe reads them.
pub(crate) fn long_texts(recipe: &Recipe, data: &Dataset, counts: &Counts) -> Option<Warning> {
    let found = far_longer(recipe, data, counts)?;
    let shorter = (2 * counts.train.words.p90).next_multiple_of(10);
    let message = if is_unbounded(recipe) {
        let read = match (recipe.maxlen, recipe.truncating) {
            (0, _) => "all of them".to_owned(),
            (maxlen, End::Pre) => format!("the last {maxlen} (maxlen)"),
            (maxlen, End::Post) => format!("the first {maxlen} (maxlen)"),
        };
        format!(
            "{found}; the recipe reads {read}, and without a state_limit the states of a ReLU network may grow \
             exponentially with every word, so that one text may decide the training (--set maxlen={shorter}, or --set \
             state_limit={}, or remove it)",
            Recipe::default().state_limit,
        )
    } else {
        format!("{found} (is it several texts in one? --set maxlen={shorter} reads so many words of each)")
    };
    Some(Warning::new(Kind::LongTexts, message))
}

/// The same for texts that only calibrate the quantization of imported weights.
fn long_texts_to_calibrate(recipe: &Recipe, data: &Dataset, counts: &Counts) -> Option<Warning> {
    let found = far_longer(recipe, data, counts)?;
    let message = format!(
        "{found}: scales of the quantization are chosen for the others (if the device will read such texts, give --data with \
         more of them)"
    );
    Some(Warning::new(Kind::LongTexts, message))
}

/// How many texts are far longer than the others, and which is the longest, if any counts as a whole.
fn far_longer(recipe: &Recipe, data: &Dataset, counts: &Counts) -> Option<String> {
    let part = &counts.train;
    let is_cut = recipe.maxlen > 0 && recipe.maxlen <= part.words.far_outside();
    if part.far_longer == 0 || is_cut {
        return None;
    }
    Some(format!(
        "{} of {} training texts {} far longer than the others: {} has {} words, where half have at most {} and nine in ten \
         at most {}",
        grouped(part.far_longer),
        grouped(part.examples),
        if part.far_longer == 1 { "is" } else { "are" },
        data.place(data.train.get(part.longest)?.origin),
        grouped(part.words.max),
        grouped(part.words.median),
        grouped(part.words.p90),
    ))
}

/// Whether states can grow without a limit: those of a ReLU, which no `state_limit` bounds. The states of all other cells are
/// at most 1.
pub(crate) fn is_unbounded(recipe: &Recipe) -> bool {
    recipe.has_relu() && recipe.state_limit == 0.0
}

/// Texts in which the tokenizer finds hardly any limit of a word, as in Chinese or Thai.
fn one_word_texts(recipe: &Recipe, data: &Dataset, counts: &Counts) -> Option<Warning> {
    /// Characters for each word, in scripts that write a syllable or a word with one and in others, that are too many.
    const MANY: [f64; 2] = [5.0, 14.0];
    /// Texts that are looked at.
    const SAMPLE: usize = 1000;
    let part = &counts.train;
    if recipe.char_level || part.words.median == 0 || part.words.median > 2 || part.examples < 10 {
        return None;
    }
    // Scripts that separate words mostly have letters of two cases.
    let has_no_case = |c: char| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase();
    let texts = || data.train.iter().take(SAMPLE).flat_map(|example| example.text.chars());
    let (without, letters) =
        (texts().filter(|&c| has_no_case(c)).count(), texts().filter(|c| c.is_alphabetic()).count());
    let many = MANY[usize::from(2 * without <= letters)];
    (part.characters_per_word >= many).then(|| {
        Warning::new(
            Kind::OneWordTexts,
            format!(
                "half of the training texts have at most {}, of {:.0} characters each on average: what separates words in \
                 them is unknown to the tokenizer, so that each is a word of its own (for Chinese, Japanese or Thai: --set \
                 char_level=true; for other separators than spaces the key filters)",
                if part.words.median == 1 { "one word" } else { "two words" },
                part.characters_per_word,
            ),
        )
    })
}

/// So few texts that whatever is learned is chance.
fn few_texts(counts: &Counts) -> Option<Warning> {
    let (texts, classes) = (counts.train.examples, counts.labels.len());
    (texts < 10 * classes && texts < 100).then(|| {
        let message = format!(
            "{texts} training texts of {classes} classes: too few to learn from, whatever the accuracy says (some tens of \
             each class are the least, hundreds are better)"
        );
        Warning::new(Kind::FewTexts, message)
    })
}

/// Nothing that says how good the model is on other texts than those it was trained on.
fn nothing_held_out(counts: &Counts, held: &[usize]) -> Option<Warning> {
    (held.is_empty() && counts.dev.is_none() && counts.test.is_none()).then(|| {
        let message = "there are neither test nor validation texts: every accuracy is of texts that the network was trained \
                       on and may have learned by heart, and says nothing about others (give --test FILE, or keep a tenth \
                       with --set validation_split=0.1 --set validation=random)";
        Warning::new(Kind::NothingHeldOut, message)
    })
}

/// Validation texts of one class, as the last part of sorted texts is.
fn one_class_validation(recipe: &Recipe, data: &Dataset, held: &[usize]) -> Option<Warning> {
    let class = data.train[*held.first()?].class;
    let is_one = held.iter().all(|&example| data.train[example].class == class) && data.labels.len() > 1;
    is_one.then(|| {
        let (which, remedy) = match recipe.validation {
            Validation::Last => ("the last", "draw them with --set validation=random"),
            Validation::Random | Validation::Groups => ("some", "hold out more: --set validation_split=0.2"),
        };
        let message = format!(
            "all {} texts that validate are of the class `{}`: they are {which} of the training texts, a share of {}, so \
             val_accuracy says nothing ({remedy})",
            grouped(held.len()),
            excerpt(&data.labels[class]),
            recipe.validation_split,
        );
        Warning::new(Kind::OneClassValidation, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Example;
    use crate::text::Encoder;

    fn data(texts: impl IntoIterator<Item = (usize, String)>) -> Dataset {
        let train = texts.into_iter().map(|(class, text)| Example::new(class, text)).collect();
        Dataset { labels: vec!["n".into(), "p".into()], train, ..Dataset::default() }
    }

    fn kinds(toml: &str, data: &Dataset, held: &[usize]) -> Vec<&'static str> {
        let recipe = Recipe::from_toml(toml).unwrap();
        let encoder = Encoder::fit(&recipe, data.train.iter().map(|example| example.text.as_str()));
        let hints = hints(&recipe, data, &Counts::of(data, &encoder), held);
        hints.iter().map(|hint| hint.kind.name()).collect()
    }

    fn words(count: usize) -> String {
        vec!["word"; count].join(" ")
    }

    #[test]
    fn a_text_far_longer_than_the_others_is_named() {
        let ordinary = || (0..200).map(|i| (i % 2, words(4 + i % 9)));
        let held: Vec<usize> = (0..20).collect();
        assert_eq!(kinds("", &data(ordinary()), &held), [""; 0]);
        let one = data(ordinary().chain([(1, words(60))]));
        assert_eq!(kinds("", &one, &held), ["long-texts"]);
        assert_eq!(kinds("maxlen = 20", &one, &held), [""; 0], "it is cut");
        let recipe = Recipe::from_toml("state_limit = 0\nmaxlen = 100").unwrap();
        let encoder = Encoder::fit(&recipe, one.train.iter().map(|example| example.text.as_str()));
        let hint = long_texts(&recipe, &one, &Counts::of(&one, &encoder)).unwrap().message;
        assert!(
            hint.contains("has 60 words, where half have at most 8 and nine in ten at most 12"),
            "{hint}"
        );
        assert!(
            hint.contains("reads the last 100 (maxlen)") && hint.contains("--set state_limit=10000"),
            "{hint}"
        );
        // States of gated cells cannot grow.
        let unbounded = |toml: &str| is_unbounded(&Recipe::from_toml(toml).unwrap());
        assert!(unbounded("state_limit = 0") && !unbounded("state_limit = 0\ncell = \"gru\""));
        assert!(unbounded("state_limit = 0\ncell = [\"lstm\", \"simple-rnn\"]"));
    }

    #[test]
    fn gates_need_no_limit() {
        let texts = (0..200).map(|i| (i % 2, words(4 + i % 9))).chain([(1, words(60))]);
        let one = data(texts);
        for (toml, is_advised) in [
            ("", true),
            ("activation = \"tanh\"\nfold = \"always\"", false),
            ("cell = \"gru\"", false),
            ("cell = \"lstm\"", false),
            ("cell = [\"gru\", \"simple-rnn\"]", true),
        ] {
            let recipe = Recipe::from_toml(&format!("state_limit = 0\n{toml}")).unwrap();
            let encoder = Encoder::fit(&recipe, one.train.iter().map(|example| example.text.as_str()));
            let hint = long_texts(&recipe, &one, &Counts::of(&one, &encoder)).unwrap().message;
            assert_eq!(hint.contains("state_limit"), is_advised, "{toml}: {hint}");
        }
    }

    #[test]
    fn texts_without_spaces_get_a_hint() {
        let held = [0, 1];
        let chinese = data((0..40).map(|i| (i % 2, format!("这个还会再来，第{i}次入住。"))));
        assert_eq!(kinds("", &chinese, &held), ["one-word-texts"]);
        assert_eq!(kinds("char_level = true", &chinese, &held), [""; 0]);
        let dotted = data((0..40).map(|i| (i % 2, format!("the·film·was·long·and·{i}·times·dull"))));
        assert_eq!(kinds("", &dotted, &held), ["one-word-texts"]);
        let commands = data((0..40).map(|i| (i % 2, ["cancel", "password reset"][i % 2].to_owned())));
        assert_eq!(kinds("", &commands, &held), [""; 0]);
    }

    #[test]
    fn too_little_data_is_called_so() {
        let two = data([(0, "bad".to_owned()), (1, "good".to_owned())]);
        assert_eq!(kinds("", &two, &[]), ["few-texts", "nothing-held-out"]);
    }

    #[test]
    fn validation_of_one_class_is_told() {
        let sorted = data((0..100).map(|i| (i / 50, words(5))));
        let last: Vec<usize> = (80..100).collect();
        assert_eq!(kinds("validation_split = 0.2", &sorted, &last), ["one-class-validation"]);
        assert_eq!(kinds("validation_split = 0.6", &sorted, &(40..100).collect::<Vec<_>>()), [""; 0]);
    }
}
