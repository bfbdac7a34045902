//! What was trained, how that went, and what it takes.

use anyhow::Result;
use maud::{Markup, html};

use super::charts::{Axis, Drawn, Series, chart};
use super::{Subject, figure, grouped, section, share};
use crate::file_parts;
use crate::fit::Epoch;

/// What a person wants to know first.
pub(super) fn headline(subject: &Subject<'_>) -> Markup {
    let Subject { name, config, labels, network, encoder, bytes, evaluation, .. } = subject;
    let parameters: usize = network.parameters().iter().map(|parameter| parameter.values.len()).sum();
    let (float, device) = (evaluation.float.accuracy(), evaluation.device.accuracy());
    html! {
        header {
            h1 { (name) }
            dl.facts {
                div { dt { "accuracy of the device (int8) on " (evaluation.part) " texts" } dd { (share(device)) } }
                div { dt { "of the float network" } dd { (share(float)) } }
                div { dt { "model file" } dd { (grouped(*bytes)) " bytes" } }
                div { dt { "vocabulary" } dd { (grouped(encoder.words().len())) " words" } }
                div { dt { "parameters" } dd { (grouped(parameters)) } }
                div {
                    dt { "trained on" }
                    dd { @if subject.trained_on > 0 { (grouped(subject.trained_on)) " texts" } @else { "imported weights" } }
                }
            }
            p {
                (labels.len()) " classes: " (labels.iter().take(12).cloned().collect::<Vec<_>>().join(", "))
                @if labels.len() > 12 { ", ..." }
                ". All figures are of the " (grouped(evaluation.examples.len())) " " (evaluation.part) " texts."
            }
            @for warning in subject.warnings { p.warning { (warning) } }
            details { summary { "How to make it again" } pre { (config) } }
        }
    }
}

/// Loss and accuracy, epoch by epoch.
pub(super) fn curves(subject: &Subject<'_>) -> Result<Markup> {
    let epochs = subject.epochs;
    let Some(last) = epochs.last() else {
        let none = html! { p { "There are none: the weights were imported." } };
        return Ok(section("Curves", "Loss and accuracy, epoch by epoch.", &none));
    };
    let grid = subject.recipe.epochs - subject.recipe.quantized_epochs;
    let mark = (subject.recipe.quantized_epochs > 0).then_some((grid as f64 + 0.5, "on the device's grid"));
    let draw = |name: &str, of: [fn(&Epoch) -> Option<f64>; 2]| {
        let series = |name, of: fn(&Epoch) -> Option<f64>| Series {
            name,
            points: epochs.iter().filter_map(|epoch| Some((epoch.epoch as f64, of(epoch)?))).collect(),
            drawn: Drawn::Line,
        };
        let all = [series("training", of[0]), series("validation", of[1])];
        let all: Vec<Series<'_>> = all.into_iter().filter(|series| !series.points.is_empty()).collect();
        let values = || all.iter().flat_map(|series| &series.points).map(|point| point.1);
        let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
        let room = ((most - least) * 0.1).max(0.005);
        let x = Axis { name: "epoch", range: 0.5..last.epoch as f64 + 0.5, digits: 0 };
        let digits = if most - least < 0.05 { 3 } else { 2 };
        let y = Axis { name, range: (least - room).max(0.0)..most + room, digits };
        chart((560, 320), &x, &y, &all, mark)
    };
    let loss = draw("loss", [|epoch| Some(epoch.loss), |epoch| epoch.val_loss])?;
    let accuracy = draw("accuracy", [|epoch| Some(epoch.accuracy), |epoch| epoch.val_accuracy])?;
    let how = "Where the validation's loss rises while the training's falls, the network learns its texts by heart: \
               fewer epochs or more dropout. Training is measured with dropout on, so it may look worse than validation.";
    let content = html! {
        div.pair { (figure(loss, "What is minimized")) (figure(accuracy, "Share of right answers")) }
    };
    Ok(section("Curves", how, &content))
}

/// Where the file's bytes go.
pub(super) fn size(subject: &Subject<'_>) -> Result<Markup> {
    let parts = file_parts::of(subject.model, subject.bytes);
    let of = |bytes: usize| 100.0 * bytes as f64 / subject.bytes.max(1) as f64;
    let how = "Each row is a table of the model file. The vocabulary and what hangs on each word grow with the number of \
               words; kernels grow with the square of the hidden units.";
    let content = html! {
        table {
            thead { tr { th { "part" } th.number { "bytes" } th.number { "%" } th.bar {} } }
            tbody {
                @for part in &parts {
                    tr {
                        td { (part.part) }
                        td.number { (grouped(part.bytes)) }
                        td.number { (format!("{:.1}", of(part.bytes))) }
                        td.bar { @if part.bytes > 0 { div style=(format!("width:{:.2}%", of(part.bytes))) {} } }
                    }
                }
            }
            tfoot { tr { td { "model.kilo" } td.number { (grouped(subject.bytes)) } td.number { "100.0" } td.bar {} } }
        }
    };
    Ok(section("Size budget", how, &content))
}
