//! The format of `.kilo` files: [`encode`] writes one, [`decode`] reads it without copying.
//!
//! | bytes | what |
//! |---:|---|
//! | 4 | `KILO` |
//! | 2 | format version, little-endian |
//! | 1 | number of bytes of padding, 0 to 3 |
//! | 1 | zero |
//! | 4 | length of the whole file, little-endian |
//! | 0 to 3 | padding: zeros, as many as put the layers' weights at a multiple of four in the file |
//! | n | [`Contents`], serialized by postcard as the version says; its tables are read in place |
//! | 4 | CRC-32 (ISO-HDLC, as in zip and PNG) of all bytes before it, little-endian |
//!
//! The header and the checksum are not part of what postcard serializes, since postcard describes neither itself nor its
//! version. So a file that is no model, newer, cut short or damaged is recognized before it is decoded.
//!
//! Some cores read words only at multiples of four. So the file must begin at a multiple of four in memory, as it does
//! behind [`include_model!`](crate::include_model) and in memory from an allocator.

mod text;
mod v2;
#[cfg(kilornn_gates)]
mod v4;

use crc::{CRC_32_ISO_HDLC, Crc};

use crate::layers::Layer;
use crate::text::Lowercase;
use crate::version::STACKS;
pub use crate::version::VERSION;
use crate::version::{OLDEST, PAIRS};
use crate::{Contents, Error, Input};

// How the checksum is computed, which does not change its value. A host has room for a table of 16 kB.
#[cfg(all(target_os = "none", not(feature = "fast-load")))]
type Method = crc::NoTable;
#[cfg(all(target_os = "none", feature = "fast-load"))]
type Method = crc::Table<1>;
#[cfg(not(target_os = "none"))]
type Method = crc::Table<16>;

/// The version of a file with these contents: the oldest that has all they need.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
/// use kilornn::{Model, file};
///
/// assert_eq!(file::version(Model::from_bytes(BYTES)?.contents()), 2);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn version(contents: &Contents<'_>) -> u16 {
    let Input::Text(text) = &contents.input;
    #[cfg(kilornn_gates)]
    if contents.layers.simple_rnn().is_none() || text.sequence.padding == Some(crate::Padding::Row) {
        return contents.layers.iter().map(Layer::version).fold(STACKS, u16::max);
    }
    if text.normalization.unit.has_pairs() { PAIRS } else { OLDEST }
}

/// The features of this crate without which a file with these contents is refused; one may be named several times.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
/// use kilornn::{Model, file};
///
/// // A SimpleRNN that lower-cases nothing but ASCII.
/// assert_eq!(file::features(Model::from_bytes(BYTES)?.contents()).next(), None);
/// # Ok(())
/// # }
/// ```
pub fn features(contents: &Contents<'_>) -> impl Iterator<Item = &'static str> {
    let Input::Text(text) = &contents.input;
    let cells = contents.layers.iter().filter_map(Layer::feature);
    // The version that brought gates is read with any of them, and SimpleRNN has its uses for it.
    let any = version(contents) == STACKS && cells.clone().next().is_none();
    let is_unicode = text.normalization.lowercase == Lowercase::Unicode;
    cells.chain(any.then_some("gru")).chain(is_unicode.then_some("unicode"))
}

const MAGIC: [u8; 4] = *b"KILO";
/// The length of the header in bytes, which is all that [`length`] needs.
///
/// ```
/// assert_eq!(kilornn::file::HEADER, 12);
/// ```
pub const HEADER: usize = 12;
const CHECKSUM: usize = 4;
static CRC: Crc<u32, Method> = Crc::<u32, Method>::new(&CRC_32_ISO_HDLC);

/// Writes a model file into `buffer`, which needs room for all tables and about 100 bytes more, and returns the part of
/// `buffer` that the file takes; `None` if `buffer` is too small.
///
/// The contents are not checked: [`Model::from_bytes`](crate::Model::from_bytes) does that.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
/// use kilornn::{Model, file};
///
/// let model = Model::from_bytes(BYTES)?;
/// let mut buffer = [0; 65536];
/// assert_eq!(file::encode(model.contents(), &mut buffer).as_deref(), Some(BYTES));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn encode<'b>(contents: &Contents<'_>, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
    let (_, offset) = write(contents, buffer.get_mut(HEADER..)?)?;
    let padding = (HEADER + offset).wrapping_neg() % 4;
    let start = HEADER + padding;
    buffer.get_mut(HEADER..start)?.fill(0);
    let end = start + write(contents, buffer.get_mut(start..)?)?.0;
    let length = u32::try_from(end + CHECKSUM).ok()?;
    let header = buffer.first_chunk_mut::<HEADER>()?;
    header[..4].copy_from_slice(&MAGIC);
    header[4..6].copy_from_slice(&version(contents).to_le_bytes());
    header[6..8].copy_from_slice(&[padding as u8, 0]);
    header[8..].copy_from_slice(&length.to_le_bytes());
    let checksum = CRC.checksum(buffer.get(..end)?).to_le_bytes();
    buffer.get_mut(end..end + CHECKSUM)?.copy_from_slice(&checksum);
    buffer.get_mut(..end + CHECKSUM)
}

