//! `sh -s`: the interpreter reads the script but drops its parameters.
//!
//! The call is rewritten before it runs: the script is taken from standard
//! input by `eval`, under `-c`, which keeps name and parameters.

use bashkit::hooks::{HookAction, ToolEvent};

/// What takes the place of a script on standard input.
const READ_AND_RUN: &str = "eval \"$(cat)\"";

/// Rewrites `sh -s a b`; every other call is unchanged.
pub(crate) fn rewrite(mut call: ToolEvent) -> HookAction<ToolEvent> {
    if matches!(call.name.as_str(), "sh" | "bash")
        && let Some(args) = with_script_from_stdin(&call.name, &call.args)
    {
        call.args = args;
    }
    HookAction::Continue(call)
}

fn with_script_from_stdin(name: &str, args: &[String]) -> Option<Vec<String>> {
    let mut kept = Vec::new();
    let mut found = false;
    let mut rest = args.iter();
    let mut parameters = Vec::new();
    while let Some(arg) = rest.next() {
        let is_option = arg.len() > 1 && arg.starts_with(['-', '+']);
        if arg == "--" || arg == "-" {
            parameters.extend(rest.cloned());
            break;
        }
        if !is_option {
            parameters.push(arg.clone());
            parameters.extend(rest.cloned());
            break;
        }
        if arg.starts_with("--") {
            kept.push(arg.clone());
            continue;
        }
        let without: String = arg.chars().filter(|c| *c != 's').collect();
        found |= without != *arg;
        if without.contains('c') {
            return None;
        }
        if without.len() > 1 {
            kept.push(without.clone());
        }
        if without.ends_with(['o', 'O']) {
            kept.extend(rest.next().cloned());
        }
    }
    if !found || parameters.is_empty() {
        return None;
    }
    kept.extend(["-c".to_owned(), READ_AND_RUN.to_owned(), name.to_owned()]);
    kept.extend(parameters);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::{READ_AND_RUN, with_script_from_stdin};

    fn rewritten(args: &[&str]) -> Option<Vec<String>> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        with_script_from_stdin("sh", &args)
    }

    #[test]
    fn parameters_after_s_reach_the_script() {
        let expected = ["-e", "-c", READ_AND_RUN, "sh", "a", "-b"];
        assert_eq!(rewritten(&["-se", "--", "a", "-b"]).unwrap(), expected);
    }

    #[test]
    fn other_calls_stay_as_they_are() {
        for args in [
            &["-c", "echo -s", "-s"][..],
            &["script", "-s"],
            &["-s"],
            &["-e", "x"],
        ] {
            assert_eq!(rewritten(args), None, "{args:?}");
        }
    }
}
