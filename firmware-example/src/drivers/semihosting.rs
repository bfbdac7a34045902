//! The host's files, command line and exit code, through the emulator or debugger.
#![allow(unsafe_code)]

use core::ffi::CStr;
use core::fmt;
use core::mem::MaybeUninit;

use cortex_m_rt::{ExceptionFrame, exception};
use embedded_io::{ErrorKind, ErrorType};
use semihosting::eprintln;
use semihosting::fs::File;
use semihosting::io::{Read as _, Write as _};
use semihosting::process::ExitCode;
use semihosting::sys::arm_compat::sys_get_cmdline_uninit;

/// What there is to do.
pub(crate) enum Task {
    /// Serve the serial line.
    Serve,
    /// Classify the texts of a file and write their predictions to another.
    Batch {
        /// The texts.
        input: HostFile,
        /// The predictions.
        output: HostFile,
    },
}

/// Room for the command line.
pub(crate) type CommandLine = [MaybeUninit<u8>; 1024];

/// An empty [`CommandLine`].
pub(crate) const COMMAND_LINE: CommandLine = [MaybeUninit::uninit(); 1024];

/// A file on the host.
pub(crate) struct HostFile(File);

/// An operation on a host file failed.
#[derive(Debug)]
pub(crate) struct HostError(semihosting::io::Error);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for HostError {}

impl embedded_io::Error for HostError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for HostFile {
    type Error = HostError;
}

impl embedded_io::Read for HostFile {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        self.0.read(buffer).map_err(HostError)
    }
}

impl embedded_io::Write for HostFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, HostError> {
        self.0.write(bytes).map_err(HostError)
    }

    fn flush(&mut self) -> Result<(), HostError> {
        self.0.flush().map_err(HostError)
    }
}

/// Why the command line was refused.
#[derive(Debug)]
pub(crate) enum TaskError {
    /// It is longer than its buffer, or the host has none.
    Unreadable,
    /// Not `batch IN OUT`.
    Usage,
    /// The file of texts cannot be read.
    In(HostError),
    /// The file of predictions cannot be made.
    Out(HostError),
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskError::Unreadable => {
                write!(
                    f,
                    "the semihosting command line cannot be read, or exceeds {} bytes",
                    COMMAND_LINE.len()
                )
            }
            TaskError::Usage => f.write_str("usage: batch IN OUT"),
            TaskError::In(error) => write!(f, "cannot open the file of texts: {error}"),
            TaskError::Out(error) => write!(f, "cannot make the file of answers: {error}"),
        }
    }
}

/// What the command line asks for: `batch IN OUT`, or to serve the serial line if it is anything else.
///
/// The emulator joins its `arg`s with single spaces, so the names of the files cannot contain any. Without
/// `arg`s it gives the path of the firmware, so what it does not know is not an error.
pub(crate) fn task(command_line: &mut CommandLine) -> Result<Task, TaskError> {
    let line = sys_get_cmdline_uninit(command_line).map_err(|_| TaskError::Unreadable)?;
    let Some(names) = line.strip_prefix(b"batch") else {
        return Ok(Task::Serve);
    };
    // " IN OUT" becomes "IN\0OUT\0", in place.
    let start = line.len() - names.len();
    let names = line.get_mut(start..).unwrap_or_default();
    match names {
        [b' ', ..] => {}
        [] => return Err(TaskError::Usage),
        _ => return Ok(Task::Serve),
    }
    names.rotate_left(1);
    names.iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = 0);
    let input = CStr::from_bytes_until_nul(names).map_err(|_| TaskError::Usage)?;
    let output = names.get(input.count_bytes() + 1..).unwrap_or_default();
    let output = CStr::from_bytes_until_nul(output).map_err(|_| TaskError::Usage)?;
    let input = File::open(input).map_err(|error| TaskError::In(HostError(error)))?;
    let output = File::create(output).map_err(|error| TaskError::Out(HostError(error)))?;
    Ok(Task::Batch { input: HostFile(input), output: HostFile(output) })
}

/// Ends the run, with an error for the host if `outcome` is one.
pub(crate) fn exit(success: bool) -> ! {
    let code = if success { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    code.exit_process()
}

/// Ends the run after a hard fault.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    eprintln!("hard fault at {:#010x}", frame.pc());
    exit(false)
}

/// Ends the run after an interrupt without a handler.
pub(crate) fn unexpected(interrupt: i16) -> ! {
    eprintln!("unexpected interrupt {interrupt}");
    exit(false)
}
