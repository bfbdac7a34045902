//! Traces a program in QEMU: the address of every instruction that it executes after it has come to a certain one.
//!
//! QEMU logs what it executes (`log exec`), an instruction at a time if it is told so. That is slow and long, so it begins only
//! where the program calls for it: a breakpoint, set through QEMU's stub for gdb, whose protocol also carries the commands
//! of QEMU's monitor.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use kilornn_host::Emulation;
use kilornn_host::qemu::{self, Serial};

/// A bench takes seconds, and minutes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs a program to its end; what it said, and what it executed from the first time that it came to `begin`.
pub(super) fn run(emulation: &Emulation, elf: &Path, begin: u32) -> Result<(String, Vec<u32>)> {
    let scratch = tempfile::tempdir()?;
    let log = scratch.path().join("executed");
    // Free now, and most probably still when QEMU opens it.
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut command = qemu::command(emulation, elf, Serial::None);
    command.args(["-S", "-gdb", &format!("tcp:127.0.0.1:{port}"), "-D"]).arg(&log);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().context("QEMU could not be started")?;
    let mut child = Ended(Some(child));
    let traced = trace(port, begin);
    let output = match (child.0.take(), &traced) {
        (Some(child), Ok(())) => child.wait_with_output()?,
        (Some(mut child), Err(_)) => {
            child.kill()?;
            child.wait_with_output()?
        }
        (None, _) => bail!("QEMU is gone"),
    };
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    traced.with_context(|| format!("the program was not traced; QEMU complains: {complaint:?}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "QEMU ended with {}: {said}{complaint}", output.status);
    let executed = File::open(&log).context("QEMU has written no log")?;
    Ok((said, addresses(BufReader::new(executed))?))
}

/// Ends QEMU if its output will not be waited for.
struct Ended(Option<Child>);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended by itself, which is as well.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Lets the program run to `begin`, switches the log on, and lets it go.
fn trace(port: u16, begin: u32) -> Result<()> {
    let mut debugger = Debugger::connect(port)?;
    debugger.expect(&format!("Z0,{begin:x},2"), "OK")?;
    let stopped = debugger.ask("c")?;
    // A program that fails ends before.
    ensure!(stopped.starts_with('T'), "it ended before it came to {begin:#x} ({stopped})");
    // What QEMU 8.1 and later call it, and what it was before.
    if debugger.monitor("one-insn-per-tb on")?.contains("unknown command") {
        debugger.monitor("singlestep on")?;
    }
    debugger.monitor("log exec,nochain")?;
    debugger.expect(&format!("z0,{begin:x},2"), "OK")?;
    debugger.expect("D", "OK")
}

/// The other end of QEMU's stub for gdb.
struct Debugger(BufReader<TcpStream>);

impl Debugger {
    /// Waits until QEMU has opened the port.
    fn connect(port: u16) -> Result<Self> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                Err(error) => return Err(error).context("QEMU's port for gdb cannot be opened"),
            }
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut debugger = Self(BufReader::new(stream));
        debugger.ask("?")?;
        Ok(debugger)
    }

    /// Sends a packet; the answer.
    fn ask(&mut self, packet: &str) -> Result<String> {
        let sum = packet.bytes().fold(0, u8::wrapping_add);
        write!(self.0.get_mut(), "${packet}#{sum:02x}")?;
        self.answer()
    }

    /// The next packet.
    fn answer(&mut self) -> Result<String> {
        let mut packet = Vec::new();
        // What comes before it acknowledges what was sent.
        self.0.read_until(b'$', &mut packet)?;
        packet.clear();
        self.0.read_until(b'#', &mut packet)?;
        ensure!(packet.pop() == Some(b'#'), "QEMU closed its port for gdb");
        let mut sum = [0; 2];
        self.0.read_exact(&mut sum)?;
        self.0.get_mut().write_all(b"+")?;
        Ok(String::from_utf8_lossy(&packet).into_owned())
    }

    fn expect(&mut self, packet: &str, expected: &str) -> Result<()> {
        let answer = self.ask(packet)?;
        ensure!(answer == expected, "QEMU answers {answer:?} to gdb's {packet:?}");
        Ok(())
    }

    /// Gives a command to QEMU's monitor; what that prints.
    fn monitor(&mut self, command: &str) -> Result<String> {
        let hex: String = command.bytes().map(|byte| format!("{byte:02x}")).collect();
        let (mut answer, mut said) = (self.ask(&format!("qRcmd,{hex}"))?, Vec::new());
        while let Some(more) = answer.strip_prefix('O').filter(|more| *more != "K") {
            let digits = more.as_bytes().chunks(2).filter_map(|two| std::str::from_utf8(two).ok());
            said.extend(digits.filter_map(|two| u8::from_str_radix(two, 16).ok()));
            answer = self.answer()?;
        }
        ensure!(answer == "OK", "QEMU's monitor answers {answer:?} to {command:?}");
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

/// The addresses in QEMU's log, of which a line is, for example,
/// `Trace 0: 0x7fe488000100 [00800400/000040f2/00000010/ff020e01] main`.
fn addresses(log: impl BufRead) -> Result<Vec<u32>> {
    let mut addresses = Vec::new();
    for line in log.lines() {
        let line = line?;
        if line.starts_with("Trace ") {
            let address = line.split('[').nth(1).and_then(|numbers| numbers.split('/').nth(1));
            let address = address.and_then(|hex| u32::from_str_radix(hex, 16).ok());
            addresses.push(address.with_context(|| format!("QEMU logs {line:?}"))?);
        } else if line.starts_with("Stopped execution ") {
            // What was just logged comes again.
            addresses.pop();
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_a_log() {
        let log = "Trace 0: 0x7fe488000100 [00800400/000040f2/00000010/ff020e01] kilornn_bench_mark\n\
                   Trace 0: 0x7fe488000100 [00800400/000040f4/00000010/ff020201] kilornn_bench_mark\n\
                   Stopped execution of TB chain before 0x7fe488000100 [000040f4] kilornn_bench_mark\n\
                   Trace 0: 0x7fe488000100 [0000000000800400/00000000000040f4/00000010/ff020201] \n\
                   cpu_reset: something else\n";
        assert_eq!(addresses(log.as_bytes()).unwrap(), [0x40F2, 0x40F4]);
        assert!(addresses("Trace 0: nothing\n".as_bytes()).unwrap_err().to_string().contains("nothing"));
    }
}
