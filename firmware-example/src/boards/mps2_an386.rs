//! Arm's MPS2 board with application note 386, a Cortex-M4F.

use cortex_m_rt::entry;

use crate::drivers::mps2::{self, Machine};

#[entry]
fn main() -> ! {
    mps2::run::<25_000_000>(&Machine { name: "mps2-an386", uart: 0x4000_4000, interrupt: 0 })
}
