//! Prints a value as `jq` does: indented, compact, or raw.

use super::json::Value;

/// How values are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) layout: Layout,
    pub(super) texts: Texts,
}

/// Whether arrays and objects take several lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Layout {
    #[default]
    Indented,
    Compact,
}

/// How a text that is a whole output is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Texts {
    #[default]
    Quoted,
    Raw,
    /// Raw, and nothing after any output.
    Joined,
}

/// Prints one output; nothing if the value is not for us.
pub(super) fn print(value: &Value, form: Form, out: &mut String) -> Option<()> {
    match (value, form.texts) {
        (Value::Text(text), Texts::Raw | Texts::Joined) => out.push_str(text),
        _ => nested(value, form.layout, 0, out)?,
    }
    if form.texts != Texts::Joined {
        out.push('\n');
    }
    Some(())
}

fn nested(value: &Value, layout: Layout, depth: usize, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Integer(text) => out.push_str(text),
        Value::OtherNumber => return None,
        Value::Text(text) => quote(text, out)?,
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Object(entries) if entries.is_empty() => out.push_str("{}"),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(at, layout, depth + 1, out);
                nested(item, layout, depth + 1, out)?;
            }
            line(layout, depth, out);
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (at, (key, item)) in entries.iter().enumerate() {
                separate(at, layout, depth + 1, out);
                quote(key, out)?;
                out.push_str(if layout == Layout::Compact { ":" } else { ": " });
                nested(item, layout, depth + 1, out)?;
            }
            line(layout, depth, out);
            out.push('}');
        }
    }
    Some(())
}

fn separate(at: usize, layout: Layout, depth: usize, out: &mut String) {
    if at > 0 {
        out.push(',');
    }
    line(layout, depth, out);
}

fn line(layout: Layout, depth: usize, out: &mut String) {
    if layout == Layout::Indented {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

fn quote(text: &str, out: &mut String) -> Option<()> {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => return None,
            c => out.push(c),
        }
    }
    out.push('"');
    Some(())
}
