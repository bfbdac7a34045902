//! Running other programs: what runs is echoed first, and an error names the command and its exit code.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

/// The repository's root: where this crate's folder lies.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// The firmware's folder, which is a workspace of its own.
pub(crate) fn firmware_dir() -> PathBuf {
    root().join("firmware-example")
}

/// A cargo command that runs in `dir`, with the cargo that started this program.
pub(crate) fn cargo<I, S>(dir: &Path, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(dir).args(args);
    command
}

/// Where cargo puts what it builds from `dir`: the person's own configuration may have moved it.
pub(crate) fn target_dir(dir: &Path) -> Result<PathBuf> {
    let metadata = output(&mut cargo(dir, ["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(target.into())
}

/// The Rust files in a folder, in the order of their names.
pub(crate) fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    Ok(files)
}

/// Runs a command with its output on this terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    echo(command);
    let status = command.status().with_context(|| cannot_start(command))?;
    check(command, status)
}

/// Runs a command with its output on standard error: standard output is for a program to read.
pub(crate) fn run_aside(command: &mut Command) -> Result<()> {
    let status = command.stdout(io::stderr()).status().with_context(|| cannot_start(command))?;
    check(command, status)
}

/// As [`run`], but kills the command when it has not ended after `limit`.
pub(crate) fn run_at_most(command: &mut Command, limit: Duration) -> Result<()> {
    echo(command);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| cannot_start(command))?;
    loop {
        if let Some(status) = child.try_wait()? {
            return check(command, status);
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("`{}` had not ended after {} s and was stopped", describe(command), limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Runs a command, shows its standard output and hands each line of it to `on_line` as well.
pub(crate) fn tee(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<()> {
    echo(command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| cannot_start(command))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            on_line(&line);
        }
    }
    check(command, child.wait()?)
}

/// Runs a command without a word and returns its standard output; its standard error is part of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| cannot_start(command))?;
    check(command, output.status)
        .with_context(|| String::from_utf8_lossy(&output.stderr).trim_end().to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where a program is on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(format!("{program}{}", env::consts::EXE_SUFFIX)))
        .find(|candidate| candidate.is_file())
}

/// The command as a person would type it.
pub(crate) fn describe(command: &Command) -> String {
    let mut text = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let _ = write!(text, "{}={} ", name.display(), quoted(&value.to_string_lossy()));
        }
    }
    let program = Path::new(command.get_program());
    text += &program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy();
    for arg in command.get_args() {
        text.push(' ');
        text += &quoted(&arg.to_string_lossy());
    }
    text
}

fn quoted(argument: &str) -> String {
    if argument.is_empty() || argument.contains(char::is_whitespace) {
        format!("'{argument}'")
    } else {
        argument.to_owned()
    }
}

fn echo(command: &Command) {
    let place = command
        .get_current_dir()
        .and_then(|dir| dir.strip_prefix(root()).ok())
        .filter(|dir| !dir.as_os_str().is_empty())
        .map(|dir| format!("   (in {})", dir.display()))
        .unwrap_or_default();
    println!("    $ {}{place}", describe(command));
}

fn cannot_start(command: &Command) -> String {
    format!("`{}` could not be started", describe(command))
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    // A process that a signal ended has no code; the status then says which signal.
    match status.code() {
        Some(code) => bail!("`{}` failed with exit code {code}", describe(command)),
        None => bail!("`{}` was ended by {status}", describe(command)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["build", "--config", "a b", ""]).env("RUSTFLAGS", "-C lto").env_remove("CARGO");
        assert_eq!(describe(&command), "RUSTFLAGS='-C lto' cargo build --config 'a b' ''");
    }

    #[test]
    #[cfg(unix)]
    fn errors_name_command_and_code() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c 'exit 3'` failed with exit code 3");
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program` could not be started");
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 1"])).unwrap_err();
        assert!(format!("{error:#}").contains("why"), "{error:#}");
    }

    #[test]
    #[cfg(unix)]
    fn a_hanging_command_is_stopped() {
        let started = Instant::now();
        let error = run_at_most(Command::new("sleep").arg("30"), Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("was stopped"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    #[cfg(unix)]
    fn tee_hands_over_every_line() {
        let mut lines = Vec::new();
        tee(Command::new("printf").arg("one\\ntwo"), |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one", "two"]);
    }
}
