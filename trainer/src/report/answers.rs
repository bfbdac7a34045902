//! Right and wrong answers.

use anyhow::Result;
use maud::{Markup, html};

use super::charts::{Axis, Drawn, Series, chart, heat_map};
use super::figures::{Confusion, Quality, calibration as bins, calibration_error, means};
use super::{Evaluation, Subject, figure, grouped, section, share};
use crate::network::loss::class;

/// Classes up to which every number of the confusion matrix is printed.
const PRINTED: usize = 8;

/// Points of the scatter at most.
const POINTS: usize = 2000;

/// Which classes are taken for which.
pub(super) fn confusion(subject: &Subject<'_>) -> Result<Markup> {
    let labels = subject.labels;
    let confusion = Confusion::of(labels.len(), subject.evaluation.pairs());
    let qualities = confusion.qualities();
    let [of_classes, of_texts] = means(&qualities);
    let matrix = if labels.len() <= PRINTED {
        html! {
            table.matrix {
                thead { tr { th { "right \\ answer" } @for label in labels { th.number { (label) } } } }
                tbody {
                    @for (class, row) in confusion.counts.iter().enumerate() {
                        tr {
                            th { (labels[class]) }
                            @for (answer, texts) in row.iter().enumerate() {
                                td.number.right[answer == class].wrong[answer != class && *texts > 0]
                                    style=(shade(*texts, row)) { (grouped(*texts)) }
                            }
                        }
                    }
                }
            }
        }
    } else {
        let map = heat_map(&confusion.counts, 560)?;
        html! {
            div.pair {
                (figure(map, "A row is a class, a column an answer, both in the order of the labels from the top left; the diagonal is right. The darker, the larger the share of the row"))
                table {
                    caption { "The most frequent mistakes" }
                    thead { tr { th { "right" } th { "answer" } th.number { "texts" } } }
                    tbody {
                        @for (class, answer, texts) in confusion.mistakes().into_iter().take(15) {
                            tr { td { (labels[class]) } td { (labels[answer]) } td.number { (grouped(texts)) } }
                        }
                    }
                }
            }
        }
    };
    let row = |name: &str, quality: &Quality| {
        html! {
            tr {
                td { (name) }
                td.number { (share(quality.precision)) }
                td.number { (share(quality.recall)) }
                td.number { (share(quality.f1)) }
                td.number { (grouped(quality.support)) }
            }
        }
    };
    let table = html! {
        table {
            thead {
                tr { th { "class" } th.number { "precision" } th.number { "recall" } th.number { "F1" } th.number { "texts" } }
            }
            tbody { @for (label, quality) in labels.iter().zip(&qualities) { (row(label, quality)) } }
            tfoot { (row("mean of the classes (macro)", &of_classes)) (row("mean of the texts (weighted)", &of_texts)) }
        }
    };
    let how = "What the device answers. Precision: of the answers of a class, the share that is right; recall: of its \
               texts, the share that is found; F1: their harmonic mean.";
    let table = if labels.len() <= 20 {
        table
    } else {
        html! { details { summary { "Every class" } (table) } }
    };
    Ok(section("Confusion", how, &html! { (matrix) (table) }))
}

/// How dark a cell is: by its share of its row.
fn shade(texts: usize, row: &[usize]) -> String {
    let share = texts as f64 / row.iter().sum::<usize>().max(1) as f64;
    format!("--share:{:.0}%", 100.0 * share.sqrt())
}

