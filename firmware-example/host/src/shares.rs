//! Dividing texts among several QEMUs.

use std::num::NonZero;
use std::thread;

/// Starting one more QEMU takes as long as running about so much text in one that is there.
const BYTES_WORTH_A_QEMU: usize = 100_000;

/// Divides `texts` into runs of neighbours for as many QEMUs as there are processors, or as they are worth it.
pub(crate) fn shares<T: AsRef<[u8]>>(texts: &[T]) -> Vec<&[T]> {
    let bytes: usize = texts.iter().map(|text| text.as_ref().len()).sum();
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(1 + bytes / BYTES_WORTH_A_QEMU);
    divide(texts, workers)
}

/// Divides `texts` into at most `workers` runs of neighbours with about as many bytes each.
fn divide<T: AsRef<[u8]>>(mut texts: &[T], workers: usize) -> Vec<&[T]> {
    // A text costs something even if it is empty.
    let weight = |text: &T| text.as_ref().len() + 16;
    let total: usize = texts.iter().map(weight).sum();
    let mut shares = Vec::new();
    for remaining in (1..=workers).rev() {
        let (mut count, mut taken) = (0, 0);
        while count < texts.len() && (remaining == 1 || taken * workers < total) {
            taken += weight(&texts[count]);
            count += 1;
        }
        let (share, rest) = texts.split_at(count);
        texts = rest;
        // No texts at all are one empty share: even then the firmware must run and say that it can.
        if !share.is_empty() || (shares.is_empty() && remaining == 1) {
            shares.push(share);
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_keep_the_order_and_are_even() {
        let texts = ["aaaaaaaaaaaaaaaa"; 9];
        let sizes = |texts: &[&str], workers| {
            divide(texts, workers).iter().map(|share| share.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&texts, 2), [5, 4]);
        assert_eq!(sizes(&texts, 3), [3, 3, 3]);
        assert_eq!(sizes(&texts[..1], 3), [1]);
        assert_eq!(sizes(&[], 3), [0]);
        let numbered: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        assert_eq!(divide(&numbered, 7).concat(), numbered);
    }
}
