//! What tests of the program share: a folder to run it in, and what it says.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// A folder for one test; unless it is empty, the starter corpus is in `data`.
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self::empty();
        desk.ok(&["starter", "data"]);
        desk
    }

    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A desk with the starter corpus and a model of it in `run`, which is trained once for all tests of a program. A
    /// test gets a copy, and may do with it what it likes.
    pub(crate) fn with_run() -> Self {
        static TRAINED: OnceLock<Desk> = OnceLock::new();
        let trained = TRAINED.get_or_init(|| {
            let desk = Self::new();
            desk.train("run", &[]);
            desk
        });
        let desk = Self::empty();
        for folder in ["data", "run"] {
            std::fs::create_dir(desk.path(folder)).unwrap();
            for file in std::fs::read_dir(trained.path(folder)).unwrap() {
                let file = file.unwrap();
                std::fs::copy(file.path(), desk.path(folder).join(file.file_name())).unwrap();
            }
        }
        desk
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program with arguments, not yet run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kilornn"));
        command.args(args).current_dir(self.0.path());
        command.env("KILORNN_FIRMWARE", concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs it with this on standard input.
    pub(crate) fn run_on(&self, args: &[&str], input: impl AsRef<[u8]>) -> Output {
        let mut command = self.command(args);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        child.wait_with_output().unwrap()
    }

    /// Runs a line in a shell as a message prints it, where `kilornn` is the program.
    pub(crate) fn shell(&self, line: &str) -> Output {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_kilornn"));
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let folders = [program.parent().unwrap().to_owned()].into_iter().chain(std::env::split_paths(&usual));
        let mut shell = Command::new("sh");
        shell.env("PATH", std::env::join_paths(folders).unwrap());
        shell.args(["-c", line.trim()]).current_dir(self.0.path()).output().unwrap()
    }

    /// Runs what must succeed; returns its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(args)).unwrap()
    }

    /// Runs what must fail for the person's fault and leave no folder `refused`; returns what it says.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(!self.path("refused").exists(), "{args:?} left a folder");
        said
    }

    /// Trains quickly, on few texts of the corpus.
    pub(crate) fn train(&self, out: &str, more: &[&str]) -> String {
        let quick = ["--recipe", "starter", "--set", "epochs=3", "--set", "quantized_epochs=1", "--out", out];
        self.ok(&[&["train", "data"][..], &quick, more].concat())
    }
}
