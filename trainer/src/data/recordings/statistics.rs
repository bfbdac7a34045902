//! Statistics of channels.

use serde::Serialize;

use super::Recording;

/// What is known of a channel's values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistics {
    /// How many there are.
    #[serde(skip)]
    pub count: u64,
    /// The smallest.
    pub min: f32,
    /// The largest.
    pub max: f32,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation: the root of the mean square of what they differ from their mean.
    pub deviation: f64,
}

impl Statistics {
    /// Those of each channel of recordings that have so many. Without recordings, there are none.
    pub fn of(recordings: &[Recording], channels: usize) -> Vec<Self> {
        let frames =
            || recordings.iter().flat_map(|recording| recording.values.chunks_exact(channels.max(1)));
        let Some(first) = frames().next() else { return Vec::new() };
        let of_one = |&value: &f32| Self { count: 0, min: value, max: value, mean: 0.0, deviation: 0.0 };
        let mut all: Vec<Self> = first.iter().map(of_one).collect();
        for frame in frames() {
            for (&value, channel) in frame.iter().zip(&mut all) {
                channel.count += 1;
                channel.min = channel.min.min(value);
                channel.max = channel.max.max(value);
                channel.mean += f64::from(value);
            }
        }
        all.iter_mut().for_each(|channel| channel.mean /= channel.count as f64);
        // Once more: the sum of squares alone would lose small deviations from a large mean.
        for frame in frames() {
            for (&value, channel) in frame.iter().zip(&mut all) {
                channel.deviation += (f64::from(value) - channel.mean).powi(2);
            }
        }
        all.iter_mut()
            .for_each(|channel| channel.deviation = (channel.deviation / channel.count as f64).sqrt());
        all
    }
}

/// How the values of each channel are brought to a mean of 0 and a deviation of 1, by what is known of training data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standardization {
    /// The mean of each channel.
    pub means: Vec<f32>,
    /// The standard deviation of each channel; 1 for one that is constant, whose values become 0.
    pub deviations: Vec<f32>,
}

impl Standardization {
    /// That of recordings with so many channels, over all their frames.
    pub fn of(recordings: &[Recording], channels: usize) -> Self {
        let all = Statistics::of(recordings, channels);
        let deviation = |channel: &Statistics| match channel.deviation as f32 {
            deviation if channel.min < channel.max && deviation > 0.0 => deviation,
            _ => 1.0,
        };
        Self {
            means: all.iter().map(|channel| channel.mean as f32).collect(),
            deviations: all.iter().map(deviation).collect(),
        }
    }

    /// Standardizes values in place, frame after frame.
    pub fn apply(&self, values: &mut [f32]) {
        for frame in values.chunks_exact_mut(self.means.len().max(1)) {
            for ((value, mean), deviation) in frame.iter_mut().zip(&self.means).zip(&self.deviations) {
                *value = (*value - mean) / deviation;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recordings(all: &[&[f32]]) -> Vec<Recording> {
        all.iter().map(|values| Recording { values: values.to_vec(), ..Recording::default() }).collect()
    }

    #[test]
    fn channels_have_mean_and_deviation_over_all_frames() {
        let all = recordings(&[&[1.0, 10.0, 3.0, 10.0], &[5.0, 10.0, 7.0, 10.0, 9.0, 10.0]]);
        let [first, second] = Statistics::of(&all, 2)[..] else { panic!() };
        assert_eq!((first.count, first.min, first.max, first.mean), (5, 1.0, 9.0, 5.0));
        assert!((first.deviation - 8.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!((second.mean, second.deviation), (10.0, 0.0));
        assert_eq!(Statistics::of(&[], 2), []);
    }

    #[test]
    fn a_small_deviation_from_a_large_mean_is_not_lost() {
        let all = recordings(&[&[1_000_000.0, 1_000_001.0]]);
        assert_eq!(Statistics::of(&all, 1)[0].deviation, 0.5);
    }

    #[test]
    fn standardized_values_have_mean_0_and_deviation_1() {
        let mut all = recordings(&[&[1.0, 4.0, 3.0, 4.0], &[5.0, 4.0, -2.0, 4.0]]);
        let standardization = Standardization::of(&all, 2);
        assert_eq!(standardization.deviations[1], 1.0, "a constant channel is not divided by 0");
        all.iter_mut().for_each(|recording| standardization.apply(&mut recording.values));
        let [first, second] = Statistics::of(&all, 2)[..] else { panic!() };
        assert!(first.mean.abs() < 1e-6 && (first.deviation - 1.0).abs() < 1e-6, "{first:?}");
        assert_eq!((second.min, second.max), (0.0, 0.0));
    }
}
