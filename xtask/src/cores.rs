//! Whether the table of what the engine takes on each core still is what is measured.
//!
//! The trainer chooses models by that table and proves that they fit, so what is wrong there must not stand.

/// Where the table is.
const TABLE: &str = "firmware-example/host/src/cores.rs";

/// A measurement may be less than what the table says by this share of it, and never more.
const SLACK: f64 = 0.03;

/// The same of a stack, of which the board may take less than other builds of the engine.
const STACK_SLACK: f64 = 0.1;

/// How far an estimate may be from the measurement, as a share of it.
const ESTIMATE: f64 = 0.15;

/// What to say of a number of bytes that is not that of the table, if it is not.
pub(crate) fn bytes(what: &str, measured: u64, table: usize) -> Option<String> {
    bytes_within(what, measured, table, SLACK)
}

/// The same for the stack of a board's program.
pub(crate) fn stack(what: &str, measured: u64, table: usize) -> Option<String> {
    bytes_within(what, measured, table, STACK_SLACK)
}

fn bytes_within(what: &str, measured: u64, table: usize, slack: f64) -> Option<String> {
    let table = table as u64;
    let is_off = measured > table || (measured as f64) < table as f64 * (1.0 - slack);
    is_off.then(|| {
        format!("{what}: {measured} bytes, but {TABLE} has {table}: write what is a little more there")
    })
}

/// What to say of an estimate of instructions or cycles that is too far from the measurement, if it is.
pub(crate) fn estimate(place: &str, what: &str, measured: f64, estimated: f64) -> Option<String> {
    let off = estimated / measured - 1.0;
    (off.abs() > ESTIMATE).then(|| {
        format!(
            "{place}: {measured:.1} {what}, estimated {estimated:.1}, which is off by {:.0} %",
            100.0 * off
        )
    })
}

/// What to do about estimates that are off.
pub(crate) fn advice() -> String {
    format!("fit the costs in {TABLE} again: `cargo xtask bench device --fit` prints them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_never_right_and_a_little_less_is() {
        assert_eq!(bytes("engine", 1000, 1000), None);
        assert_eq!(bytes("engine", 971, 1000), None);
        assert!(bytes("engine", 1001, 1000).is_some_and(|said| said.contains("1001 bytes, but")));
        assert!(bytes("engine", 960, 1000).is_some());
        assert_eq!(stack("stack", 910, 1000), None);
        assert!(stack("stack", 890, 1000).is_some() && stack("stack", 1001, 1000).is_some());
    }

    #[test]
    fn estimates_are_right_within_their_share() {
        let of = |estimated| estimate("a step", "instructions", 1000.0, estimated);
        assert_eq!(of(1149.0).or(of(851.0)), None);
        let said = of(840.0);
        assert!(said.is_some_and(|said| said.contains("off by -16 %")));
        assert!(of(1160.0).is_some());
    }
}
