//! Colours: on a terminal, unless they are turned off.
//!
//! `NO_COLOR` (set and not empty) turns them off, `CLICOLOR_FORCE` (set, not empty
//! and not `0`) turns them on where there is no terminal. Each stream is decided
//! separately. Guest text must be neutralized before it is painted.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};

/// Colours text for one stream, or leaves it unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Painter {
    colours: bool,
}

/// The painter of standard output.
pub(crate) fn stdout() -> Painter {
    Painter::of(io::stdout().is_terminal(), |name| env::var_os(name))
}

/// The painter of standard error.
pub(crate) fn stderr() -> Painter {
    Painter::of(io::stderr().is_terminal(), |name| env::var_os(name))
}

/// A painter that leaves all text unchanged.
#[cfg(test)]
pub(crate) fn none() -> Painter {
    Painter { colours: false }
}

impl Painter {
    fn of(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let dumb = set("TERM").is_some_and(|value| value == "dumb");
        Self {
            colours: set("NO_COLOR").is_none() && (forced || (terminal && !dumb)),
        }
    }

    /// Whether it uses colours.
    pub(crate) fn has_colours(self) -> bool {
        self.colours
    }

    /// Success.
    pub(crate) fn ok(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// Failure.
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something that deserves attention.
    pub(crate) fn warn(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// Less important text.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// Emphasized text.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.colours && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(terminal: bool, variables: &[(&str, &str)]) -> bool {
        let variable = |name: &str| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Painter::of(terminal, variable).colours
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(colours(true, &[]));
        assert!(!colours(false, &[]));
        assert!(!colours(true, &[("TERM", "dumb")]));
    }

    #[test]
    fn no_color_wins_and_force_needs_no_terminal() {
        assert!(!colours(true, &[("NO_COLOR", "1")]));
        assert!(colours(true, &[("NO_COLOR", "")]));
        assert!(colours(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!colours(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!colours(
            false,
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
        ));
    }

    #[test]
    fn colours_are_reset_after_the_text() {
        let painter = Painter { colours: true };
        assert_eq!(painter.ok("yes"), "\u{1b}[32myes\u{1b}[0m");
        assert_eq!(painter.ok(""), "");
        assert_eq!(Painter { colours: false }.bad("no"), "no");
    }
}
