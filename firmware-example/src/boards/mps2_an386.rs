//! Arm's MPS2 board with application note 386, a Cortex-M4F: QEMU's `mps2-an386`.

use cortex_m_rt::entry;

use crate::app::{self, Buffers};
use crate::drivers::cmsdk_uart::CmsdkUart;
use crate::drivers::cortex_m::CoreMeter;
use crate::drivers::semihosting::{self, COMMAND_LINE, CommandLine};

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
        Ok(task) => {
            let outcome = app::run(&mut console, task, BUFFERS, &meter);
            app::report(&mut console, outcome)
        }
        Err(error) => app::report(&mut console, Err(error)),
    };
    semihosting::exit(success)
}
