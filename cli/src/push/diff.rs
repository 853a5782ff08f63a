//! What changes, side by side: `-` is what is there, `+` is what will be.

use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::neutral;
use crate::paint::Painter;

/// Time for finding the shortest diff; after that, any will do.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lines around a change.
const AROUND: usize = 3;

/// One member, old and new.
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

/// Two texts, line by line.
pub(super) fn text(old: &str, new: &str, paint: Painter) -> String {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut told = String::new();
    for (place, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if place > 0 {
            told += &paint.dim("    ...\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = neutral::line(change.value().trim_end_matches(['\n', '\r']));
            told += &match change.tag() {
                ChangeTag::Delete => paint.bad(&format!("  - {line}")),
                ChangeTag::Insert => paint.ok(&format!("  + {line}")),
                ChangeTag::Equal => format!("    {line}"),
            };
            told.push('\n');
        }
    }
    if told.is_empty() {
        // Only the ends of lines differ.
        return format!("  {}\n", paint.warn("~ the ends of lines"));
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::paint;

    #[test]
    fn changed_lines_stand_among_their_neighbours() {
        let old = "1\n2\n3\n4\n5\n6\n";
        let new = "1\n2\n3\n4\nfive\u{1b}\n6\n";
        assert_eq!(
            text(old, new, paint::none()),
            "    2\n    3\n    4\n  - 5\n  + five^[\n    6\n"
        );
    }

    #[test]
    fn a_member_is_shown_old_and_new() {
        assert_eq!(
            field("args", &Value::Null, &json!(["-v"]), paint::none()),
            "  - args = (none)\n  + args = [\"-v\"]\n"
        );
    }
}
