//! tanh with 32 bits, and the gates that are made of it, for layers with gates.

/// The tanh of a number of which 1 is 2^16, in numbers of which 1 is 2^30: at least -2^30, at most 2^30 - 2^16. The error
/// is at most 2e-4.
///
/// Between multiples of 1/16 it is a line. A line's word is at once its value at the whole number next to the line, and, in
/// the low half, its slope. The outermost lines are level, so that only their number is clamped.
///
/// ```
/// use kilornn::layers::wide_tanh;
///
/// let half = f64::from(wide_tanh(1 << 15)) / f64::from(1 << 30);
/// assert!((half - 0.5f64.tanh()).abs() <= 2e-4);
/// assert_eq!([wide_tanh(i32::MIN), wide_tanh(i32::MAX)], [-(1 << 30), (1 << 30) - (1 << 16)]);
/// ```
#[inline]
#[must_use]
pub fn wide_tanh(x: i32) -> i32 {
    let line = TANH[((x >> 12).clamp(-128, 127) + 128) as usize & 255];
    line.wrapping_add(i32::from(line as i16) * i32::from(x as i16))
}

/// A gate, 0 to 32,767, from half of its argument: sigmoid(2x) is (1 + tanh(x))/2. The error is at most 1e-4,
/// besides rounding down.
///
/// ```
/// use kilornn::layers::gate;
///
/// assert_eq!([gate(i32::MIN), gate(0), gate(i32::MAX)], [0, 16384, 32767]);
/// ```
#[inline]
#[must_use]
pub fn gate(x: i32) -> i32 {
    (wide_tanh(x) + (1 << 30)) >> 16
}

/// The same lines of `wide_tanh(x) + 2^30`, of which a gate is the upper half.
#[cfg(all(kilornn_gates, kilornn_assembly))]
pub(crate) static GATES: [i32; 256] = {
    let mut lines = TANH;
    let mut place = 0;
    while place < lines.len() {
        // At the ends of the range the low half, which is the slope, reaches beyond it.
        lines[place] = lines[place].wrapping_add(1 << 30);
        place += 1;
    }
    lines
};

