//! The names of a guest's functions as their author wrote them: Rust and C++ compilers
//! mangle them.
//!
//! The guest chooses its names, so reading one is bounded: a mangled name refers to parts of
//! itself, and a short one can stand for one without end.

use std::fmt::{self, Write};

/// Characters of a name that are shown.
const SHOWN_MAX_CHARS: usize = 200;

/// Bytes of the longest name that is read. Those of generic Rust have some hundreds.
const READ_MAX_BYTES: usize = 4 * 1024;

/// Returns the name as it is in the source, or as it is where no compiler has mangled it.
pub(super) fn readable(name: &str) -> String {
    let mut shown = Shown::default();
    if name.len() > READ_MAX_BYTES || !demangle(name, &mut shown) {
        return name.chars().take(SHOWN_MAX_CHARS).collect();
    }
    shown.text
}

/// Whether the name was mangled. What is too long of it is left out.
fn demangle(name: &str, shown: &mut Shown) -> bool {
    // Without the hash at the end, which distinguishes functions of the same name.
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return write!(shown, "{rust:#}").is_ok() || shown.is_full();
    }
    if !name.starts_with("_Z") {
        return false;
    }
    let Ok(cpp) = cpp_demangle::Symbol::new(name) else {
        return false;
    };
    let options = cpp_demangle::DemangleOptions::default();
    cpp.structured_demangle(shown, &options).is_ok() || shown.is_full()
}

/// A text that fails once it is full, which ends what writes it.
#[derive(Default)]
struct Shown {
    text: String,
    chars: usize,
}

impl Shown {
    fn is_full(&self) -> bool {
        self.chars == SHOWN_MAX_CHARS
    }
}

impl Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.is_full() {
                return Err(fmt::Error);
            }
            self.text.push(c);
            self.chars += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mangled_names_are_shown_as_they_were_written() {
        for (name, shown) in [
            (
                "_ZN4core9panicking5panic17h0123456789abcdefE",
                "core::panicking::panic",
            ),
            ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
            (
                "_ZNSt6vectorIiSaIiEE9push_backEOi",
                "std::vector<int, std::allocator<int> >::push_back(int&&)",
            ),
            ("_Z3addii", "add(int, int)"),
            ("main", "main"),
            ("_start", "_start"),
            ("_Znonsense", "_Znonsense"),
            ("runtime.main", "runtime.main"),
        ] {
            assert_eq!(readable(name), shown, "{name}");
        }
    }

    #[test]
    fn a_name_that_stands_for_one_without_end_is_cut_at_once() {
        // Each pair is of two of the pair before.
        let mut name = "_Z1fSt4pairIiiE".to_owned();
        for place in [
            "S_", "S0_", "S1_", "S2_", "S3_", "S4_", "S5_", "S6_", "S7_", "S8_",
        ]
        .into_iter()
        .chain([
            "S9_", "SA_", "SB_", "SC_", "SD_", "SE_", "SF_", "SG_", "SH_", "SI_",
        ]) {
            name.push_str(&format!("St4pairI{place}{place}E"));
        }
        assert!(readable(&name).chars().count() <= SHOWN_MAX_CHARS);
        let long = format!("_ZN{}E", "1a".repeat(READ_MAX_BYTES));
        assert_eq!(readable(&long).chars().count(), SHOWN_MAX_CHARS);
    }

    proptest! {
        #[test]
        fn no_name_panics_or_is_long(
            name in prop_oneof!["_Z[0-9A-Za-z_$.]{0,80}", "_R[0-9A-Za-z_]{0,80}", "\\PC{0,300}"],
        ) {
            prop_assert!(readable(&name).chars().count() <= SHOWN_MAX_CHARS);
        }
    }
}
