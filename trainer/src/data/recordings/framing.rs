//! Options for reading recordings: what neither their names nor their contents say.

use std::num::NonZeroUsize;

use clap::ValueEnum;

/// What data are, where their content does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputKind {
    /// Texts.
    Text,
    /// Recordings of numbers.
    Numbers,
}

/// How recordings are to be read, and what is made of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Recordings of numbers")]
pub struct Framing {
    /// What the data are: text, or numbers (recordings) [default: what their content looks like]
    #[arg(long, value_enum, value_name = "KIND")]
    pub input: Option<InputKind>,
    /// The column of a .csv that says to which recording a row belongs [default: recording]
    #[arg(long, value_name = "NAME", conflicts_with = "text")]
    pub recording: Option<String>,
    /// The column of a .csv that holds the time of a frame. It is no channel, and must rise regularly [default: time or
    /// timestamp, unless --channels names the channels]
    #[arg(long, value_name = "NAME", conflicts_with = "text")]
    pub time: Option<String>,
    /// The channels, in this order: columns of a .csv, or names of channels.txt; where nothing names the channels, names
    /// for all of them [default: all columns that are nothing else]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "text")]
    pub channels: Vec<String>,
    /// Cut recordings into windows of so many frames, each an example of its own. A recording may then change its label:
    /// no window has frames of two labels, recordings or parts
    #[arg(long, value_name = "FRAMES", conflicts_with = "text")]
    pub window: Option<NonZeroUsize>,
    /// A window begins every so many frames [default: --window, so that windows do not overlap]
    #[arg(long, value_name = "FRAMES", requires = "window")]
    pub step: Option<NonZeroUsize>,
}

impl Framing {
    /// The column that says to which recording a row belongs.
    pub(super) fn recording(&self) -> &str {
        self.recording.as_deref().unwrap_or("recording")
    }

    /// What the options say data are, if they do.
    pub(super) fn told(&self) -> Option<InputKind> {
        let is_of_numbers = self.recording.is_some()
            || self.time.is_some()
            || !self.channels.is_empty()
            || self.window.is_some();
        self.input.or(is_of_numbers.then_some(InputKind::Numbers))
    }
}
