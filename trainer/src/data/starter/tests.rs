//! What the corpus promises, checked on what is generated, and what the grammar promises, checked on itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::grammar::{Grammar, Piece, Rule, Side, Split};
use super::*;

static CORPUS: LazyLock<Corpus> = LazyLock::new(|| generate(1));
static GRAMMAR: LazyLock<Grammar> = LazyLock::new(Grammar::embedded);

const SPLITS: [Split; 3] = [Split::Train, Split::Dev, Split::Test];

fn splits(corpus: &Corpus) -> [(&'static str, &[Example]); 3] {
    [("train", &corpus.train), ("dev", &corpus.dev), ("test", &corpus.test)]
}

fn all_examples(corpus: &Corpus) -> impl Iterator<Item = &Example> {
    splits(corpus).into_iter().flat_map(|(_, examples)| examples)
}

fn words(text: &str) -> Vec<String> {
    surface::words_only(text).split(' ').map(str::to_owned).collect()
}

/// The sides of a template's opinions, in order.
fn opinions(template: &Template) -> Vec<Side> {
    let sides = template.phrase.pieces.iter().filter_map(|piece| match piece {
        Piece::Opinion(side, _) => Some(*side),
        _ => None,
    });
    sides.collect()
}

/// The words that a template brings itself.
fn literals(template: &Template) -> String {
    let text: String = template
        .phrase
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(words) => words.as_str(),
            _ => " _ ",
        })
        .collect();
    format!(" {} ", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn contains_any(text: &str, needles: &[&str]) -> bool {
    needles.iter().any(|needle| text.contains(needle))
}

const NEGATIONS: [&str; 9] =
    [" not ", " not.", " never ", " no ", " nobody ", " nothing ", " neither ", " none ", " cannot "];
const TURNS: [&str; 9] =
    [" but ", " yet ", " however", " still, ", "lthough ", "though ", "espite ", " in spite ", " while "];

#[test]
fn the_seed_alone_decides() {
    assert_eq!(*CORPUS, generate(1));
    let other = generate(2);
    for ((_, one), (_, two)) in splits(&CORPUS).into_iter().zip(splits(&other)) {
        let texts: BTreeSet<&str> = one.iter().map(|e| e.text.as_str()).collect();
        let shared = two.iter().filter(|e| texts.contains(e.text.as_str())).count();
        assert!(shared < one.len() / 4, "{shared} of {} texts are the same", one.len());
    }
}

#[test]
fn sizes_and_classes_are_as_promised() {
    for ((name, examples), (_, size)) in splits(&CORPUS).into_iter().zip(SIZES) {
        assert_eq!(examples.len(), size, "{name}");
        let positive = examples.iter().filter(|e| e.class == 1).count();
        assert_eq!(positive * 2, size, "{name}");
        // Shuffled: no long run of one class.
        let longest = examples.chunk_by(|a, b| a.class == b.class).map(<[_]>::len).max();
        assert!(longest < Some(30), "{name}: {longest:?}");
    }
}

#[test]
fn no_text_appears_twice() {
    let mut seen = BTreeSet::new();
    for example in all_examples(&CORPUS) {
        assert!(seen.insert(surface::words_only(&example.text)), "{}", example.text);
    }
}

#[test]
fn texts_are_clean_lines() {
    for Example { text, .. } in all_examples(&CORPUS) {
        assert!(!contains_any(text, &["  ", "{", "}", "\t", " .", " ,", "..", ".!"]), "{text}");
        assert_eq!(text.trim(), text);
        assert!(text.starts_with(|c: char| c.is_uppercase()), "{text}");
        assert!(text.ends_with(['.', '!', '?']), "{text}");
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!((3..=55).contains(&words.len()), "{} words: {text}", words.len());
        for pair in words.windows(2) {
            assert_ne!(pair[0].to_lowercase(), pair[1].to_lowercase(), "{text}");
        }
    }
}

#[test]
fn articles_follow_the_sound() {
    let takes_a = &GRAMMAR.lexicon.articles.a;
    let written = parse_sentences(SENTENCES).unwrap();
    let generated = all_examples(&CORPUS).filter(|e| !written.iter().any(|(_, w)| w == *e));
    for Example { text, .. } in generated {
        let words: Vec<&str> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            let said = pair[0].to_lowercase();
            if said == "a" || said == "an" {
                assert_eq!(said, surface::article(pair[1], takes_a), "{text}");
            }
        }
    }
    // Where spelling and sound differ, the lexicon has to say so.
    let lexicon = &GRAMMAR.lexicon;
    for words in lexicon.domain.values().chain([&lexicon.general]) {
        let opinions = words.opinion.values().flat_map(|sides| sides.positive.iter().chain(&sides.negative));
        for phrase in opinions.chain(words.neutral.get("subject").into_iter().flatten()) {
            let word = phrase.text.split(' ').next().unwrap_or_default();
            let starts = |starts: &[&str]| starts.iter().any(|start| word.starts_with(start));
            assert!(!starts(&["hour", "honest", "heir"]), "an {word}?");
            assert!(
                !starts(&["eu", "one", "us", "unif", "univ"]) || takes_a.iter().any(|w| w == word),
                "a {word}?"
            );
        }
    }
}

