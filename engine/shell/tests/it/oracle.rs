//! Every script of `tests/shell/oracle` against the answers of a real bash.
//!
//! Beside each script stand the standard output and the exit status that bash
//! 5.2 gave in an empty folder with empty input. A difference that we know of is
//! listed here and must really be one, so that the list cannot rot.

use crate::harness::{Answer, run_within};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tenterhook_shell::Job;

/// Scripts that end otherwise than in bash; `docs/shell.md` says why.
const KNOWN_DIFFERENCES: &[&str] = &[
    "064-jq.sh",
    "082-deep-recursion.sh",
    "real/04-backtick-in-quotes.sh",
    "real/05-dq-replacement-backslash.sh",
    "real/07-err-trap-in-function-with-errexit.sh",
    "real/08-exec-to-process-substitution.sh",
    "real/10-exec-amp-redirect.sh",
    "real/11-background-job-keeps-hook-alive.sh",
    "real/13-tool-io-error-ends-script.sh",
    "real/14-tar-broken-link-ends-script.sh",
    "real/16-pipe-into-function.sh",
    "real/17-nested-default-quotes.sh",
    "real/20-cond-newer-older.sh",
    "real/22-cond-S-always-true.sh",
    "real/23-cond-o-always-true.sh",
    "real/25-regex-bracket-in-bracket.sh",
    "real/26-write-proc-1-fd-1.sh",
    "real/28-fifo-read-write-fd.sh",
    "real/29-export-f.sh",
    "real/31-exec-runs-exit-trap.sh",
    "real/32-BASH_COMMAND.sh",
    "real/34-nameref-read-a.sh",
    "real/35-mkdir-mode.sh",
    "real/37-chmod-special-bits.sh",
    "real/38-chmod-reference-verbose.sh",
    "real/40-cp-preserve-time.sh",
    "real/41-mv-no-clobber.sh",
    "real/43-verbose-flags.sh",
    "real/44-ln-missing-source.sh",
    "real/46-xargs-status.sh",
    "real/47-timeout-signals.sh",
    "real/49-pgrep-options.sh",
    "real/50-df-options.sh",
    "real/52-readlink-broken-link.sh",
    "real/53-awk-close-output-pipe.sh",
    "real/55-bc-bases-and-scale.sh",
    "real/56-tar-options.sh",
    "real/58-hexdump-xxd.sh",
    "real/59-split-lines.sh",
    "real/61-env-options.sh",
    "real/62-path-does-not-override.sh",
    "real/67-heredoc-comment-quote.sh",
    "real/68-brace-paren-body.sh",
    "real/70-cond-nested-parens.sh",
    "real/71-bracket-escaped-space.sh",
    "real/76-find-samefile-inum.sh",
    "real/77-ulimit-core.sh",
    "real/79-command_not_found_handle.sh",
    "real/83-erred-builtin-log-lines.sh",
    "real/86-exec-redirect-breaks-substitution.sh",
];

/// Time after which a script that waits is taken for one that never ends.
const LONGEST: Duration = Duration::from_secs(10);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/shell/oracle")
}

/// The scripts of the folder and of `real`, which holds what public hooks do.
fn scripts() -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = [folder(), folder().join("real")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "sh" || end == "bash")
        })
        .collect();
    scripts.sort();
    scripts
}

fn answer(script: &Path) -> Option<Answer> {
    let mut job = Job::new(std::fs::read(script).unwrap());
    job.name = script.file_name().unwrap().to_string_lossy().into_owned();
    job.environment = vec![("LC_ALL".into(), "C.UTF-8".into())];
    run_within(job, LONGEST)
}

fn beside(script: &Path, ending: &str) -> Vec<u8> {
    let name = script.file_name().unwrap().to_string_lossy();
    std::fs::read(script.with_file_name(format!("{name}{ending}"))).unwrap()
}

#[test]
fn scripts_end_as_in_bash_except_where_it_is_documented() {
    let mut wrong = Vec::new();
    let scripts = scripts();
    assert!(scripts.len() >= 112, "only {} scripts found", scripts.len());
    for script in scripts {
        let name = script.strip_prefix(folder()).unwrap();
        let name = name.to_string_lossy().into_owned();
        let known = KNOWN_DIFFERENCES.contains(&name.as_str());
        let Some(answer) = answer(&script) else {
            if !known {
                wrong.push(format!("{name}: differs; it does not end"));
            }
            continue;
        };
        let status = String::from_utf8(beside(&script, ".status")).unwrap();
        let same = answer.stdout == beside(&script, ".out")
            && answer.ended.status.to_string() == status.trim();
        if same == known {
            wrong.push(format!(
                "{name}: {}; status {} (bash {})\nstdout:\n{}\nstderr:\n{}",
                if known {
                    "no longer differs"
                } else {
                    "differs"
                },
                answer.ended.status,
                status.trim(),
                String::from_utf8_lossy(&answer.stdout),
                answer.errors(),
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}
