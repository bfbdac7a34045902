//! Arm's MPS2 board with application note 386, a Cortex-M4F: QEMU's `mps2-an386`.

use core::fmt;

use cortex_m_rt::entry;
use embedded_io::Write as _;
use kilornn_app::batch::{self, Buffers};
use kilornn_app::board::{Board, NoDisplay, NoSlot};

use crate::drivers::cmsdk_uart::CmsdkUart;
use crate::drivers::cortex_m::CoreMeter;
use crate::drivers::semihosting::{self, COMMAND_LINE, CommandLine, Task};
use crate::model::{self, UNITS, WINDOW};

/// Where the first UART's registers begin.
const UART0: usize = 0x4000_4000;

/// The clock of the processor and of the UART.
const CLOCK: u32 = 25_000_000;

/// The speed of the serial line, which QEMU ignores.
const BAUD: u32 = 115_200;

#[entry]
fn main() -> ! {
    static mut BUFFERS: Buffers = Buffers::new();
    static mut LINE: CommandLine = COMMAND_LINE;

    // SAFETY: UART0 is a CMSDK UART, and this is the only place that takes it.
    #[allow(unsafe_code)]
    let mut console = unsafe { CmsdkUart::new(UART0, CLOCK / BAUD) };
    let Some(core) = cortex_m::Peripherals::take() else { semihosting::exit(false) };
    let meter = CoreMeter::start(core.SYST);
    let success = match semihosting::task(LINE) {
        Ok(Task::Serve) => {
            let slots = [NoSlot, NoSlot];
            let mut board = Board { name: "mps2-an386", serial: console, meter, display: NoDisplay, slots };
            kilornn_app::run::<UNITS, WINDOW>(&mut board, model::bytes());
            true
        }
        Ok(Task::Batch { input, output }) => {
            report(&mut console, batch::run::<UNITS, WINDOW>(model::bytes(), &meter, input, output, BUFFERS))
        }
        Err(error) => report(&mut console, Err(error)),
    };
    semihosting::exit(success)
}

/// Says on the console what went wrong, if anything did; returns whether all went well.
fn report(console: &mut CmsdkUart, outcome: Result<(), impl fmt::Display>) -> bool {
    if let Err(error) = &outcome {
        // If the console is what failed, the exit code alone must say so.
        let _ = console.write_fmt(format_args!("error: {error}\r\n"));
    }
    outcome.is_ok()
}
