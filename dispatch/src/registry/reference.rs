//! Which app or server a text means: it may be an id, a number or a name.
//!
//! Names are the tenant's choice, so one may be the id or the number of something else. A
//! text that could mean two things is refused: whatever was chosen, the hooks of the other
//! would silently not run.

use std::sync::Arc;

use uuid::Uuid;

use crate::error::{Error, Noun};
use crate::id::Number;
use crate::registry::app::App;
use crate::registry::directory::Index;
use crate::registry::server::Server;
use crate::runs::plan::Servers;

/// What a reference that can mean one thing only begins with.
const FORMS: [&str; 3] = ["id:", "number:", "name:"];

/// Nouns that can be referred to by id, number and name.
pub(crate) trait Referents {
    type Item: Referent;

    const WHAT: Noun;

    fn by_id(&self, id: Uuid) -> Option<&Self::Item>;
    fn by_number(&self, number: Number) -> Option<&Self::Item>;
    fn by_name(&self, name: &str) -> Option<&Self::Item>;
}

/// One of them.
pub(crate) trait Referent {
    fn id(&self) -> Uuid;
    fn number(&self) -> Number;
    fn name(&self) -> &str;
}

/// Finds what a text refers to, if it is exactly one thing.
///
/// # Errors
///
/// [`Error::Invalid`] for `field`.
pub(crate) fn resolve<'a, R: Referents>(
    among: &'a R,
    field: &'static str,
    text: &str,
) -> Result<&'a R::Item, Error> {
    let what = R::WHAT;
    let missing = || self::missing(what, field);
    let by_number = |text: &str| among.by_number(Number::new(number(text)?));
    let by_id = |text: &str| among.by_id(Uuid::try_parse(text).ok()?);
    if let Some((form, rest)) = typed(text) {
        let found = match form {
            "id:" => by_id(rest),
            "number:" => by_number(rest),
            _ => among.by_name(rest),
        };
        return found.ok_or_else(missing);
    }
    // No text is both: the shortest id has more digits than a number.
    let (form, by_key) = match by_id(text) {
        Some(found) => ("id", Some(found)),
        None => ("number", by_number(text)),
    };
    match (by_key, among.by_name(text)) {
        (Some(one), Some(other)) if one.number() != other.number() => Err(Error::invalid(
            field,
            format!(
                "is ambiguous: it is the {form} of one {what} and the name of another; say \
                 `{form}:{text}` or `name:{text}`"
            ),
        )),
        (Some(found), _) | (None, Some(found)) => Ok(found),
        (None, None) => Err(missing()),
    }
}

/// What is wrong with a reference that nothing answers.
pub(crate) fn missing(what: Noun, field: &'static str) -> Error {
    Error::invalid(
        field,
        format!("names no {what} of this account; give its number, name or id"),
    )
}

/// Checks that a noun does not get a name or an id by which it could be taken for another.
///
/// # Errors
///
/// [`Error::Invalid`].
pub(crate) fn check<R: Referents>(among: &R, own: &R::Item) -> Result<(), Error> {
    let what = R::WHAT;
    let is_other = |other: &&R::Item| other.id() != own.id();
    let name = own.name();
    if let Some((form, _)) = typed(name) {
        return Err(Error::invalid(
            "name",
            format!("must not begin with `{form}`, which says how a reference is to be read"),
        ));
    }
    let by_id = Uuid::try_parse(name).ok().and_then(|id| among.by_id(id));
    if by_id.is_some_and(|other| is_other(&other)) {
        return Err(Error::invalid(
            "name",
            format!("is the id of another {what}; choose another"),
        ));
    }
    let by_number = number(name).and_then(|number| among.by_number(Number::new(number)));
    if by_number.is_some_and(|other| is_other(&other)) {
        return Err(Error::invalid(
            "name",
            format!("is the number of another {what}; choose another"),
        ));
    }
    if among
        .by_name(&own.id().to_string())
        .is_some_and(|other| is_other(&other))
    {
        return Err(Error::invalid(
            "id",
            format!("is the name of another {what}; choose another"),
        ));
    }
    Ok(())
}

fn typed(text: &str) -> Option<(&'static str, &str)> {
    FORMS
        .into_iter()
        .find_map(|form| Some((form, text.strip_prefix(form)?)))
}

fn number(text: &str) -> Option<i32> {
    text.parse().ok().filter(|number| *number > 0)
}

impl Referents for Index<App> {
    type Item = Arc<App>;

    const WHAT: Noun = Noun::App;

    fn by_id(&self, id: Uuid) -> Option<&Arc<App>> {
        self.by_id(id)
    }

    fn by_number(&self, number: Number) -> Option<&Arc<App>> {
        self.by_number(number)
    }

    fn by_name(&self, name: &str) -> Option<&Arc<App>> {
        self.by_name(name)
    }
}

impl Referent for Arc<App> {
    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn number(&self) -> Number {
        self.number
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Referents for Servers {
    type Item = Server;

    const WHAT: Noun = Noun::Server;

    fn by_id(&self, id: Uuid) -> Option<&Server> {
        self.values().find(|server| server.id.as_uuid() == id)
    }

    fn by_number(&self, number: Number) -> Option<&Server> {
        self.get(&number)
    }

    fn by_name(&self, name: &str) -> Option<&Server> {
        self.values().find(|server| server.name == name)
    }
}

impl Referent for Server {
    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn number(&self) -> Number {
        self.number
    }

    fn name(&self) -> &str {
        &self.name
    }
}
