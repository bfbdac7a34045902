//! The grammar of the starter corpus: the two embedded TOML files, read and checked.
//!
//! Everything that could make the generator fail later (a slot that no domain fills, a rule
//! without a template for a class) is an error here, so that drawing a text cannot fail.

use std::collections::BTreeMap;

use serde::Deserialize;

const LEXICON: &str = include_str!("../../../starter/lexicon.toml");
const TEMPLATES: &str = include_str!("../../../starter/templates.toml");

/// The part of the corpus that a template or a hand-written sentence belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    Train,
    Dev,
    Test,
}

/// How the class of a text follows from the opinions in it; templates.toml says it in words.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rule {
    Plain,
    Intensified,
    Additive,
    Comparative,
    Wish,
    Negated,
    Restricted,
    Contrast,
    Concession,
    Compound,
    Expectation,
}

/// Whether an opinion speaks for the class of its text or against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    For,
    Against,
}

/// A stretch of a phrase: words that stand as they are, or a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// `{a}`: "a" or "an", settled when the next word is known.
    Article,
    /// `{part}`: any word of that list.
    Neutral(String),
    /// `{for.plain}`: a word of that list, on the side that the class of the text asks for.
    Opinion(Side, String),
}

/// A template or an entry of the lexicon, which may have slots of its own.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Phrase {
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
}

impl TryFrom<String> for Phrase {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((literal, after)) = rest.split_once('{') {
            let (slot, after) =
                after.split_once('}').ok_or_else(|| format!("unclosed slot in \"{text}\""))?;
            if !slot.chars().all(|c| c.is_ascii_lowercase() || c == '.') {
                return Err(format!("{{{slot}}} in \"{text}\" is no slot"));
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            pieces.push(match slot.split_once('.') {
                None if slot == "a" => Piece::Article,
                None => Piece::Neutral(slot.to_owned()),
                Some(("for", list)) => Piece::Opinion(Side::For, list.to_owned()),
                Some(("against", list)) => Piece::Opinion(Side::Against, list.to_owned()),
                Some(_) => return Err(format!("slot {{{slot}}} is neither for nor against")),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Phrase { text, pieces })
    }
}

/// The two sides of a list of opinions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sides {
    pub(super) positive: Vec<Phrase>,
    pub(super) negative: Vec<Phrase>,
}

/// Word lists, of one domain or of all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) neutral: BTreeMap<String, Vec<Phrase>>,
    pub(super) opinion: BTreeMap<String, Sides>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Articles {
    /// Words that begin with a vowel letter and still take "a".
    pub(super) a: Vec<String>,
}

/// lexicon.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lexicon {
    pub(super) articles: Articles,
    pub(super) general: Words,
    pub(super) domain: BTreeMap<String, Words>,
}

impl Lexicon {
    /// The words for a neutral slot in a text about `domain`.
    pub(super) fn neutral<'a>(&'a self, domain: &'a Words, list: &str) -> Vec<&'a Phrase> {
        [&self.general, domain].into_iter().filter_map(|words| words.neutral.get(list)).flatten().collect()
    }

    /// The words for an opinion slot in a text about `domain`.
    pub(super) fn opinion<'a>(&'a self, domain: &'a Words, list: &str, positive: bool) -> Vec<&'a Phrase> {
        [&self.general, domain]
            .into_iter()
            .filter_map(|words| words.opinion.get(list))
            .flat_map(|sides| if positive { &sides.positive } else { &sides.negative })
            .collect()
    }
}

/// templates.toml. The maps are ordered, so that the order of drawing never depends on a hash.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateFile {
    share: BTreeMap<Rule, u32>,
    train: BTreeMap<Rule, TemplatesByClass>,
    dev: BTreeMap<Rule, TemplatesByClass>,
    test: BTreeMap<Rule, TemplatesByClass>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TemplatesByClass {
    either: BTreeMap<String, Phrase>,
    negative: BTreeMap<String, Phrase>,
    positive: BTreeMap<String, Phrase>,
}

/// One sentence pattern (or a few sentences that belong together).
#[derive(Debug)]
pub(super) struct Template {
    pub(super) id: String,
    pub(super) split: Split,
    pub(super) rule: Rule,
    /// The class that the template's own words fix; `None` where the slots decide.
    pub(super) class: Option<usize>,
    pub(super) phrase: Phrase,
}

