//! The constants that name the guests' files, and a macro for each suite.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::guests::Guest;

/// Suites of `tests/guests`; every guest's name begins with one of them.
const SUITES: [&str; 6] = [
    "contained",
    "files",
    "friendly",
    "host_calls",
    "limits",
    "sdk",
];

/// Collects what is to be printed.
#[derive(Default)]
pub(crate) struct Names {
    constants: String,
    components: String,
    twins: String,
    suites: BTreeMap<&'static str, Vec<String>>,
}

impl Names {
    /// Names one guest's files, and puts it into its suite.
    ///
    /// A guest with a world of its own has no module: its component has the name.
    pub(crate) fn add(&mut self, guest: &Guest, component: &Path) {
        let name = constant_name(guest);
        if guest.world.is_some() {
            self.constant(
                &name,
                component,
                &format!("The component `{}`.", guest.name),
            );
        } else {
            self.constant(&name, &guest.wasm, &format!("The module `{}`.", guest.name));
            self.constant(
                &format!("{name}_COMPONENT"),
                component,
                &format!("The component made of `{}`.", guest.name),
            );
            write!(self.components, "({name}, {name}_COMPONENT), ")
                .expect("a string can be written");
        }
        if guest.name.contains('-') {
            // An example; it belongs to no suite.
            return;
        }
        let suite = SUITES
            .into_iter()
            .find(|suite| guest.name.starts_with(&format!("{suite}_")))
            .unwrap_or_else(|| {
                panic!(
                    "the guest {} belongs to none of the suites {SUITES:?}",
                    guest.name
                )
            });
        self.suites.entry(suite).or_default().push(name);
    }

    /// Names the twins of one guest that import file functions: its module and
    /// its component.
    pub(crate) fn add_twins(&mut self, guest: &Guest, [module, component]: &[PathBuf; 2]) {
        let name = constant_name(guest);
        write!(self.twins, "({name}, [{module:?}, {component:?}]), ")
            .expect("a string can be written");
    }

    /// Prints the constants and macros as Rust.
    pub(crate) fn print(&self) -> String {
        let mut out = self.constants.clone();
        writeln!(
            out,
            "/// Each module with the component made of it.\n\
             pub const COMPONENTS: &[(&str, &str)] = &[{}];\n\
             /// Each module with its twins that import file functions: a module and a component.\n\
             pub const TWINS: &[(&str, [&str; 2])] = &[{}];",
            self.components, self.twins
        )
        .expect("a string can be written");
        for (suite, names) in &self.suites {
            let calls: String = names
                .iter()
                .map(|name| format!("$each!({name}); "))
                .collect();
            writeln!(
                out,
                "/// Calls a macro with the name of each guest of the suite `{suite}`.\n\
                 #[macro_export]\nmacro_rules! foreach_{suite} {{ ($each:ident) => {{ {calls} }} }}"
            )
            .expect("a string can be written");
        }
        out
    }

    fn constant(&mut self, name: &str, file: &Path, doc: &str) {
        writeln!(
            self.constants,
            "/// {doc}\npub const {name}: &str = {:?};",
            file.to_string_lossy()
        )
        .expect("a string can be written");
    }
}

fn constant_name(guest: &Guest) -> String {
    guest.name.to_uppercase().replace('-', "_")
}
