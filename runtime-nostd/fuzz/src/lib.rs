//! Fuzzing on stable Rust: [`fuzz`] makes inputs by damaging earlier ones, and runs [`targets`] with them.
//!
//! `cargo xtask fuzz` runs it with overflow checks. It does not instrument the code: a target returns a number for the
//! outcome of a run, and an input with a new outcome is kept to be damaged further. Damaged files get a right checksum,
//! so that the loader looks at their contents.

pub mod damage;
pub mod model;
pub mod mutate;
pub mod targets;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{fs, io};

use fastrand::Rng;
use targets::Target;

/// Inputs kept for further damage, at most.
const KEPT: usize = 4096;

/// The inputs for one target that the repository has, in the order of their names.
///
/// # Errors
///
/// If a file cannot be read.
pub fn corpus(target: Target) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut paths =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    paths.into_iter().map(|path| Ok((path.clone(), fs::read(path)?))).collect()
}

/// An input that made a target panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash(pub Vec<u8>);

/// Runs a target with damaged inputs until `go_on` returns false, which is called after every run.
///
/// # Errors
///
/// The first input with which the target panics.
pub fn fuzz(
    target: Target,
    seed: u64,
    corpus: &[Vec<u8>],
    mut go_on: impl FnMut() -> bool,
) -> Result<(), Crash> {
    let mut random = Rng::with_seed(seed);
    let mut kept = corpus.to_vec();
    let mut outcomes = HashSet::new();
    loop {
        let other = random.choice(&kept).cloned().unwrap_or_default();
        let mut input = if target.takes_models && random.usize(..8) == 0 {
            fresh(target, &mut random)
        } else {
            random.choice(&kept).cloned().unwrap_or_default()
        };
        if random.usize(..16) != 0 {
            mutate::mutate(&mut random, &mut input, &other);
        }
        let result = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        let Ok(outcome) = result else { return Err(Crash(input)) };
        if outcomes.len() < (1 << 20) && outcomes.insert(outcome) {
            if kept.len() < KEPT {
                kept.push(input);
            } else {
                let place = corpus.len() + random.usize(..KEPT - corpus.len());
                kept[place] = input;
            }
        }
        if !go_on() {
            return Ok(());
        }
    }
}

/// One of several values, each as likely as the others.
pub(crate) fn pick<T: Copy>(random: &mut Rng, from: &[T]) -> T {
    from[random.usize(..from.len())]
}

/// A new model of random dimensions, for a target that takes models.
pub fn fresh(target: Target, random: &mut Rng) -> Vec<u8> {
    let file = model::random(random);
    if target.name == "loader" {
        return file;
    }
    let text: Vec<&str> = (0..random.usize(..12))
        .map(|_| pick(random, &["a", "the ", " ", "Wörter ", "😀", "x y z ", "İ."]))
        .collect();
    let border = u16::try_from(file.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&border[..], &file, text.concat().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kilornn::Model;
    use targets::TARGETS;

    #[test]
    fn every_input_of_the_corpus_passes() {
        for target in TARGETS {
            let corpus = corpus(target).unwrap();
            assert!(corpus.len() >= 8, "{}: a corpus of {}", target.name, corpus.len());
            for (path, input) in corpus {
                println!("{}: outcome {:x}", path.display(), (target.run)(&input));
            }
        }
    }

    #[test]
    fn random_models_get_far() {
        let mut random = Rng::with_seed(1);
        let loaded = (0..1000).filter(|_| Model::from_bytes(&model::random(&mut random)).is_ok()).count();
        assert!((100..900).contains(&loaded), "{loaded} of 1000 load");
    }

    #[test]
    fn random_models_of_version_4_get_far_with_every_cell() {
        let mut random = Rng::with_seed(2);
        let files: Vec<Vec<u8>> = (0..2000).map(|_| model::random(&mut random)).collect();
        let made = files.iter().filter(|file| file[4] == 4).count();
        let loaded: Vec<_> = files
            .iter()
            .filter(|file| file[4] == 4)
            .filter_map(|file| Model::from_bytes(file).ok())
            .collect();
        assert!((made / 8..made * 7 / 8).contains(&loaded.len()), "{} of {made} load", loaded.len());
        for cell in ["SimpleRNN", "GRU", "LSTM"] {
            let has = |model: &&Model<'_>| model.contents().layers.iter().any(|layer| layer.name() == cell);
            let count = loaded.iter().filter(has).count();
            assert!(count > loaded.len() / 8, "{count} of {} with {cell}", loaded.len());
        }
        let deep = loaded.iter().filter(|model| model.contents().layers.len() > 2).count();
        assert!(deep > loaded.len() / 16, "{deep} of {} with three layers or more", loaded.len());
    }

    #[test]
    fn sealed_files_get_past_the_checksum() {
        let mut bytes = b"anything".to_vec();
        model::seal(&mut bytes);
        assert_eq!(Model::from_bytes(&bytes).unwrap_err(), kilornn::Error::Undecodable);
    }

    #[test]
    fn a_panic_is_caught_with_its_input() {
        let fragile = |input: &[u8]| {
            assert!(!input.contains(&b'!'));
            0
        };
        let target = Target { name: "fragile", run: fragile, takes_models: false };
        let Crash(input) = fuzz(target, 1, &[vec![b' '; 8]], || true).unwrap_err();
        assert!(input.contains(&b'!'));
    }
}