/// For each sixteenth from -8 on, the line of tanh above it.
#[rustfmt::skip]
pub(crate) static TANH: [i32; 256] = [
    -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073741824,
    -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073741824,
    -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073741824, -1073676290,
    -1073676286, -1073741824, -1073741824, -1073741824, -1073676284, -1073741825, -1073741826, -1073741830,
    -1073741818, -1073741822, -1073741822, -1073741823, -1073741823, -1073741823, -1073741823, -1073741823,
    -1073676287, -1073676287, -1073676287, -1073610748, -1073676288, -1073610746, -1073610744, -1073676293,
    -1073676277, -1073676280, -1073676281, -1073676282, -1073676282, -1073676282, -1073676282, -1073676282,
    -1073151990, -1073151990, -1073151990, -1073086451, -1073086451, -1073020909, -1073020908, -1073020907,
    -1073020905, -1073020904, -1073086432, -1073086432, -1073217496, -1073283029, -1073479629, -1073741764,
    -1069809604, -1069481913, -1069219758, -1068957601, -1068826521, -1068629897, -1068498808, -1068433255,
    -1068433237, -1068498754, -1068760866, -1069088519, -1069612775, -1070333635, -1071382168, -1072627308,
    -1044053548, -1042349552, -1040645546, -1039203683, -1037761803, -1036582059, -1035664443, -1035140026,
    -1035139895, -1035795094, -1037236710, -1039661345, -1043331138, -1048311632, -1054996032, -1063843084,
    -869069755, -858714705, -848556211, -839642879, -831581459, -825092866, -820439241, -817882712, -817947593,
    -820764958, -826728006, -835967830, -848746570, -864736573, -884199973, -906219301, -61918261, -42060160,
    -26396419, -14927060, -7193342, -2670993, -573589, 16371, 16363, 540528, 2637427, 7159045, 14891822, 26425596,
    42088063, 62141380, 906309854, 884092375, 864758468, 848766903, 836052144, 826745275, 820780773, 817896487,
    817895847, 820385599, 825103613, 831591149, 839586052, 848695111, 858721711, 869469240, 1063783154, 1055001024,
    1048185003, 1043204023, 1039664863, 1037239834, 1035797866, 1035142346, 1035142213, 1035666372, 1036583765,
    1037763317, 1039205021, 1040646742, 1042350608, 1044185552, 1072628116, 1071382888, 1070334269, 1069678877,
    1069089017, 1068761311, 1068499134, 1068433579, 1068433561, 1068499080, 1068630135, 1068826727, 1068957791,
    1069219922, 1069482055, 1069809724, 1073741884, 1073479731, 1073283115, 1073217576, 1073086496, 1073086496,
    1073020952, 1073020951, 1073020949, 1073020948, 1073020947, 1073086477, 1073086477, 1073152010, 1073152010,
    1073152010, 1073676294, 1073676294, 1073676294, 1073676294, 1073676294, 1073676295, 1073676296, 1073676292,
    1073676283, 1073610760, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288,
    1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288,
    1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288,
    1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288,
    1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288, 1073676288,
    1073676288, 1073676288, 1073676288,
];

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: f64 = (1 << 30) as f64;

    /// Of all lines whose slope is in the low half of their value, the one whose largest error is the smallest, within
    /// the range that a gate needs.
    fn line(place: i32) -> i32 {
        let first = (place - 128) * 4096;
        let anchor = ((first + 2048 + 32768) >> 16) << 16;
        let points: [(f64, f64); 4096] = core::array::from_fn(|point| {
            let x = first + point as i32;
            (f64::from(x - anchor), ONE * (f64::from(x) / 65536.0).tanh())
        });
        let (from, to) = (points[0], points[4095]);
        let about = ((to.1 - from.1) / 4095.0).round() as i32;
        let lines = (about - 8..=about + 8).map(|slope| {
            let apart = points.iter().map(|&(x, y)| y - f64::from(slope) * x);
            let (low, high) =
                apart.fold((f64::MAX, f64::MIN), |(low, high), apart| (low.min(apart), high.max(apart)));
            let slope = f64::from(slope);
            let mut value = (((low + high) / 2.0 - slope) / 65536.0 + 0.5).floor() * 65536.0 + slope;
            let ends = |value: f64| [value + slope * from.0, value + slope * to.0];
            while ends(value).iter().any(|&end| end > ONE - 65536.0) {
                value -= 65536.0;
            }
            while ends(value).iter().any(|&end| end < -ONE) {
                value += 65536.0;
            }
            ((high - value).max(value - low), value)
        });
        lines.reduce(|best, other| if other.0 < best.0 { other } else { best }).unwrap().1 as i32
    }

    #[test]
    fn the_lines_are_the_best() {
        assert_eq!((TANH[0], TANH[255]), (-1 << 30, (1 << 30) - (1 << 16)));
        for place in 1..255 {
            assert_eq!(TANH[place as usize], line(place), "{place}");
        }
    }

    #[test]
    fn tanh_and_gates_are_close_and_in_range() {
        let (mut tanh_error, mut gate_error) = (0f64, 0f64);
        for x in (-700_000..700_000).chain([i32::MIN, i32::MIN + 1, i32::MAX]) {
            let (real, value) = ((f64::from(x) / 65536.0).tanh(), wide_tanh(x));
            assert!((-1 << 30..=(1 << 30) - (1 << 16)).contains(&value), "{x}: {value}");
            tanh_error = tanh_error.max((f64::from(value) / ONE - real).abs());
            assert!((0..=32767).contains(&gate(x)), "{x}: {}", gate(x));
            // A gate is rounded down.
            gate_error = gate_error.max(((f64::from(gate(x)) + 0.5) / 32768.0 - (1.0 + real) / 2.0).abs());
        }
        assert!(tanh_error <= 2e-4, "{tanh_error}");
        assert!(gate_error <= 1.2e-4, "{gate_error}");
    }
}
