//! A small network over an invented vocabulary, and its model file, for unit tests.

use crate::network::Network;
use crate::quantize::{Sample, export};
use crate::random::Stream;
use crate::recipe::{CellKind, Recipe, Value};
use crate::text::Encoder;

/// Words of the vocabulary: `w0` to `w29`.
pub(crate) const WORDS: usize = 30;

/// A network as training leaves it: weights larger than at the start, a state that lives.
pub(crate) fn network(recipe: &Recipe, encoder: &Encoder, outputs: usize) -> Network {
    let mut network = Network::new(recipe, encoder.rows(), outputs, &mut Stream::Weights.rng(1));
    network.embedding.values.iter_mut().for_each(|w| *w *= 12.0);
    network.layers[0].bias.values.iter_mut().enumerate().for_each(|(i, b)| *b = 0.02 * (i as f32 - 3.0));
    network
}

/// The recipe of the small network, with these keys, too.
pub(crate) fn recipe(toml: &str) -> Recipe {
    let mut table: toml::Table =
        "units = 10\nembedding = 6\nrecurrent_initializer = \"identity\"".parse().unwrap();
    table.extend(toml.parse::<toml::Table>().unwrap());
    Recipe::from_toml(&table.to_string()).unwrap()
}

/// Texts of 0 to 60 words, one without any known word, one word alone, and a long one.
pub(crate) fn texts() -> Vec<String> {
    let word = |text: usize, i: usize| format!("w{}", (text * 31 + i * i * 7 + i) % WORDS);
    let text = |t: usize, words: usize| (0..words).map(|i| word(t, i)).collect::<Vec<_>>().join(" ");
    let mut texts: Vec<String> = (0..40).map(|t| text(t, t * 3 / 2)).collect();
    texts.extend(["never heard of".to_owned(), text(7, 1), text(3, 2000)]);
    texts
}

/// Texts and a model file of a recipe with these keys.
pub(crate) fn exported(toml: &str) -> (Vec<String>, Vec<u8>) {
    let recipe = recipe(toml);
    let encoder = encoder(&recipe);
    let network = network(&recipe, &encoder, 1);
    let texts = texts();
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let labels = ["0", "1"].map(str::to_owned);
    let file =
        export(&network, &encoder, &recipe, &labels, &Sample::new(&encoder, &borrowed), None).unwrap().file;
    (texts, file)
}

/// Recipes that read texts in each way that there is, and with each cell.
pub(crate) const READINGS: [&str; 10] = [
    "",
    "maxlen = 20",
    "maxlen = 20\ntruncating = \"post\"\nunknown = \"row\"",
    "maxlen = 20\npadding = \"tokens\"",
    "maxlen = 2000\npadding = \"tokens\"\ntruncating = \"post\"\nunknown = \"row\"",
    "cell = \"gru\"",
    "cell = \"lstm\"\nembedding = 8\nfold = \"never\"\nmaxlen = 20\nunknown = \"row\"",
    "cell = \"fastgrnn\"\nmaxlen = 20\npadding = \"tokens\"",
    "cell = \"gru\"\nmaxlen = 20\npadding = \"tokens\"",
    "cell = [\"lstm\", \"simple-rnn\"]\nunits = [7, 10]\nmaxlen = 20\ntruncating = \"post\"",
];

/// All cells with gates, as recipes call them.
pub(crate) fn gated() -> impl Iterator<Item = &'static str> {
    CellKind::CHOICES.iter().map(|(word, _)| *word).filter(|&word| word != CellKind::SimpleRnn.word())
}

/// An encoder with the vocabulary.
pub(crate) fn encoder(recipe: &Recipe) -> Encoder {
    Encoder::new(recipe, (0..WORDS).map(|i| format!("w{i}")).collect())
}
