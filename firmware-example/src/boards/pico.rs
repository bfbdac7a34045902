//! The Raspberry Pi Pico: an RP2040, of which one Cortex-M0+ is used.
#![allow(unsafe_code)]

use cortex_m_rt::entry;
use kilornn_app::board::{Board, NoDisplay};
use kilornn_app::{Ended, run};
use rp2040_hal::clocks::{Clock as _, init_clocks_and_plls};
use rp2040_hal::gpio::Pins;
use rp2040_hal::pac::{CorePeripherals, Interrupt, NVIC, Peripherals, interrupt};
use rp2040_hal::uart::{UartConfig, UartPeripheral};
use rp2040_hal::{Sio, Watchdog};

use crate::NAME;
use crate::drivers::flash::FlashSlot;
use crate::drivers::processor::restart;
use crate::drivers::rp2040_flash::Rp2040Flash;
use crate::drivers::rp2040_uart::{self, Rp2040Receiver};
use crate::drivers::serial::Inbox;
use crate::drivers::systick::SysTickMeter;
use crate::model::{self, UNITS, WINDOW};

/// The board's crystal.
const CRYSTAL: u32 = 12_000_000;

/// What becomes of it for the processor.
const CLOCK: u32 = 125_000_000;

static INBOX: Inbox<Rp2040Receiver> = Inbox::new();

/// With it the chip's ROM begins; it sets up the reading of the flash.
// SAFETY: the section is that of the linker script, which has nothing else in it.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

#[entry]
fn main() -> ! {
    let (Some(mut parts), Some(core)) = (Peripherals::take(), CorePeripherals::take()) else { restart() };
    let mut watchdog = Watchdog::new(parts.WATCHDOG);
    let clocks = init_clocks_and_plls(
        CRYSTAL,
        parts.XOSC,
        parts.CLOCKS,
        parts.PLL_SYS,
        parts.PLL_USB,
        &mut parts.RESETS,
        &mut watchdog,
    );
    let Ok(clocks) = clocks else { restart() };
    let io = Sio::new(parts.SIO);
    let pins = Pins::new(parts.IO_BANK0, parts.PADS_BANK0, io.gpio_bank0, &mut parts.RESETS);
    let pins = (pins.gpio0.into_function(), pins.gpio1.into_function());
    // 115200 baud, eight bits, no parity.
    let uart = UartPeripheral::new(parts.UART0, pins, &mut parts.RESETS)
        .enable(UartConfig::default(), clocks.peripheral_clock.freq());
    let Ok(uart) = uart else { restart() };
    let (receiver, transmitter) = rp2040_uart::open(uart);
    let serial = INBOX.open(receiver, transmitter);
    // SAFETY: the inbox is open, and no critical section depends on this interrupt being off.
    unsafe { NVIC::unmask(Interrupt::UART0_IRQ) };
    let meter = SysTickMeter::<CLOCK>::start(core.SYST);
    // SAFETY: this is the only call.
    let slots = unsafe { FlashSlot::both([Rp2040Flash, Rp2040Flash]) };
    let mut board = Board { name: NAME, serial, meter, display: NoDisplay, slots };
    loop {
        match run::<UNITS, WINDOW>(&mut board, model::bytes()) {
            Ended::Closed => {}
            Ended::Restart => restart(),
        }
    }
}

#[interrupt]
fn UART0_IRQ() {
    INBOX.service();
}
