//! Reads `golden/keras_tokenizer.txt`: what Keras's own Tokenizer answers. `keras_tokenizer.py`
//! beside it made the file and describes its format.

/// `Tokenizer(lower=, char_level=, filters=, num_words=, oov_token=)`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) lower: bool,
    pub(crate) char_level: bool,
    pub(crate) filters: String,
    /// 0 is no limit.
    pub(crate) num_words: usize,
    pub(crate) oov: bool,
}

/// A text and its words.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) settings: Settings,
    pub(crate) text: String,
    pub(crate) words: Vec<String>,
}

/// A tokenizer that was fitted to documents, and what it says about texts.
#[derive(Debug, Default)]
pub(crate) struct Fit {
    pub(crate) settings: Settings,
    pub(crate) documents: Vec<String>,
    /// `word_index` in the order of ids, without the oov token.
    pub(crate) index: Vec<String>,
    pub(crate) sequences: Vec<(String, Vec<u32>)>,
}

/// Everything that was recorded.
#[derive(Debug, Default)]
pub(crate) struct Fixture {
    pub(crate) cases: Vec<Case>,
    /// Texts in which `str.lower` makes a final sigma, because it looks at a letter's neighbours.
    pub(crate) final_sigma: Vec<Case>,
    pub(crate) fits: Vec<Fit>,
    /// `str.lower` of each character that it changes.
    pub(crate) lower: Vec<(char, String)>,
}

/// Reads the fixture; a line that is not understood fails the test.
pub(crate) fn read() -> Fixture {
    let mut fixture = Fixture::default();
    let (mut section, mut settings) = ("", Settings::default());
    for line in include_str!("../golden/keras_tokenizer.txt").lines().filter(|line| !line.starts_with('#')) {
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
