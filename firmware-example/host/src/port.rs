//! A device at a serial port.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use serialport::{ErrorKind, SerialPort, SerialPortType};

use crate::line::Line;

/// Why a port cannot be opened, which ports there are, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenError(String);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

/// A serial port.
pub struct Port {
    path: String,
    baud: u32,
    /// None while it is gone.
    port: Option<Box<dyn SerialPort>>,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} baud", self.path, self.baud)
    }
}

/// The time-out of writing: a device that takes no byte for so long is gone.
const WRITING: Duration = Duration::from_secs(5);

impl Port {
    /// Opens a port.
    ///
    /// # Errors
    ///
    /// If it cannot be opened: says why, which ports there are, and what helps.
    pub fn open(path: &str, baud: u32) -> Result<Self, OpenError> {
        match serialport::new(path, baud).timeout(WRITING).open() {
            Ok(port) => Ok(Self { path: path.to_owned(), baud, port: Some(port) }),
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
                Err(OpenError(format!(
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
        let port = self.port.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        port.set_timeout(WRITING)?;
        port.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        let port = self.port.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        port.set_timeout(wait)?;
        match port.read(buffer) {
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
        // Closed first: a port cannot be opened twice.
        self.port = None;
        self.port = Some(serialport::new(&self.path, self.baud).timeout(WRITING).open()?);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_named_with_those_that_are() {
        let error = Port::open("/nowhere/ttyACM0", 115_200).unwrap_err().to_string();
        assert!(error.starts_with("cannot open the serial port /nowhere/ttyACM0: "), "{error}");
        assert!(error.contains("there is "), "{error}");
    }
}
