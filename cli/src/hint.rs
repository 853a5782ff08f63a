//! A hint for a hook that failed because a variable is not set.
//!
//! The shell names such a variable on standard error and stops. The variables that are set
//! are known here, so the nearest can be suggested.

use tenterhook_engine::{Outcome, Report};
use tenterhook_sdk::contract::env::{CROIT_PREFIX, PARAM_PREFIX};

/// How similar two names must be for one to be suggested in place of the other.
const SIMILARITY: f32 = 0.6;

/// How much of standard error is searched, in bytes from its end.
const SEARCHED_BYTES: usize = 16 * 1024;

/// Longest name of a variable that is considered, in bytes.
const NAME_MAX_BYTES: usize = 200;

/// What shells print after the name of a variable that is not set.
const UNSET: [&str; 2] = [": unbound variable", ": parameter not set"];

/// The hint, if the run failed and its standard error names a variable of ours that is
/// not set; `set` are the names of those that are.
pub(crate) fn of(run: &Report, set: &[String]) -> Option<String> {
    match run.outcome {
        Outcome::Exited { status: 1.. } => unset(&run.stderr, set),
        _ => None,
    }
}

fn unset(stderr: &[u8], set: &[String]) -> Option<String> {
    let end = &stderr[stderr.len().saturating_sub(SEARCHED_BYTES)..];
    let text = String::from_utf8_lossy(end);
    let name = text.lines().rev().find_map(unset_variable)?;
    if set.iter().any(|own| own == name) {
        return None;
    }
    let mut ours: Vec<&str> = set
        .iter()
        .map(String::as_str)
        .filter(|own| is_ours(own))
        .collect();
    ours.sort_by_key(|own| !own.starts_with(PARAM_PREFIX));
    if ours.is_empty() {
        return Some(format!(
            "`{name}` is not set because the run has no event; `--event NAME` gives it one"
        ));
    }
    // They share prefixes, which must not count as similarity.
    let tails: Vec<&str> = ours.iter().map(|own| tail(own)).collect();
    let near = similar::get_close_matches(tail(name), &tails, 1, SIMILARITY);
    let near = near.first().and_then(|near| {
        let at = tails.iter().position(|own| own == near)?;
        ours.get(at)
    });
    if let Some(near) = near {
        return Some(format!("`{name}` is not set; did you mean `{near}`?"));
    }
    let parameters: Vec<&str> = ours
        .into_iter()
        .filter(|own| own.starts_with(PARAM_PREFIX))
        .collect();
    Some(match parameters.is_empty() {
        true => format!("`{name}` is not set: this event has no parameters"),
        false => format!(
            "`{name}` is not set; the parameters are {}",
            parameters.join(", ")
        ),
    })
}

/// Returns the name without its prefix.
fn tail(name: &str) -> &str {
    let prefixes = [PARAM_PREFIX, CROIT_PREFIX, "HOOK_"];
    let tail = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    tail.unwrap_or(name)
}

/// Returns the variable of ours that this line reports as not set.
fn unset_variable(line: &str) -> Option<&str> {
    let before = UNSET
        .iter()
        .find_map(|message| line.split_once(message).map(|(before, _)| before))?;
    let name = before
        .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .next()?;
    (is_ours(name) && name.len() <= NAME_MAX_BYTES).then_some(name)
}

fn is_ours(name: &str) -> bool {
    name.starts_with("HOOK_") || name.starts_with(CROIT_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(stderr: &str) -> Option<String> {
        let set = ["HOOK_EVENT", "HOOK_PARAM_SERIAL", "HOOK_PARAM_SIZE", "LANG"];
        unset(stderr.as_bytes(), &set.map(String::from))
    }

    #[test]
    fn the_closest_variable_is_suggested() {
        let hint = hint("hook.sh: line 1: HOOK_PARAM_SERAIL: unbound variable\n").unwrap();
        assert_eq!(
            hint,
            "`HOOK_PARAM_SERAIL` is not set; did you mean `HOOK_PARAM_SERIAL`?"
        );
        for name in ["HOOK_SERIAL", "CROIT_SERIAL", "HOOK_PARAM_SERIALS"] {
            let hint = self::hint(&format!("{name}: unbound variable")).unwrap();
            assert!(
                hint.ends_with("did you mean `HOOK_PARAM_SERIAL`?"),
                "{hint}"
            );
        }
    }

    #[test]
    fn without_a_close_match_all_parameters_are_listed() {
        let hint = hint("HOOK_X: parameter not set").unwrap();
        assert!(
            hint.ends_with("the parameters are HOOK_PARAM_SERIAL, HOOK_PARAM_SIZE"),
            "{hint}"
        );
        let none = unset(b"HOOK_EVENT: unbound variable", &[]).unwrap();
        assert!(none.contains("--event"), "{none}");
    }

    #[test]
    fn foreign_or_set_variables_get_no_hint() {
        for stderr in [
            "",
            "FOO: unbound variable",
            "HOOK_PARAM_SERIAL: unbound variable",
            "HOOK_PARAM_SERAIL is missing",
            "\u{1b}]HOOK_: unbound",
        ] {
            assert_eq!(hint(stderr), None, "{stderr}");
        }
        assert_eq!(unset(&[0xff; 100_000], &[]), None);
    }
}
