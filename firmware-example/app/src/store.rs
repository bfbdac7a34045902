//! Models in the flash: two slots, so that one keeps its model while the other is written.
//!
//! A slot begins with a header; the model file begins at [`MODEL`]. Numbers are little-endian.
//!
//! | bytes | what |
//! |---:|---|
//! | 4 | `KSLT` |
//! | 4 | revision: the higher, the newer |
//! | 4 | bytes of the model |
//! | 4 | the model's [`checksum`] |
//! | 4 | CRC-32 of the 16 bytes above |
//!
//! | slot | while a model is sent | after its commit |
//! |---|---|---|
//! | of the model that runs | only read | only read |
//! | the other | erased, header first; then the model is written behind it and checked | its header is written at once |
//!
//! After a restart, the model with the highest revision runs among those with a valid header and checksum. Whenever the
//! power fails, a header is either invalid or belongs to a whole model, so that the old or the new model runs.

use kilornn::{Classifier, Model};
use kilornn_link::frame::{self, CHUNK};
use kilornn_link::message::{Refusal, Update, checksum};

use crate::hardware::Slot;
use crate::reason::Reason;

/// Where the model begins in its slot: a multiple of the bytes that any flash writes at once.
pub const MODEL: u32 = 256;

/// The first bytes of a header.
const MAGIC: [u8; 4] = *b"KSLT";

/// The length of a header in bytes.
const HEADER: usize = 20;

/// The numbers in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SlotHeader {
    revision: u32,
    length: u32,
    checksum: u32,
}

impl SlotHeader {
    fn read(slot: &[u8]) -> Option<Self> {
        let (words, _) = slot.get(..HEADER)?.as_chunks::<4>();
        let &[magic, revision, length, model, own] = words else { return None };
        let is_whole = magic == MAGIC && u32::from_le_bytes(own) == frame::checksum(slot.get(..HEADER - 4)?);
        let [revision, length, checksum] = [revision, length, model].map(u32::from_le_bytes);
        is_whole.then_some(Self { revision, length, checksum })
    }

    fn bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let words =
            [MAGIC, self.revision.to_le_bytes(), self.length.to_le_bytes(), self.checksum.to_le_bytes()];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *place = word;
        }
        if let Some((said, own)) = bytes.split_last_chunk_mut::<4>().map(|(said, own)| (&*said, own)) {
            *own = frame::checksum(said).to_le_bytes();
        }
        bytes
    }
}

/// A model in a slot, whose header and checksum are right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    header: SlotHeader,
}

impl Stored {
    /// Reads all of a slot and returns the model in it, if header and checksum are right.
    pub(crate) fn read(slot: &impl Slot) -> Option<Self> {
        let stored = Self { header: SlotHeader::read(slot.memory())? };
        let file = stored.file(slot);
        let is_whole =
            file.len() == stored.header.length as usize && checksum(file) == stored.header.checksum;
        is_whole.then_some(stored)
    }

    /// The model's file, in the slot from which it was read.
    pub(crate) fn file<'s>(&self, slot: &'s impl Slot) -> &'s [u8] {
        let rest = slot.memory().get(MODEL as usize..).unwrap_or_default();
        rest.get(..self.header.length as usize).unwrap_or_default()
    }

    /// The model's revision: the higher, the newer.
    pub(crate) fn revision(&self) -> u32 {
        self.header.revision
    }
}

/// The number of the slot whose model runs: the newest that this firmware can run.
pub(crate) fn newest<const UNITS: usize, const WINDOW: usize>(
    slots: &[impl Slot; 2],
    stored: &[Option<Stored>; 2],
) -> Option<usize> {
    let runs = |index: usize| {
        let (slot, stored) = (slots.get(index)?, stored.get(index)?.as_ref()?);
        verify::<UNITS, WINDOW>(stored.file(slot)).is_ok().then_some(index)
    };
    let revision = |index: usize| stored.get(index).and_then(Option::as_ref).map(Stored::revision);
    // The older one is looked at only if the newer does not run.
    let order = if revision(0) > revision(1) { [0, 1] } else { [1, 0] };
    order.into_iter().find_map(runs)
}

/// Checks that this firmware can run a model, as it does at its start.
fn verify<const UNITS: usize, const WINDOW: usize>(file: &[u8]) -> Result<(), kilornn::Error> {
    let model = Model::from_bytes(file)?;
    Classifier::<UNITS, WINDOW>::new(&model).map(|_| ())
}

/// The slot that may be written, and the update that is being written into it.
pub(crate) struct Spare<'s, F> {
    slot: &'s mut F,
    /// The newest revision in either slot.
    newest: u32,
    update: UpdateProgress,
}

