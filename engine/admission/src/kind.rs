//! The kind of a program: shell script, core module or component.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a program. All three run in the same sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A script for `sh`, `dash` or `bash`.
    Script,
    /// A core WebAssembly module: a WASI preview 1 command.
    Module,
    /// A WebAssembly component: a WASI 0.2 `wasi:cli/command`.
    Component,
}

impl Kind {
    /// Detects the kind from the first bytes: Wasm begins with `\0asm` and its layer;
    /// anything else is treated as a script.
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Self {
        match bytes {
            [0, b'a', b's', b'm', _, _, 1, 0, ..] => Self::Component,
            [0, b'a', b's', b'm', ..] => Self::Module,
            _ => Self::Script,
        }
    }

    /// Returns the name in lower case, as it appears in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Module => "module",
            Self::Component => "component",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_detected_from_the_first_bytes() {
        assert_eq!(Kind::detect(b"\0asm\x01\0\0\0"), Kind::Module);
        assert_eq!(Kind::detect(b"\0asm\x0d\0\x01\0"), Kind::Component);
        assert_eq!(Kind::detect(b"#!/bin/sh\n"), Kind::Script);
        assert_eq!(Kind::detect(b""), Kind::Script);
    }
}
