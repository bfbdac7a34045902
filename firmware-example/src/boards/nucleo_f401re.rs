//! ST's NUCLEO-F401RE: an STM32F401RE, a Cortex-M4F, whose ST-LINK is its serial port, too.
#![allow(unsafe_code)]

use cortex_m::peripheral::NVIC;
use cortex_m_rt::entry;
use kilornn_app::hardware::Hardware;
use stm32f4xx_hal::pac::{self, Interrupt, USART2, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;
use stm32f4xx_hal::serial;

use crate::drivers::flash::FlashSlot;
use crate::drivers::hal::{HalTransmitter, Led};
use crate::drivers::processor::restart;
use crate::drivers::serial::Inbox;
use crate::drivers::stm32f4_flash::Stm32f4Flash;
use crate::drivers::stm32f4_usart::UsartReceiver;
use crate::drivers::systick::SysTickMeter;
use crate::{NAME, run_for_ever};

/// The clock of the processor, made from the chip's own oscillator. It is the highest.
const CLOCK: u32 = 84_000_000;

/// The speed of the serial line.
const BAUD: u32 = 115_200;

static INBOX: Inbox<UsartReceiver<USART2>> = Inbox::new();

#[entry]
fn main() -> ! {
    let (Some(core), Some(chip)) = (cortex_m::Peripherals::take(), pac::Peripherals::take()) else {
        restart()
    };
    let mut clocks = chip.RCC.freeze(Config::hsi().sysclk(CLOCK.Hz()));
    let meter = SysTickMeter::<CLOCK>::start(core.SYST);
    let port = chip.GPIOA.split(&mut clocks);
    // The pins that are wired to the ST-LINK.
    let pins = (port.pa2, port.pa3);
    let speed = serial::Config::default().baudrate(BAUD.bps());
    let Ok(usart) = chip.USART2.serial(pins, speed, &mut clocks) else { restart() };
    let (transmitter, receiver) = usart.split();
    let serial = INBOX.open(UsartReceiver(receiver), HalTransmitter(transmitter));
    // SAFETY: `NVIC::unmask` must not break a critical section that masks this interrupt, and there is none. What the
    // interrupt uses, the inbox, is open.
    unsafe { NVIC::unmask(Interrupt::USART2) };
    let display = Led(port.pa5.into_push_pull_output());
    // SAFETY: `both` must be called once, and this is the only call.
    let slots = unsafe { FlashSlot::both([Stm32f4Flash(&chip.FLASH); 2]) };
    run_for_ever(Hardware { name: NAME, serial, meter, display, slots })
}

/// The serial line has received something.
#[interrupt]
fn USART2() {
    INBOX.service();
}
