//! Files that a board's drive takes: what lies in flash, as Intel HEX or as UF2.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ihex::Record;
use kilornn_host::boards::{Board, Image};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};

/// Bytes from an address on.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Segment {
    address: u32,
    bytes: Vec<u8>,
}

/// Writes the image of a program beside it; its file.
pub(super) fn write(board: &Board, image: Image, elf: &Path) -> Result<PathBuf> {
    let data = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let segments = segments(&data).with_context(|| format!("{}", elf.display()))?;
    let (name, bytes) = match image {
        Image::Hex => ("hex", hex(&segments)?.into_bytes()),
        Image::Uf2 => ("uf2", uf2(&segments)),
    };
    let path = elf.with_file_name(format!("kilornn-{}.{name}", board.name));
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// What a 32-bit ELF file puts into memory, at the addresses where it is kept (of variables: their initial values').
fn segments(data: &[u8]) -> Result<Vec<Segment>> {
    let header = elf::FileHeader32::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let mut segments = Vec::new();
    for program in header.program_headers(endian, data)? {
        let bytes = program.data(endian, data).ok().context("a segment lies outside the file")?;
        if program.p_type(endian) == elf::PT_LOAD && !bytes.is_empty() {
            segments.push(Segment { address: program.p_paddr(endian), bytes: bytes.to_vec() });
        }
    }
    segments.sort_by_key(|segment| segment.address);
    Ok(segments)
}

/// Intel HEX: lines of 16 bytes, with the upper half of the address wherever that changes.
fn hex(segments: &[Segment]) -> Result<String> {
    let mut records = Vec::new();
    let mut upper = None;
    for Segment { address, bytes } in segments {
        let mut address = *address;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            if upper != Some(address >> 16) {
                upper = Some(address >> 16);
                records.push(Record::ExtendedLinearAddress((address >> 16) as u16));
            }
            // No line crosses the end of a 64-kilobyte block.
            let length = rest.len().min(16).min(0x1_0000 - (address & 0xFFFF) as usize);
            let (line, others) = rest.split_at(length);
            records.push(Record::Data { offset: address as u16, value: line.to_vec() });
            (address, rest) = (address + length as u32, others);
        }
    }
    records.push(Record::EndOfFile);
    Ok(ihex::create_object_file_representation(&records)?)
}

/// UF2 (github.com/microsoft/uf2): blocks of 512 bytes, each with 256 bytes of flash, for the RP2040.
fn uf2(segments: &[Segment]) -> Vec<u8> {
    const FAMILY_RP2040: u32 = 0xE48B_FF56;
    const FAMILY_PRESENT: u32 = 0x2000;
    const PAYLOAD: u32 = 256;
    let pages = pages(segments, PAYLOAD);
    let count = pages.len() as u32;
    let mut file = Vec::new();
    for (number, Segment { address, bytes }) in (0u32..).zip(pages) {
        let head = [0x0A32_4655, 0x9E5D_5157, FAMILY_PRESENT, address, PAYLOAD, number, count, FAMILY_RP2040];
        let start = file.len();
        file.extend(head.into_iter().flat_map(u32::to_le_bytes));
        file.extend(bytes);
        file.resize(start + 508, 0);
        file.extend(0x0AB1_6F30u32.to_le_bytes());
    }
    file
}

/// All pages that hold anything, whole: what no segment says is zero.
fn pages(segments: &[Segment], size: u32) -> Vec<Segment> {
    let mut pages: Vec<Segment> = Vec::new();
    for Segment { address, bytes } in segments {
        for (address, &byte) in (*address..).zip(bytes) {
            let start = address / size * size;
            if pages.last().is_none_or(|page| page.address != start) {
                pages.push(Segment { address: start, bytes: vec![0; size as usize] });
            }
            if let Some(place) =
                pages.last_mut().and_then(|page| page.bytes.get_mut((address - start) as usize))
            {
                *place = byte;
            }
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(address: u32, length: usize) -> Segment {
        Segment { address, bytes: (0..length).map(|index| index as u8).collect() }
    }

    #[test]
    fn hex_says_what_lies_where() {
        let segments = [segment(0xFFF8, 16), segment(0x2_0000, 3)];
        let hex = hex(&segments).unwrap();
        let mut found = Vec::new();
        let mut upper = 0;
        for record in ihex::Reader::new(&hex).map(Result::unwrap) {
            match record {
                Record::ExtendedLinearAddress(address) => upper = u32::from(address) << 16,
                Record::Data { offset, value } => {
                    found.extend((upper + u32::from(offset)..).zip(value));
                }
                other => assert_eq!(other, Record::EndOfFile),
            }
        }
        let expected: Vec<_> =
            segments.iter().flat_map(|Segment { address, bytes }| (*address..).zip(bytes.clone())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn uf2_has_whole_pages_in_blocks() {
        // Two segments share a page.
        let file = uf2(&[segment(0x1000_0000, 250), segment(0x1000_00FC, 8)]);
        assert_eq!(file.len(), 2 * 512);
        for (number, block) in file.chunks_exact(512).enumerate() {
            let word = |index: usize| u32::from_le_bytes(block[4 * index..][..4].try_into().unwrap());
            assert_eq!([word(0), word(1), word(127)], [0x0A32_4655, 0x9E5D_5157, 0x0AB1_6F30]);
            assert_eq!(word(3), 0x1000_0000 + 256 * number as u32);
            assert_eq!([word(4), word(5), word(6)], [256, number as u32, 2]);
        }
        assert_eq!(file[32..][..250], segment(0, 250).bytes);
        assert_eq!(file[32 + 250..][..6], [0, 0, 0, 1, 2, 3]);
        assert_eq!(file[512 + 32..][..5], [4, 5, 6, 7, 0]);
    }

    #[test]
    fn what_is_no_elf_file_is_an_error() {
        assert!(segments(b"no").is_err());
    }
}