/// The progress of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UpdateProgress {
    /// There is no update, or it was given up.
    None,
    /// The slot was erased, and so many bytes of the model were written into it.
    Receiving { announced: Update, received: u32 },
    /// The model with this revision is in the slot.
    Committed { revision: u32 },
}

impl<'s, F: Slot> Spare<'s, F> {
    pub(crate) fn new(slot: &'s mut F, newest: u32) -> Self {
        Self { slot, newest, update: UpdateProgress::None }
    }

    /// The largest number of bytes of a model that fits.
    pub(crate) fn room(&self) -> u32 {
        (self.slot.capacity() as u32).saturating_sub(MODEL)
    }

    /// Erases the slot for a model that will be sent.
    pub(crate) fn begin(&mut self, announced: Update) -> Result<u32, Refusal<'static>> {
        let room = self.room();
        if room == 0 {
            return Err(Refusal::ReadOnly);
        }
        if announced.length > room {
            return Err(Refusal::TooLong { room });
        }
        let revision = announced.revision.or(self.newest.checked_add(1));
        if revision.is_none_or(|revision| revision <= self.newest) {
            return Err(Refusal::Stale { newest: self.newest });
        }
        self.update = UpdateProgress::None;
        let sector = F::ERASE_SIZE as u32;
        let end = (MODEL + announced.length).next_multiple_of(sector);
        // Sector by sector, so that the header is erased before anything else.
        for start in (0..end).step_by(F::ERASE_SIZE) {
            self.slot.erase(start, start + sector).map_err(|_| Refusal::Flash)?;
        }
        let announced = Update { revision, ..announced };
        self.update = UpdateProgress::Receiving { announced, received: 0 };
        Ok(0)
    }

    /// Writes a piece of the model; returns the number of bytes so far.
    ///
    /// All pieces but the last must have [`CHUNK`] bytes, which every flash can write.
    pub(crate) fn write(&mut self, offset: u32, piece: &[u8]) -> Result<u32, Refusal<'static>> {
        let UpdateProgress::Receiving { announced, received } = self.update else {
            return Err(Refusal::NoUpdate);
        };
        let end = offset.checked_add(piece.len() as u32).ok_or(Refusal::Offset { received })?;
        if end == received && !piece.is_empty() {
            return Ok(received); // sent again, because the response was lost
        }
        let is_last = end == announced.length;
        if offset != received || end > announced.length || (piece.len() != CHUNK && !is_last) {
            return Err(Refusal::Offset { received });
        }
        let mut padded = [0xFF; CHUNK];
        let length = piece.len().next_multiple_of(F::WRITE_SIZE);
        let padded = padded.get_mut(..length).ok_or(Refusal::Offset { received })?;
        padded.iter_mut().zip(piece).for_each(|(place, &byte)| *place = byte);
        self.slot.write(MODEL + offset, padded).map_err(|_| Refusal::Flash)?;
        self.update = UpdateProgress::Receiving { announced, received: end };
        Ok(end)
    }

    /// Checks the model in the slot, then makes it the newest; returns its revision.
    pub(crate) fn commit<'r, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        reason: &'r mut Reason,
    ) -> Result<u32, Refusal<'r>> {
        let (announced, received) = match self.update {
            UpdateProgress::Receiving { announced, received } => (announced, received),
            UpdateProgress::Committed { revision } => return Ok(revision),
            UpdateProgress::None => return Err(Refusal::NoUpdate),
        };
        let Update { length, checksum: expected, revision } = announced;
        if received != length {
            return Err(Refusal::Offset { received });
        }
        let file = self.slot.memory().get(MODEL as usize..).and_then(|rest| rest.get(..length as usize));
        let file = file.unwrap_or_default();
        let found = checksum(file);
        if found != expected {
            return Err(Refusal::Checksum { found });
        }
        if let Err(error) = verify::<UNITS, WINDOW>(file) {
            return Err(Refusal::Model(reason.of(&error)));
        }
        let Some(revision) = revision else { return Err(Refusal::NoUpdate) };
        let header = SlotHeader { revision, length, checksum: expected };
        let mut padded = [0xFF; MODEL as usize];
        padded.iter_mut().zip(header.bytes()).for_each(|(place, byte)| *place = byte);
        let padded = padded.get(..HEADER.next_multiple_of(F::WRITE_SIZE)).ok_or(Refusal::Flash)?;
        self.slot.write(0, padded).map_err(|_| Refusal::Flash)?;
        if SlotHeader::read(self.slot.memory()) != Some(header) {
            return Err(Refusal::Flash);
        }
        self.newest = revision;
        self.update = UpdateProgress::Committed { revision };
        Ok(revision)
    }
}
