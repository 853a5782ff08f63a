//! Filters: `<path> <operator> '<value>'`, joined by commas that mean "and".

use serde_json::Value;
use time::OffsetDateTime;

use super::{Compared, Vocabulary, parse_timestamp, quoted};

/// Most conditions of one filter.
const CONDITIONS_MAX: usize = 64;

/// Most values of one `in`.
const VALUES_MAX: usize = 1_000;

const FORM: &str = "must be `<field> <operator> '<value>'`, with the operator eq, lt, gt, lte, gte \
                    or in; join several by commas";

/// A filter of a list: items must match all of its conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    conditions: Vec<Condition>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    path: &'static str,
    operator: Operator,
    /// As it was sent; of an `in`, each of them. At least one.
    values: Vec<String>,
    /// The same as moments, where the path leads to one.
    times: Option<Vec<OffsetDateTime>>,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Is equal.
    Eq,
    /// Is less.
    Lt,
    /// Is greater.
    Gt,
    /// Is less or equal.
    Lte,
    /// Is greater or equal.
    Gte,
    /// Is one of several, separated by commas.
    In,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    ///
    /// What is wrong, for the client.
    pub fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Self, String> {
        let mut conditions = Vec::new();
        let mut rest = text;
        loop {
            let (condition, after) = Condition::parse(rest, vocabulary)?;
            conditions.push(condition);
            if after.is_empty() {
                return Ok(Self { conditions });
            }
            rest = after.strip_prefix(',').ok_or(FORM)?;
            if conditions.len() >= CONDITIONS_MAX {
                return Err(format!(
                    "must not have more than {CONDITIONS_MAX} conditions"
                ));
            }
        }
    }

    /// The conditions, in the order given.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether an item matches all conditions. `member` returns the value of one of its
    /// members; an absent one matches nothing.
    pub fn admits(&self, member: impl Fn(&str) -> Option<Value>) -> bool {
        self.conditions.iter().all(|condition| {
            let (name, rest) = split(condition.path);
            member(name).is_some_and(|value| condition.holds(&value, rest))
        })
    }
}

impl Condition {
    fn parse<'a>(text: &'a str, vocabulary: &Vocabulary) -> Result<(Self, &'a str), String> {
        let (path, rest) = word(text, |c| c.is_ascii_alphanumeric() || ".[]*".contains(c));
        let (operator, rest) = word(space(rest)?, |c| c.is_ascii_alphabetic());
        let operator = Operator::parse(operator).ok_or(FORM)?;
        let quoted_value = space(rest)?.strip_prefix('\'').ok_or(FORM)?;
        let (value, rest) = quoted_value.split_once('\'').ok_or(FORM)?;
        let (path, compared) = vocabulary
            .paths
            .iter()
            .find(|(known, _)| *known == path)
            .ok_or_else(|| {
                let known: Vec<_> = vocabulary.paths.iter().map(|(path, _)| *path).collect();
                format!(
                    "names `{}`; the fields are {}",
                    quoted(path),
                    known.join(", ")
                )
            })?;
        let values = read_values(operator, value)?;
        let times = match compared {
            Compared::Text => None,
            Compared::Time => Some(
                values
                    .iter()
                    .map(|value| parse_timestamp(value))
                    .collect::<Option<_>>()
                    .ok_or_else(|| {
                        format!(
                            "must compare `{path}` to a timestamp such as '2031-01-02T03:04:05Z'"
                        )
                    })?,
            ),
        };
        let condition = Self {
            path,
            operator,
            values,
            times,
        };
        Ok((condition, rest))
    }

    /// The path that is compared.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// How it is compared.
    #[must_use]
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What it is compared to; several values for `in` alone.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// What it is compared to, as moments, where the path leads to one.
    #[must_use]
    pub fn times(&self) -> Option<&[OffsetDateTime]> {
        self.times.as_deref()
    }

    /// Walks the rest of the path; of a list, one element must match.
    fn holds(&self, value: &Value, rest: &str) -> bool {
        if let Some(rest) = rest.strip_prefix("[*]") {
            let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
            return list.iter().any(|element| self.holds(element, rest));
        }
        if let Some(rest) = rest.strip_prefix('.') {
            let (name, rest) = split(rest);
            return value.get(name).is_some_and(|value| self.holds(value, rest));
        }
        value.as_str().is_some_and(|text| self.meets(text))
    }

    fn meets(&self, text: &str) -> bool {
        match &self.times {
            None => self
                .values
                .iter()
                .any(|value| self.operator.holds(text, value.as_str())),
            Some(times) => parse_timestamp(text)
                .is_some_and(|own| times.iter().any(|time| self.operator.holds(&own, time))),
        }
    }
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "eq" => Self::Eq,
            "lt" => Self::Lt,
            "gt" => Self::Gt,
            "lte" => Self::Lte,
            "gte" => Self::Gte,
            "in" => Self::In,
            _ => return None,
        })
    }

    fn holds<T: Ord + ?Sized>(self, own: &T, value: &T) -> bool {
        match self {
            Self::Eq | Self::In => own == value,
            Self::Lt => own < value,
            Self::Gt => own > value,
            Self::Lte => own <= value,
            Self::Gte => own >= value,
        }
    }
}

fn read_values(operator: Operator, text: &str) -> Result<Vec<String>, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ",-./:;<=>?@[\\]^_ {}\"".contains(c);
    if text.is_empty() {
        return Err("must compare to at least one character".to_owned());
    }
    if let Some(foreign) = text.chars().find(|c| !allowed(*c)) {
        return Err(format!(
            "must not compare to a value with the character {}",
            foreign.escape_debug()
        ));
    }
    if operator != Operator::In {
        return Ok(vec![text.to_owned()]);
    }
    let values: Vec<_> = text.split(',').map(str::to_owned).collect();
    if values.len() > VALUES_MAX {
        return Err(format!("must not have more than {VALUES_MAX} values"));
    }
    Ok(values)
}

/// The first name of a path, and the rest with the mark that it begins with.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.find(['.', '[']).unwrap_or(path.len()))
}

fn word(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Skips at least one space. One that was encoded twice counts as well.
fn space(text: &str) -> Result<&str, String> {
    let mut rest = text;
    while let Some(after) = rest.strip_prefix(' ').or_else(|| rest.strip_prefix("%20")) {
        rest = after;
    }
    if rest.len() == text.len() {
        return Err(FORM.to_owned());
    }
    Ok(rest)
}