impl Template {
    /// Whether a text of `class` can be made from this template.
    pub(super) fn allows(&self, class: usize) -> bool {
        self.class.is_none_or(|fixed| fixed == class)
    }

    /// Whether the template begins with a full statement, which "I think that" can go before.
    pub(super) fn is_clause(&self) -> bool {
        let text = &self.phrase.text;
        ["the {", "this {", "it "].iter().any(|start| text.starts_with(start)) && !text.contains('?')
    }
}

/// Lexicon and templates, known to fit each other.
#[derive(Debug)]
pub(super) struct Grammar {
    pub(super) lexicon: Lexicon,
    /// How often each rule is drawn, in percent.
    pub(super) share: BTreeMap<Rule, u32>,
    pub(super) templates: Vec<Template>,
}

impl Grammar {
    /// The grammar that ships with the trainer.
    pub(super) fn embedded() -> Self {
        Self::parse(LEXICON, TEMPLATES).expect("the embedded grammar is checked by the tests")
    }

    /// Reads a grammar and checks that a text can be drawn from every template.
    pub(super) fn parse(lexicon: &str, templates: &str) -> Result<Self, String> {
        let lexicon: Lexicon = toml::from_str(lexicon).map_err(|e| format!("lexicon: {e}"))?;
        let file: TemplateFile = toml::from_str(templates).map_err(|e| format!("templates: {e}"))?;
        let mut templates = Vec::new();
        for (split, rules) in [(Split::Train, file.train), (Split::Dev, file.dev), (Split::Test, file.test)] {
            for (rule, by_class) in rules {
                let classes =
                    [(None, by_class.either), (Some(0), by_class.negative), (Some(1), by_class.positive)];
                for (class, phrases) in classes {
                    templates.extend(phrases.into_iter().map(|(id, phrase)| Template {
                        id,
                        split,
                        rule,
                        class,
                        phrase,
                    }));
                }
            }
        }
        let grammar = Grammar { lexicon, share: file.share, templates };
        grammar.check_shares()?;
        grammar.check_slots()?;
        Ok(grammar)
    }

    /// The templates for texts of this kind.
    pub(super) fn candidates(&self, split: Split, rule: Rule, class: usize) -> Vec<&Template> {
        self.templates.iter().filter(|t| t.split == split && t.rule == rule && t.allows(class)).collect()
    }

    /// Every rule that is drawn has a template in every split for either class.
    fn check_shares(&self) -> Result<(), String> {
        let total: u32 = self.share.values().sum();
        if total != 100 {
            return Err(format!("the shares add up to {total} percent"));
        }
        for &rule in self.share.keys() {
            for split in [Split::Train, Split::Dev, Split::Test] {
                if let Some(class) = (0..2).find(|&class| self.candidates(split, rule, class).is_empty()) {
                    return Err(format!("{split:?} has no {rule:?} template for class {class}"));
                }
            }
        }
        Ok(())
    }

    /// Every slot can be filled in every domain, also where a phrase names the same list several times.
    fn check_slots(&self) -> Result<(), String> {
        let all_words = self.lexicon.domain.values().chain([&self.lexicon.general]);
        let entries = all_words.flat_map(|words| words.neutral.values().flatten());
        let phrases: Vec<&Phrase> = self.templates.iter().map(|t| &t.phrase).chain(entries).collect();
        for (name, domain) in &self.lexicon.domain {
            for phrase in &phrases {
                for piece in &phrase.pieces {
                    let available = match piece {
                        Piece::Literal(_) | Piece::Article => continue,
                        Piece::Neutral(list) => self.lexicon.neutral(domain, list).len(),
                        Piece::Opinion(_, list) => {
                            let side = |positive| self.lexicon.opinion(domain, list, positive).len();
                            side(true).min(side(false))
                        }
                    };
                    let needed = phrase.pieces.iter().filter(|other| *other == piece).count();
                    if available < needed {
                        return Err(format!(
                            "\"{}\": domain {name} has {available} of {needed} words for {piece:?}",
                            phrase.text
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
