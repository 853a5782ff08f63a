//! Everything that is wrong with a command's settings, reported at once.

use std::fmt;

/// What is wrong with the settings, one line each.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    /// Records that the setting `name` is wrong for this reason.
    pub(crate) fn add(&mut self, name: &str, reason: impl fmt::Display) {
        self.0.push(format!("`{name}` {reason}"));
    }

    /// Returns a checked setting, or records what is wrong with it.
    pub(crate) fn check<T>(
        &mut self,
        name: &str,
        checked: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        checked.map_err(|reason| self.add(name, reason)).ok()
    }

    /// `Ok` when nothing was wrong.
    pub(crate) fn none(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot use these settings:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_reported() {
        let mut faults = Faults::default();
        assert_eq!(faults.check("--a", Ok::<_, &str>(1)), Some(1));
        assert_eq!(faults.check::<()>("--b", Err("is wrong")), None);
        faults.add("--c", "is wrong too");
        let message = faults.none().unwrap_err().to_string();
        assert_eq!(
            message,
            "cannot use these settings:\n  `--b` is wrong\n  `--c` is wrong too"
        );
    }
}
