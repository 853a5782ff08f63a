//! Filters and how they run.

use super::json::Value;
use std::borrow::Cow;

/// A filter: from one value to any number of values.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Identity,
    /// A step into what the first filter gives.
    Step(Box<Filter>, Step),
    Pipe(Box<Filter>, Box<Filter>),
    Comma(Box<Filter>, Box<Filter>),
    /// What is true of the first, else the second.
    Else(Box<Filter>, Box<Filter>),
    Literal(Value),
    Variable(String),
    Array(Option<Box<Filter>>),
    Object(Vec<(String, Filter)>),
    Length,
    Keys,
    Type,
    Not,
    Empty,
}

/// A step into a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) into: Into,
    /// With `?`: what cannot be stepped into gives nothing.
    pub(super) optional: bool,
}

/// Where a step leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Into {
    Key(String),
    Index(i64),
    All,
}

/// Why a filter did not run to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// An error of the filter, which `?` turns into nothing.
    Error,
    /// Something that is not for us.
    Foreign,
}

type Outputs<'a> = Vec<Cow<'a, Value>>;
type Variables<'a> = [(&'a str, Value)];

impl Filter {
    /// Adds what the filter makes of `input` to `out`.
    pub(super) fn run<'a>(
        &'a self,
        input: &'a Value,
        variables: &'a Variables<'a>,
        out: &mut Outputs<'a>,
    ) -> Result<(), Stop> {
        match self {
            Self::Identity => out.push(Cow::Borrowed(input)),
            Self::Step(base, step) => {
                let mut values = Vec::new();
                let ended = base.run(input, variables, &mut values);
                for value in values {
                    step.take(value, out)?;
                }
                return ended;
            }
            Self::Pipe(first, second) => {
                let mut values = Vec::new();
                let ended = first.run(input, variables, &mut values);
                for value in values {
                    second.run_on(value, variables, out)?;
                }
                return ended;
            }
            Self::Comma(first, second) => {
                first.run(input, variables, out)?;
                second.run(input, variables, out)?;
            }
            Self::Else(first, second) => {
                let mut values = Vec::new();
                first.run(input, variables, &mut values)?;
                let before = out.len();
                out.extend(values.into_iter().filter(|value| value.is_true()));
                if out.len() == before {
                    second.run(input, variables, out)?;
                }
            }
            Self::Literal(value) => out.push(Cow::Borrowed(value)),
            Self::Variable(name) => {
                let found = variables.iter().find(|(known, _)| known == name);
                out.push(Cow::Borrowed(&found.ok_or(Stop::Foreign)?.1));
            }
            Self::Array(None) => out.push(Cow::Owned(Value::Array(Vec::new()))),
            Self::Array(Some(items)) => {
                let mut values = Vec::new();
                items.run(input, variables, &mut values)?;
                let values = values.into_iter().map(Cow::into_owned).collect();
                out.push(Cow::Owned(Value::Array(values)));
            }
            Self::Object(entries) => out.push(Cow::Owned(object(entries, input, variables)?)),
            Self::Length => out.push(Cow::Owned(length(input)?)),
            Self::Keys => out.push(Cow::Owned(keys(input)?)),
            Self::Type => out.push(Cow::Owned(Value::Text(kind(input).to_owned()))),
            Self::Not => out.push(Cow::Owned(Value::Bool(!input.is_true()))),
            Self::Empty => {}
        }
        Ok(())
    }

    /// The same for an input that may be made up on the way.
    fn run_on<'a>(
        &'a self,
        input: Cow<'a, Value>,
        variables: &'a Variables<'a>,
        out: &mut Outputs<'a>,
    ) -> Result<(), Stop> {
        match input {
            Cow::Borrowed(input) => self.run(input, variables, out),
            Cow::Owned(input) => {
                let mut values = Vec::new();
                let ended = self.run(&input, variables, &mut values);
                out.extend(
                    values
                        .into_iter()
                        .map(|value| Cow::Owned(value.into_owned())),
                );
                ended
            }
        }
    }
}

impl Step {
    fn take<'a>(&self, value: Cow<'a, Value>, out: &mut Outputs<'a>) -> Result<(), Stop> {
        let ended = match value {
            Cow::Borrowed(value) => self.into.reach(value, out),
            Cow::Owned(value) => {
                let mut values = Vec::new();
                let ended = self.into.reach(&value, &mut values);
                out.extend(
                    values
                        .into_iter()
                        .map(|value| Cow::Owned(value.into_owned())),
                );
                ended
            }
        };
        if self.optional && ended == Err(Stop::Error) {
            Ok(())
        } else {
            ended
        }
    }
}

impl Into {
    fn reach<'a>(&self, value: &'a Value, out: &mut Outputs<'a>) -> Result<(), Stop> {
        let found = match (self, value) {
            (Self::All, Value::Array(items)) => {
                out.extend(items.iter().map(Cow::Borrowed));
                return Ok(());
            }
            (Self::All, Value::Object(entries)) => {
                out.extend(entries.iter().map(|(_, value)| Cow::Borrowed(value)));
                return Ok(());
            }
            (Self::Key(name), Value::Object(entries)) => entries
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            (Self::Index(index), Value::Array(items)) => {
                let from_end = i64::try_from(items.len()).map_err(|_| Stop::Foreign)? + index;
                let at = if *index < 0 { from_end } else { *index };
                usize::try_from(at).ok().and_then(|at| items.get(at))
            }
            (Self::Key(_) | Self::Index(_), Value::Null) => None,
            _ => return Err(Stop::Error),
        };
        out.push(found.map_or(Cow::Owned(Value::Null), Cow::Borrowed));
        Ok(())
    }
}

/// An object, each of whose values is exactly one output.
fn object(
    entries: &[(String, Filter)],
    input: &Value,
    variables: &Variables<'_>,
) -> Result<Value, Stop> {
    let mut made = Vec::new();
    for (key, filter) in entries {
        let mut values = Vec::new();
        filter.run(input, variables, &mut values)?;
        match (values.pop(), values.is_empty()) {
            (Some(value), true) => made.push((key.clone(), value.into_owned())),
            _ => return Err(Stop::Foreign),
        }
    }
    Ok(Value::Object(made))
}

fn length(input: &Value) -> Result<Value, Stop> {
    let length = match input {
        Value::Null => 0,
        Value::Text(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(entries) => entries.len(),
        Value::Bool(_) => return Err(Stop::Error),
        Value::Integer(_) | Value::OtherNumber => return Err(Stop::Foreign),
    };
    Ok(Value::Integer(length.to_string()))
}

fn keys(input: &Value) -> Result<Value, Stop> {
    match input {
        Value::Object(entries) => {
            let mut keys: Vec<&String> = entries.iter().map(|(key, _)| key).collect();
            keys.sort();
            Ok(Value::Array(
                keys.into_iter().cloned().map(Value::Text).collect(),
            ))
        }
        Value::Array(items) => {
            let keys = (0..items.len()).map(|at| Value::Integer(at.to_string()));
            Ok(Value::Array(keys.collect()))
        }
        _ => Err(Stop::Error),
    }
}

fn kind(input: &Value) -> &'static str {
    match input {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Integer(_) | Value::OtherNumber => "number",
        Value::Text(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
