//! The time of frames: it must rise regularly, for a network is told nothing of it.

use crate::excerpt::excerpt;

/// A step may differ from the usual one by this share of it. Clocks of sensors and of systems are never exact; a frame that
/// is missing makes a step twice as long.
const TOLERANCE: f64 = 0.5;

/// Names of columns with the time, in small letters; a unit may follow, as in `time_ms` and `time (s)`.
const NAMES: [&str; 2] = ["time", "timestamp"];

/// Whether a column of this name is of the time.
pub(super) fn is_usual(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    NAMES.iter().any(|usual| {
        name.strip_prefix(usual)
            .is_some_and(|unit| unit.is_empty() || unit.starts_with(['_', ' ', '(', '[', '/']))
    })
}

/// The time in a file.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Of the recording that is being read: line and time of each frame.
    frames: Vec<(usize, f64)>,
    /// From frame to frame, in the first recording.
    interval: Option<f64>,
    is_unchecked: bool,
}

impl Clock {
    /// Notes the time of the next frame. If the first time is no number, none is checked.
    pub(super) fn tick(&mut self, line: usize, field: &str) -> Result<(), String> {
        if self.is_unchecked {
            return Ok(());
        }
        match field.trim().parse::<f64>() {
            Ok(time) if time.is_finite() => self.frames.push((line, time)),
            _ if self.frames.is_empty() && self.interval.is_none() => self.is_unchecked = true,
            _ => {
                return Err(format!(
                    "the time `{}` is no number, as the others are (correct it)",
                    excerpt(field)
                ));
            }
        }
        Ok(())
    }

    /// Checks the recording that ends. Fails with a line.
    pub(super) fn end(&mut self) -> Result<(), (usize, String)> {
        let frames = std::mem::take(&mut self.frames);
        let steps = || frames.windows(2).map(|pair| pair[1].1 - pair[0].1);
        let mut sorted: Vec<f64> = steps().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let Some(&usual) = sorted.get(sorted.len().saturating_sub(1) / 2) else { return Ok(()) };
        let remedy =
            "(resample the recording, or leave the time unchecked: name the channels with --channels)";
        for (step, pair) in steps().zip(frames.windows(2)) {
            let (line, time) = pair[1];
            let found = match step {
                step if step <= 0.0 => "the time does not rise",
                step if step > (1.0 + TOLERANCE) * usual => "frames are missing",
                step if step < (1.0 - TOLERANCE) * usual => "the frame comes too early",
                _ => continue,
            };
            return Err((
                line,
                format!(
                    "{found}: the time is {time} after {}, where frames are {} apart {remedy}",
                    pair[0].1,
                    shown(usual)
                ),
            ));
        }
        let first = *self.interval.get_or_insert(usual);
        match are_alike(usual, first) {
            true => Ok(()),
            false => Err((
                frames[0].0,
                format!(
                    "the frames of this recording are {} apart in time, those of the first recording {} {remedy}",
                    shown(usual),
                    shown(first)
                ),
            )),
        }
    }

    /// The time from frame to frame, if it is known.
    pub(super) fn interval(&self) -> Option<f64> {
        self.interval
    }

    /// Whether times were no numbers.
    pub(super) fn is_unchecked(&self) -> bool {
        self.is_unchecked
    }
}

/// Whether frames of two recordings come at the same rate.
pub(in super::super) fn are_alike(interval: f64, other: f64) -> bool {
    (interval - other).abs() <= TOLERANCE * interval.min(other)
}

/// An interval without what floating point adds to it.
pub(in super::super) fn shown(interval: f64) -> String {
    let digits = format!("{interval:.4e}").parse::<f64>().unwrap_or(interval);
    digits.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(recordings: &[&[f64]]) -> Result<Option<f64>, (usize, String)> {
        let mut clock = Clock::default();
        let mut line = 1;
        for times in recordings {
            for time in *times {
                line += 1;
                clock.tick(line, &time.to_string()).unwrap();
            }
            clock.end()?;
        }
        Ok(clock.interval())
    }

    #[test]
    fn time_that_jitters_is_regular_and_a_missing_frame_is_found() {
        assert_eq!(check(&[&[0.0, 10.0, 22.0, 30.0], &[5.0, 15.0]]), Ok(Some(10.0)));
        assert_eq!(check(&[&[1.0], &[]]), Ok(None));
        for (times, line, found) in [
            (
                &[0.0, 1.0, 3.0, 4.0][..],
                4,
                "frames are missing: the time is 3 after 1, where frames are 1 apart",
            ),
            (&[0.0, 1.0, 1.0, 2.0], 4, "the time does not rise"),
            (&[0.0, 1.0, 2.0, 0.0, 1.0], 5, "the time does not rise"),
            (&[0.0, 1.0, 1.2, 2.0, 3.0], 4, "the frame comes too early"),
        ] {
            let (at, said) = check(&[times]).unwrap_err();
            assert!(at == line && said.starts_with(found), "{at}: {said}");
        }
        let (line, said) = check(&[&[0.0, 0.1, 0.2], &[0.0, 0.2, 0.4]]).unwrap_err();
        assert_eq!(line, 5);
        assert!(said.starts_with(
            "the frames of this recording are 0.2 apart in time, those of the first recording 0.1 ("
        ));
    }

    #[test]
    fn dates_are_not_checked() {
        let mut clock = Clock::default();
        clock.tick(2, "2024-01-01 12:00:00").unwrap();
        clock.tick(3, "2024-01-01 11:00:00").unwrap();
        assert!(clock.is_unchecked() && clock.end().is_ok());
        let mut clock = Clock::default();
        clock.tick(2, "1").unwrap();
        assert_eq!(
            clock.tick(3, "x").unwrap_err(),
            "the time `x` is no number, as the others are (correct it)"
        );
    }

    #[test]
    fn names_of_columns_with_the_time() {
        for name in ["time", "Time", " timestamp", "time_ms", "Time (s)", "timestamp/us"] {
            assert!(is_usual(name), "{name}");
        }
        for name in ["timer", "t", "uptime", "times"] {
            assert!(!is_usual(name), "{name}");
        }
    }
}
