//! The `where` of a `pagination` parameter: a tree of conditions on fields.

use serde_json::{Map, Value};

use super::Fault;
use super::condition::{Budget, Condition};

/// How deep `_and`, `_or` and `_not` may stand inside each other.
const MAX_DEPTH: usize = 16;

/// Decides which rows stay. The default keeps all.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// Text in lower case that must occur in some field.
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
    pub(super) fn parse(said: &Value) -> Result<Self, Fault> {
        parse(said, 0, &mut Budget::default())
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

fn parse(said: &Value, depth: usize, budget: &mut Budget) -> Result<Filter, Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::new(
            "where",
            format_args!("is nested deeper than {MAX_DEPTH}"),
        ));
    }
    let object = object("where", said)?;
    let mut all = Vec::with_capacity(object.len());
    for (key, said) in object {
        budget.spend()?;
        all.push(match key.as_str() {
            "_and" => Filter::All(parse_list(key, said, depth, budget)?),
            "_or" => Filter::Any(parse_list(key, said, depth, budget)?),
            "_not" => Filter::Not(Box::new(parse(said, depth + 1, budget)?)),
            "_search" => match said {
                Value::String(text) => Filter::Search(text.to_lowercase()),
                _ => return Err(Fault::new(key, "must be a string")),
            },
            _ if key.starts_with('_') => {
                return Err(Fault::new(
                    key,
                    "is not one of `_and`, `_or`, `_not`, `_search` or a field",
                ));
            }
            field => {
                let conditions = self::object(field, said)?
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
    said: &Value,
    depth: usize,
    budget: &mut Budget,
) -> Result<Vec<Filter>, Fault> {
    let Value::Array(list) = said else {
        return Err(Fault::new(key, "must be a list of conditions"));
    };
    list.iter()
        .map(|said| parse(said, depth + 1, budget))
        .collect()
}

fn object<'a>(at: &str, said: &'a Value) -> Result<&'a Map<String, Value>, Fault> {
    said.as_object()
        .ok_or_else(|| Fault::new(at, "must be an object of conditions"))
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
