//! A single way of printing JSON, because each way adds its own code to a hook.

use serde_json::Value;

/// Prints a value without spaces.
pub(crate) fn print(value: &Value) -> String {
    let Ok(text) = serde_json::to_string(value) else {
        unreachable!("a `Value` can always be serialized")
    };
    text
}
