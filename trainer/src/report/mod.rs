//! `report.html`: the results of a training, in one file that a browser shows without any other.
//!
//! [`page`] puts the sections together, each of which is a function of a file here; `figures` counts, `charts` draws.

mod answers;
mod charts;
mod density;
mod figures;
mod gates;
mod training;
mod words;

use anyhow::Result;
use kilornn::Model;
use kilornn_host::OwnedPrediction;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::data::Example;
use crate::fit::Epoch;
use crate::network::loss::Tally;
use crate::network::{Grid, Network};
use crate::numbers::grouped;
use crate::recipe::Recipe;
use crate::text::Encoder;
use crate::warning::Warning;

/// What a report is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// What to call it.
    pub name: &'a str,
    /// How it is made again, and its recipe with every key.
    pub config: &'a str,
    /// The recipe.
    pub recipe: &'a Recipe,
    /// Names of the classes.
    pub labels: &'a [String],
    /// Texts that were trained on; none if the weights were imported.
    pub trained_on: usize,
    /// The epochs, if there were any.
    pub epochs: &'a [Epoch],
    /// What a person should know before trusting the rest.
    pub warnings: &'a [Warning],
    /// The float network.
    pub network: &'a Network,
    /// The device's grid, if its last epochs were trained on it.
    pub grid: Option<&'a Grid>,
    /// The vocabulary.
    pub encoder: &'a Encoder,
    /// What the device runs.
    pub model: &'a Model<'a>,
    /// The length of its file.
    pub bytes: usize,
    /// What both were tried on.
    pub evaluation: Evaluation<'a>,
}

/// What the float network and the model file said of some texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluation<'a> {
    /// Which texts these are: `test`, ...
    pub part: &'a str,
    /// The texts and their classes.
    pub examples: &'a [Example],
    /// The ids of each text's words.
    pub ids: &'a [Vec<u32>],
    /// The float network's logits, `texts × outputs`.
    pub logits: &'a [f32],
    /// Its score.
    pub float: Tally,
    /// The model file's predictions.
    pub predictions: &'a [OwnedPrediction],
    /// Their score.
    pub device: Tally,
}

impl Evaluation<'_> {
    /// The right class and the device's, text by text.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.examples
            .iter()
            .zip(self.predictions)
            .map(|(example, answer)| (example.class, answer.class as usize))
    }
}

/// The page.
pub(crate) fn page(subject: &Subject<'_>) -> Result<String> {
    let sections = [
        training::curves(subject)?,
        answers::confusion(subject)?,
        answers::calibration(subject)?,
        words::lengths(subject)?,
        training::size(subject)?,
        answers::agreement(subject)?,
        density::density(subject)?,
        gates::gates(subject)?,
        words::mistakes(subject),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "KiloRNN: " (subject.name) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                main {
                    (training::headline(subject))
                    @for section in sections { (section) }
                }
            }
        }
    };
    Ok(page.into_string())
}

/// A section: its heading, how to read it, and what there is to read.
fn section(heading: &str, how: &str, content: &Markup) -> Markup {
    html! { section { h2 { (heading) } p.how { (how) } (content) } }
}

/// A chart with what is below it.
fn figure(svg: String, caption: &str) -> Markup {
    html! { figure { (PreEscaped(svg)) figcaption { (caption) } } }
}

/// `0.8861`.
fn share(value: f64) -> String {
    format!("{value:.4}")
}