/// Writes the contents into `buffer`, in the form of their version; returns how many bytes they take, and where in them the
/// weights of the layers begin.
fn write(contents: &Contents<'_>, buffer: &mut [u8]) -> Option<(usize, usize)> {
    #[cfg(kilornn_gates)]
    if version(contents) >= STACKS {
        return v4::write(contents, buffer);
    }
    v2::write(contents, buffer)
}

/// The length in bytes of the model file that begins here, from its header. It tells where a file ends in a larger piece
/// of flash, or how much of a file is still to arrive. The rest of the file is not looked at.
///
/// # Errors
///
/// [`Error::Truncated`] if `bytes` is shorter than a header, [`Error::NotAModel`].
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
/// use kilornn::{Model, file};
///
/// let flash = [BYTES, &[0xFF; 1000]].concat();
/// let length = file::length(&flash)?;
/// assert_eq!(length, BYTES.len());
/// let model = Model::from_bytes(&flash[..length])?;
/// # let _ = model;
/// # Ok(())
/// # }
/// ```
pub fn length(bytes: &[u8]) -> Result<usize, Error> {
    let Some(&[m0, m1, m2, m3, _, _, _, _, l0, l1, l2, l3]) = bytes.first_chunk::<HEADER>() else {
        return Err(Error::Truncated { needed: HEADER as u32, found: bytes.len() as u32 });
    };
    if [m0, m1, m2, m3] != MAGIC {
        return Err(Error::NotAModel { found: [m0, m1, m2, m3] });
    }
    Ok(u32::from_le_bytes([l0, l1, l2, l3]) as usize)
}

/// Reads a model file: header, checksum, then contents. Dimensions are not checked; use
/// [`Model::from_bytes`](crate::Model::from_bytes), which does both, for a model that is to run.
///
/// # Errors
///
/// In this order: [`Error::Truncated`] if `bytes` is shorter than header and checksum, [`Error::NotAModel`],
/// [`Error::Version`], [`Error::Truncated`], [`Error::Oversized`], [`Error::Checksum`],
/// [`Error::Undecodable`]; for version 4 also [`Error::CellNeeded`], and [`Error::Invalid`] if the weights do not fit
/// the layers.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
/// use kilornn::{Error, file};
///
/// assert_eq!(file::decode(BYTES)?.labels, "negative\npositive");
/// assert!(matches!(file::decode(&BYTES[..1000]), Err(Error::Truncated { found: 1000, .. })));
/// # Ok(())
/// # }
/// ```
pub fn decode(bytes: &[u8]) -> Result<Contents<'_>, Error> {
    let mut contents = Contents::EMPTY;
    decode_into(bytes, &mut contents)?;
    Ok(contents)
}

/// Reads a model file as [`decode`] does, into contents that were [`Contents::EMPTY`].
#[inline(never)] // in one function with the rest, most of the code would move values about
pub(crate) fn decode_into<'a>(bytes: &'a [u8], contents: &mut Contents<'a>) -> Result<(), Error> {
    let found = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let parts = bytes.split_first_chunk::<HEADER>().and_then(|(header, rest)| {
        let (body, checksum) = rest.split_last_chunk::<CHECKSUM>()?;
        Some((header, body, checksum))
    });
    let Some((&[m0, m1, m2, m3, v0, v1, padding, zero, l0, l1, l2, l3], body, &stored)) = parts else {
        return Err(Error::Truncated { needed: (HEADER + CHECKSUM) as u32, found });
    };
    if [m0, m1, m2, m3] != MAGIC {
        return Err(Error::NotAModel { found: [m0, m1, m2, m3] });
    }
    let version = u16::from_le_bytes([v0, v1]);
    #[cfg(not(kilornn_gates))]
    if let Some(feature) = crate::version::needed(version) {
        return Err(Error::CellNeeded { feature });
    }
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(Error::Version { found: version, supported: VERSION });
    }
    let needed = u32::from_le_bytes([l0, l1, l2, l3]);
    if needed > found {
        return Err(Error::Truncated { needed, found });
    }
    if needed < found {
        return Err(Error::Oversized { needed, found });
    }
    let covered = bytes.get(..HEADER + body.len()).unwrap_or_default();
    let (stored, computed) = (u32::from_le_bytes(stored), CRC.checksum(covered));
    if stored != computed {
        return Err(Error::Checksum { stored, computed });
    }
    let Some((padding, body)) = body.split_at_checked(padding.into()).filter(|_| padding < 4 && zero == 0)
    else {
        return Err(Error::Undecodable);
    };
    if padding.iter().any(|&byte| byte != 0) {
        return Err(Error::Undecodable);
    }
    match version {
        #[cfg(kilornn_gates)]
        STACKS.. => v4::read(body, contents),
        _ => v2::read(body, contents).map_err(|_| Error::Undecodable),
    }
}
