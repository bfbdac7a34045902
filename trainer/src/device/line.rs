//! The bytes between host and device: a serial port, or the ends of pipes.

use std::fmt;
use std::io::{self, Read as _, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use serialport::{ErrorKind, SerialPort, SerialPortType};

use crate::error::InputError;

/// A line to a device.
pub trait Line: Send {
    /// Sends all bytes.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Takes what has arrived, and waits for something as long as this; 0 if nothing comes.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize>;

    /// Bits a second, where the line has a speed.
    fn baud(&self) -> Option<u32> {
        None
    }

    /// Opens the line again, after the other end was gone for a while.
    ///
    /// # Errors
    ///
    /// If it is still gone, or will never come back.
    fn reopen(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What else there is to say to a person if no answer comes: what to check, what the other end complained about.
    fn advice(&self) -> String;
}

/// A serial port.
pub struct Port {
    path: String,
    baud: u32,
    port: Box<dyn SerialPort>,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} baud", self.path, self.baud)
    }
}

/// A device that takes nothing for so long is gone.
const WRITING: Duration = Duration::from_secs(5);

impl Port {
    /// Opens a port.
    ///
    /// # Errors
    ///
    /// If it cannot be opened: says why, which ports there are, and what helps.
    pub fn open(path: &str, baud: u32) -> Result<Self, InputError> {
        match serialport::new(path, baud).timeout(WRITING).open() {
            Ok(port) => Ok(Self { path: path.to_owned(), baud, port }),
            Err(error) => {
                let hint = match error.kind {
                    ErrorKind::Io(io::ErrorKind::PermissionDenied) if cfg!(target_os = "linux") => {
                        "; ports belong to a group, on most systems `dialout`: `sudo usermod -aG dialout $USER`, then \
                         log in again"
                    }
                    ErrorKind::Io(io::ErrorKind::PermissionDenied) => "; does another program have it open?",
                    ErrorKind::InvalidInput => "; is the speed one that the port has (--baud)?",
                    _ => "",
                };
                Err(InputError::new(format!(
                    "cannot open the serial port {path}: {}{hint}; {}",
                    error.description,
                    ports()
                )))
            }
        }
    }
}

/// Which ports there are.
fn ports() -> String {
    let Ok(mut ports) = serialport::available_ports() else {
        return "which ports there are, the system does not say".into();
    };
    ports.sort_by(|one, other| one.port_name.cmp(&other.port_name));
    let described = ports.into_iter().map(|port| match port.port_type {
        SerialPortType::UsbPort(usb) => {
            format!("{} ({})", port.port_name, usb.product.unwrap_or_else(|| "USB".into()))
        }
        _ => port.port_name,
    });
    match described.collect::<Vec<_>>() {
        ports if ports.is_empty() => {
            "there is no serial port (is the board connected, by a cable that carries data?)".into()
        }
        ports => format!("there is {}", ports.join(", ")),
    }
}

impl Line for Port {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(WRITING)?;
        self.port.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.port.set_timeout(wait)?;
        match self.port.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {
                Ok(0)
            }
            other => other,
        }
    }

    fn baud(&self) -> Option<u32> {
        Some(self.baud)
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.port = serialport::new(&self.path, self.baud).timeout(WRITING).open()?;
        Ok(())
    }

    fn advice(&self) -> String {
        format!(
            "is this the board's port, does the board run KiloRNN's firmware, and at {} baud (--baud)? With no other \
             program open on it, a terminal as `picocom -b {} {}` shows whether it answers a line",
            self.baud, self.baud, self.path
        )
    }
}

/// Two pipes, of which a thread reads the one: reading a pipe knows no time limit.
#[derive(Debug)]
pub struct Pipes<W> {
    to: W,
    from: Receiver<Vec<u8>>,
    /// What has arrived and was not yet taken.
    held: Vec<u8>,
}

impl<W: Write> Pipes<W> {
    /// Writes to the one, and gets from the other what its thread sends.
    pub const fn new(to: W, from: Receiver<Vec<u8>>) -> Self {
        Self { to, from, held: Vec::new() }
    }

    /// See [`Line::send`].
    ///
    /// # Errors
    ///
    /// If the other end is closed.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.to.flush()
    }

    /// See [`Line::receive`].
    ///
    /// # Errors
    ///
    /// If the other end is closed.
    pub fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        if self.held.is_empty() {
            match self.from.recv_timeout(wait) {
                Ok(bytes) => self.held = bytes,
                Err(RecvTimeoutError::Timeout) => return Ok(0),
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = self.held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_named_with_those_that_are() {
        let error = Port::open("/nowhere/ttyACM0", 115_200).unwrap_err().to_string();
        assert!(error.starts_with("cannot open the serial port /nowhere/ttyACM0: "), "{error}");
        assert!(error.contains("there is "), "{error}");
    }

    #[test]
    fn pipes_give_what_has_come_and_wait_no_longer() {
        let (sender, from) = std::sync::mpsc::channel();
        let mut pipes = Pipes::new(Vec::new(), from);
        pipes.send(b"to").unwrap();
        assert_eq!(pipes.to, b"to");
        sender.send(b"abc".to_vec()).unwrap();
        let mut two = [0; 2];
        assert_eq!((pipes.receive(&mut two, Duration::ZERO).unwrap(), two), (2, *b"ab"));
        assert_eq!((pipes.receive(&mut two, Duration::ZERO).unwrap(), two[0]), (1, b'c'));
        assert_eq!(pipes.receive(&mut two, Duration::from_millis(1)).unwrap(), 0);
        drop(sender);
        let error = pipes.receive(&mut two, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
