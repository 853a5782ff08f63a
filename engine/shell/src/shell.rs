//! The interpreter: built once, warmed, then used for a single run.
//!
//! Building and warming happen before the snapshot, so that a run starts with
//! tables and code paths ready. Nothing of the clock, of the environment or of
//! an async runtime may be held here.

use crate::commands::check::Names;
use crate::files::{Files, HOME, WORK_DIR};
use crate::{commands, jq, limits, stdin_shell};
use bashkit::{Bash, MemoryLimits, SessionLimits};
use std::sync::Arc;

/// Touches the tables which most scripts need.
const WARM_UP: &str = "x=$(printf '%s' a | sed s/a/b/ | grep b | awk '{print $1}' | sort | cut -c1)
[[ $x =~ ^b ]]; case $x in b*) :;; esac
unset x; trap : EXIT; echo '{\"a\":1}' | jq -c .a; jq -n '1+1'; wc -l </dev/null; test -e /tmp; hash -r";

/// A ready interpreter with its files.
pub struct Shell {
    pub(crate) bash: Bash,
    pub(crate) files: Files,
}

impl Shell {
    /// Builds an interpreter with our files and commands, and warms it.
    pub async fn build() -> Self {
        let mut shell = Self::cold();
        let mut fresh = shell.bash.shell_state();
        // The outcome is of no interest: a cold table costs time, nothing else.
        let _ = shell.bash.exec(WARM_UP).await;
        for user in ["UID", "EUID"] {
            fresh.variables.insert(user.to_owned(), "0".to_owned());
        }
        shell.bash.restore_shell_state(&fresh);
        shell
    }

    fn cold() -> Self {
        let files = Files::new();
        let started = files.clone();
        let names = Names::default();
        let builder = Bash::builder()
            .fs(Arc::new(files.clone()))
            .limits(limits::execution())
            .session_limits(SessionLimits::unlimited())
            .memory_limits(MemoryLimits::unlimited())
            .username("root")
            .hostname("tenterhook")
            .cwd(WORK_DIR)
            .env("HOME", HOME)
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .builtin_registry(jq::registry())
            .before_tool(Box::new(move |call| {
                started.command_starts(&call.name, &call.args);
                stdin_shell::rewrite(call)
            }));
        let bash = commands::register(builder, &names).build();
        names.get_or_init(|| bash.builtin_names().into_iter().collect());
        Self { bash, files }
    }
}
