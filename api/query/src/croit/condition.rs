//! One operator on one field: `_eq`, `_gt`, `_regex`, `_in` and their like.
//!
//! Operands are text, and also accepted as numbers and booleans. Two sides that
//! both read as numbers are compared as numbers.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::PaginationFault;
use super::number::Number;

/// Longest regular expression, in bytes.
const REGEX_MAX_BYTES: usize = 512;

/// Memory that one compiled expression may take. Matching takes linear time, so
/// this and the length of the pattern bound the work.
const REGEX_MAX_MEMORY: usize = 1 << 18;

/// What one `where` may hold in all.
#[derive(Debug)]
pub(super) struct Budget {
    nodes: usize,
    regexes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            nodes: 256,
            regexes: 8,
        }
    }
}

impl Budget {
    /// Takes one node off what is left.
    pub(super) fn spend(&mut self) -> Result<(), PaginationFault> {
        self.nodes = self
            .nodes
            .checked_sub(1)
            .ok_or_else(|| PaginationFault::new("where", "holds more than 256 conditions"))?;
        Ok(())
    }

    fn spend_regex(&mut self) -> Result<(), PaginationFault> {
        self.regexes = self.regexes.checked_sub(1).ok_or_else(|| {
            PaginationFault::new("where", "holds more than 8 regular expressions")
        })?;
        Ok(())
    }
}

/// One operator with its operand.
#[derive(Debug)]
pub(super) enum Condition {
    Eq(String),
    Neq(String),
    Gt(String),
    Gte(String),
    Lt(String),
    Lte(String),
    Regex(Regex),
    In(Operand),
    Nin(Operand),
    Contains(String),
}

/// What stands right of `_in`: a list, or text of which the field is a part.
#[derive(Debug)]
pub(super) enum Operand {
    List(Vec<String>),
    Text(String),
}

impl Condition {
    pub(super) fn parse(
        field: &str,
        operator: &str,
        operand: &Value,
        budget: &mut Budget,
    ) -> Result<Self, PaginationFault> {
        budget.spend()?;
        let text = || {
            scalar(operand).ok_or_else(|| {
                PaginationFault::new(
                    field,
                    format_args!("has an operand for `{operator}` that is not text"),
                )
            })
        };
        Ok(match operator {
            "_eq" => Self::Eq(text()?),
            "_neq" => Self::Neq(text()?),
            "_gt" => Self::Gt(text()?),
            "_gte" => Self::Gte(text()?),
            "_lt" => Self::Lt(text()?),
            "_lte" => Self::Lte(text()?),
            "_contains" => Self::Contains(text()?),
            "_in" => Self::In(Operand::parse(field, operand, budget)?),
            "_nin" => Self::Nin(Operand::parse(field, operand, budget)?),
            "_regex" => {
                budget.spend_regex()?;
                Self::Regex(regex(field, &text()?)?)
            }
            _ => {
                return Err(PaginationFault::new(
                    field,
                    format_args!(
                        "has the unknown operator `{}`; known are _eq, _neq, _gt, _gte, _lt, _lte, _regex, _in, _nin, _contains",
                        operator.escape_debug()
                    ),
                ));
            }
        })
    }

    /// Whether the condition holds for a field's value. A field without a value
    /// satisfies `_neq` and `_nin` alone.
    pub(super) fn holds(&self, value: &Value) -> bool {
        let compare = |operand: &str| scalar(value).map(|own| compare(&own, operand));
        match self {
            Self::Eq(operand) => is(value, operand),
            Self::Neq(operand) => !is(value, operand),
            Self::Gt(operand) => compare(operand).is_some_and(Ordering::is_gt),
            Self::Gte(operand) => compare(operand).is_some_and(Ordering::is_ge),
            Self::Lt(operand) => compare(operand).is_some_and(Ordering::is_lt),
            Self::Lte(operand) => compare(operand).is_some_and(Ordering::is_le),
            Self::Regex(regex) => any(value, |own| regex.is_match(own)),
            Self::In(operand) => operand.has(value),
            Self::Nin(operand) => !operand.has(value),
            Self::Contains(operand) => match value {
                Value::Array(_) => is(value, operand),
                _ => any(value, |own| own.contains(operand)),
            },
        }
    }
}

impl Operand {
    fn parse(field: &str, value: &Value, budget: &mut Budget) -> Result<Self, PaginationFault> {
        let wrong = || {
            PaginationFault::new(
                field,
                "has an operand for `_in` or `_nin` that is neither a list nor text",
            )
        };
        match value {
            Value::Array(list) => list
                .iter()
                .map(|item| {
                    budget.spend()?;
                    scalar(item).ok_or_else(wrong)
                })
                .collect::<Result<_, _>>()
                .map(Self::List),
            value => scalar(value).map(Self::Text).ok_or_else(wrong),
        }
    }

    fn has(&self, value: &Value) -> bool {
        match self {
            Self::List(list) => list.iter().any(|item| is(value, item)),
            Self::Text(text) => any(value, |own| text.contains(own)),
        }
    }
}

fn regex(field: &str, pattern: &str) -> Result<Regex, PaginationFault> {
    if pattern.len() > REGEX_MAX_BYTES {
        return Err(PaginationFault::new(
            field,
            format_args!("has a regular expression longer than {REGEX_MAX_BYTES} bytes"),
        ));
    }
    RegexBuilder::new(pattern)
        .size_limit(REGEX_MAX_MEMORY)
        .dfa_size_limit(REGEX_MAX_MEMORY)
        .nest_limit(32)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                PaginationFault::new(field, "has a regular expression that is too large")
            }
            _ => PaginationFault::new(field, "has a regular expression that cannot be read"),
        })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether `test` holds for the value, or for one element of a list.
fn any(value: &Value, test: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(list) => list.iter().filter_map(scalar).any(|own| test(&own)),
        value => scalar(value).is_some_and(|own| test(&own)),
    }
}

fn compare(own: &str, operand: &str) -> Ordering {
    match (Number::parse(own), Number::parse(operand)) {
        (Some(own), Some(operand)) => own.cmp(&operand),
        _ => own.cmp(operand),
    }
}

/// Whether the value, or one element of a list, is what the operand says: a number as a
/// number, anything else by its text.
fn is(value: &Value, operand: &str) -> bool {
    match value {
        Value::Array(list) => list
            .iter()
            .any(|item| !item.is_array() && is(item, operand)),
        Value::Number(number) => compare(&number.to_string(), operand).is_eq(),
        value => scalar(value).is_some_and(|own| own == operand),
    }
}
