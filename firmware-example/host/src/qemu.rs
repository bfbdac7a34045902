//! The firmware in QEMU.
//!
//! QEMU counts instructions (`-icount`), so what a prediction costs is the same in every run and on every machine.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::boards::Emulation;
use crate::control::Control;
use crate::line::{Line, Pipes};

/// Where the board's serial line leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serial<'a> {
    /// To QEMU's standard input and output, byte by byte.
    Pipes,
    /// The same, for a person at a terminal: Ctrl-C reaches the board, and Ctrl-A X ends QEMU. What is piped in before the
    /// board listens is lost.
    Terminal,
    /// What the board writes goes to a file.
    File(&'a str),
    /// Nowhere.
    None,
}

/// QEMU with the firmware. Where the board has semihosting, the firmware is run without arguments.
#[must_use]
pub fn command(emulation: &Emulation, elf: &Path, serial: Serial<'_>) -> Command {
    command_with(emulation, elf, serial, &[])
}

/// The same, with arguments for a firmware that has semihosting. Semihosting's command line has no quotes: an argument
/// must not contain commas.
pub(crate) fn command_with(
    emulation: &Emulation,
    elf: &Path,
    serial: Serial<'_>,
    arguments: &[&str],
) -> Command {
    let mut command = Command::new(&emulation.program);
    command.args(["-machine", &emulation.machine, "-display", "none"]);
    match serial {
        Serial::Pipes => command.args(["-monitor", "none", "-serial", "stdio"]),
        Serial::Terminal => command.args(["-serial", "mon:stdio"]),
        Serial::File(name) => command.args(["-monitor", "none", "-serial", &format!("file:{name}")]),
        Serial::None => command.args(["-monitor", "none", "-serial", "none"]),
    };
    command.args(["-icount", &format!("shift={}", emulation.icount)]);
    if emulation.semihosting {
        let mut semihosting = "enable=on,target=native".to_owned();
        for argument in arguments {
            semihosting += &format!(",arg={argument}");
        }
        command.args(["-semihosting-config", &semihosting]);
    }
    command.arg("-kernel").arg(elf);
    command
}

/// Starts it.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "{program} is not installed: it comes with QEMU (the system's packages have it; in KiloRNN's sources \
             `cargo xtask setup --all` installs it)"
        ),
        other => other.with_context(|| format!("cannot start {program}")),
    }
}

/// A device in QEMU, with its serial line on pipes. Dropping it ends QEMU.
#[derive(Debug)]
pub struct Qemu {
    program: String,
    child: Child,
    pipes: Pipes<ChildStdin>,
    /// What QEMU complains about.
    stderr: Mutex<File>,
    control: Option<Control>,
}

impl Qemu {
    /// Starts QEMU with the firmware.
    ///
    /// # Errors
    ///
    /// If QEMU is missing.
    pub fn start(emulation: &Emulation, elf: &Path) -> Result<Self> {
        Self::spawn(command(emulation, elf, Serial::Pipes))
    }

    /// The same, with a control line, which [`reset`](Self::reset) and [`word`](Self::word) need.
    ///
    /// # Errors
    ///
    /// If QEMU is missing, or its control line cannot be opened.
    pub fn start_with_control(emulation: &Emulation, elf: &Path) -> Result<Self> {
        let port = Control::free_port()?;
        let mut command = command(emulation, elf, Serial::Pipes);
        command.args(Control::arguments(port));
        let mut qemu = Self::spawn(command)?;
        qemu.control = Some(Control::connect(port)?);
        Ok(qemu)
    }

    fn spawn(mut command: Command) -> Result<Self> {
        let stderr = tempfile::tempfile().context("cannot make a temporary file")?;
        let shared = stderr.try_clone().context("cannot use a temporary file")?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(shared);
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = spawn(&mut command)?;
        let (Some(to), Some(mut from)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("QEMU has no serial line")
        };
        let (sender, receiver) = channel();
        // A thread, because reading a pipe has no time-out. It ends with QEMU.
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let pipes = Pipes::new(to, receiver);
        Ok(Self { program, child, pipes, stderr: Mutex::new(stderr), control: None })
    }

    fn control(&mut self) -> Result<&mut Control> {
        self.control.as_mut().context("QEMU was started without a control line")
    }

    /// Resets the board, as its button would. What it has sent and nobody has read is lost. What was sent to it and it
    /// has not read is not: it arrives after the reset.
    ///
    /// # Errors
    ///
    /// If QEMU was started without a control line or does not obey.
    pub fn reset(&mut self) -> Result<()> {
        // A board that is stopped says nothing more; what it said before must not be taken for what it says afterwards.
        self.control()?.execute("stop")?;
        let mut lost = [0; 4096];
        while self.pipes.receive(&mut lost, Duration::from_millis(20))? > 0 {}
        self.control()?.execute("system_reset")?;
        self.control()?.execute("cont")
    }

    /// A word of the board's memory, or a register of a peripheral.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset).
    pub fn word(&mut self, address: u32) -> Result<u32> {
        self.control()?.word(address)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_what_the_board_needs() {
        let (program, machine) = ("qemu-system-arm".to_owned(), "mps2-an386".to_owned());
        let emulation = Emulation { program, machine, icount: 6, semihosting: true, tick_ns: 40 };
        let words = |command: Command| -> Vec<String> {
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect()
        };
        let all =
            words(command_with(&emulation, Path::new("a.elf"), Serial::File("console"), &["batch", "x"]));
        assert_eq!(
            all.join(" "),
            "-machine mps2-an386 -display none -monitor none -serial file:console -icount shift=6 \
             -semihosting-config enable=on,target=native,arg=batch,arg=x -kernel a.elf"
        );
        let plain = words(command(
            &Emulation { semihosting: false, ..emulation },
            Path::new("a.elf"),
            Serial::Terminal,
        ));
        assert_eq!(
            plain.join(" "),
            "-machine mps2-an386 -display none -serial mon:stdio -icount shift=6 -kernel a.elf"
        );
    }
}
