//! How open the gates of layers are.

use anyhow::Result;
use maud::{Markup, html};

use super::charts::{Axis, Drawn, Series, chart};
use super::density::{PARTS, every};
use super::{Subject, figure, section};
use crate::network::{Batch, Layer, Opening, Trace};

/// The mean opening of each gate of each layer, by unit and along the texts. The device's integers show outputs only, so these are
/// the float network's, on the device's grid if it was trained there.
pub(super) fn gates(subject: &Subject<'_>) -> Result<Markup> {
    let Subject { network, recipe, grid, evaluation, .. } = subject;
    let mut all: Vec<LayerGates<'_>> = network.layers.iter().map(LayerGates::new).collect();
    if all.iter().all(|layer| layer.gates.is_empty()) {
        return Ok(html! {});
    }
    // Text by text: what is kept of each step takes much memory.
    for (example, words) in evaluation.ids.iter().enumerate().step_by(every(evaluation)) {
        let batch = Batch::new(&[example], evaluation.ids, recipe.pad_to());
        for (layer, trace) in all.iter_mut().zip(network.traces(&batch, *grid)) {
            // Pads in front are not words.
            layer.add(&trace, batch.steps - words.len());
        }
    }
    let how = "A gate is a number between 0 (closed) and 1 (open) that a layer with gates computes for each unit and word, and \
               multiplies with: it decides what is kept, forgotten or shown. A unit whose gate for keeping is nearly always \
               open remembers for long; one in which it is nearly always closed sees little but the present word. A gate \
               that is half open everywhere has learned nothing yet.";
    let content =
        html! { @for (index, layer) in all.iter().enumerate() { (layer.shown(index, all.len())?) } };
    Ok(section("How open the gates are", how, &content))
}

/// The gates of a layer, added up.
struct LayerGates<'n> {
    layer: &'n Layer,
    gates: Vec<GateSums>,
    steps: usize,
}

/// A gate's openings, added up.
struct GateSums {
    gate: Opening,
    by_unit: Vec<f64>,
    /// For each part of a text the sum, and of how many numbers.
    along: [(f64, usize); PARTS],
}

impl<'n> LayerGates<'n> {
    fn new(layer: &'n Layer) -> Self {
        let sums =
            |&gate: &Opening| GateSums { gate, by_unit: vec![0.0; layer.units()], along: [(0.0, 0); PARTS] };
        Self { layer, gates: layer.cell.openings().iter().map(sums).collect(), steps: 0 }
    }

    /// Adds the steps of one text, of which the first are `pads`.
    fn add(&mut self, trace: &Trace, pads: usize) {
        let units = self.layer.units();
        let steps = trace.states.len() / units;
        if self.gates.is_empty() || steps <= pads {
            return;
        }
        // A single text is a single block.
        let kept = trace.kept.iter().flat_map(|block| block.chunks_exact(block.len() / steps)).skip(pads);
        for (step, kept) in kept.enumerate() {
            for GateSums { gate, by_unit, along } in &mut self.gates {
                let openings = &kept[gate.part * units..][..units];
                let sum: f64 = openings.iter().map(|&opening| f64::from(opening)).sum();
                by_unit.iter_mut().zip(openings).for_each(|(sum, &opening)| *sum += f64::from(opening));
                let (all, count) = &mut along[step * PARTS / (steps - pads)];
                *all += sum;
                *count += units;
            }
        }
        self.steps += steps - pads;
    }

