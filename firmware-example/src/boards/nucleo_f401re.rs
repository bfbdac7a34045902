//! ST's Nucleo-64 with an STM32F401RE, a Cortex-M4F. The serial line is the one of the board's debugger.
#![allow(unsafe_code)]

use cortex_m_rt::entry;
use kilornn_app::board::{Board, NoDisplay};
use kilornn_app::{Ended, run};
use stm32f4xx_hal::pac::{CorePeripherals, Interrupt, NVIC, Peripherals, USART2, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config as Clocks;
use stm32f4xx_hal::serial::{Config, Serial};
use stm32f4xx_hal::time::Hertz;

use crate::NAME;
use crate::drivers::flash::FlashSlot;
use crate::drivers::processor::restart;
use crate::drivers::serial::Inbox;
use crate::drivers::stm32f4_flash::Stm32Flash;
use crate::drivers::stm32f4_uart::{Stm32Receiver, Stm32Transmitter};
use crate::drivers::systick::SysTickMeter;
use crate::model::{self, UNITS, WINDOW};

/// The processor's clock, the fastest there is; it comes from the chip's own oscillator.
const CLOCK: u32 = 84_000_000;

/// The speed of the serial line.
const BAUD: u32 = 115_200;

static INBOX: Inbox<Stm32Receiver<USART2>> = Inbox::new();

#[entry]
fn main() -> ! {
    let (Some(parts), Some(core)) = (Peripherals::take(), CorePeripherals::take()) else { restart() };
    let mut clocks = parts.RCC.freeze(Clocks::hsi().sysclk(Hertz::from_raw(CLOCK)));
    let pins = parts.GPIOA.split(&mut clocks);
    let config = Config::default().baudrate(BAUD.bps());
    let Ok(uart) = Serial::new(parts.USART2, (pins.pa2, pins.pa3), config, &mut clocks) else { restart() };
    let (transmitter, receiver) = uart.split();
    let serial = INBOX.open(Stm32Receiver(receiver), Stm32Transmitter(transmitter));
    // SAFETY: the inbox is open, and no critical section depends on this interrupt being off.
    unsafe { NVIC::unmask(Interrupt::USART2) };
    let meter = SysTickMeter::<CLOCK>::start(core.SYST);
    // SAFETY: this is the only call.
    let slots = unsafe { FlashSlot::both(Stm32Flash::both(parts.FLASH)) };
    let mut board = Board { name: NAME, serial, meter, display: NoDisplay, slots };
    loop {
        match run::<UNITS, WINDOW>(&mut board, model::bytes()) {
            Ended::Closed => {}
            Ended::Restart => restart(),
        }
    }
}

#[interrupt]
fn USART2() {
    INBOX.service();
}
