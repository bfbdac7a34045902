//! Drivers, of which the boards are put together. Only they and the boards access hardware and have `unsafe` code.
// No board needs all of it.
#![allow(dead_code)]

pub(crate) mod flash;
pub(crate) mod serial;
mod stack;

#[cfg(feature = "mps2")]
pub(crate) mod cmsdk_uart;
#[cfg(feature = "fe310")]
pub(crate) mod fe310_clock;
#[cfg(feature = "fe310")]
pub(crate) mod fe310_uart;
#[cfg(feature = "hal")]
pub(crate) mod hal;
#[cfg(feature = "nrf")]
pub(crate) mod led_matrix;
#[cfg(feature = "nrf")]
pub(crate) mod nrf_nvmc;
#[cfg(feature = "nrf")]
pub(crate) mod nrf_timer;
#[cfg(feature = "nrf")]
pub(crate) mod nrf_uart;
#[cfg(feature = "mps2")]
pub(crate) mod ram_flash;
#[cfg(feature = "rp2040")]
pub(crate) mod rp2040_flash;
#[cfg(feature = "rp2040")]
pub(crate) mod rp2040_timer;
#[cfg(feature = "rp2040")]
pub(crate) mod rp2040_uart;
#[cfg(feature = "mps2")]
pub(crate) mod semihosting;
#[cfg(feature = "stm32f4")]
pub(crate) mod stm32f4_flash;
#[cfg(feature = "stm32f4")]
pub(crate) mod stm32f4_usart;
#[cfg(feature = "systick")]
pub(crate) mod systick;

#[cfg(target_arch = "arm")]
#[path = "cortex_m.rs"]
pub(crate) mod processor;
#[cfg(target_arch = "riscv32")]
#[path = "riscv.rs"]
pub(crate) mod processor;
