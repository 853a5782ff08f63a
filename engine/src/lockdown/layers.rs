//! The layers of a lockdown, for people and for metrics.

use std::fmt;

/// The layers that restrict some threads. A missing layer is not in this kernel, or was
/// switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// No program that they start has more rights than they have.
    pub no_new_privileges: bool,
    /// They have no capabilities.
    pub capabilities: bool,
    /// Landlock: they can open only the files that they need.
    pub landlock: bool,
    /// seccomp: they can make only the system calls that they need.
    pub seccomp: bool,
}

impl Layers {
    /// Returns each layer's name, as in metrics, and whether it is applied.
    #[must_use]
    pub fn named(self) -> [(&'static str, bool); 4] {
        [
            ("no_new_privs", self.no_new_privileges),
            ("capabilities", self.capabilities),
            ("landlock", self.landlock),
            ("seccomp", self.seccomp),
        ]
    }

    /// Returns whether every layer is applied.
    #[must_use]
    pub fn are_complete(self) -> bool {
        self.named().iter().all(|(_, applied)| *applied)
    }
}

/// The names of the applied layers.
impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let applied: Vec<_> = self
            .named()
            .into_iter()
            .filter(|(_, applied)| *applied)
            .collect();
        if applied.is_empty() {
            return f.write_str("nothing");
        }
        for (index, (name, _)) in applied.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_displayed_by_their_names() {
        let some = Layers {
            landlock: true,
            seccomp: true,
            ..Layers::default()
        };
        assert_eq!(some.to_string(), "landlock, seccomp");
        assert!(!some.are_complete());
        assert_eq!(Layers::default().to_string(), "nothing");
    }
}