#[test]
fn texts_vary_in_length_case_and_punctuation() {
    for (name, examples) in splits(&CORPUS) {
        let share = |is: &dyn Fn(&str) -> bool| {
            examples.iter().filter(|e| is(&e.text)).count() as f64 / examples.len() as f64
        };
        assert!(share(&|text| text.split_whitespace().count() > 10) > 0.5, "{name}");
        assert!(share(&|text| text.split_whitespace().count() > 20) > 0.1, "{name}");
        assert!(share(&|text| text.contains('\'')) > 0.2, "{name}");
        assert!(share(&|text| text.contains('!')) > 0.05, "{name}");
        let shouts = |text: &str| text.split(' ').any(|word| word.len() > 3 && word == word.to_uppercase());
        assert!(share(&shouts) > 0.004, "{name}");
    }
}

#[test]
fn negation_and_contrast_are_everywhere() {
    for (name, examples) in splits(&CORPUS) {
        for class in 0..2 {
            let share = |needles: &[&str]| {
                let of_class = examples.iter().filter(|e| e.class == class);
                let hits = of_class.filter(|e| contains_any(&e.text.to_lowercase(), needles)).count();
                hits as f64 / (examples.len() / 2) as f64
            };
            assert!(share(&[&NEGATIONS[..], &["n't", "can't"]].concat()) > 0.3, "{name} {class}");
            assert!(share(&TURNS) > 0.15, "{name} {class}");
        }
    }
}

#[test]
fn words_alone_do_not_give_the_class_away() {
    let turned = [
        Rule::Negated,
        Rule::Restricted,
        Rule::Contrast,
        Rule::Concession,
        Rule::Compound,
        Rule::Expectation,
    ];
    let share: u32 = turned.iter().map(|rule| GRAMMAR.share[rule]).sum();
    assert!((40..=50).contains(&share), "{share} percent");
    // So a word that praises is no rare sight in a negative text.
    for (name, examples) in splits(&CORPUS) {
        let praise = examples.iter().filter(|e| words(&e.text).iter().any(|word| word == "impressive"));
        let (negative, all) = praise.fold((0, 0), |(n, all), e| (n + usize::from(e.class == 0), all + 1));
        assert!(negative * 4 > all, "{name}: {negative} of {all}");
    }
}

#[test]
fn test_words_are_mostly_known_from_training() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for word in CORPUS.train.iter().flat_map(|e| words(&e.text)) {
        *counts.entry(word).or_default() += 1;
    }
    for (name, examples) in &splits(&CORPUS)[1..] {
        let all: Vec<String> = examples.iter().flat_map(|e| words(&e.text)).collect();
        let known = all.iter().filter(|word| counts.get(*word).is_some_and(|&n| n >= 5)).count();
        assert!(known * 100 > all.len() * 96, "{name}: {known} of {}", all.len());
    }
}

#[test]
fn hand_written_sentences_are_in_their_splits() {
    let sentences = parse_sentences(SENTENCES).unwrap();
    assert!(sentences.len() >= 200);
    for (split, (name, examples)) in SPLITS.into_iter().zip(splits(&CORPUS)) {
        let written: Vec<&Example> =
            sentences.iter().filter(|(of, _)| *of == split).map(|(_, e)| e).collect();
        assert!(written.len() >= 30, "{name}");
        assert_eq!(written.iter().filter(|e| e.class == 1).count() * 2, written.len(), "{name}");
        for example in written {
            assert!(examples.contains(example), "{}", example.text);
        }
    }
}

#[test]
fn malformed_sentences_are_refused() {
    assert!(parse_sentence("train\tpositive\tGood.").is_some());
    for bad in [
        "",
        "train\tpositive",
        "train\tfine\tText.",
        "tests\tpositive\tText.",
        "dev\tnegative\tA.\tB.",
        "dev\tnegative\t ",
    ] {
        assert!(parse_sentence(bad).is_none(), "{bad}");
    }
}

