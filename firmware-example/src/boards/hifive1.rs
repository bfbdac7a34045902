//! SiFive's HiFive1: an FE310, an RV32IMAC. The same program runs on the board and in QEMU.
//!
//! The program is read from the flash as it runs, so the flash is not written, and no model can be sent.
#![allow(unsafe_code)]

use e310x::interrupt::{ExternalInterrupt, Hart, Priority};
use e310x::{PLIC, Peripherals};
use kilornn_app::hardware::{Hardware, NoDisplay, NoSlot};
use riscv::register::mie;
use riscv_rt::entry;

use crate::drivers::fe310_clock::{self, CycleMeter, HZ};
use crate::drivers::fe310_uart::{self, Fe310Receiver};
use crate::drivers::processor::{paint_stack, restart};
use crate::drivers::serial::Inbox;
use crate::{NAME, run_for_ever};

/// The speed of the serial line.
const BAUD: u32 = 115_200;

static INBOX: Inbox<Fe310Receiver> = Inbox::new();

#[entry]
fn main() -> ! {
    paint_stack();
    let Some(parts) = Peripherals::take() else { restart() };
    fe310_clock::use_crystal(&parts.prci, &parts.qspi0);
    let (receiver, transmitter) = fe310_uart::open(parts.uart0, &parts.gpio0, HZ.div_ceil(BAUD));
    let serial = INBOX.open(receiver, transmitter);
    let interrupts = PLIC::ctx(Hart::H0);
    // One that was being served when the program started anew.
    interrupts.claim().complete(ExternalInterrupt::UART0);
    interrupts.enables().disable_all::<ExternalInterrupt>();
    // SAFETY: setting priorities and thresholds and enabling interrupts must not break a critical section that masks
    // them, and there is none. What the interrupt uses, the inbox, is open.
    unsafe {
        PLIC::priorities().set_priority(ExternalInterrupt::UART0, Priority::P1);
        interrupts.threshold().set_threshold(Priority::P0);
        interrupts.enables().enable(ExternalInterrupt::UART0);
        mie::set_mext();
        riscv::interrupt::enable();
    }
    let slots = [NoSlot, NoSlot];
    run_for_ever(Hardware { name: NAME, serial, meter: CycleMeter::start(), display: NoDisplay, slots })
}

/// A peripheral needs something.
// SAFETY: no other function has this name, by which `riscv-rt` calls the handler of external interrupts.
#[unsafe(no_mangle)]
extern "C" fn MachineExternal() {
    let controller = PLIC::ctx(Hart::H0).claim();
    if let Some(source) = controller.claim::<ExternalInterrupt>() {
        // No other is enabled.
        INBOX.service();
        controller.complete(source);
    }
}