    fn shown(&self, index: usize, layers: usize) -> Result<Markup> {
        let Self { layer, gates, steps } = self;
        if gates.is_empty() {
            return Ok(html! {});
        }
        let units = layer.units();
        let percent = |sum: f64, count: usize| 100.0 * sum / count.max(1) as f64;
        // Units in the order of the gate that keeps: a GRU's first, an LSTM's second.
        let keeps = gates.iter().find(|of| of.gate.keeps).unwrap_or(&gates[0]);
        let mut order: Vec<usize> = (0..units).collect();
        order.sort_by(|&a, &b| keeps.by_unit[b].total_cmp(&keeps.by_unit[a]));
        let line = |of: &GateSums, points: Vec<(f64, f64)>| Series {
            name: of.gate.name,
            points,
            drawn: Drawn::Line,
        };
        let by_unit: Vec<Series<'_>> = gates
            .iter()
            .map(|of| {
                let place =
                    |(place, &unit): (usize, &usize)| (place as f64 + 1.0, percent(of.by_unit[unit], *steps));
                line(of, order.iter().enumerate().map(place).collect())
            })
            .collect();
        let along: Vec<Series<'_>> = gates
            .iter()
            .map(|of| {
                let read = of.along.iter().enumerate().filter(|(_, (_, count))| *count > 0);
                let point = |(part, &(sum, count)): (usize, &(f64, usize))| {
                    ((part as f64 + 0.5) / PARTS as f64 * 100.0, percent(sum, count))
                };
                line(of, read.map(point).collect())
            })
            .collect();
        let y = Axis { name: "% open", range: 0.0..100.0, digits: 0 };
        let name = format!("hidden units, by the gate `{}`", keeps.gate.name);
        let x = Axis { name: &name, range: 0.5..units as f64 + 0.5, digits: 0 };
        let by_unit = chart((560, 300), &x, &y, &by_unit, None)?;
        let x = Axis { name: "% of the text that was read", range: 0.0..100.0, digits: 0 };
        let along = chart((560, 300), &x, &y, &along, None)?;
        Ok(html! {
            @if layers > 1 {
                h3 { "Layer " (index + 1) " of " (layers) ": " (layer.cell.kind().word()) " of " (units) " units" }
            }
            table {
                thead { tr { th { "gate" } th.number { "mean opening" } th { "what it lets through" } } }
                tbody {
                    @for GateSums { gate, by_unit, .. } in gates {
                        tr {
                            td { (gate.name) }
                            td.number { (format!("{:.0} %", percent(by_unit.iter().sum(), steps * units))) }
                            td { (gate.about) }
                        }
                    }
                }
            }
            div.pair { (figure(by_unit, "By unit")) (figure(along, "Along the texts")) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{encoder, network, recipe, texts};

    /// With kernels of zero, gates are what their biases say.
    #[test]
    fn openings_are_those_of_the_biases_where_nothing_else_counts() {
        for (cell, gates, expected) in [
            ("gru", 3, vec![("update", 0.9), ("reset", 0.2)]),
            ("fastgrnn", 1, vec![("gate", 0.9)]),
            ("lstm", 4, vec![("input", 0.9), ("forget", 0.2), ("output", 0.6)]),
        ] {
            for more in ["", "padding = \"tokens\"\nmaxlen = 80\n"] {
                let recipe = recipe(&format!("cell = \"{cell}\"\nembedding = 8\n{more}"));
                let encoder = encoder(&recipe);
                let mut network = network(&recipe, &encoder, 1);
                let units = network.units();
                let layer = &mut network.layers[0];
                layer.kernel.values.fill(0.0);
                layer.recurrent_kernel.values.fill(0.0);
                layer.bias.values.fill(0.0);
                for (gate, (_, opening)) in layer.cell.openings().to_vec().iter().zip(&expected) {
                    // Kernels have the candidate among the gates: LSTM's output gate is the fourth in both.
                    let logit: f64 = *opening;
                    let logit = (logit / (1.0 - logit)).ln() as f32;
                    // Where the bias is the candidate's alone, the gate's is a parameter of its own.
                    match layer.further.first_mut() {
                        Some(of_gate) => of_gate.values.fill(logit),
                        None => layer.bias.values[gate.part * units..][..units].fill(logit),
                    }
                }
                assert_eq!(layer.cell.gates(), gates);
                let texts = texts();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                let ids = encoder.encode_all(&texts);
                let mut found = LayerGates::new(&network.layers[0]);
                for (example, words) in ids.iter().enumerate() {
                    let batch = Batch::new(&[example], &ids, recipe.pad_to());
                    found.add(&network.traces(&batch, None)[0], batch.steps - words.len());
                }
                assert_eq!(found.steps, ids.iter().map(Vec::len).sum::<usize>(), "words, without pads");
                for (of, (name, opening)) in found.gates.iter().zip(&expected) {
                    assert_eq!(of.gate.name, *name);
                    for sum in &of.by_unit {
                        assert!((sum / found.steps as f64 - opening).abs() < 1e-5, "{cell}: {name}");
                    }
                    for (sum, count) in &of.along {
                        assert!((sum / *count as f64 - opening).abs() < 1e-5, "{cell}: {name}");
                    }
                }
                let shown = found.shown(0, 2).unwrap().into_string();
                assert!(shown.contains("90 %") && shown.contains(&format!("{cell} of 10 units")), "{shown}");
            }
        }
    }
}
