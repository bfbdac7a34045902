//! How much of a SimpleRNN's hidden state is not zero.

use anyhow::Result;
use kilornn::layers::{Layer, Order, SimpleRnn};
use kilornn::text::WordHash;
use kilornn::{Model, Padding, State, Unknown, Values};
use maud::{Markup, html};

use super::charts::{Axis, Drawn, Series, chart};
use super::{Evaluation, Subject, figure, section};
use crate::text::{cut, for_each_word};

/// Parts of a text.
pub(super) const PARTS: usize = 20;

/// The share of the device's states that are not zero, by unit and along the texts: of the last layer, if it is a SimpleRNN.
/// (What layers with gates do is in [gates](super::gates).)
pub(super) fn density(subject: &Subject<'_>) -> Result<Markup> {
    let Subject { model, evaluation, .. } = subject;
    let layers = &model.contents().layers;
    let Some(Layer::SimpleRnn(SimpleRnn { order, .. })) = layers.last() else { return Ok(html! {}) };
    let units = model.contents().units() as usize;
    let mut by_unit = vec![0_usize; units];
    let mut along = [[0_usize; 2]; PARTS];
    let mut steps = 0;
    for example in evaluation.examples.iter().step_by(every(evaluation)) {
        run(model, &example.text, |step, length, state| {
            let mut active = 0;
            for (unit, _) in state.iter().enumerate().filter(|(_, h)| *h != 0) {
                by_unit[unit] += 1;
                active += 1;
            }
            let [sum, all] = &mut along[step * PARTS / length];
            *sum += active;
            *all += units;
            steps += 1;
        })?;
    }
    let percent = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
    let overall = percent(by_unit.iter().sum(), steps * units);
    by_unit.sort_unstable_by_key(|&active| std::cmp::Reverse(active));
    let bars = by_unit.iter().enumerate().map(|(unit, &active)| (unit as f64 + 1.0, percent(active, steps)));
    let bars = Series { name: "", points: bars.collect(), drawn: Drawn::Bars(0.8) };
    let line = along.iter().enumerate().filter(|(_, [_, all])| *all > 0);
    let line =
        line.map(|(part, &[sum, all])| ((part as f64 + 0.5) / PARTS as f64 * 100.0, percent(sum, all)));
    let line = Series { name: "", points: line.collect(), drawn: Drawn::Line };
    let y = Axis { name: "% not zero", range: 0.0..100.0, digits: 0 };
    let x = Axis { name: "hidden units, the busiest first", range: 0.5..units as f64 + 0.5, digits: 0 };
    let by_unit = chart((560, 300), &x, &y, &[bars], None)?;
    let x = Axis { name: "% of the text that was read", range: 0.0..100.0, digits: 0 };
    let along = chart((560, 300), &x, &y, &[line], None)?;
    let how = match order {
        Order::Columns => {
            "A state of zero costs the device next to nothing: it skips that unit's whole column of the kernel. A unit \
             that is never active is of no use; one that always is costs the most."
        }
        Order::Pairs => {
            "This model's kernel lies in pairs of columns, which are all multiplied, because its states are dense: zeros \
             save nothing here. A unit that is never active is of no use."
        }
    };
    let content = html! {
        p {
            "On average " strong { (format!("{overall:.0} %")) } " of the device's state is not zero"
            @if layers.len() > 1 { ", in the last of its " (layers.len()) " layers" }
            "."
        }
        div.pair { (figure(by_unit, "By unit")) (figure(along, "Along the texts")) }
    };
    Ok(section("Density of the hidden state", how, &content))
}

/// Of how many texts one is looked at: of all of them, at most 512 and about a quarter of a million steps.
pub(super) fn every(evaluation: &Evaluation<'_>) -> usize {
    let words: usize = evaluation.predictions.iter().map(|answer| answer.words as usize).sum();
    evaluation.examples.len().div_ceil(512).max(words.div_ceil(1 << 18)).max(1)
}

/// Takes the device's steps over a text: calls `each` with the number of the step, that of all steps, and the state
/// behind it.
fn run(model: &Model<'_>, text: &str, mut each: impl FnMut(usize, usize, Values<'_>)) -> Result<()> {
    let contents = model.contents();
    let rows = rows(model, text);
    let mut state = State::<4096>::zero(model)?;
    if let Some(sequence) = contents.text().map(|text| text.sequence) {
        let pads = sequence.maxlen.saturating_sub(rows.len() as u32);
        match sequence.padding {
            None => {}
            Some(Padding::States(states)) => {
                state.set(states.state(pads, contents.units()).unwrap_or_default());
            }
            Some(_) => (0..pads).for_each(|_| model.step(contents.rows() - 1, &mut state)),
        }
    }
    for (step, &row) in rows.iter().enumerate() {
        model.step(row, &mut state);
        each(step, rows.len(), state.values());
    }
    Ok(())
}

/// The rows of the embedding that the device reads for a text.
fn rows(model: &Model<'_>, text: &str) -> Vec<u32> {
    let Some(reading) = model.contents().text() else { return Vec::new() };
    let vocabulary = &reading.vocabulary;
    let unknown = (reading.unknown == Unknown::Row).then_some(vocabulary.slots);
    let mut rows = Vec::new();
    for_each_word(reading.normalization, text, |word| {
        rows.extend(vocabulary.slot(WordHash::of(vocabulary.seed, word)).or(unknown));
    });
    cut(&mut rows, reading.sequence.maxlen as usize, reading.sequence.truncating);
    rows
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressBar;

    use super::*;
    use crate::fixture::{READINGS, exported};
    use crate::predict::predict_all;

    /// The last state is the one that the device answers from.
    #[test]
    fn steps_are_the_device_s() {
        for toml in READINGS {
            let (texts, file) = exported(toml);
            let model = Model::from_bytes(&file).unwrap();
            let (reading, dense) = (model.contents().text().unwrap(), model.contents().dense().unwrap());
            let classes = dense.outputs;
            let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
            for (text, answer) in texts.iter().zip(predict_all(&model, &borrowed, &ProgressBar::hidden())) {
                let (mut last, mut steps) = (Vec::new(), 0);
                run(&model, text, |step, length, state| {
                    assert!(step == steps && step < length);
                    steps += 1;
                    last = (0..classes).map(|output| dense.logit(output, state)).collect();
                })
                .unwrap();
                let counted = if reading.unknown == Unknown::Row { answer.words } else { answer.known_words };
                let longest = if reading.sequence.maxlen > 0 { reading.sequence.maxlen } else { u32::MAX };
                assert_eq!(steps as u32, counted.min(longest), "{toml}: {text}");
                if steps > 0 {
                    assert_eq!(answer.logits, last, "{toml}: {text}");
                }
            }
        }
    }
}
