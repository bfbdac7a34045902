//! From the bare words of a template to a written sentence: articles, contractions, capitals.

/// Marks where an article goes until the word after it is known.
pub(super) const ARTICLE: &str = "{a}";

/// Long forms and their contractions. The negations come first: "it is not" becomes "it isn't".
const CONTRACTIONS: [(&str, &str); 16] = [
    (" did not", " didn't"),
    (" does not", " doesn't"),
    (" do not", " don't"),
    (" was not", " wasn't"),
    (" were not", " weren't"),
    (" is not", " isn't"),
    (" are not", " aren't"),
    (" would not", " wouldn't"),
    (" could not", " couldn't"),
    (" cannot", " can't"),
    (" will not", " won't"),
    (" it is", " it's"),
    (" they are", " they're"),
    (" there is", " there's"),
    (" I would", " I'd"),
    (" I have never", " I've never"),
];

/// Settles every [`ARTICLE`] by the word after it; `takes_a` lists the exceptions of the vowel letters.
pub(super) fn settle_articles(text: &str, takes_a: &[String]) -> String {
    let mut parts = text.split(ARTICLE);
    let mut settled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let next_word = part.split_whitespace().next().unwrap_or_default();
        settled.push_str(article(next_word, takes_a));
        settled.push_str(part);
    }
    settled
}

/// "a" or "an".
pub(super) fn article(next_word: &str, takes_a: &[String]) -> &'static str {
    let word = next_word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) && !takes_a.contains(&word) { "an" } else { "a" }
}

/// Contracts every long form that has a contraction.
pub(super) fn contract(text: &str) -> String {
    // The leading space lets a form at the very beginning match as a whole word, too.
    let mut contracted = format!(" {text}");
    for (long, short) in CONTRACTIONS {
        let mut parts = contracted.split(long);
        let mut replaced = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            // "was nothing" does not begin with "was not".
            let whole_word = !part.starts_with(char::is_alphabetic);
            replaced.push_str(if whole_word { short } else { long });
            replaced.push_str(part);
        }
        contracted = replaced;
    }
    contracted.split_off(1)
}

/// Puts a capital at the beginning of every sentence.
pub(super) fn capitalize(text: &str) -> String {
    let mut at_start = true;
    let mut capitalized = String::with_capacity(text.len());
    for c in text.chars() {
        if at_start && c.is_alphanumeric() {
            capitalized.extend(c.to_uppercase());
            at_start = false;
        } else {
            capitalized.push(c);
        }
        at_start |= matches!(c, '.' | '!' | '?');
    }
    capitalized
}

/// What a tokenizer leaves of a text: two texts with the same words are duplicates.
pub(super) fn words_only(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_follow_the_next_word() {
        let takes_a = ["useful".to_owned()];
        let settle = |text| settle_articles(text, &takes_a);
        assert_eq!(settle("it was {a} excellent film"), "it was an excellent film");
        assert_eq!(settle("{a} dull film and {a} useful, odd one"), "a dull film and a useful, odd one");
        assert_eq!(settle("{a} UNUSUALLY good film"), "an UNUSUALLY good film");
        assert_eq!(settle("no article"), "no article");
    }

    #[test]
    fn negations_and_pronouns_contract() {
        assert_eq!(contract("it is not bad, and it did not fail."), "it isn't bad, and it didn't fail.");
        assert_eq!(contract("I would not go. I would stay."), "I wouldn't go. I'd stay.");
        assert_eq!(contract("a habit is formed, there was nothing"), "a habit is formed, there was nothing");
    }

    #[test]
    fn every_sentence_gets_a_capital() {
        assert_eq!(capitalize("the plot? dull. I left! so it goes."), "The plot? Dull. I left! So it goes.");
    }

    #[test]
    fn case_and_punctuation_do_not_make_a_text_new() {
        assert_eq!(words_only("Well, it ISN'T bad!"), words_only("well it isn't bad."));
        assert_ne!(words_only("it isn't bad"), words_only("it is bad"));
    }
}
