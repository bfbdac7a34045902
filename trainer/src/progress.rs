//! Progress bars for long work.

use std::cell::Cell;
use std::fmt::Write;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` without drawing its progress bars: those of several trainings at a time would cover each other.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let before = QUIET.replace(true);
    let done = work();
    QUIET.set(before);
    done
}

/// A bar over `length` things called `unit`: how many are done, how many a second, the time left,
/// and between them whatever `set_message` says. It is drawn on a terminal's standard error only, and not at all
/// [`quietly`].
pub(crate) fn bar(name: impl Into<String>, length: usize, unit: &'static str) -> ProgressBar {
    if QUIET.get() {
        return ProgressBar::hidden();
    }
    let rate = move |state: &ProgressState, out: &mut dyn Write| {
        // A bar that cannot be drawn is no reason to stop the work.
        let _ = write!(out, "{:.0} {unit}/s", state.per_sec());
    };
    let style =
        ProgressStyle::with_template("{prefix} {bar:30} {human_pos}/{human_len}  {msg}  {rate}  {eta} left")
            .map(|style| style.with_key("rate", rate));
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(name.into())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::{ProgressDrawTarget, TermLike};

    /// A terminal that keeps everything that was ever written to it.
    #[derive(Debug, Clone, Default)]
    struct Terminal(Arc<Mutex<String>>);

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            120
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn shows_all_that_a_person_wants_to_know() {
        let terminal = Terminal::default();
        let bar = super::bar("epoch 2/3", 20_000, "examples");
        bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        bar.set_message("loss 0.5");
        bar.set_position(5_000);
        bar.tick();
        let shown = terminal.0.lock().unwrap().clone();
        for part in ["epoch 2/3", "5,000/20,000", "loss 0.5", "examples/s", "left"] {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
    }
}
