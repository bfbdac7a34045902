//! How often a word outside the vocabulary is taken for one of its words, on real words.

use std::collections::HashSet;
use std::path::Path;

use kilornn::Model;
use kilornn::text::WordHash;
use kilornn_trainer::data::{Dataset, Inputs};
use kilornn_trainer::recipe::Recipe;
use kilornn_trainer::text::{Encoder, for_each_word};

/// Real data, which is no part of the repository: beside it, where there is any.
const IMDB: &str = "../../shared/data/imdb";

/// The different words of IMDB's test reviews that `models/imdb-compact.kilo` does not have: with a
/// fingerprint of 8 bits, one in 256 should be taken for a known word.
#[test]
fn one_real_unseen_word_in_256_is_taken_for_a_known_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join(IMDB);
    if !data.is_dir() {
        println!("SKIPPED: there is no {} beside the repository", IMDB.trim_start_matches("../"));
        return;
    }
    let file = std::fs::read(root.join("../models/imdb-compact.kilo")).unwrap();
    let model = Model::from_bytes(&file).unwrap();
    let vocabulary = model.contents().text().unwrap().vocabulary;
    let data = Dataset::read(&Inputs::from(data.as_path())).unwrap();

    // The model holds no words, so they are found again as they were when it was trained.
    let recipe = Recipe::from_toml(include_str!("../recipes/compact.toml")).unwrap();
    let encoder = Encoder::fit(&recipe, data.train.iter().map(|example| example.text.as_str()));
    assert_eq!(encoder.normalization(), model.contents().text().unwrap().normalization);
    let words: HashSet<&str> = encoder.words().iter().map(String::as_str).collect();
    let is_known = |word: &str| vocabulary.slot(WordHash::of(vocabulary.seed, word)).is_some();
    assert!(words.len() == 4000 && words.iter().all(|word| is_known(word)), "not the words of this model");

    let (mut unseen, mut occurrences, mut taken) = (HashSet::new(), 0_u32, 0_u32);
    for example in &data.test.unwrap() {
        for_each_word(encoder.normalization(), &example.text, |word| {
            if !words.contains(word) {
                occurrences += 1;
                taken += u32::from(is_known(word));
                if !unseen.contains(word) {
                    unseen.insert(word.to_owned());
                }
            }
        });
    }
    let different = unseen.iter().filter(|word| is_known(word)).count();
    let one_in = unseen.len() as f64 / different as f64;
    println!("{different} of {} unseen words are taken for known ones: one in {one_in:.1}", unseen.len());
    println!("{taken} of their {occurrences} occurrences");
    // Four standard deviations of a binomial distribution.
    let (expected, n) = (1.0 / 256.0, unseen.len() as f64);
    let deviation = 4.0 * (n * expected * (1.0 - expected)).sqrt();
    assert!((different as f64 - n * expected).abs() < deviation, "{different} of {n}, {deviation} allowed");
}
