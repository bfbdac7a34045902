//! What the boards of Arm's MPS2 family have in common. The module above has the rest: the clock, and the address and
//! interrupt of the first UART.
//!
//! They run in QEMU only, where the firmware can also classify a file of texts on the host (batch mode).
#![allow(unsafe_code)]

use core::fmt;

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m::singleton;
use cortex_m_rt::{entry, exception};
use embedded_io::Write as _;
use kilornn_app::batch::{self, Buffers};
use kilornn_app::hardware::{Hardware, NoDisplay};
use kilornn_app::{Ended, run};

use super::{CLOCK, RECEIVED, UART0};
use crate::NAME;
use crate::drivers::cmsdk_uart::{self, CmsdkReceiver, CmsdkTransmitter};
use crate::drivers::flash::FlashSlot;
use crate::drivers::processor::restart;
use crate::drivers::ram_flash::RamFlash;
use crate::drivers::semihosting::{self, COMMAND_LINE, CommandLine, Task};
use crate::drivers::serial::{Inbox, SerialLine};
use crate::drivers::systick::SysTickMeter;
use crate::model::{self, UNITS, WINDOW};

/// The speed of the serial line, which QEMU ignores.
const BAUD: u32 = 115_200;

static INBOX: Inbox<CmsdkReceiver> = Inbox::new();

/// The number of an interrupt.
#[derive(Clone, Copy)]
struct Interrupt(u16);

// SAFETY: `InterruptNumber` demands that the number is always the same and one of an interrupt. It does not change, and
// the boards' modules have those of their UARTs.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0
    }
}

#[entry]
fn main() -> ! {
    let parts = (
        cortex_m::Peripherals::take(),
        singleton!(: Buffers = Buffers::new()),
        singleton!(: CommandLine = COMMAND_LINE),
    );
    let (Some(core), Some(buffers), Some(line)) = parts else { semihosting::exit(false) };
    let meter = SysTickMeter::<CLOCK>::start(core.SYST);
    // SAFETY: `open` demands a CMSDK UART at this address that nothing else uses. The board has one there, and this is
    // the only use.
    let (receiver, transmitter) = unsafe { cmsdk_uart::open(UART0, CLOCK / BAUD) };
    let mut serial = INBOX.open(receiver, transmitter);
    // SAFETY: `NVIC::unmask` must not break a critical section that masks this interrupt, and there is none. What the
    // interrupt uses, the inbox, is open.
    unsafe { NVIC::unmask(Interrupt(RECEIVED)) };
    let success = match semihosting::task(line) {
        Ok(Task::Serve) => {
            // SAFETY: `both` must be called once, and this is the only call.
            let slots = unsafe { FlashSlot::both([RamFlash, RamFlash]) };
            let mut hardware = Hardware { name: NAME, serial, meter, display: NoDisplay, slots };
            match run::<UNITS, WINDOW>(&mut hardware, model::bytes()) {
                Ended::Closed => true,
                Ended::Restart => restart(),
            }
        }
        Ok(Task::Batch { input, output }) => {
            report(&mut serial, batch::run::<UNITS, WINDOW>(model::bytes(), &meter, input, output, buffers))
        }
        Err(error) => report(&mut serial, Err(error)),
    };
    semihosting::exit(success)
}

/// Every interrupt but SysTick.
#[exception]
unsafe fn DefaultHandler(interrupt: i16) {
    if u16::try_from(interrupt) == Ok(RECEIVED) {
        INBOX.service();
    } else {
        semihosting::unexpected(interrupt);
    }
}

/// Says on the console what went wrong, if anything did; returns whether all went well.
fn report(
    console: &mut SerialLine<CmsdkReceiver, CmsdkTransmitter>,
    outcome: Result<(), impl fmt::Display>,
) -> bool {
    if let Err(error) = &outcome {
        // If the console is what failed, the exit code alone must say so.
        let _ = console.write_fmt(format_args!("error: {error}\r\n"));
    }
    outcome.is_ok()
}