/// Whether a score says how often an answer is right.
pub(super) fn calibration(subject: &Subject<'_>) -> Result<Markup> {
    let evaluation = &subject.evaluation;
    let bins = bins(
        evaluation
            .pairs()
            .zip(evaluation.predictions)
            .map(|((right, answer), of)| (f64::from(of.score), right == answer)),
    );
    let error = calibration_error(&bins);
    let full: Vec<_> = bins.iter().filter(|bin| bin.texts > 0).collect();
    let diagonal = Series { name: "", points: vec![(0.0, 0.0), (1.0, 1.0)], drawn: Drawn::Guide };
    let measured = Series {
        name: "",
        points: full.iter().map(|bin| (bin.confidence, bin.accuracy)).collect(),
        drawn: Drawn::Line,
    };
    let axis = |name| Axis { name, range: 0.0..1.0, digits: 1 };
    let reliability = chart(
        (420, 360),
        &axis("score of the answer"),
        &axis("share of right answers"),
        &[measured, diagonal],
        None,
    )?;
    let most = bins.iter().map(|bin| bin.texts).max().unwrap_or(0);
    let counts = Series {
        name: "",
        points: (0..10).map(|bin| (f64::from(bin) / 10.0 + 0.05, bins[bin as usize].texts as f64)).collect(),
        drawn: Drawn::Bars(0.08),
    };
    let y = Axis { name: "texts", range: 0.0..(most as f64 * 1.08).max(1.0), digits: 0 };
    let counts = chart((420, 360), &axis("score of the answer"), &y, &[counts], None)?;
    let how = "On the dashed line a score of 0.8 is right in 8 of 10 texts. Below it the model is surer than it should be, \
               above it more careful.";
    let content = html! {
        div.pair { (figure(reliability, "Scores against what comes true")) (figure(counts, "How many texts have which score")) }
        p { "Expected calibration error: " strong { (share(error)) } ", the mean distance from the line." }
    };
    Ok(section("Calibration", how, &content))
}

/// The float network beside the device.
pub(super) fn agreement(subject: &Subject<'_>) -> Result<Markup> {
    let Subject { network, model, evaluation, .. } = subject;
    let Evaluation { logits, predictions, .. } = evaluation;
    let outputs = network.outputs();
    let scale = model.contents().dense().map_or(1.0, |dense| dense.scale);
    let floats = || logits.chunks_exact(outputs);
    let devices = || predictions.iter().map(|answer| answer.logits.iter().map(|&logit| logit as f32 * scale));
    let agree = floats().zip(*predictions).filter(|(float, answer)| class(float) == answer.class as usize);
    let agree = agree.count() as f64 / predictions.len().max(1) as f64;
    let largest = floats()
        .zip(devices())
        .flat_map(|(float, device)| float.iter().zip(device).map(|(a, b)| (a - b).abs()));
    let largest = largest.fold(0.0, f32::max);
    // Of several logits, that of the answer.
    let points = floats().zip(devices()).zip(*predictions).map(|((float, mut device), answer)| {
        let output = if outputs == 1 { 0 } else { answer.class as usize };
        (f64::from(float[output]), f64::from(device.nth(output).unwrap_or(0.0)))
    });
    let points: Vec<(f64, f64)> = points.step_by(predictions.len().div_ceil(POINTS).max(1)).collect();
    let ends = points.iter().flat_map(|&(a, b)| [a, b]);
    let (least, most) = ends.fold((-1.0_f64, 1.0_f64), |(least, most), v| (least.min(v), most.max(v)));
    let digits = usize::from(most - least < 8.0);
    let axis = |name| Axis { name, range: least * 1.05..most * 1.05, digits };
    let diagonal = Series { name: "", points: vec![(least, least), (most, most)], drawn: Drawn::Guide };
    let dots = Series { name: "", points, drawn: Drawn::Dots };
    let signed = chart(
        (420, 400),
        &axis("logit of the float network"),
        &axis("logit of the device"),
        &[dots, diagonal],
        None,
    )?;
    let how = "What rounding to integers costs. The float network is the one that was trained, on the device's grid if its \
               last epochs were; points off the dashed line are texts that the device sees otherwise.";
    let content = html! {
        div.pair {
            (figure(signed, if outputs == 1 { "Logits of a sample of the texts" } else { "Logits of the answer, a sample of the texts" }))
            table {
                thead { tr { th {} th.number { "accuracy" } th.number { "loss" } } }
                tbody {
                    tr { td { "float" } td.number { (share(evaluation.float.accuracy())) } td.number { (share(evaluation.float.mean_loss())) } }
                    tr { td { "int8" } td.number { (share(evaluation.device.accuracy())) } td.number { (share(evaluation.device.mean_loss())) } }
                }
                tfoot {
                    tr { td { "same answer" } td.number { (share(agree)) } td {} }
                    tr { td { "largest difference of logits" } td.number { (format!("{largest:.3}")) } td {} }
                }
            }
        }
    };
    Ok(section("Float against int8", how, &content))
}
