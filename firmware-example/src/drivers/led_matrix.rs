//! The 25 LEDs of a micro:bit. The label runs across them, again and again.
//!
//! A timer's interrupt lights one row after the other, so that they are lit while the processor sleeps or works.

use core::cell::RefCell;

use critical_section::Mutex;
use kilornn_app::hardware::Display;
use microbit_common::display::nonblocking;
use microbit_common::gpio::DisplayPins;
use microbit_common::pac::TIMER1;
use microbit_text::scrolling::Animate as _;
use microbit_text::scrolling_text::ScrollingBufferedText;

/// Letters of a label that are shown.
const LETTERS: usize = 16;

static SHOWN: Mutex<RefCell<Option<Shown>>> = Mutex::new(RefCell::new(None));

struct Shown {
    matrix: nonblocking::Display<TIMER1>,
    text: ScrollingBufferedText<LETTERS>,
    /// Interrupts from one step of the text to the next.
    pace: u8,
    /// Interrupts until the next step.
    left: u8,
}

/// The LEDs.
pub(crate) struct LedMatrix(());

impl LedMatrix {
    /// Starts with a dark display. The board's interrupt `TIMER1` must call [`next_row`]; the text moves with every
    /// `pace`th call.
    pub(crate) fn start(timer: TIMER1, pins: DisplayPins, pace: u8) -> Self {
        let matrix = nonblocking::Display::new(timer, pins);
        let shown = Shown { matrix, text: ScrollingBufferedText::default(), pace, left: pace };
        critical_section::with(|cs| SHOWN.replace(cs, Some(shown)));
        Self(())
    }
}

impl Display for LedMatrix {
    fn show(&mut self, label: &str, _: u32) {
        let letters = label.as_bytes().chunks(LETTERS).next().unwrap_or_default();
        critical_section::with(|cs| {
            if let Some(shown) = &mut *SHOWN.borrow_ref_mut(cs) {
                shown.text.set_message(letters);
            }
        });
    }
}

/// The board's interrupt `TIMER1` must call this.
pub(crate) fn next_row() {
    critical_section::with(|cs| {
        if let Some(shown) = &mut *SHOWN.borrow_ref_mut(cs) {
            shown.next_row();
        }
    });
}

impl Shown {
    fn next_row(&mut self) {
        self.matrix.handle_display_event();
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.left = self.pace;
            if self.text.is_finished() {
                self.text.reset();
            }
            self.text.tick();
            self.matrix.show(&self.text);
        }
    }
}
