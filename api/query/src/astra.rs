//! What Astra's clients ask of a list: `include`, `limit` and `filter`.
//!
//! It knows the names of a list, and neither HTTP nor any noun of the product. Reading is
//! bounded and cannot panic.

mod filter;
#[cfg(test)]
mod tests;
mod timestamp;

pub use self::filter::{Condition, Filter, Operator};
pub use self::timestamp::{parse_timestamp, print_timestamp};

/// Most names in one `include`.
const INCLUDE_MAX: usize = 64;

/// The names that one list knows.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// The members of an item, in their documented order.
    pub members: &'static [&'static str],
    /// The paths that a filter may name, such as `metadata.labels[*].name`.
    pub paths: &'static [(&'static str, Compared)],
}

/// How the values at a path are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Byte by byte.
    Text,
    /// As moments.
    Time,
}

/// What a request asks of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The members to return, in this order; all of them if `None`.
    pub include: Option<Vec<&'static str>>,
    /// The most items to return.
    pub limit: Option<usize>,
    /// The filter that the items must match.
    pub filter: Filter,
}

/// What is wrong with one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterFault {
    /// The parameter.
    pub name: String,
    /// What is wrong with it and what to send instead.
    pub reason: String,
}

/// Why a query is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// These parameters are not known here.
    Unsupported(Vec<ParameterFault>),
    /// These parameters are known, and their values are not acceptable.
    Invalid(Vec<ParameterFault>),
}

impl Query {
    /// Reads the parameters of a list, already decoded.
    ///
    /// # Errors
    ///
    /// [`Refused::Unsupported`] if any is unknown, else [`Refused::Invalid`].
    pub fn read<'a>(
        parameters: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        vocabulary: &Vocabulary,
    ) -> Result<Self, Refused> {
        refuse_unknown(
            parameters.clone().map(|(name, _)| name),
            &["include", "limit", "filter"],
        )?;
        let mut query = Self::default();
        let mut faults = Vec::new();
        for name in ["include", "limit", "filter"] {
            let mut values = parameters.clone().filter(|(own, _)| *own == name);
            let (first, second) = (values.next(), values.next());
            let Some((_, value)) = first else { continue };
            let read = if second.is_some() {
                Err("must not stand twice".to_owned())
            } else {
                query.set(name, value, vocabulary)
            };
            if let Err(reason) = read {
                let name = name.to_owned();
                faults.push(ParameterFault { name, reason });
            }
        }
        if faults.is_empty() {
            Ok(query)
        } else {
            Err(Refused::Invalid(faults))
        }
    }

    fn set(&mut self, name: &str, value: &str, vocabulary: &Vocabulary) -> Result<(), String> {
        match name {
            "include" => self.include = Some(read_include(value, vocabulary)?),
            "limit" => self.limit = Some(read_limit(value)?),
            _ => self.filter = Filter::parse(value, vocabulary)?,
        }
        Ok(())
    }
}

/// Refuses every parameter that is not one of `known`.
///
/// # Errors
///
/// [`Refused::Unsupported`], which names each of them once.
pub fn refuse_unknown<'a>(
    names: impl Iterator<Item = &'a str>,
    known: &[&str],
) -> Result<(), Refused> {
    let mut faults: Vec<ParameterFault> = Vec::new();
    for name in names.filter(|name| !known.contains(name)) {
        let name = quoted(name);
        if faults.len() < 16 && faults.iter().all(|fault| fault.name != name) {
            let reason = match known {
                [] => "is not supported; this call takes no query parameters".to_owned(),
                known => format!("is not supported; this call takes {}", known.join(", ")),
            };
            faults.push(ParameterFault { name, reason });
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Refused::Unsupported(faults))
    }
}

fn read_include(text: &str, vocabulary: &Vocabulary) -> Result<Vec<&'static str>, String> {
    if text.is_empty() {
        return Err("must name at least one member".to_owned());
    }
    let names = text.split(',').map(|name| {
        let known = vocabulary.members.iter().find(|member| **member == name);
        known.copied().ok_or_else(|| {
            let all = vocabulary.members.join(", ");
            format!("names `{}`; the members are {all}", quoted(name))
        })
    });
    let names: Vec<_> = names.take(INCLUDE_MAX + 1).collect::<Result<_, _>>()?;
    if names.len() > INCLUDE_MAX {
        return Err(format!("must not name more than {INCLUDE_MAX} members"));
    }
    Ok(names)
}

fn read_limit(text: &str) -> Result<usize, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() || text.starts_with('0') || !digits {
        return Err("must be a whole number from 1".to_owned());
    }
    // A number that does not fit is as good as no limit.
    Ok(text.parse().unwrap_or(usize::MAX))
}

/// Shortens what a client sent so that it can be quoted on one line.
fn quoted(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{2028}' | '\u{2029}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().take(64).map(plain).collect()
}
