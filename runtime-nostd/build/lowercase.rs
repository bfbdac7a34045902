//! Writes the table of lower-case letters that `src/text/lowercase.rs` reads: what this compiler's `char::to_lowercase`
//! does outside ASCII. `core`'s own tables have eight bytes for each letter; these have six for each range of letters.

use std::fmt::Write as _;

/// Characters from `first` to `last`, every `step`th of them, whose lower-case forms are all as far away.
struct Range {
    first: u32,
    last: u32,
    /// 1 or 2; 0 as long as there is only one character.
    step: u32,
    /// Of the lower 16 bits, which wrap around; the upper bits are the same in both forms.
    distance: u16,
}

impl Range {
    /// The most that `last` may be behind `first`: ten bits.
    const SPAN: u32 = (1 << 10) - 1;

    /// Takes another character, if it continues the range.
    fn take(&mut self, code: u32, distance: u16) -> bool {
        let step = code - self.last;
        let fits = match self.step {
            0 => step <= 2,
            own => step == own,
        };
        let takes = fits && distance == self.distance && code - self.first <= Self::SPAN;
        if takes {
            (self.last, self.step) = (code, step);
        }
        takes
    }

    /// 21 bits for `first`, 10 for how far `last` is behind it, and one that is set if only every second character counts.
    fn packed(&self) -> u32 {
        self.first << 11 | (self.last - self.first) << 1 | u32::from(self.step == 2)
    }
}

/// The table, as Rust.
pub(crate) fn table() -> String {
    let mut ranges = Vec::<Range>::new();
    let mut more = String::new();
    for c in '\u{80}'..=char::MAX {
        let lower: Vec<char> = c.to_lowercase().collect();
        let (code, form) = (u32::from(c), u32::from(lower[0]));
        if form != code {
            assert_eq!(code >> 16, form >> 16, "U+{code:X} has a lower-case form in another plane");
            let distance = (form as u16).wrapping_sub(code as u16);
            if !ranges.last_mut().is_some_and(|range| range.take(code, distance)) {
                ranges.push(Range { first: code, last: code, step: 0, distance });
            }
        }
        if lower.len() > 1 {
            let _ = write!(more, "({c:?}, &{:?}), ", &lower[1..]);
        }
    }
    let count = ranges.len();
    let packed: Vec<u32> = ranges.iter().map(Range::packed).collect();
    let distances: Vec<u16> = ranges.iter().map(|range| range.distance).collect();
    format!(
        "static RANGES: [u32; {count}] = {packed:?};\nstatic DISTANCES: [u16; {count}] = {distances:?};\n\
         static MORE: &[(char, &[char])] = &[{more}];\n"
    )
}
