//! Arrays as NumPy writes them (`.npy`, NEP 1): a header, then the values.
//!
//! candle's reader, by which weights are imported, knows neither 8-, 16- and 32-bit integers nor strings.

/// What comes first.
const MAGIC: &[u8] = b"\x93NUMPY";

/// An array.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    kind: Kind,
    size: usize,
    is_big_endian: bool,
    /// Whether the first index runs fastest.
    is_fortran: bool,
    data: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    Signed,
    Unsigned,
    Bool,
    /// Characters of four bytes.
    Unicode,
    Bytes,
}

impl Array {
    /// Reads an array.
    pub(super) fn parse(mut file: Vec<u8>) -> Result<Self, String> {
        let damaged = || "no array as NumPy writes it: damaged".to_owned();
        let rest = file.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let (length, begin) = match rest {
            [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 10),
            [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
            _ => return Err(damaged()),
        };
        let end = begin + length;
        let header =
            file.get(begin..end).and_then(|header| str::from_utf8(header).ok()).ok_or_else(damaged)?;
        let descr = value(header, "descr").ok_or_else(damaged)?.trim_start();
        let is_fortran = value(header, "fortran_order").ok_or_else(damaged)?.trim_start().starts_with("True");
        let shape = value(header, "shape").and_then(shape).ok_or_else(damaged)?;
        let descr = descr.strip_prefix(['\'', '"']).and_then(|text| text.split(['\'', '"']).next());
        let Some(descr) = descr else {
            return Err("an array of records, which is not read (save plain arrays of numbers)".to_owned());
        };
        let unknown =
            || format!("numbers of the type `{descr}` are not read (convert them: .astype(\"float32\"))");
        let is_big_endian = descr.starts_with('>');
        let kind = descr.trim_start_matches(['<', '>', '|', '=']);
        let size: usize = kind.get(1..).and_then(|size| size.parse().ok()).unwrap_or(0);
        let (kind, size) = match (kind.as_bytes().first(), size) {
            (Some(b'f'), 4 | 8) => (Kind::Float, size),
            (Some(b'i'), 1 | 2 | 4 | 8) => (Kind::Signed, size),
            (Some(b'u'), 1 | 2 | 4 | 8) => (Kind::Unsigned, size),
            (Some(b'b'), 1) => (Kind::Bool, 1),
            (Some(b'U'), _) => (Kind::Unicode, size.checked_mul(4).ok_or_else(unknown)?),
            (Some(b'S' | b'a'), _) => (Kind::Bytes, size),
            (Some(b'O'), _) => {
                return Err("an array of Python objects, which is not read: are the sequences of different lengths? (pad them \
                            to one length and save the true ones as a further array `lengths`)"
                    .to_owned());
            }
            _ => return Err(unknown()),
        };
        let bytes = shape.iter().try_fold(size, |bytes, &dimension| bytes.checked_mul(dimension));
        file.drain(..end);
        match bytes {
            Some(bytes) if bytes == file.len() => {
                Ok(Self { shape, kind, size, is_big_endian, is_fortran, data: file })
            }
            _ => Err(format!(
                "its header says {} values of {size} bytes, but {} bytes follow: cut short or damaged (save it again)",
                shown(&shape),
                file.len()
            )),
        }
    }

    pub(super) fn is_of_numbers(&self) -> bool {
        !matches!(self.kind, Kind::Unicode | Kind::Bytes)
    }

    /// The value at these indices, as a number.
    pub(super) fn number(&self, indices: &[usize]) -> f64 {
        match self.kind {
            Kind::Float => match self.word(indices) {
                word if self.size == 4 => f64::from(f32::from_bits(word as u32)),
                word => f64::from_bits(word),
            },
            _ => self.integer(indices) as f64,
        }
    }

    /// The value at these indices, as a label.
    pub(super) fn text(&self, indices: &[usize]) -> String {
        match self.kind {
            Kind::Float => self.number(indices).to_string(),
            Kind::Signed | Kind::Unsigned | Kind::Bool => self.integer(indices).to_string(),
            Kind::Bytes => String::from_utf8_lossy(self.bytes(indices)).trim_end_matches('\0').to_owned(),
            Kind::Unicode => {
                let characters = self.bytes(indices).chunks_exact(4).map(|bytes| {
                    let number = bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte));
                    let number = if self.is_big_endian { number.swap_bytes() } else { number };
                    char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
                });
                let text: String = characters.collect();
                text.trim_end_matches('\0').to_owned()
            }
        }
    }

    fn integer(&self, indices: &[usize]) -> i128 {
        let word = self.word(indices);
        match self.kind {
            Kind::Signed => {
                let unused = 64 - 8 * self.size as u32;
                i128::from((word << unused).cast_signed() >> unused)
            }
            _ => i128::from(word),
        }
    }

    /// The bits of a value of at most eight bytes.
    fn word(&self, indices: &[usize]) -> u64 {
        let add = |word: u64, &byte: &u8| word << 8 | u64::from(byte);
        let bytes = self.bytes(indices);
        if self.is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    fn bytes(&self, indices: &[usize]) -> &[u8] {
        let pairs = indices.iter().zip(&self.shape);
        let add = |position: usize, (&index, &size): (&usize, &usize)| position * size + index;
        let position = match self.is_fortran {
            true => pairs.rev().fold(0, add),
            false => pairs.fold(0, add),
        };
        &self.data[self.size * position..self.size * (position + 1)]
    }
}

