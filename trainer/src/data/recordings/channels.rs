//! The channels of a file.

/// The channels of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Channels {
    pub(super) names: Vec<String>,
    /// Whether the file names them; otherwise their names are their numbers.
    pub(super) are_named: bool,
}

impl Channels {
    pub(super) fn named(names: Vec<String>) -> Self {
        Self { names, are_named: true }
    }

    pub(super) fn numbered(count: usize) -> Self {
        Self { names: (1..=count).map(|number| number.to_string()).collect(), are_named: false }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}
