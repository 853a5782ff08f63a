//! The `where` of a `pagination` parameter: a tree of conditions on fields.

use serde_json::{Map, Value};

use super::PaginationFault;
use super::condition::{Budget, Condition};

/// How deep `_and`, `_or` and `_not` may stand inside each other.
const MAX_DEPTH: usize = 16;

/// Decides which rows stay. The default keeps all.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// Lower-case text that must occur in some field.
    Search(String),
    Field(String, Vec<Condition>),
}

impl Default for Filter {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl Filter {
    /// Reads a `where`; its depth and its number of conditions are bounded.
    pub(super) fn parse(value: &Value) -> Result<Self, PaginationFault> {
        parse(value, 0, &mut Budget::default())
    }

    /// Whether the row stays.
    pub(super) fn keeps(&self, row: &Value) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.keeps(row)),
            Self::Any(filters) => filters.iter().any(|filter| filter.keeps(row)),
            Self::Not(filter) => !filter.keeps(row),
            Self::Search(text) => mentions(row, text),
            Self::Field(column, conditions) => {
                let value = super::field(row, column);
                conditions.iter().all(|condition| condition.holds(value))
            }
        }
    }
}

fn parse(value: &Value, depth: usize, budget: &mut Budget) -> Result<Filter, PaginationFault> {
    if depth > MAX_DEPTH {
        return Err(PaginationFault::new(
            "where",
            format_args!("is nested deeper than {MAX_DEPTH}"),
        ));
    }
    let object = object("where", value)?;
    let mut all = Vec::with_capacity(object.len());
    for (key, value) in object {
        budget.spend()?;
        all.push(match key.as_str() {
            "_and" => Filter::All(parse_list(key, value, depth, budget)?),
            "_or" => Filter::Any(parse_list(key, value, depth, budget)?),
            "_not" => Filter::Not(Box::new(parse(value, depth + 1, budget)?)),
            "_search" => match value {
                Value::String(text) => Filter::Search(text.to_lowercase()),
                _ => return Err(PaginationFault::new(key, "must be a string")),
            },
            _ if key.starts_with('_') => {
                return Err(PaginationFault::new(
                    key,
                    "is not one of `_and`, `_or`, `_not`, `_search` or a field",
                ));
            }
            field => {
                let conditions = self::object(field, value)?
                    .iter()
                    .map(|(operator, operand)| Condition::parse(field, operator, operand, budget))
                    .collect::<Result<_, _>>()?;
                Filter::Field(field.to_owned(), conditions)
            }
        });
    }
    Ok(Filter::All(all))
}

fn parse_list(
    key: &str,
    value: &Value,
    depth: usize,
    budget: &mut Budget,
) -> Result<Vec<Filter>, PaginationFault> {
    let Value::Array(list) = value else {
        return Err(PaginationFault::new(key, "must be a list of conditions"));
    };
    list.iter()
        .map(|value| parse(value, depth + 1, budget))
        .collect()
}

fn object<'a>(at: &str, value: &'a Value) -> Result<&'a Map<String, Value>, PaginationFault> {
    value
        .as_object()
        .ok_or_else(|| PaginationFault::new(at, "must be an object of conditions"))
}

fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => value.to_string().contains(text),
        Value::String(own) => own.to_lowercase().contains(text),
        Value::Array(list) => list.iter().any(|value| mentions(value, text)),
        Value::Object(map) => map.values().any(|value| mentions(value, text)),
    }
}
