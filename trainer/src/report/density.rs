//! How much of the hidden state is not zero.

use anyhow::Result;
use maud::{Markup, html};

use super::charts::{Axis, Drawn, Series, chart};
use super::{Subject, figure, section};
use crate::data::{Batch, Batches};

/// Texts that are looked at.
const TEXTS: usize = 512;

/// Parts of a text.
const PARTS: usize = 20;

/// The share of states that are not zero, by unit and along the texts.
pub(super) fn density(subject: &Subject<'_>) -> Result<Markup> {
    let Subject { network, encoder, recipe, grid, trial, .. } = subject;
    let step = trial.examples.len().div_ceil(TEXTS).max(1);
    let texts: Vec<&str> = trial.examples.iter().step_by(step).map(|example| example.text.as_str()).collect();
    let texts = encoder.encode_all(&texts);
    let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
    let units = network.units();
    let mut by_unit = vec![0_usize; units];
    let mut along = [[0_usize; 2]; PARTS];
    let mut steps = 0;
    for examples in Batches::by_length(&lengths, 64).iter() {
        let batch = Batch::new(examples, &texts, recipe.pad_to());
        let states = network.states(&batch, *grid);
        let columns = batch.examples.len();
        for (index, state) in states.chunks_exact(units).enumerate() {
            if batch.tokens[index] == Batch::MASKED {
                continue;
            }
            let (step, text) = (index / columns, batch.examples[index % columns]);
            let length = recipe.pad_to().unwrap_or(texts[text].len());
            let place = step - (batch.steps - length);
            let mut active = 0;
            for (unit, _) in state.iter().enumerate().filter(|(_, h)| **h != 0.0) {
                by_unit[unit] += 1;
                active += 1;
            }
            let [sum, all] = &mut along[place * PARTS / length];
            *sum += active;
            *all += units;
            steps += 1;
        }
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
    let how = "A state of zero costs the device nothing: it skips that unit's whole column of the kernel. A unit that is \
               never active is of no use; one that always is costs the most.";
    let content = html! {
        p { "On average " strong { (format!("{overall:.0} %")) } " of the state is not zero." }
        div.pair { (figure(by_unit, "By unit")) (figure(along, "Along the texts")) }
    };
    Ok(section("Density of the hidden state", how, &content))
}
