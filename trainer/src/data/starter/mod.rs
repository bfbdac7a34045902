//! The starter corpus: a few thousand short opinions in two classes, made on the spot.
//!
//! It is there so that the first command works on a machine without any data, and so that a
//! model has something to get wrong: about half of the texts turn on a negation, a contrast
//! or a concession, which the words alone do not give away. Train, dev and test share their
//! words but not their sentence templates, so the test says whether a model has learned
//! how such sentences work and not only which templates there are.
//!
//! What it is not: a benchmark, or natural language. All but some two hundred texts come
//! from a small grammar. An accuracy on it compares with nothing published, and a model
//! trained on it knows little of real reviews, their vocabulary, length, irony or noise.
//! Its labels follow a convention where readers would differ: "the plot was dull, but the
//! songs were superb" is positive because the last clause decides, "not bad" is praise.

mod grammar;
mod surface;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Example;
use grammar::{Grammar, Phrase, Piece, Side, Split, Template, Words};

const SENTENCES: &str = include_str!("../../../starter/sentences.tsv");

/// Texts in each split, hand-written sentences included; half of them in each class.
const SIZES: [(Split, usize); 3] = [(Split::Train, 6000), (Split::Dev, 800), (Split::Test, 800)];

/// The names of the classes, by index.
pub(crate) const LABELS: [&str; 2] = ["negative", "positive"];

/// The three parts of the starter corpus, each shuffled and with as many texts of one class as of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Corpus {
    /// 6,000 texts to fit a model to.
    pub train: Vec<Example>,
    /// 800 texts, from templates of their own, to choose a recipe by.
    pub dev: Vec<Example>,
    /// 800 texts, from templates of their own, to report.
    pub test: Vec<Example>,
}

/// Makes the corpus. The same seed gives the same corpus on every machine.
pub(crate) fn generate(seed: u64) -> Corpus {
    let grammar = Grammar::embedded();
    let sentences = parse_sentences(SENTENCES).expect("the embedded sentences are checked by the tests");
    let mut seen: BTreeSet<String> = sentences.iter().map(|(_, e)| surface::words_only(&e.text)).collect();
    let [train, dev, test] = SIZES.map(|(split, size)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // A stream for each split: editing the training templates leaves the other texts alone.
        rng.set_stream(split as u64);
        let mut examples: Vec<Example> =
            sentences.iter().filter(|(of, _)| *of == split).map(|(_, e)| e.clone()).collect();
        for class in 0..LABELS.len() {
            let mut missing = size / LABELS.len() - examples.iter().filter(|e| e.class == class).count();
            // Ends: every rule can say far more different things than are asked for.
            while missing > 0 {
                let text = Draw::text(&grammar, split, class, &mut rng);
                if seen.insert(surface::words_only(&text)) {
                    examples.push(Example::new(class, text));
                    missing -= 1;
                }
            }
        }
        examples.shuffle(&mut rng);
        examples
    });
    Corpus { train, dev, test }
}

/// Reads the hand-written sentences: a header, then split, label and text between tabs.
fn parse_sentences(tsv: &str) -> Result<Vec<(Split, Example)>, String> {
    tsv.lines()
        .skip(1)
        .map(|line| parse_sentence(line).ok_or_else(|| format!("bad line \"{line}\"")))
        .collect()
}

fn parse_sentence(line: &str) -> Option<(Split, Example)> {
    let mut fields = line.split('\t');
    let split = match fields.next()? {
        "train" => Split::Train,
        "dev" => Split::Dev,
        "test" => Split::Test,
        _ => return None,
    };
    let label = fields.next()?;
    let class = LABELS.iter().position(|known| *known == label)?;
    let text = fields.next().filter(|text| !text.trim().is_empty())?.to_owned();
    fields.next().is_none().then_some((split, Example::new(class, text)))
}

/// One text in the making.
struct Draw<'a> {
    grammar: &'a Grammar,
    domain: &'a Words,
    class: usize,
    rng: &'a mut ChaCha8Rng,
    /// What the text is about: named once, the same throughout.
    subject: Option<&'a Phrase>,
    /// Words that were drawn already: none is said twice.
    used: Vec<&'a Phrase>,
}

