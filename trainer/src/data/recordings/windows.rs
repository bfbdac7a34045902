//! Windows: pieces of equal length that are cut from longer recordings.

use super::Recording;
use super::framing::Framing;

/// How recordings are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    /// How many frames a window has.
    frames: usize,
    /// How many frames after one another windows begin.
    step: usize,
}

/// What became of recordings that were cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Recordings, or pieces of one label, that are shorter than a window.
    pub(crate) too_short: usize,
    /// Frames that stand in no window.
    pub(crate) left_over: usize,
}

impl Windows {
    /// Those that were asked for.
    pub(super) fn of(framing: &Framing) -> Option<Self> {
        let frames = framing.window?.get();
        Some(Self { frames, step: framing.step.map_or(frames, std::num::NonZero::get) })
    }

    /// Cuts recordings of so many channels into windows, in their order.
    pub(super) fn cut(self, recordings: Vec<Recording>, channels: usize) -> (Vec<Recording>, Cut) {
        let (mut windows, mut cut) = (Vec::new(), Cut::default());
        for recording in recordings {
            let steps = recording.values.len() / channels;
            let Some(last) = steps.checked_sub(self.frames) else {
                cut.too_short += 1;
                cut.left_over += steps;
                continue;
            };
            let mut end = 0;
            for begin in (0..=last).step_by(self.step) {
                // Between windows that lie apart, frames are left over, too.
                cut.left_over += begin.saturating_sub(end);
                end = begin + self.frames;
                let values = recording.values[begin * channels..end * channels].to_vec();
                windows.push(Recording { values, ..recording.without_values() });
            }
            cut.left_over += steps - end;
        }
        (windows, cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(steps: usize) -> Recording {
        Recording { values: (0..2 * steps).map(|n| n as f32).collect(), ..Recording::default() }
    }

    fn begins(steps: &[usize], frames: usize, step: usize) -> (Vec<f32>, Cut) {
        let all = steps.iter().map(|&steps| recording(steps)).collect();
        let (windows, cut) = Windows { frames, step }.cut(all, 2);
        assert!(windows.iter().all(|window| window.values.len() == 2 * frames));
        (windows.iter().map(|window| window.values[0] / 2.0).collect(), cut)
    }

    #[test]
    fn no_window_reaches_from_one_recording_into_the_next() {
        assert_eq!(begins(&[10, 4], 4, 3), (vec![0.0, 3.0, 6.0, 0.0], Cut { too_short: 0, left_over: 0 }));
        assert_eq!(begins(&[10, 3], 4, 4), (vec![0.0, 4.0], Cut { too_short: 1, left_over: 2 + 3 }));
        assert_eq!(begins(&[10], 2, 4), (vec![0.0, 4.0, 8.0], Cut { too_short: 0, left_over: 4 }));
        assert_eq!(begins(&[], 2, 4), (vec![], Cut::default()));
    }
}
