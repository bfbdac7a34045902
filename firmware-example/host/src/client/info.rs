//! What a device and its model are, and whether another model has room there.

use std::fmt;
use std::time::Duration;

use kilornn_link::message::RunningModel;

use crate::numbers::grouped;

/// The device and its model: [`kilornn_link::message::Info`] with strings of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The firmware's version.
    pub firmware: String,
    /// The board's name.
    pub board: String,
    /// Ticks of its clock in a second.
    pub ticks_per_second: u32,
    /// Room for hidden units.
    pub units: u32,
    /// Room for remembered words.
    pub window: u32,
    /// Room for a model that is sent.
    pub room: u32,
    /// The model that runs.
    pub model: Option<RunningModel>,
}

impl Info {
    /// So many ticks of its clock.
    #[must_use]
    pub fn time(&self, ticks: u64) -> Duration {
        Duration::from_secs_f64(ticks as f64 / f64::from(self.ticks_per_second.max(1)))
    }

    /// Checks beforehand what the device would check at the end of an update: whether a model, whose file has so many
    /// bytes, can run there.
    ///
    /// # Errors
    ///
    /// If there is no room for it.
    pub fn fits(&self, model: &kilornn::Model<'_>, length: usize) -> Result<(), NoRoom> {
        let (units, window) = (model.contents().inputs(), model.contents().window());
        if self.room == 0 {
            Err(NoRoom::ReadOnly)
        } else if length > self.room as usize {
            Err(NoRoom::Bytes { model: length, device: self.room })
        } else if units > self.units {
            Err(NoRoom::Units { model: units, device: self.units })
        } else if window > self.window {
            Err(NoRoom::Window { model: window, device: self.window })
        } else {
            Ok(())
        }
    }
}

/// Why a model that is sent cannot run on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The board's flash is not written.
    ReadOnly,
    /// The file is too long.
    Bytes {
        /// Bytes of the file.
        model: usize,
        /// Bytes of the room.
        device: u32,
    },
    /// Too many hidden units, or numbers of a word.
    Units {
        /// The model's.
        model: u32,
        /// Those that the firmware was built for.
        device: u32,
    },
    /// Too many words to remember.
    Window {
        /// The model's.
        model: u32,
        /// Those that the firmware was built for.
        device: u32,
    },
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ReadOnly => f.write_str(
                "no model can be sent to this board: build its firmware with this one (KILORNN_MODEL=FILE cargo build)",
            ),
            Self::Bytes { model, device } => write!(
                f,
                "the model has {} bytes, and the device has room for {}",
                grouped(model),
                grouped(device as usize)
            ),
            Self::Units { model, device } => write!(
                f,
                "the model has {model} units or numbers of a word, and the device's firmware was built for {device}: \
                 build it for this model"
            ),
            Self::Window { model, device } => write!(
                f,
                "the model must remember {model} words, and the device's firmware was built for {device}: build it for \
                 this model"
            ),
        }
    }
}

impl std::error::Error for NoRoom {}
