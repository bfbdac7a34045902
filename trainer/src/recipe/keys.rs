//! How keys and their values are declared: what a key is, means, accepts and defaults to stands in one
//! place, and the reader, its messages and the printed reference come from there.

use std::fmt::Write;

use super::Recipe;

/// A key of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name in TOML.
    pub name: &'static str,
    /// The lines of its documentation.
    pub docs: &'static [&'static str],
    /// The words it accepts, if it accepts words only, each with the lines of its documentation.
    pub choices: &'static [Choice],
}

/// A word that a key accepts, and the lines of its documentation.
pub type Choice = (&'static str, &'static [&'static str]);

/// The type of a key's value.
pub trait Value {
    /// The words it accepts, if it accepts words only.
    const CHOICES: &'static [Choice] = &[];
}

impl Value for bool {}
impl Value for f32 {}
impl Value for f64 {}
impl Value for usize {}
impl Value for String {}

/// Declares [`Recipe`]: documentation, name, type and default of every key.
macro_rules! keys {
    ($(#[$attribute:meta])* pub struct $recipe:ident {
        $($(#[doc = $docs:literal])+ pub $key:ident: $type:ty = $default:expr,)+
    }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        pub struct $recipe {
            $($(#[doc = $docs])+ pub $key: $type,)+
        }

        impl Default for $recipe {
            fn default() -> Self {
                Self { $($key: $default,)+ }
            }
        }

        /// Every key, in the order in which text flows through what they decide.
        pub const KEYS: &[$crate::recipe::keys::Key] = &[$($crate::recipe::keys::Key {
            name: stringify!($key),
            docs: &[$($docs),+],
            choices: <$type as $crate::recipe::keys::Value>::CHOICES,
        }),+];

        impl $recipe {
            /// Sets a key. Fails with the reason, which names the key.
            fn set(&mut self, key: &str, value: toml::Value) -> Result<(), String> {
                let reason = |error: toml::de::Error| format!("{key}: {}", error.message());
                match key {
                    $(stringify!($key) => self.$key = value.try_into().map_err(reason)?,)+
                    _ => {
                        let keys = KEYS.iter().map(|key| key.name);
                        return Err(format!(
                            "unknown key `{key}`{}; `kilornn recipes --keys` explains all", $crate::recipe::keys::hint(key, keys)
                        ));
                    }
                }
                Ok(())
            }
        }
    };
}

/// Declares a type whose values are words in TOML.
macro_rules! choices {
    ($($(#[doc = $about:literal])+ pub enum $name:ident {
        $($(#[doc = $docs:literal])+ $variant:ident = $word:literal,)+
    })+) => {$(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        pub enum $name {
            $($(#[doc = $docs])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// How it is written in TOML.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::recipe::keys::Value for $name {
            const CHOICES: &'static [$crate::recipe::keys::Choice] = &[$(($word, &[$($docs),+])),+];
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                match &*word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(serde::de::Error::custom($crate::recipe::keys::unknown_word::<Self>(&word))),
                }
            }
        }
    )+};
}

pub(super) use {choices, keys};

/// What to say of a word that a type does not have.
pub(super) fn unknown_word<T: Value>(word: &str) -> String {
    let words: Vec<&str> = T::CHOICES.iter().map(|(word, _)| *word).collect();
    let hint = hint(word, words.iter().copied());
    format!("unknown value `{word}`{hint}; the values are {}", words.join(", "))
}

/// ` (did you mean ...?)`, if one of the known words is near.
pub(crate) fn hint<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|known| (strsim::jaro_winkler(word, known), known));
    match near.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((likeness, nearest)) if likeness > 0.75 => format!(" (did you mean `{nearest}`?)"),
        _ => String::new(),
    }
}

/// A recipe with every key at its default, and above each what it means and accepts.
pub(crate) fn reference() -> String {
    let mut out = String::from(
        "# Every key of a recipe, at its default. A recipe names only those that it changes, and\n\
         # `kilornn train --set key=value` changes one for a single run.\n",
    );
    let defaults = toml::Table::try_from(Recipe::default()).unwrap_or_default();
    for Key { name, docs, choices } in super::KEYS {
        out.push('\n');
        for line in *docs {
            // Brackets and code marks are for rustdoc's links.
            out += &format!("#{}\n", line.replace("[`", "`").replace("`]", "`"));
        }
        for (word, docs) in *choices {
            let about: Vec<&str> = docs.iter().map(|line| line.trim()).collect();
            out += &format!("#   \"{word}\": {}\n", about.join("\n#     "));
        }
        if let Some(default) = defaults.get(*name) {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{name} = {}", shown(default));
        }
    }
    out
}

/// A value as one would write it: a 32-bit number with the digits it needs, not those of its 64-bit equal.
fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(number) => format!("{:?}", *number as f32),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_the_defaults_with_every_key_documented() {
        let text = reference();
        assert_eq!(Recipe::from_toml(&text).unwrap(), Recipe::default());
        let table: toml::Table = text.parse().unwrap();
        let fields = toml::Table::try_from(Recipe::default()).unwrap();
        assert!(table.keys().eq(fields.keys()), "{table:?}");
        assert_eq!(super::super::KEYS.len(), fields.len());
        // What documentation says of the optimizer's words is there as well.
        assert!(text.contains("#   \"adamw\": "), "{text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(125), "{widest:?}");
    }

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = || ["optimizer", "learning_rate", "epochs"].into_iter();
        assert_eq!(hint("epocs", known()), " (did you mean `epochs`?)");
        assert_eq!(hint("lerning_rate", known()), " (did you mean `learning_rate`?)");
        assert_eq!(hint("qqq", known()), "");
    }
}
