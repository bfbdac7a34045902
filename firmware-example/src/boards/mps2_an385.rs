//! Arm's MPS2 board with application note 385, a Cortex-M3.

use cortex_m_rt::entry;

use crate::drivers::mps2::{self, Machine};

#[entry]
fn main() -> ! {
    mps2::run::<25_000_000>(&Machine { name: "mps2-an385", uart: 0x4000_4000, interrupt: 0 })
}
