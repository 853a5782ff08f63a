//! How rows are sorted: by any columns, each upwards or downwards.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::Value;

/// More columns than any list has: a mistake or an attack.
pub(super) const MAX_COLUMNS: usize = 8;

/// One column to sort by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    column: String,
    order: Direction,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Direction {
    Asc,
    Desc,
}

/// Compares two rows by the columns, the first of them first.
pub(super) fn compare(columns: &[Order], a: &Value, b: &Value) -> Ordering {
    columns.iter().fold(Ordering::Equal, |so_far, column| {
        so_far.then_with(|| {
            let (a, b) = (
                super::field(a, &column.column),
                super::field(b, &column.column),
            );
            match column.order {
                Direction::Asc => compare_values(a, b),
                Direction::Desc => compare_values(a, b).reverse(),
            }
        })
    })
}

/// A total order over JSON: nothing, then booleans, numbers, text, and the rest
/// by how it is printed.
fn compare_values(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(_), Value::Number(_)) => numbers(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
            a.to_string().cmp(&b.to_string())
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Whole numbers that are equal as floats are distinguished by their digits, which keeps
/// the order total; sorting relies on that.
fn numbers(a: &Value, b: &Value) -> Ordering {
    let float = |value: &Value| value.as_f64().unwrap_or_default();
    let whole = |value: &Value| {
        let signed = value.as_i64().map(i128::from);
        signed.or_else(|| value.as_u64().map(i128::from))
    };
    float(a)
        .total_cmp(&float(b))
        .then_with(|| whole(a).cmp(&whole(b)))
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}