impl<'a> Draw<'a> {
    /// A text of `class` from one or two of the templates of `split`.
    fn text(grammar: &'a Grammar, split: Split, class: usize, rng: &'a mut ChaCha8Rng) -> String {
        let mut templates = vec![choose_template(grammar, split, class, rng)];
        if chance(30, rng) {
            let second = choose_template(grammar, split, class, rng);
            if second.id != templates[0].id {
                templates.push(second);
            }
        }
        Self::text_from(grammar, &templates, class, rng)
    }

    /// A text of `class` that says what these templates say, with or without neutral facts around it.
    fn text_from(
        grammar: &'a Grammar,
        templates: &[&'a Template],
        class: usize,
        rng: &'a mut ChaCha8Rng,
    ) -> String {
        let domains: Vec<&Words> = grammar.lexicon.domain.values().collect();
        let domain = choose(&domains, rng);
        let mut draw = Draw { grammar, domain, class, rng, subject: None, used: Vec::new() };

        let mut sentences = Vec::new();
        if chance(35, draw.rng) {
            sentences.push(draw.neutral("fact"));
        }
        for template in templates {
            sentences.push(draw.statement(template));
        }
        if chance(35, draw.rng) {
            sentences.push(draw.neutral("fact"));
        }

        let text = surface::settle_articles(&sentences.join(" "), &grammar.lexicon.articles.a);
        let text = if chance(50, draw.rng) { surface::contract(&text) } else { text };
        surface::capitalize(&text)
    }

    /// What a template says, introduced or not.
    fn statement(&mut self, template: &'a Template) -> String {
        let mut text = String::new();
        if chance(12, self.rng) {
            text = self.neutral("opener") + " ";
        }
        if template.is_clause() && chance(20, self.rng) {
            text = text + &self.neutral("frame") + " ";
        }
        self.expand(&template.phrase, &mut text);
        if text.ends_with('.') && chance(12, self.rng) {
            text.pop();
            text.push('!');
        }
        text
    }

    /// A word, or a sentence, of a neutral list.
    fn neutral(&mut self, list: &str) -> String {
        let mut text = String::new();
        self.fill_slot(list, &mut text);
        text
    }

    /// Writes a phrase with all of its slots filled.
    fn expand(&mut self, phrase: &'a Phrase, text: &mut String) {
        for piece in &phrase.pieces {
            match piece {
                Piece::Literal(words) => text.push_str(words),
                Piece::Article => text.push_str(surface::ARTICLE),
                Piece::Neutral(list) => self.fill_slot(list, text),
                Piece::Opinion(side, list) => {
                    let positive = (self.class == 1) == (*side == Side::For);
                    let word = self.fresh(self.grammar.lexicon.opinion(self.domain, list, positive));
                    text.push_str(&word.text);
                }
            }
        }
    }

    /// Writes a word of a neutral list.
    fn fill_slot(&mut self, list: &str, text: &mut String) {
        let word = match self.subject {
            Some(subject) if list == "subject" => subject,
            _ => self.fresh(self.grammar.lexicon.neutral(self.domain, list)),
        };
        match list {
            "subject" => self.subject = Some(word),
            // Some people shout.
            "very" | "utterly" if chance(8, self.rng) => return text.push_str(&word.text.to_uppercase()),
            _ => {}
        }
        self.expand(word, text);
    }

    /// One of the words that this text has not used yet.
    fn fresh(&mut self, mut words: Vec<&'a Phrase>) -> &'a Phrase {
        words.retain(|word| !self.used.contains(word));
        let word = choose(&words, self.rng);
        self.used.push(word);
        word
    }
}

/// Draws a rule by its share, then one of its templates.
fn choose_template<'a>(
    grammar: &'a Grammar,
    split: Split,
    class: usize,
    rng: &mut ChaCha8Rng,
) -> &'a Template {
    let mut shares = Vec::new();
    for (&rule, &percent) in &grammar.share {
        shares.extend(std::iter::repeat_n(rule, percent as usize));
    }
    let rule = choose(&shares, rng);
    choose(&grammar.candidates(split, rule, class), rng)
}

/// One of `items`, which the grammar's checks keep from being empty. Counts in 32 bits, so
/// that the width of a `usize` plays no part in what is drawn.
fn choose<T: Copy>(items: &[T], rng: &mut ChaCha8Rng) -> T {
    items[rng.random_range(0..items.len() as u32) as usize]
}

fn chance(percent: u32, rng: &mut ChaCha8Rng) -> bool {
    rng.random_range(0..100u32) < percent
}
