//! QEMU's control line: its machine protocol (QMP), JSON objects in lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// QEMU answers within milliseconds, or a second on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The line to a QEMU that runs.
#[derive(Debug)]
pub(crate) struct Control(BufReader<TcpStream>);

impl Control {
    /// A port that is free now, and most probably still when QEMU opens it.
    pub(crate) fn free_port() -> Result<u16> {
        Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
    }

    /// What QEMU must be started with.
    pub(crate) fn arguments(port: u16) -> [String; 2] {
        ["-qmp".to_owned(), format!("tcp:127.0.0.1:{port},server=on,wait=off")]
    }

    /// Waits until QEMU has opened the port.
    pub(crate) fn connect(port: u16) -> Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error).context("QEMU's control line cannot be opened"),
            }
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut control = Self(BufReader::new(stream));
        control.execute("qmp_capabilities")?;
        Ok(control)
    }

    /// Executes a command and waits for its end.
    pub(crate) fn execute(&mut self, command: &str) -> Result<()> {
        self.command(&json!({ "execute": command })).map(drop)
    }

    /// A word of the emulated memory.
    pub(crate) fn word(&mut self, address: u32) -> Result<u32> {
        let line = format!("xp /1wx {address:#x}");
        let arguments = json!({ "command-line": line });
        let said = self.command(&json!({ "execute": "human-monitor-command", "arguments": arguments }))?;
        // ADDRESS: 0xVALUE
        let value = said.as_str().and_then(|said| said.trim().rsplit_once("0x"));
        let (_, value) = value.with_context(|| format!("{line}: {said}"))?;
        Ok(u32::from_str_radix(value, 16)?)
    }

    /// Executes a command; what it returns.
    fn command(&mut self, command: &Value) -> Result<Value> {
        writeln!(self.0.get_mut(), "{command}")?;
        loop {
            let mut line = String::new();
            ensure!(self.0.read_line(&mut line)? > 0, "QEMU closed its control line");
            let mut said: Value = serde_json::from_str(&line)?;
            ensure!(said.get("error").is_none(), "QEMU does not {command}: {line}");
            // Events and the greeting come between.
            if let Some(returned) = said.get_mut("return") {
                return Ok(returned.take());
            }
        }
    }
}