/// What stands behind a key of the header, a Python dict.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let at = header.find(&format!("'{key}'"))? + key.len() + 2;
    header[at..].trim_start().strip_prefix(':')
}

/// A tuple of numbers.
fn shape(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.trim_start().strip_prefix('(')?.split_once(')')?;
    let numbers = inside.split(',').map(str::trim).filter(|number| !number.is_empty());
    numbers.map(|number| number.trim_end_matches('L').parse().ok()).collect()
}

/// A shape in a message: `100 x 128 x 3`.
pub(super) fn shown(shape: &[usize]) -> String {
    match shape.is_empty() {
        true => "one value".to_owned(),
        false => shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x "),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An array as NumPy writes it.
    pub(in super::super) fn npy(descr: &str, is_fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if is_fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
        while !(header.len() + 11).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    }

    fn one(descr: &str, data: &[u8]) -> (f64, String) {
        let array = Array::parse(npy(descr, false, "(1,)", data)).unwrap();
        (array.number(&[0]), array.text(&[0]))
    }

    #[test]
    fn numbers_of_all_types() {
        assert_eq!(one("<f4", &1.5_f32.to_le_bytes()), (1.5, "1.5".into()));
        assert_eq!(one(">f8", &(-2.0_f64).to_be_bytes()), (-2.0, "-2".into()));
        assert_eq!(one("|i1", &[0xFF]), (-1.0, "-1".into()));
        assert_eq!(one("|u1", &[0xFF]), (255.0, "255".into()));
        assert_eq!(one("<i2", &(-300_i16).to_le_bytes()), (-300.0, "-300".into()));
        assert_eq!(one(">u2", &40_000_u16.to_be_bytes()), (40_000.0, "40000".into()));
        assert_eq!(one("<i4", &i32::MIN.to_le_bytes()), (-2_147_483_648.0, "-2147483648".into()));
        assert_eq!(one("<i8", &i64::MAX.to_le_bytes()).1, "9223372036854775807");
        assert_eq!(one("<u8", &u64::MAX.to_le_bytes()).1, "18446744073709551615");
        assert_eq!(one("|b1", &[1]), (1.0, "1".into()));
    }

    #[test]
    fn strings_are_labels() {
        let text = |descr, shape, data: &[u8]| {
            let array = Array::parse(npy(descr, false, shape, data)).unwrap();
            assert!(!array.is_of_numbers());
            (0..array.shape[0]).map(|index| array.text(&[index])).collect::<Vec<_>>()
        };
        let le: Vec<u8> = "gé\0run".chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
        assert_eq!(text("<U3", "(2,)", &le), ["gé", "run"]);
        let be: Vec<u8> = "up".chars().flat_map(|c| (c as u32).to_be_bytes()).collect();
        assert_eq!(text(">U2", "(1,)", &be), ["up"]);
        assert_eq!(text("|S4", "(2,)", b"go\0\0left"), ["go", "left"]);
    }

    #[test]
    fn either_index_may_run_fastest() {
        let data: Vec<u8> = (0..6).collect();
        let of = |is_fortran| Array::parse(npy("|u1", is_fortran, "(2, 3)", &data)).unwrap();
        assert_eq!(of(false).number(&[1, 0]), 3.0);
        assert_eq!(of(true).number(&[1, 0]), 1.0);
        assert_eq!(of(true).number(&[1, 2]), 5.0);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let fault = |descr, shape, data: &[u8]| Array::parse(npy(descr, false, shape, data)).err().unwrap();
        assert!(
            fault("<f4", "(2,)", &[0; 4])
                .starts_with("its header says 2 values of 4 bytes, but 4 bytes follow")
        );
        assert!(fault("<f4", "(9223372036854775807, 9)", &[]).contains("cut short or damaged"));
        assert!(fault("|O", "(2,)", &[0; 16]).contains("a further array `lengths`"));
        assert!(
            fault("<c16", "(1,)", &[0; 16]).contains("the type `<c16` are not read (convert them: .astype(")
        );
        assert_eq!(Array::parse(b"PK".to_vec()).err().unwrap(), "no array as NumPy writes it: damaged");
    }
}
