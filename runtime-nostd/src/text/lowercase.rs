//! Lower-case forms of characters outside ASCII: those of `char::to_lowercase`, from a tenth of its tables.
//!
//! `build/lowercase.rs` makes the table, with the compiler that compiles this crate: `RANGES` of characters, packed and in
//! order, `DISTANCES` to their lower-case forms, and `MORE`, the characters behind the first where a form has several.

include!(concat!(env!("OUT_DIR"), "/lowercase.rs"));

/// Calls `emit` with each character of the lower-case form of `c`, which is not ASCII.
#[inline]
pub(super) fn map(c: char, mut emit: impl FnMut(char)) {
    emit(first(c));
    for &(from, more) in MORE {
        if from == c {
            more.iter().copied().for_each(&mut emit);
        }
    }
}

/// The first character of the form.
fn first(c: char) -> char {
    let code = u32::from(c);
    // The last range that begins with `c` or before it.
    let place = RANGES.partition_point(|range| range >> 11 <= code).wrapping_sub(1);
    let (Some(range), Some(distance)) = (RANGES.get(place), DISTANCES.get(place)) else { return c };
    let offset = code - (range >> 11);
    // The lowest bit says that only every second character counts.
    if offset > range >> 1 & 0x3FF || offset & range & 1 != 0 {
        return c;
    }
    let low = (code as u16).wrapping_add(*distance);
    char::from_u32(code & !0xFFFF | u32::from(low)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    #[test]
    fn every_character_has_the_form_that_the_compiler_gives_it() {
        for c in '\u{80}'..=char::MAX {
            let mut form = Vec::new();
            map(c, |c| form.push(c));
            assert!(c.to_lowercase().eq(form.iter().copied()), "{c:?} became {form:?}");
        }
    }
}
