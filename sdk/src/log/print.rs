//! Where log lines go: standard error, or to a unit test.

use std::cell::RefCell;
use std::fmt::Display;
use std::io::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Level, LogLine};
use crate::contract::env;

/// What a thread does with log lines. A guest has one thread; unit tests have one each,
/// and must not see each other's lines.
#[derive(Default)]
struct Log {
    /// The minimum level that is printed; the outer `None` until it is known.
    least: Option<Option<Level>>,
    /// The lines of a hook that is being tested.
    kept: Option<Vec<LogLine>>,
}

thread_local! {
    static LOG: RefCell<Log> = const { RefCell::new(Log { least: None, kept: None }) };
}

/// Returns whether lines of this level are printed.
#[must_use]
pub fn enabled(level: Level) -> bool {
    LOG.with_borrow_mut(|log| {
        let least = *log.least.get_or_insert_with(least_of_environment);
        least.is_some_and(|least| level >= least)
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a guest's environment is the channel of its settings"
)]
fn least_of_environment() -> Option<Level> {
    Level::least(&std::env::var(env::LOG).unwrap_or_default())
}

/// Prints one line, by a single write.
pub fn write(level: Level, message: &dyn Display, fields: &mut [(&str, Value)]) {
    let fields = fields
        .iter_mut()
        .map(|(name, value)| (plain(name).to_owned(), value.take()));
    let line = LogLine {
        level,
        message: message.to_string(),
        fields: fields.collect::<Map<_, _>>(),
    };
    LOG.with_borrow_mut(|log| match &mut log.kept {
        Some(kept) => kept.push(line),
        None => {
            let mut text = line.to_json();
            text.push('\n');
            // Without standard error, there is nowhere to report the failure.
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    });
}

/// Returns a field's value; null for what JSON cannot represent.
#[must_use]
pub fn value<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Refuses, at compile time, a field that would hide a part of the line.
///
/// # Panics
///
/// If it is called `level` or `message`.
pub const fn check_field(name: &str) {
    assert!(
        !matches!(name.as_bytes(), b"level" | b"message"),
        "a field of a log line cannot be called `level` or `message`: these are the line's own"
    );
}

/// Returns a name without the prefix of a raw identifier.
fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Runs `hook` and keeps what it logs on this thread.
pub(crate) fn capture<R>(least: Option<Level>, hook: impl FnOnce() -> R) -> (R, Vec<LogLine>) {
    /// Restores what was there before, also after a panic.
    struct Before(Log);
    impl Drop for Before {
        fn drop(&mut self) {
            LOG.replace(std::mem::take(&mut self.0));
        }
    }
    let before = Before(LOG.replace(Log {
        least: Some(least),
        kept: Some(Vec::new()),
    }));
    let answer = hook();
    let lines = LOG.take().kept.unwrap_or_default();
    drop(before);
    (answer, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_below_the_least_level_cost_nothing() {
        let mut asked = 0;
        let mut ask = || {
            asked += 1;
            asked
        };
        let ((), lines) = capture(Some(Level::Warn), || {
            crate::info!("one", number = ask());
            crate::warn!("two", number = ask());
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].fields["number"], 1);
        let ((), lines) = capture(None, || crate::error!("nothing"));
        assert!(lines.is_empty());
    }

    #[test]
    fn a_message_is_a_text_with_variables_or_any_expression() {
        let disk = "sdc";
        let ((), lines) = capture(Some(Level::Trace), || {
            crate::trace!("{disk} and {{braces}}");
            crate::debug!(format!("{disk}!"));
            crate::error!(disk, r#type = "osd", of = Some(1.5),);
        });
        let texts: Vec<_> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "TRACE sdc and {braces}",
                "DEBUG sdc!",
                r#"ERROR sdc of=1.5 type="osd""#
            ]
        );
    }

    #[test]
    fn a_value_that_json_cannot_represent_is_null() {
        let odd = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(value(&odd), Value::Null);
        assert_eq!(value(&f64::NAN), Value::Null);
    }

    #[test]
    fn a_hook_that_panics_leaves_the_thread_unchanged() {
        let panicked = std::panic::catch_unwind(|| capture(None, || panic!("on purpose")));
        assert!(panicked.is_err());
        LOG.with_borrow(|log| assert!(log.kept.is_none()));
    }
}
