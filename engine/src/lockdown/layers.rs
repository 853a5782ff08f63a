//! What holds threads, told to people and to metrics.

use std::fmt;

/// The layers that hold some threads. One that is missing is not in this kernel,
/// or was not wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// No program that they start has more rights than they.
    pub no_new_privileges: bool,
    /// They have no capabilities. The thread that mounts scratch file systems
    /// keeps the one it needs, `CAP_SYS_ADMIN`.
    pub capabilities: bool,
    /// Landlock: they open no files but those they need.
    pub landlock: bool,
    /// seccomp: they make no system calls but those they need.
    pub seccomp: bool,
}

impl Layers {
    /// Each layer's name, as metrics have it, and whether it holds.
    #[must_use]
    pub fn named(self) -> [(&'static str, bool); 4] {
        [
            ("no_new_privs", self.no_new_privileges),
            ("capabilities", self.capabilities),
            ("landlock", self.landlock),
            ("seccomp", self.seccomp),
        ]
    }

    /// Whether every layer holds.
    #[must_use]
    pub fn are_all_there(self) -> bool {
        self.named().iter().all(|(_, holds)| *holds)
    }
}

/// The names of those that hold.
impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<_> = self
            .named()
            .into_iter()
            .filter(|(_, holds)| *holds)
            .collect();
        if held.is_empty() {
            return f.write_str("nothing");
        }
        for (index, (name, _)) in held.iter().enumerate() {
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
    fn layers_are_told_by_their_names() {
        let some = Layers {
            landlock: true,
            seccomp: true,
            ..Layers::default()
        };
        assert_eq!(some.to_string(), "landlock, seccomp");
        assert!(!some.are_all_there());
        assert_eq!(Layers::default().to_string(), "nothing");
    }
}
