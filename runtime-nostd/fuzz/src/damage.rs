//! All small damages of a file: each flipped bit, and each length to which it is cut.

use std::thread;

use kilornn::Model;

/// Loads the file with each single bit flipped and cut to each length, on all cores; returns the number of files loaded.
///
/// # Errors
///
/// The damages that the loader did not notice, or the error of the undamaged file.
pub fn every_damage_is_refused(file: &[u8]) -> Result<u64, String> {
    Model::from_bytes(file).map_err(|error| error.to_string())?;
    let threads = thread::available_parallelism().map_or(1, |n| n.get());
    let share = file.len().div_ceil(threads).max(1);
    let missed: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..file.len())
            .step_by(share)
            .map(|start| scope.spawn(move || missed_in(file, start..file.len().min(start + share))))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|_| vec!["a panic".into()]))
            .collect()
    });
    if missed.is_empty() { Ok(9 * file.len() as u64) } else { Err(missed.join(", ")) }
}

/// The damages at these bytes that the loader did not notice: eight flipped bits, and the file cut before the byte.
fn missed_in(file: &[u8], places: std::ops::Range<usize>) -> Vec<String> {
    let mut missed = Vec::new();
    let mut damaged = file.to_vec();
    for place in places {
        for bit in 0..8 {
            damaged[place] ^= 1 << bit;
            if Model::from_bytes(&damaged).is_ok() {
                missed.push(format!("bit {bit} of byte {place}"));
            }
            damaged[place] ^= 1 << bit;
        }
        if Model::from_bytes(&file[..place]).is_ok() {
            missed.push(format!("cut to {place} bytes"));
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damages_are_counted_and_a_file_that_does_not_load_is_no_success() {
        let mut random = fastrand::Rng::with_seed(3);
        let file = std::iter::repeat_with(|| crate::model::random(&mut random))
            .find(|file| Model::from_bytes(file).is_ok() && file.len() < 1000)
            .unwrap();
        assert_eq!(every_damage_is_refused(&file), Ok(9 * file.len() as u64));
        assert!(every_damage_is_refused(b"KILO").is_err());
    }
}
