//! What Keras's own `Tokenizer` answers, for tests: reads `keras_tokenizer.txt`. The program that recorded the file,
//! `keras_tokenizer.py`, describes its format.

/// The arguments of `Tokenizer(lower=, char_level=, filters=, num_words=, oov_token=)`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether text is lower-cased.
    pub lower: bool,
    /// Whether every character is a token.
    pub char_level: bool,
    /// Characters that are taken out, besides the space between words.
    pub filters: String,
    /// The largest number of words and ids; 0 is no limit.
    pub num_words: usize,
    /// Whether there is a token for unknown words.
    pub oov: bool,
}

/// A text and its words.
#[derive(Debug)]
pub struct Case {
    /// The tokenizer.
    pub settings: Settings,
    /// The text.
    pub text: String,
    /// The words that the tokenizer finds in it.
    pub words: Vec<String>,
}

/// A tokenizer that was fitted to documents, and the sequences that it makes of texts.
#[derive(Debug, Default)]
pub struct Fit {
    /// The tokenizer.
    pub settings: Settings,
    /// The documents.
    pub documents: Vec<String>,
    /// The words of `word_index` in the order of their ids, without the token for unknown words.
    pub index: Vec<String>,
    /// Texts, and the ids of their words.
    pub sequences: Vec<(String, Vec<u32>)>,
}

/// Everything that was recorded.
#[derive(Debug, Default)]
pub struct Fixture {
    /// Texts whose words are the same when each character is lower-cased alone.
    pub cases: Vec<Case>,
    /// Texts for which `str.lower` makes a final sigma, because it looks at the neighbours of a letter.
    pub final_sigma: Vec<Case>,
    /// Fitted tokenizers.
    pub fits: Vec<Fit>,
    /// `str.lower` of each character that it changes.
    pub lower: Vec<(char, String)>,
}

/// Reads the file.
///
/// # Panics
///
/// If a line is not understood.
#[must_use]
pub fn read() -> Fixture {
    let mut fixture = Fixture::default();
    let (mut section, mut settings) = ("", Settings::default());
    for line in include_str!("../keras_tokenizer.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some(heading) = line.strip_prefix('[') {
            let (name, rest) = heading.trim_end_matches(']').split_once(' ').unwrap_or((heading, ""));
            (section, settings) = (name, parse_settings(rest));
            if section == "fit" {
                fixture.fits.push(Fit { settings: settings.clone(), ..Fit::default() });
            }
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        match (section, &fields[..]) {
            ("words" | "final-sigma", ["t", text, words]) => {
                let case = Case { settings: settings.clone(), text: unescaped(text), words: list(words) };
                let cases = if section == "words" { &mut fixture.cases } else { &mut fixture.final_sigma };
                cases.push(case);
            }
            ("fit", [kind, rest @ ..]) => {
                let fit = fixture.fits.last_mut().expect("a heading came first");
                match (*kind, rest) {
                    ("d", [text]) => fit.documents.push(unescaped(text)),
                    ("i", [words]) => fit.index = list(words),
                    ("q", [text, ids]) => {
                        let ids = ids.split_whitespace().map(|id| id.parse().expect("an id")).collect();
                        fit.sequences.push((unescaped(text), ids));
                    }
                    _ => panic!("not understood: {line}"),
                }
            }
            ("lower]", ["l", from, to]) => {
                let to = to.split(' ').map(character).collect();
                fixture.lower.push((character(from), to));
            }
            _ => panic!("not understood: {line}"),
        }
    }
    fixture
}

fn parse_settings(text: &str) -> Settings {
    let mut settings = Settings::default();
    for field in text.split_whitespace() {
        match field.split_once('=').expect("key=value") {
            ("lower", value) => settings.lower = value == "1",
            ("char_level", value) => settings.char_level = value == "1",
            ("filters", value) => settings.filters = unescaped(value),
            ("num_words", value) => settings.num_words = value.parse().expect("a number"),
            ("oov", value) => settings.oov = value == "1",
            (key, _) => panic!("an unknown setting {key}"),
        }
    }
    settings
}

fn list(words: &str) -> Vec<String> {
    words.split(' ').filter(|word| !word.is_empty()).map(unescaped).collect()
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_once('}').expect("a closing brace");
        out.push(character(hex));
        out += rest;
    }
    out
}

fn character(hex: &str) -> char {
    u32::from_str_radix(hex, 16).ok().and_then(char::from_u32).expect("a code point")
}
