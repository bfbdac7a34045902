//! Arguments with units: bytes, times and frequencies.

use std::time::Duration;

/// Bytes, from `64K`: a K is 1,024 of them, as in data sheets.
pub(super) fn parse_bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text);
    let factor = match unit {
        "" => 1,
        "K" | "k" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        _ => return Err(format!("unknown unit `{unit}`: write 65536, 64K or 1M")),
    };
    let number: usize = number.parse().map_err(|_| "write a whole number: 65536, 64K or 1M".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "more than there is memory for".to_owned())
}

/// A duration, from `90s`, `10m` or `1.5h`.
pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("write seconds, minutes or hours: 90s, 10m or 1.5h".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "write a number: 90s, 10m or 1.5h".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

/// The time of a small piece of work, from `2ms`, `500us` or `0.002s`.
pub(super) fn parse_latency(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
        "" => return Err("a unit is missing: write 2ms, 500us or 0.002s".to_owned()),
        _ => return Err(format!("unknown unit `{unit}`: write 2ms, 500us or 0.002s")),
    };
    let number: f64 = number.parse().map_err(|_| "write a number: 2ms, 500us or 0.002s".to_owned())?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(Duration::ZERO) => Err("no time at all: write 2ms, 500us or 0.002s".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

/// A frequency in Hz, from `16MHz`.
pub(super) fn parse_clock(text: &str) -> Result<u32, String> {
    let (number, unit) = split(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "hz" => 1.0,
        "khz" => 1e3,
        "mhz" => 1e6,
        "ghz" => 1e9,
        "" => return Err("a unit is missing: write 16MHz or 32768Hz".to_owned()),
        _ => return Err(format!("unknown unit `{unit}`: write 16MHz or 32768Hz")),
    };
    let number: f64 = number.parse().map_err(|_| "write a number: 16MHz or 32768Hz".to_owned())?;
    let frequency = (number * factor).round();
    if (1.0..=f64::from(u32::MAX)).contains(&frequency) {
        Ok(frequency as u32)
    } else {
        Err("no frequency of a processor: write 16MHz or 32768Hz".to_owned())
    }
}

/// A number and its unit.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len()));
    (number.trim(), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_data_sheets() {
        for (text, bytes) in [
            ("70000", 70_000),
            ("64K", 65_536),
            ("64k", 65_536),
            ("1M", 1 << 20),
            (" 2 KiB ", 2048),
            ("0", 0),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        assert!(parse_bytes("64kB").unwrap_err().contains("unknown unit `kB`"), "1,000 or 1,024?");
        for text in ["", "K", "-1K", "1.5K", "64Q", "99999999999999999999", "18446744073709551615M"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn latencies_have_units() {
        for (text, nanoseconds) in [
            ("2ms", 2_000_000),
            ("500us", 500_000),
            ("500\u{b5}s", 500_000),
            ("0.002s", 2_000_000),
            ("1.5 ms", 1_500_000),
        ] {
            assert_eq!(parse_latency(text), Ok(Duration::from_nanos(nanoseconds)), "{text}");
        }
        assert!(parse_latency("2").unwrap_err().contains("a unit is missing"));
        assert!(parse_latency("2m").unwrap_err().contains("unknown unit `m`"), "minutes or milliseconds?");
        for text in ["", "ms", "-1ms", "nanms", "0ms", "1e400s", "2 msec"] {
            assert!(parse_latency(text).is_err(), "{text}");
        }
    }

    #[test]
    fn frequencies_have_units() {
        for (text, hertz) in [
            ("16MHz", 16_000_000),
            ("16mhz", 16_000_000),
            ("0.5 MHz", 500_000),
            ("32768Hz", 32_768),
            ("1GHz", 1_000_000_000),
        ] {
            assert_eq!(parse_clock(text), Ok(hertz), "{text}");
        }
        assert!(parse_clock("16").unwrap_err().contains("a unit is missing"), "Hz or MHz?");
        assert!(parse_clock("16M").unwrap_err().contains("unknown unit `M`"));
        for text in ["", "MHz", "-16MHz", "0MHz", "nanMHz", "99GHz"] {
            assert!(parse_clock(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("10min", 600), ("1.5h", 5400), ("0s", 0)] {
            assert_eq!(parse_time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "10", "m", "-1s", "10d", "nans", "1e400h"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
