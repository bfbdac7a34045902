//! The decoder: a stream of bytes becomes characters.

/// Decodes UTF-8 byte by byte, in eight bytes of RAM.
///
/// Malformed UTF-8 becomes one U+FFFD for each *maximal subpart*, as the Unicode standard recommends (chapter 3, "U+FFFD
/// Substitution of Maximal Subparts"). So the characters are those of `String::from_utf8_lossy` on the whole text.
///
/// ```
/// use kilornn::text::Utf8Decoder;
///
/// let mut decoder = Utf8Decoder::default();
/// let mut text = String::new();
/// for chunk in [&b"caf\xC3"[..], &b"\xA9 \xFF!"[..]] {
///     for &byte in chunk {
///         decoder.push(byte, |c| text.push(c));
///     }
/// }
/// decoder.finish(|c| text.push(c));
/// assert_eq!(text, "café \u{FFFD}!");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Utf8Decoder {
    /// The bits of the character read so far.
    partial: u32,
    /// The number of continuation bytes that must still come.
    missing: u8,
    /// The range of the next continuation byte. It is less than 0x80..=0xBF after lead bytes that could begin an overlong
    /// form, a surrogate or a value above U+10FFFF.
    next: (u8, u8),
}

impl Utf8Decoder {
    /// Takes one byte and calls `emit` for each character that it completes: none, one, or two (U+FFFD for a broken
    /// sequence, then the byte that broke it).
    ///
    /// ```
    /// use kilornn::text::Utf8Decoder;
    ///
    /// let mut decoder = Utf8Decoder::default();
    /// let mut seen = Vec::new();
    /// decoder.push(0xC3, |c| seen.push(c));
    /// decoder.push(b'a', |c| seen.push(c));
    /// assert_eq!(seen, ['\u{FFFD}', 'a']);
    /// ```
    #[inline]
    pub fn push(&mut self, byte: u8, mut emit: impl FnMut(char)) {
        if self.missing > 0 {
            if self.next.0 <= byte && byte <= self.next.1 {
                self.partial = (self.partial << 6) | u32::from(byte & 0x3F);
                self.missing -= 1;
                self.next = (0x80, 0xBF);
                if self.missing == 0 {
                    emit(char::from_u32(self.partial).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                return;
            }
            self.missing = 0;
            emit(char::REPLACEMENT_CHARACTER);
        }
        let (missing, bits, next) = match byte {
            0x00..=0x7F => return emit(char::from(byte)),
            0xC2..=0xDF => (1, byte & 0x1F, (0x80, 0xBF)),
            0xE0..=0xEF => {
                let next = (if byte == 0xE0 { 0xA0 } else { 0x80 }, if byte == 0xED { 0x9F } else { 0xBF });
                (2, byte & 0x0F, next)
            }
            0xF0..=0xF4 => {
                let next = (if byte == 0xF0 { 0x90 } else { 0x80 }, if byte == 0xF4 { 0x8F } else { 0xBF });
                (3, byte & 0x07, next)
            }
            _ => return emit(char::REPLACEMENT_CHARACTER),
        };
        *self = Self { partial: u32::from(bits), missing, next };
    }

    /// Whether the next byte begins a character.
    #[inline]
    pub(super) const fn is_between_characters(&self) -> bool {
        self.missing == 0
    }

    /// Ends the text. A sequence that is cut short becomes one U+FFFD.
    ///
    /// ```
    /// use kilornn::text::Utf8Decoder;
    ///
    /// let mut decoder = Utf8Decoder::default();
    /// decoder.push(0xE2, |_| unreachable!());
    /// let mut seen = None;
    /// decoder.finish(|c| seen = Some(c));
    /// assert_eq!(seen, Some('\u{FFFD}'));
    /// ```
    pub fn finish(&mut self, mut emit: impl FnMut(char)) {
        if self.missing > 0 {
            *self = Self::default();
            emit(char::REPLACEMENT_CHARACTER);
        }
    }
}
