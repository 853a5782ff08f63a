//! Checks a body against its table.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Kind, Member, Presence, Purpose};
use crate::astra::identifier;
use tenterhook_query::astra::parse_timestamp;

/// Most failures that are reported of one body.
const FAILURES_MAX: usize = 8;

/// Checks that an object has the members that it must have, and no others, all of
/// the right kind.
///
/// # Errors
///
/// What is wrong, for the client.
pub(in crate::astra) fn check(
    members: &[Member],
    object: &Map<String, Value>,
    purpose: Purpose,
) -> Result<(), String> {
    let mut failures = Failures::default();
    failures.object("", members, object, purpose);
    if failures.0.is_empty() {
        Ok(())
    } else {
        Err(failures.0.join("; "))
    }
}

#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn add(&mut self, place: &str, what: &str) {
        if self.0.len() < FAILURES_MAX {
            self.0.push(format!("`{place}` {what}"));
        }
    }

    fn object(
        &mut self,
        place: &str,
        members: &[Member],
        object: &Map<String, Value>,
        purpose: Purpose,
    ) {
        let known = |name: &str| {
            let own = members.iter().find(|member| member.name == name);
            own.filter(|member| member.presence(purpose) != Presence::Never)
        };
        for member in members {
            let must = member.presence(purpose) == Presence::Must;
            if must && !object.contains_key(member.name) {
                self.add(&below(place, member.name), "is missing");
            }
        }
        for (name, value) in object {
            let place = below(place, &shown(name));
            match known(name) {
                None => self.add(&place, "is not a member of this resource"),
                Some(member) => self.value(&place, &member.kind, value, purpose),
            }
        }
    }

    fn value(&mut self, place: &str, kind: &Kind, value: &Value, purpose: Purpose) {
        match (kind, value) {
            (Kind::Object(members), Value::Object(object)) => {
                self.object(place, members, object, purpose);
            }
            (Kind::List { of, max, unique }, Value::Array(list)) => {
                if list.len() > *max {
                    self.add(place, &format!("must not hold more than {max} items"));
                    return;
                }
                for (index, item) in list.iter().enumerate() {
                    self.value(&format!("{place}[{index}]"), of, item, purpose);
                }
                let mut seen = HashSet::new();
                if *unique && !list.iter().all(|item| seen.insert(item.to_string())) {
                    self.add(place, "must not hold an item twice");
                }
            }
            (Kind::Object(_), _) => self.add(place, "must be an object"),
            (Kind::List { .. }, _) => self.add(place, "must be an array"),
            (kind, Value::String(text)) => self.text(place, kind, text),
            (_, _) => self.add(place, "must be a string"),
        }
    }

    fn text(&mut self, place: &str, kind: &Kind, text: &str) {
        match kind {
            Kind::OneOf(texts) if !texts.contains(&text) => {
                let all: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
                self.add(place, &format!("must be {}", all.join(" or ")));
            }
            Kind::Text { min, max } => {
                let length = text.chars().count();
                if length < *min {
                    self.add(place, "must not be empty");
                } else if length > *max {
                    self.add(place, &format!("must not have more than {max} characters"));
                }
            }
            Kind::Base64 { max } if text.len() > *max => {
                self.add(place, &format!("must not have more than {max} characters"));
            }
            Kind::Identifier if !identifier::is_identifier(text) => {
                self.add(place, "must be a UUID of version 4 or 5 in lower case");
            }
            Kind::Checksum if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                self.add(place, "must be 32 hexadecimal digits");
            }
            Kind::Timestamp if parse_timestamp(text).is_none() => {
                self.add(place, "must be a timestamp such as 2031-01-02T03:04:05Z");
            }
            _ => {}
        }
    }
}

fn below(place: &str, name: &str) -> String {
    match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    }
}

/// A name that a client sent, shortened to be quoted.
fn shown(name: &str) -> String {
    name.chars()
        .take(64)
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}
