//! What the boards of Arm's MPS2 family have in common: everything but addresses and clocks.
//!
//! They run in QEMU only. There, the firmware also answers files of the host (batch mode).
#![allow(unsafe_code)]

use core::fmt;

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m::singleton;
use embedded_io::Write as _;
use kilornn_app::batch::{self, Buffers};
use kilornn_app::board::{Board, NoDisplay};
use kilornn_app::{Ended, run};

use crate::NAME;
use crate::drivers::cmsdk_uart::{self, CmsdkReceiver, CmsdkTransmitter};
use crate::drivers::flash::FlashSlot;
use crate::drivers::processor::restart;
use crate::drivers::ram_flash::RamFlash;
use crate::drivers::semihosting::{self, COMMAND_LINE, CommandLine, Task};
use crate::drivers::serial::{Inbox, Line};
use crate::drivers::systick::SysTickMeter;
use crate::model::{self, UNITS, WINDOW};

/// The speed of the serial line, which QEMU ignores.
const BAUD: u32 = 115_200;

static INBOX: Inbox<CmsdkReceiver> = Inbox::new();

/// The number of an interrupt.
#[derive(Clone, Copy)]
pub(super) struct Interrupt(pub(super) u16);

// SAFETY: the number does not change.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0
    }
}

/// Everything, on a board whose clock has `HZ`, whose first UART is at `uart` and asks for the interrupt `received`.
///
/// # Safety
///
/// To be called once, with what is true of the board.
pub(super) unsafe fn main<const HZ: u32>(uart: usize, received: Interrupt) -> ! {
    let parts = (
        cortex_m::Peripherals::take(),
        singleton!(: Buffers = Buffers::new()),
        singleton!(: CommandLine = COMMAND_LINE),
    );
    let (Some(core), Some(buffers), Some(line)) = parts else { semihosting::exit(false) };
    let meter = SysTickMeter::<HZ>::start(core.SYST);
    // SAFETY: the caller says that there is a UART, and this is the only place that takes it.
    let (receiver, transmitter) = unsafe { cmsdk_uart::open(uart, HZ / BAUD) };
    let mut serial = INBOX.open(receiver, transmitter);
    // SAFETY: the inbox is open, and no critical section depends on this interrupt being off.
    unsafe { NVIC::unmask(received) };
    let success = match semihosting::task(line) {
        Ok(Task::Serve) => {
            // SAFETY: this is the only call.
            let slots = unsafe { FlashSlot::both([RamFlash, RamFlash]) };
            let mut board = Board { name: NAME, serial, meter, display: NoDisplay, slots };
            match run::<UNITS, WINDOW>(&mut board, model::bytes()) {
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

/// An interrupt came.
pub(super) fn interrupted(interrupt: i16, received: Interrupt) {
    if u16::try_from(interrupt) == Ok(received.0) {
        INBOX.service();
    } else {
        semihosting::unexpected(interrupt);
    }
}

/// Says on the console what went wrong, if anything did; returns whether all went well.
fn report(
    console: &mut Line<CmsdkReceiver, CmsdkTransmitter>,
    outcome: Result<(), impl fmt::Display>,
) -> bool {
    if let Err(error) = &outcome {
        // If the console is what failed, the exit code alone must say so.
        let _ = console.write_fmt(format_args!("error: {error}\r\n"));
    }
    outcome.is_ok()
}
