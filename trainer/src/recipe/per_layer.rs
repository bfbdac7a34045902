//! A value for each recurrent layer.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::keys::{Choice, Value};

/// A value that all recurrent layers share, or a list with one for each layer, from the lowest (which reads the input) up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PerLayer<T> {
    /// The same for all.
    All(T),
    /// One for each layer, at least two.
    Each(Vec<T>),
}

impl<T: Copy> PerLayer<T> {
    /// The number of layers, if it is a list.
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::All(_) => None,
            Self::Each(values) => Some(values.len()),
        }
    }

    /// The value of a layer; that of the last one if the list is too short.
    pub fn of(&self, layer: usize) -> T {
        match self {
            Self::All(value) => *value,
            Self::Each(values) => values[layer.min(values.len() - 1)],
        }
    }

    /// All values that are given.
    pub fn values(&self) -> &[T] {
        match self {
            Self::All(value) => std::slice::from_ref(value),
            Self::Each(values) => values,
        }
    }
}

impl PerLayer<usize> {
    /// As the value of a setting: `32`, or `[32,16]`.
    pub fn setting(&self) -> String {
        match self {
            Self::All(value) => value.to_string(),
            Self::Each(values) => {
                let values: Vec<String> = values.iter().map(usize::to_string).collect();
                format!("[{}]", values.join(","))
            }
        }
    }
}

/// `32`, or `32 + 16` for two layers.
impl<T: fmt::Display> fmt::Display for PerLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(value) => value.fmt(f),
            Self::Each(values) => {
                let values: Vec<String> = values.iter().map(T::to_string).collect();
                f.write_str(&values.join(" + "))
            }
        }
    }
}

impl<T> From<T> for PerLayer<T> {
    fn from(value: T) -> Self {
        Self::All(value)
    }
}

impl<T> From<Vec<T>> for PerLayer<T> {
    fn from(mut values: Vec<T>) -> Self {
        match values.len() {
            1 => Self::All(values.remove(0)),
            _ => Self::Each(values),
        }
    }
}

impl<T: Value> Value for PerLayer<T> {
    const CHOICES: &'static [Choice] = T::CHOICES;
}

impl<T: Serialize> Serialize for PerLayer<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All(value) => value.serialize(serializer),
            Self::Each(values) => values.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PerLayer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let fault = |error: toml::de::Error| D::Error::custom(error.message());
        match value {
            toml::Value::Array(values) if values.is_empty() => {
                Err(D::Error::custom("the list is empty: it has a value for each recurrent layer"))
            }
            toml::Value::Array(values) => {
                let values: Result<Vec<T>, _> = values.into_iter().map(toml::Value::try_into).collect();
                Ok(values.map_err(fault)?.into())
            }
            value => Ok(Self::All(value.try_into().map_err(fault)?)),
        }
    }
}
