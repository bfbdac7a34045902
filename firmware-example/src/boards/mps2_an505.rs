//! Arm's MPS2 board with application note 505, a Cortex-M33.

use cortex_m_rt::entry;

use crate::drivers::mps2::{self, Machine};

#[entry]
fn main() -> ! {
    mps2::run::<20_000_000>(&Machine { name: "mps2-an505", uart: 0x5020_0000, interrupt: 32 })
}
