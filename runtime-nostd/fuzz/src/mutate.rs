//! Damages inputs.

use fastrand::Rng;

use crate::pick;

/// The largest number of bytes of an input, unless one of the corpus is longer.
const LONGEST: usize = 1024;

/// Values that are likely to break a program: bytes, varints and lengths at the limits of their range.
const BORDERS: [&[u8]; 12] = [
    &[0],
    &[1],
    &[0x7F],
    &[0x80],
    &[0xFF],
    &[0x80, 0x01],
    &[0xFF, 0xFF, 0x03],
    &[0x80, 0x80, 0x80, 0x08],
    &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
    &[0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
    &[0, 0, 0, 0x80],
    &[0xFF, 0xFF, 0xFF, 0x7F],
];

/// Pieces of text: letters with special rules for lower-casing, and malformed UTF-8.
const TEXT: [&[u8]; 12] = [
    b" ",
    b"a",
    b"the ",
    b"don't",
    "İ".as_bytes(),
    "ẞΣ".as_bytes(),
    "😀".as_bytes(),
    b"\xC0\x80",
    b"\xE2\x82",
    b"\xED\xA0\x80",
    b"\xF4\x90\x80\x80",
    b"\xF0\x9F",
];

/// Damages `input` in one to four places, in part with pieces of `other`.
pub fn mutate(random: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=random.usize(..4) {
        mutate_once(random, input, other);
    }
    input.truncate(LONGEST.max(other.len()));
}

fn mutate_once(random: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    let at = random.usize(..input.len() + 1);
    let longest = pick(random, &[2, 9, 65]);
    let length = random.usize(..longest);
    let end = (at + length).min(input.len());
    match random.usize(..10) {
        0..=2 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.usize(..8);
            }
        }
        3 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        4 => {
            let border = pick(random, &BORDERS);
            let end = (at + border.len()).min(input.len());
            input.splice(at..end, border.iter().copied());
        }
        5 => drop(input.splice(at..at, pick(random, &BORDERS).iter().copied())),
        6 => drop(input.splice(at..at, pick(random, &TEXT).iter().copied())),
        7 => drop(input.drain(at..end)),
        8 => {
            let copy = input[at..end].to_vec();
            let to = random.usize(..input.len() + 1);
            input.splice(to..to, copy);
        }
        _ => {
            let from = random.usize(..other.len() + 1);
            let piece = &other[from..(from + length).min(other.len())];
            input.splice(at..end, piece.iter().copied());
        }
    }
}
