//! Arm's MPS2 boards, as QEMU has them: what is the same on all of them.
#![allow(unsafe_code)]

use core::fmt;

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::{NVIC, SCB};
use cortex_m_rt::exception;
use embedded_io::Write as _;
use kilornn_app::Ended;
use kilornn_app::batch::{self, Buffers};
use kilornn_app::board::{Board, NoDisplay};

use super::cmsdk_uart::{self, Receiver};
use super::port::{Line, Port};
use super::ram_slot::RamSlot;
use super::semihosting::{self, COMMAND_LINE, Task};
use super::systick::SysTick;
use crate::model::{self, UNITS, WINDOW};

/// The speed of the serial line, which QEMU ignores.
const BAUD: u32 = 115_200;

/// What differs between them.
pub(crate) struct Machine {
    /// What a person calls it.
    pub(crate) name: &'static str,
    /// Where the first UART's registers begin.
    pub(crate) uart: usize,
    /// The interrupt that says that it has received a byte.
    pub(crate) interrupt: u16,
}

static PORT: Port<Receiver> = Port::new();

/// The number of an interrupt.
#[derive(Clone, Copy)]
struct Interrupt(u16);

// SAFETY: the number does not change.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0
    }
}

/// Runs the application on a machine of which processor and UART run at `HZ`; called by its `main`, once.
pub(crate) fn run<const HZ: u32>(machine: &Machine) -> ! {
    let Some(core) = cortex_m::Peripherals::take() else { semihosting::exit(false) };
    let meter = SysTick::<HZ>::start(core.SYST);
    // SAFETY: there is such a UART, says the board, and this is the only place that takes it.
    let (receiver, sender) = unsafe { cmsdk_uart::new(machine.uart, HZ / BAUD) };
    let mut serial = Line { port: &PORT, sender };
    let mut command_line = COMMAND_LINE;
    let task = match semihosting::task(&mut command_line) {
        Ok(task) => task,
        Err(error) => fail(&mut serial, error),
    };
    match task {
        Task::Serve => {
            PORT.connect(receiver);
            // SAFETY: nothing relies on the interrupt being masked.
            unsafe { NVIC::unmask(Interrupt(machine.interrupt)) };
            // SAFETY: this is the only place that takes the slots, and it is passed once.
            let slots = unsafe { RamSlot::pair() };
            let mut board = Board { name: machine.name, serial, meter, display: NoDisplay, slots };
            match kilornn_app::run::<UNITS, WINDOW>(&mut board, model::bytes()) {
                Ended::Closed => semihosting::exit(true),
                Ended::Restart => SCB::sys_reset(),
            }
        }
        Task::Batch { input, output } => {
            let mut buffers = Buffers::new();
            let model = model::bytes();
            match batch::run::<UNITS, WINDOW>(model, &meter, input, output, &mut buffers) {
                Ok(()) => semihosting::exit(true),
                Err(error) => fail(&mut serial, error),
            }
        }
    }
}

/// Says on the console what went wrong.
fn fail(console: &mut Line<Receiver, cmsdk_uart::Sender>, error: impl fmt::Display) -> ! {
    // If the console fails, too, the exit code alone must say so.
    let _ = console.write_fmt(format_args!("error: {error}\r\n"));
    semihosting::exit(false)
}

/// The UART's interrupt is the only one that is ever enabled, besides SysTick.
#[exception]
unsafe fn DefaultHandler(interrupt: i16) {
    match interrupt {
        0.. => PORT.interrupt(),
        _ => semihosting::exit(false),
    }
}
