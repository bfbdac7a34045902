//! `cargo xtask fuzz` runs this: many inputs for one target, on all cores.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use kilornn_fuzz::damage::every_damage_is_refused;
use kilornn_fuzz::targets::{TARGETS, Target};
use kilornn_fuzz::{Crash, corpus, fresh, fuzz};

const USAGE: &str = "usage: kilornn-fuzz TARGET [executions=N] [seconds=N] [seed=N] [threads=N]
       kilornn-fuzz TARGET replay=FILE     run one input
       kilornn-fuzz TARGET seeds=FOLDER    write inputs to begin with
       kilornn-fuzz damage FILE...         flip every bit of models, cut them at every length
targets: loader, tokenizer, classifier";

/// Executions between two looks at the clock.
const STRIDE: u64 = 256;

/// A classifier with room for any window lies on the stack, several times in a debug build.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    match run(env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// What was asked for.
struct Options {
    executions: u64,
    seconds: u64,
    seed: u64,
    threads: u64,
}

fn run(arguments: Vec<String>) -> Result<(), String> {
    let (name, rest) = arguments.split_first().ok_or(USAGE)?;
    if name == "damage" {
        return damage(rest);
    }
    let target = TARGETS.into_iter().find(|target| target.name == name).ok_or(USAGE)?;
    let cores = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mut options = Options { executions: u64::MAX, seconds: u64::MAX, seed: 1, threads: cores };
    for argument in rest {
        let (key, value) = argument.split_once('=').ok_or(USAGE)?;
        let number = || value.parse().map_err(|_| USAGE.to_owned());
        match key {
            "executions" => options.executions = number()?,
            "seconds" => options.seconds = number()?,
            "seed" => options.seed = number()?,
            "threads" => options.threads = number()?.max(1),
            "replay" => return replay(target, value.into()),
            "seeds" => return seeds(target, value.into()),
            _ => return Err(USAGE.to_owned()),
        }
    }
    many(target, &options)
}

fn damage(paths: &[String]) -> Result<(), String> {
    for path in paths {
        let started = Instant::now();
        let refused = fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|file| every_damage_is_refused(&file))
            .map_err(|error| format!("{path}: {error}"))?;
        println!("{path}: {refused} damaged files refused in {:.1} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}

fn replay(target: Target, path: PathBuf) -> Result<(), String> {
    let input = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}: outcome {:x}", path.display(), (target.run)(&input));
    Ok(())
}

/// Models whose outcomes differ, small enough for a repository.
fn seeds(target: Target, folder: PathBuf) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(0);
    let mut outcomes = std::collections::HashSet::new();
    let mut written = 0;
    for _ in 0..100_000 {
        let input = fresh(target, &mut random);
        if input.len() < 600 && written < 40 && outcomes.insert((target.run)(&input)) {
            let path = folder.join(format!("model-{written:02}"));
            fs::write(&path, input).map_err(|error| format!("{}: {error}", path.display()))?;
            written += 1;
        }
    }
    Ok(())
}

fn many(target: Target, options: &Options) -> Result<(), String> {
    let corpus: Vec<Vec<u8>> = corpus(target)
        .map_err(|error| format!("the corpus: {error}"))?
        .into_iter()
        .map(|(_, input)| input)
        .collect();
    let started = Instant::now();
    let (done, stop, crash) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(None));
    let share = options.executions.div_ceil(options.threads);
    let worker = |number: u64| {
        let mut executions = 0;
        let result = fuzz(target, options.seed.wrapping_mul(1000) + number, &corpus, || {
            executions += 1;
            let last = executions == share;
            if executions % STRIDE == 0 || last {
                done.fetch_add(executions - (executions - 1) / STRIDE * STRIDE, Ordering::Relaxed);
            }
            !(last || executions % STRIDE == 0 && stop.load(Ordering::Relaxed))
        });
        if let Err(Crash(input)) = result {
            stop.store(true, Ordering::Relaxed);
            if let Ok(mut crash) = crash.lock() {
                *crash = Some(input);
            }
        }
    };
    thread::scope(|scope| {
        let worker = &worker;
        let workers: Vec<_> = (0..options.threads)
            .filter_map(|number| {
                thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || worker(number)).ok()
            })
            .collect();
        let mut reported = Instant::now();
        while workers.iter().any(|worker| !worker.is_finished()) {
            thread::sleep(Duration::from_millis(50));
            if started.elapsed().as_secs() >= options.seconds {
                stop.store(true, Ordering::Relaxed);
            }
            if reported.elapsed().as_secs() >= 10 {
                reported = Instant::now();
                println!("{}: {} executions so far", target.name, done.load(Ordering::Relaxed));
            }
        }
    });
    let (done, seconds) = (done.into_inner(), started.elapsed().as_secs_f64());
    if let Ok(Some(input)) = crash.into_inner() {
        let path = env::temp_dir().join(format!("kilornn-fuzz-{}", target.name));
        fs::write(&path, input).map_err(|error| format!("{}: {error}", path.display()))?;
        return Err(format!("{}: a panic, see above; the input is {}", target.name, path.display()));
    }
    println!("{}: {done} executions in {seconds:.1} s, {:.0} a second", target.name, done as f64 / seconds);
    Ok(())
}
