//! Why the device answers what it answers: the running score, word by word.

use kilornn::Model;
use kilornn::text::{Tokenizer, WordSink};
use kilornn_host::OwnedPrediction;

use crate::predict::predict_beginnings;

/// A word of a text and its effect on the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect<'t> {
    /// The characters between the word before and this one.
    pub between: &'t str,
    /// The word, as the text has it.
    pub word: &'t str,
    /// Whether the vocabulary has it.
    pub known: bool,
    /// The probability of the class in question for the text up to and with this word.
    pub score: f32,
    /// By how much the word changed it.
    pub change: f32,
}

/// For every word of a text, the probability of a class as if the text ended there; and the characters behind the last word.
///
/// Each probability is the one that the device itself would give the text up to there, with padding and truncation as the
/// model has them.
pub fn explain<'t>(model: &Model<'_>, text: &'t str, class: u32) -> (Vec<Effect<'t>>, &'t str) {
    explain_ends(model, text, class, usize::MAX)
}

/// The same for the first and the last `most` words of a text; the words between count as characters before the first of the
/// last ones.
pub fn explain_ends<'t>(
    model: &Model<'_>,
    text: &'t str,
    class: u32,
    most: usize,
) -> (Vec<Effect<'t>>, &'t str) {
    let spans = spans(model, text);
    let others = most..spans.len().saturating_sub(most);
    // The effect of a word needs the score before it: of the others, that of the last.
    let kept: Vec<usize> =
        (0..spans.len()).filter(|&word| !others.contains(&word) || word + 1 == others.end).collect();
    let mut ends = vec![0];
    ends.extend(kept.iter().map(|&word| spans[word].1));
    let predictions = predict_beginnings(model, text, &ends);
    let probabilities: Vec<f32> =
        predictions.iter().map(|prediction| probability(model, prediction, class)).collect();
    let mut behind = 0;
    let mut effects = Vec::with_capacity(kept.len());
    for (index, word) in kept.into_iter().enumerate() {
        if others.contains(&word) {
            continue;
        }
        let (start, end) = spans[word];
        let (before, after) = (&predictions[index], &predictions[index + 1]);
        effects.push(Effect {
            between: &text[behind..start],
            word: &text[start..end],
            known: after.known_words > before.known_words,
            score: probabilities[index + 1],
            change: probabilities[index + 1] - probabilities[index],
        });
        behind = end;
    }
    (effects, &text[behind..])
}

/// Where the words are, as the model's own tokenizer cuts them: first byte, and the one behind the last.
fn spans(model: &Model<'_>, text: &str) -> Vec<(usize, usize)> {
    #[derive(Default)]
    struct Ends {
        begun: bool,
        ended: usize,
    }
    impl WordSink for Ends {
        fn char(&mut self, _: char) {
            self.begun = true;
        }
        fn end(&mut self) {
            self.begun = false;
            self.ended += 1;
        }
    }
    let Some(reading) = model.contents().text() else { return Vec::new() };
    let mut tokenizer = Tokenizer::new(reading.normalization);
    let mut ends = Ends::default();
    let (mut spans, mut start) = (Vec::new(), None);
    for (place, c) in text.char_indices() {
        let behind = place + c.len_utf8();
        let before = ends.ended;
        tokenizer.push(&text.as_bytes()[place..behind], &mut ends);
        if ends.begun && start.is_none() {
            start = Some(place);
        }
        if ends.ended > before {
            // A separator ends the word before it; a character that is a word by itself ends with itself. One that
            // becomes several in lower case is several words then, of which the text has only one.
            let end = if reading.normalization.unit.is_character() { behind } else { place };
            spans.push((start.take().unwrap_or(place), end));
        }
    }
    spans.extend(start.map(|start| (start, text.len())));
    spans
}

