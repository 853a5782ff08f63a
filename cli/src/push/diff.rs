//! Differences, line by line: `-` is the current state, `+` the new one.

use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::neutral;
use crate::paint::Painter;

/// Time limit for finding the shortest diff; after that, any diff will do.
const DIFF_TIMEOUT: Duration = Duration::from_secs(2);

/// Lines of context around a change.
const CONTEXT_LINES: usize = 3;

/// Shows one member, old and new.
pub(super) fn field(name: &str, old: &Value, new: &Value, paint: Painter) -> String {
    let old = paint.bad(&format!("  - {name} = {}", shown(old)));
    let new = paint.ok(&format!("  + {name} = {}", shown(new)));
    format!("{old}\n{new}\n")
}

fn shown(value: &Value) -> String {
    neutral::line(&match value {
        Value::String(text) => text.clone(),
        Value::Null => "(none)".to_owned(),
        value => value.to_string(),
    })
}

/// Shows the differences of two texts.
pub(super) fn text(old: &str, new: &str, paint: Painter) -> String {
    let diff = TextDiff::configure()
        .timeout(DIFF_TIMEOUT)
        .diff_lines(old, new);
    let mut summary = String::new();
    for (index, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if index > 0 {
            summary += &paint.dim("    ...\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = neutral::line(change.value().trim_end_matches(['\n', '\r']));
            summary += &match change.tag() {
                ChangeTag::Delete => paint.bad(&format!("  - {line}")),
                ChangeTag::Insert => paint.ok(&format!("  + {line}")),
                ChangeTag::Equal => format!("    {line}"),
            };
            summary.push('\n');
        }
    }
    if summary.is_empty() {
        // Only line endings differ.
        return format!("  {}\n", paint.warn("~ only line endings differ"));
    }
    summary
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::paint;

    #[test]
    fn changed_lines_are_shown_with_context() {
        let old = "1\n2\n3\n4\n5\n6\n";
        let new = "1\n2\n3\n4\nfive\u{1b}\n6\n";
        assert_eq!(
            text(old, new, paint::none()),
            "    2\n    3\n    4\n  - 5\n  + five^[\n    6\n"
        );
    }

    #[test]
    fn a_member_is_shown_with_its_old_and_new_value() {
        assert_eq!(
            field("args", &Value::Null, &json!(["-v"]), paint::none()),
            "  - args = (none)\n  + args = [\"-v\"]\n"
        );
    }
}
