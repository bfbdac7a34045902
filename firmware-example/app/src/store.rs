//! Models in the flash: two slots, of which one is always whole.
//!
//! A slot begins with a header, then the model file stands at [`MODEL`]. Numbers are little-endian.
//!
//! | bytes | what |
//! |---:|---|
//! | 4 | `KSLT` |
//! | 4 | revision: the higher, the newer |
//! | 4 | bytes of the model |
//! | 4 | the model's [`checksum`] |
//! | 4 | CRC-32 of the 16 bytes above |
//!
//! The slot of the model that runs is never written. The other is erased, header first, then filled with the model,
//! which is checked where it lies; the header comes last, in one write. So wherever the power fails, the header says
//! either nothing or the truth, and the newest slot with a valid header runs.

use kilornn::{Classifier, Model};
use kilornn_link::frame::{self, CHUNK};
use kilornn_link::message::{Refusal, Update, checksum};

use crate::hardware::Slot;
use crate::reason::Reason;

/// Where the model stands in its slot: a multiple of what any flash writes at once.
pub const MODEL: u32 = 256;

/// Begins a header.
const MAGIC: [u8; 4] = *b"KSLT";

/// Bytes of a header that mean something.
const HEADER: usize = 20;

/// What a header says.
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

/// A model in a slot that is whole, as far as checksums tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    header: SlotHeader,
}

impl Stored {
    /// What is in a slot, if it is whole: reads all of it.
    pub(crate) fn read(slot: &impl Slot) -> Option<Self> {
        let stored = Self { header: SlotHeader::read(slot.memory())? };
        let file = stored.file(slot);
        let is_whole =
            file.len() == stored.header.length as usize && checksum(file) == stored.header.checksum;
        is_whole.then_some(stored)
    }

    /// Its file, in the slot that it was read from.
    pub(crate) fn file<'s>(&self, slot: &'s impl Slot) -> &'s [u8] {
        let rest = slot.memory().get(MODEL as usize..).unwrap_or_default();
        rest.get(..self.header.length as usize).unwrap_or_default()
    }

    /// The higher, the newer.
    pub(crate) fn revision(&self) -> u32 {
        self.header.revision
    }
}

/// The slot whose model is to run: of those that are whole and that this firmware can run, the newest.
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

/// Whether this firmware can run a model, by the same checks as when it starts with it.
fn verify<const UNITS: usize, const WINDOW: usize>(file: &[u8]) -> Result<(), kilornn::Error> {
    let model = Model::from_bytes(file)?;
    Classifier::<UNITS, WINDOW>::new(&model).map(|_| ())
}

/// The slot that may be written, and what is being written into it.
pub(crate) struct Spare<'s, F> {
    slot: &'s mut F,
    /// The newest revision in either slot.
    newest: u32,
    update: UpdateProgress,
}

/// How far an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UpdateProgress {
    /// There is none, or it was given up.
    None,
    /// The slot is erased, and so many bytes of the model are in it.
    Receiving { announced: Update, received: u32 },
    /// The model of this revision is in the slot.
    Committed { revision: u32 },
}

impl<'s, F: Slot> Spare<'s, F> {
    pub(crate) fn new(slot: &'s mut F, newest: u32) -> Self {
        Self { slot, newest, update: UpdateProgress::None }
    }

    /// Bytes of the longest model that fits.
    pub(crate) fn room(&self) -> u32 {
        (self.slot.capacity() as u32).saturating_sub(MODEL)
    }

    /// Makes room for a model that will come.
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
        // One by one from the header on, so that it is gone before anything else is.
        for start in (0..end).step_by(F::ERASE_SIZE) {
            self.slot.erase(start, start + sector).map_err(|_| Refusal::Flash)?;
        }
        let announced = Update { revision, ..announced };
        self.update = UpdateProgress::Receiving { announced, received: 0 };
        Ok(0)
    }

    /// Writes a piece of the model; the bytes so far.
    ///
    /// All pieces but the last have [`CHUNK`] bytes, which every flash can write.
    pub(crate) fn write(&mut self, offset: u32, piece: &[u8]) -> Result<u32, Refusal<'static>> {
        let UpdateProgress::Receiving { announced, received } = self.update else {
            return Err(Refusal::NoUpdate);
        };
        let end = offset.checked_add(piece.len() as u32).ok_or(Refusal::Offset { received })?;
        if end == received && !piece.is_empty() {
            return Ok(received); // sent again, because the answer was lost
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

    /// Checks the model where it lies, then makes it the newest; its revision.
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
