//! Numbers as a person reads them.

/// `1234567` as `1,234,567`.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn groups_digits() {
        let of = super::grouped;
        assert_eq!([of(0), of(999), of(1000), of(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
    }
}
