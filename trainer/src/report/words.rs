//! The texts: how long they are, and those that the model is most wrong about.

use anyhow::Result;
use kilornn::Unknown;
use kilornn_host::OwnedPrediction;
use maud::{Markup, html};

use super::charts::{Axis, Drawn, Series, chart};
use super::figures::bin_width;
use super::{Subject, figure, grouped, section};
use crate::explain::{Effect, explain_ends};
use crate::recipe::End;

/// Bars of the histogram at most.
const BARS: usize = 40;

/// Texts that are shown.
const MISTAKES: usize = 20;

/// Words that are shown at either end of a text that is too long to be shown whole.
const ENDS: usize = 150;

/// How many words the texts have.
pub(super) fn lengths(subject: &Subject<'_>) -> Result<Markup> {
    let Subject { labels, recipe, model, evaluation, .. } = subject;
    let words: Vec<usize> = evaluation.predictions.iter().map(|answer| answer.words as usize).collect();
    let longest = words.iter().copied().max().unwrap_or(0);
    let width = bin_width(longest, BARS);
    // Beside each other for a few classes, else all as one.
    let kinds = if labels.len() <= 4 { labels.len() } else { 1 };
    let mut bins = vec![vec![0_usize; longest / width + 1]; kinds];
    for (&words, example) in words.iter().zip(evaluation.examples) {
        bins[example.class.min(kinds - 1)][words / width] += 1;
    }
    let bar = 0.9 * width as f64 / kinds as f64;
    let series: Vec<Series<'_>> = (bins.iter().enumerate())
        .map(|(kind, bins)| Series {
            name: if kinds > 1 { &labels[kind] } else { "" },
            points: (bins.iter().enumerate())
                .map(|(bin, &texts)| (bin as f64 * width as f64 + (kind as f64 + 0.55) * bar, texts as f64))
                .collect(),
            drawn: Drawn::Bars(bar * 0.95),
        })
        .collect();
    let most = bins.iter().flatten().copied().max().unwrap_or(0);
    let x = Axis { name: "words", range: 0.0..((longest / width + 1) * width) as f64, digits: 0 };
    let y = Axis { name: "texts", range: 0.0..(most as f64 * 1.08).max(1.0), digits: 0 };
    let cut = (recipe.maxlen > 0 && recipe.maxlen <= longest).then_some((recipe.maxlen as f64, "maxlen"));
    let svg = chart((800, 300), &x, &y, &series, cut)?;
    // Unknown words that are dropped do not count.
    let drops = model.contents().text().is_some_and(|text| text.unknown == Unknown::Drop);
    let counted = |answer: &OwnedPrediction| if drops { answer.known_words } else { answer.words };
    let which = if drops { "words that the model knows" } else { "words" };
    let beyond =
        evaluation.predictions.iter().filter(|answer| counted(answer) as usize > recipe.maxlen).count();
    let end = if recipe.truncating == End::Pre { "last" } else { "first" };
    let how = "Words as the device's tokenizer cuts them. Every word costs the device a step.";
    let content = html! {
        (figure(svg, &format!("Texts by length, in steps of {width}")))
        @if recipe.maxlen > 0 {
            p {
                "The " (end) " " (grouped(recipe.maxlen)) " " (which) " count; " (grouped(beyond)) " of "
                (grouped(words.len())) " texts have more, of which the rest is not read."
            }
        } @else { p { "Every word counts, however long the text." } }
    };
    Ok(section("Text lengths", how, &content))
}

/// The wrong answers that the model was surest of, word by word.
pub(super) fn mistakes(subject: &Subject<'_>) -> Markup {
    let Subject { labels, model, evaluation, .. } = subject;
    let mut wrong: Vec<usize> = (0..evaluation.predictions.len())
        .filter(|&i| evaluation.predictions[i].class as usize != evaluation.examples[i].class)
        .collect();
    wrong.sort_by(|&a, &b| evaluation.predictions[b].score.total_cmp(&evaluation.predictions[a].score));
    let how = "Wrong answers that the device was surest of. Each word has the colour of what it did to the score of the \
               answer, the stronger, the more. Look whether it is the label that is wrong.";
    let content = html! {
        @if wrong.is_empty() { p { "There are none." } } @else {
            p {
                span.towards style="--share:60%" { "towards the answer" } " "
                span.away style="--share:60%" { "away from it" } " "
                span.unknown { "not in the vocabulary" }
            }
        }
        @for &index in wrong.iter().take(MISTAKES) {
            @let (answer, example) = (&evaluation.predictions[index], &evaluation.examples[index]);
            @let (effects, rest) = explain_ends(model, &example.text, answer.class, ENDS);
            article.mistake {
                p.verdict {
                    "answer " strong { (labels[answer.class as usize]) } " (" (format!("{:.3}", answer.score)) "), label "
                    strong { (labels[example.class]) }
                }
                p {
                    @for (place, effect) in effects.iter().enumerate() {
                        @if place == ENDS && answer.words as usize > 2 * ENDS {
                            span.cut { " [" (grouped(answer.words as usize - 2 * ENDS)) " words] " }
                        } @else {
                            (effect.between)
                        }
                        (word(effect))
                    }
                    (rest)
                }
            }
        }
    };
    section("Most wrong", how, &content)
}

/// A word in the colour of its effect.
fn word(effect: &Effect<'_>) -> Markup {
    let title = format!("{:+.3}, then {:.3}", effect.change, effect.score);
    // Weaker colours are not to be seen.
    let strength = (effect.change.abs() >= 0.01)
        .then(|| format!("--share:{:.0}%", (effect.change.abs() * 150.0).min(100.0)));
    let [towards, away] = [effect.change > 0.0, effect.change < 0.0].map(|is| is && strength.is_some());
    html! {
        span.towards[towards].away[away].unknown[!effect.known] style=[strength] title=(title) { (effect.word) }
    }
}
