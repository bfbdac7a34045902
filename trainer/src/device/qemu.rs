//! The firmware in QEMU, with its serial line on pipes.
//!
//! QEMU counts instructions (`-icount`), so what an answer costs is the same in every run and on every machine.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::boards::Emulation;
use super::line::{Line, Pipes};

/// QEMU with the program, but without a serial line.
pub(super) fn command(emulation: &Emulation, elf: &Path) -> Command {
    let mut command = Command::new(&emulation.program);
    command
        .args(["-machine", &emulation.machine])
        .args(["-icount", &format!("shift={}", emulation.icount)])
        .args(["-display", "none", "-monitor", "none"])
        .arg("-kernel")
        .arg(elf);
    command
}

/// Starts it.
pub(super) fn spawn(command: &mut Command, emulation: &Emulation) -> Result<Child> {
    match command.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("{} is not installed: run `cargo xtask setup`", emulation.program)
        }
        other => other.with_context(|| format!("cannot start {}", emulation.program)),
    }
}

/// A device in QEMU. Dropping it ends QEMU.
#[derive(Debug)]
pub struct Qemu {
    program: String,
    child: Child,
    pipes: Pipes<ChildStdin>,
    /// What QEMU complains about.
    stderr: Mutex<File>,
}

impl Qemu {
    /// Starts QEMU with the firmware.
    ///
    /// # Errors
    ///
    /// If QEMU is missing.
    pub fn start(emulation: &Emulation, elf: &Path) -> Result<Self> {
        let stderr = tempfile::tempfile().context("cannot make a temporary file")?;
        let mut command = command(emulation, elf);
        command.args(["-serial", "stdio"]);
        if emulation.semihosting {
            command.args(["-semihosting-config", "enable=on,target=native"]);
        }
        let shared = stderr.try_clone().context("cannot use a temporary file")?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(shared);
        let mut child = spawn(&mut command, emulation)?;
        let (Some(to), Some(mut from)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("QEMU has no serial line")
        };
        let (sender, receiver) = channel();
        // It ends with QEMU.
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let pipes = Pipes::new(to, receiver);
        Ok(Self { program: emulation.program.clone(), child, pipes, stderr: Mutex::new(stderr) })
    }
}

impl Line for Qemu {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pipes.send(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.pipes.receive(buffer, wait)
    }

    fn advice(&self) -> String {
        let mut said = String::new();
        if let Ok(mut stderr) = self.stderr.lock() {
            // What cannot be read, or is not text, is left out of an error message about something else.
            let _ = stderr.seek(SeekFrom::Start(0)).and_then(|_| stderr.read_to_string(&mut said));
        }
        match said.trim() {
            "" => format!("{} complains about nothing", self.program),
            said => format!("{} says: {said}", self.program),
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
