//! Raspberry Pi Pico: an RP2040, of whose two Cortex-M0+ one is used. The serial line is on GP0 (it sends) and GP1.
#![allow(unsafe_code)]

use cortex_m::peripheral::NVIC;
use cortex_m_rt::entry;
use kilornn_app::hardware::Hardware;
use rp2040_hal::clocks::init_clocks_and_plls;
use rp2040_hal::fugit::HertzU32;
use rp2040_hal::gpio::bank0::{Gpio0, Gpio1};
use rp2040_hal::gpio::{FunctionUart, Pin, Pins, PullNone, PullUp};
use rp2040_hal::pac::{self, Interrupt, UART0, interrupt};
use rp2040_hal::uart::{DataBits, StopBits, UartConfig, UartPeripheral};
use rp2040_hal::{Clock as _, Sio, Timer, Watchdog};

use crate::drivers::flash::FlashSlot;
use crate::drivers::hal::{HalTransmitter, Led};
use crate::drivers::processor::restart;
use crate::drivers::rp2040_flash::RpFlash;
use crate::drivers::rp2040_timer::TimerMeter;
use crate::drivers::rp2040_uart::RpReceiver;
use crate::drivers::serial::Inbox;
use crate::{NAME, run_for_ever};

/// The board's crystal. The processor runs at 125 MHz.
const CRYSTAL: u32 = 12_000_000;

/// The speed of the serial line.
const BAUD: HertzU32 = HertzU32::from_raw(115_200);

/// The pins of the serial line. Where nothing is connected, it rests high.
type SerialPins = (Pin<Gpio0, FunctionUart, PullNone>, Pin<Gpio1, FunctionUart, PullUp>);

static INBOX: Inbox<RpReceiver<UART0, SerialPins>> = Inbox::new();

#[entry]
fn main() -> ! {
    let Some(mut chip) = pac::Peripherals::take() else { restart() };
    let mut watchdog = Watchdog::new(chip.WATCHDOG);
    let clocks = init_clocks_and_plls(
        CRYSTAL,
        chip.XOSC,
        chip.CLOCKS,
        chip.PLL_SYS,
        chip.PLL_USB,
        &mut chip.RESETS,
        &mut watchdog,
    );
    let Ok(clocks) = clocks else { restart() };
    let meter = TimerMeter(Timer::new(chip.TIMER, &mut chip.RESETS, &clocks));
    let pins = Pins::new(chip.IO_BANK0, chip.PADS_BANK0, Sio::new(chip.SIO).gpio_bank0, &mut chip.RESETS);
    let serial_pins: SerialPins = (pins.gpio0.reconfigure(), pins.gpio1.reconfigure());
    let speed = UartConfig::new(BAUD, DataBits::Eight, None, StopBits::One);
    let uart = UartPeripheral::new(chip.UART0, serial_pins, &mut chip.RESETS);
    let Ok(uart) = uart.enable(speed, clocks.peripheral_clock.freq()) else { restart() };
    let (reader, writer) = uart.split();
    let serial = INBOX.open(RpReceiver::new(reader), HalTransmitter(writer));
    // SAFETY: `NVIC::unmask` must not break a critical section that masks this interrupt, and there is none. What the
    // interrupt uses, the inbox, is open.
    unsafe { NVIC::unmask(Interrupt::UART0_IRQ) };
    let display = Led(pins.gpio25.into_push_pull_output());
    // SAFETY: `both` must be called once, and this is the only call.
    let slots = unsafe { FlashSlot::both([RpFlash, RpFlash]) };
    run_for_ever(Hardware { name: NAME, serial, meter, display, slots })
}

/// The serial line has received something.
#[interrupt]
fn UART0_IRQ() {
    INBOX.service();
}