/// The probability of a class in a prediction, by the sigmoid or softmax of its logits.
fn probability(model: &Model<'_>, prediction: &OwnedPrediction, class: u32) -> f32 {
    let scale = model.contents().dense().map_or(1.0, |dense| dense.scale);
    match prediction.logits[..] {
        [logit] => {
            let positive = 1.0 / (1.0 + (-(logit as f32) * scale).exp());
            if class == 1 { positive } else { 1.0 - positive }
        }
        _ => {
            let largest = prediction.logits.iter().copied().max().unwrap_or(0);
            let term = |logit: i32| (logit.saturating_sub(largest) as f32 * scale).exp();
            let sum: f32 = prediction.logits.iter().map(|&logit| term(logit)).sum();
            prediction.logits.get(class as usize).map_or(0.0, |&logit| term(logit) / sum)
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressBar;

    use super::*;
    use crate::fixture::{READINGS, exported};
    use crate::predict::predict_all;

    static STARTER: &[u8] = kilornn::include_model!("../../runtime-nostd/tests/golden/v2-starter.kilo");

    #[test]
    fn words_and_what_is_between_them_make_up_the_text() {
        let model = Model::from_bytes(STARTER).unwrap();
        for text in ["  What a wonderful—film, ÄÖ don't! ", "", "...", "x", "İstanbul'da é"] {
            let (effects, rest) = explain(&model, text, 1);
            let whole: String = effects.iter().map(|e| [e.between, e.word].concat()).collect();
            assert_eq!(whole + rest, text);
            let words = predict_all(&model, &[text], &ProgressBar::hidden())[0].words;
            assert_eq!(effects.len(), words as usize, "{text}");
        }
    }

    #[test]
    fn changes_add_up_to_the_device_s_answer() {
        let model = Model::from_bytes(STARTER).unwrap();
        let text = "The service was not good, xylophonically speaking.";
        let answer = &predict_all(&model, &[text], &ProgressBar::hidden())[0];
        let (effects, _) = explain(&model, text, answer.class);
        let empty = &predict_all(&model, &[""], &ProgressBar::hidden())[0];
        let sum: f32 = effects.iter().map(|effect| effect.change).sum();
        assert!((probability(&model, empty, answer.class) + sum - answer.score).abs() < 1e-2);
        assert!((effects.last().unwrap().score - answer.score).abs() < 1e-2);
        let known: Vec<&str> = effects.iter().filter(|e| e.known).map(|e| e.word).collect();
        assert_eq!(known.len() as u32, answer.known_words);
        assert!(!known.contains(&"xylophonically"));
    }

    /// With every cell and way of reading, each word has the score that the device gives the text up to there.
    #[test]
    fn scores_are_the_device_s_whatever_the_cell() {
        for toml in READINGS {
            let (texts, file) = exported(toml);
            let model = Model::from_bytes(&file).unwrap();
            for text in texts.iter().filter(|text| text.len() < 200) {
                let (effects, rest) = explain(&model, text, 1);
                let mut read = String::new();
                let mut before =
                    probability(&model, &predict_all(&model, &[""], &ProgressBar::hidden())[0], 1);
                for Effect { between, word, score, change, .. } in effects {
                    read += between;
                    read += word;
                    let answer = &predict_all(&model, &[&read], &ProgressBar::hidden())[0];
                    let expected = if answer.class == 1 { answer.score } else { 1.0 - answer.score };
                    // The device's score is an approximation of the sigmoid.
                    assert!((score - expected).abs() < 2e-3, "{toml}: {read}: {score}, {expected}");
                    assert!((score - before - change).abs() < 1e-6, "{toml}: {read}");
                    before = score;
                }
                assert_eq!(read + rest, *text);
            }
        }
    }

    #[test]
    fn the_ends_alone_have_the_effects_that_they_have_in_the_whole() {
        let model = Model::from_bytes(STARTER).unwrap();
        let text = "I loved the music, but the film let me down!";
        let (all, rest) = explain(&model, text, 0);
        assert_eq!(all.len(), 10);
        for most in [0, 1, 3, 4, 5, 10] {
            let (ends, behind) = explain_ends(&model, text, 0, most);
            assert_eq!(ends.len(), all.len().min(2 * most), "{most}");
            let whole: String = ends.iter().map(|e| [e.between, e.word].concat()).collect();
            assert_eq!(whole + behind, text);
            if most > 0 {
                assert_eq!(behind, rest);
            }
            let expected = all.iter().take(most).chain(all.iter().skip(most.max(all.len() - most.min(10))));
            for (found, expected) in ends.iter().zip(expected) {
                let of = |effect: &Effect<'_>| (effect.score, effect.change, effect.known);
                assert_eq!((found.word, of(found)), (expected.word, of(expected)), "{most}");
            }
        }
    }
}