#[test]
fn no_template_is_in_two_splits() {
    let count = |split| GRAMMAR.templates.iter().filter(|t| t.split == split).count();
    assert!(count(Split::Train) >= 80 && count(Split::Dev) >= 20 && count(Split::Test) >= 20);
    let (mut ids, mut patterns) = (BTreeSet::new(), BTreeMap::new());
    for template in &GRAMMAR.templates {
        assert!(ids.insert(&template.id), "{} is there twice", template.id);
        // Two templates that differ only in the kind of their slots are one and the same.
        let pattern = surface::words_only(&literals(template).replace('_', "slot"));
        if let Some(other) = patterns.insert(pattern, template) {
            assert_eq!(other.split, template.split, "{} repeats {}", template.id, other.id);
        }
    }
}

#[test]
fn templates_keep_the_rule_they_are_filed_under() {
    for template in &GRAMMAR.templates {
        let (id, words, opinions) = (&template.id, literals(template), opinions(template));
        let (all_for, all_against) = (!opinions.contains(&Side::Against), !opinions.contains(&Side::For));
        let mixed = !all_for && !all_against;
        let slot = |name: &str| template.phrase.text.contains(name);
        let ok = match template.rule {
            Rule::Plain => all_for,
            Rule::Intensified => {
                all_for
                    && (slot("{very}")
                        || slot("{utterly}")
                        || words.contains("so ")
                        || words.contains("how "))
            }
            Rule::Additive => all_for && words.contains("not "),
            Rule::Comparative => all_for && (slot("{for.better}") || slot("{peers}")),
            Rule::Wish => template.class.is_some(),
            Rule::Negated => all_against && contains_any(&words, &NEGATIONS),
            Rule::Restricted => {
                all_against
                    && contains_any(
                        &words,
                        &["hardly", "but _", "but a", "far from", "means", "without", "opposite"],
                    )
            }
            Rule::Contrast => mixed && opinions.last() == Some(&Side::For),
            Rule::Concession => mixed && contains_any(&words, &TURNS) || words.contains("for all its"),
            Rule::Compound => contains_any(&words, &NEGATIONS) && !opinions.is_empty(),
            Rule::Expectation => all_against && contains_any(&words, &["wrong", "not true", "did not"]),
        };
        assert!(ok, "{id} is no {:?}", template.rule);
        assert!(template.class.is_some() || !opinions.is_empty(), "{id} says nothing");
        // An article before a slot must be {a}, or it could come out as "a excellent".
        assert!(!contains_any(&words, &[" a _", " an _"]), "{id}");
    }
}

#[test]
fn a_text_about_one_thing_names_one_thing() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for template in &GRAMMAR.templates {
        for class in (0..2).filter(|&class| template.allows(class)) {
            for _ in 0..20 {
                let text = Draw::text_from(&GRAMMAR, &[template], class, &mut rng).to_lowercase();
                let mentioned = GRAMMAR.lexicon.domain.values().filter(|domain| {
                    let facts = domain.neutral["fact"].iter().map(|fact| fact.text.to_lowercase());
                    facts.into_iter().any(|fact| text.contains(&fact))
                });
                assert!(mentioned.count() <= 1, "{text}");
            }
        }
    }
}

#[test]
fn grammars_that_could_not_be_drawn_from_are_refused() {
    const LEXICON: &str = include_str!("../../../starter/lexicon.toml");
    const TEMPLATES: &str = include_str!("../../../starter/templates.toml");
    assert!(Grammar::parse(LEXICON, TEMPLATES).is_ok());
    for (good, bad, complaint) in [
        ("{part}", "{prat}", "prat"),
        ("{for.plain}", "{for.plian}", "plian"),
        ("{for.plain}", "{of.plain}", "neither"),
        ("{for.plain}", "{for.plain", "is no slot"),
        ("expectation = 3", "expectation = 4", "101 percent"),
        ("[test.wish.positive]", "[test.wish.negatives]", "negatives"),
        ("[dev.comparative.either]", "[dev.plain.negative]", "no Comparative"),
        ("[dev.plain.either]", "[dev.plane.either]", "plane"),
    ] {
        let Err(error) = Grammar::parse(LEXICON, &TEMPLATES.replacen(good, bad, 1)) else {
            panic!("{bad} is accepted");
        };
        assert!(error.contains(complaint), "{bad}: {error}");
    }
    let Err(error) = Grammar::parse(&LEXICON.replacen("parts = [", "party = [", 1), TEMPLATES) else {
        panic!("a domain without a list is accepted");
    };
    assert!(error.contains("film has 0 of"), "{error}");
}
