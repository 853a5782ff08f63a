//! What a hook's function may take.
//!
//! An argument is created from the run itself: nothing is passed by position.

use std::fmt;

use serde_json::{Map, Value};

use crate::typed::{EventFields, TypedEvent, Unsuited};
use crate::{Event, Hook, Unreadable};

/// What a hook's function may take: an event in one of its forms, or the [`Hook`].
///
/// The forms are a type of [`events`](crate::events), [`Data`](crate::Data),
/// [`Event`] and `&Event`.
#[diagnostic::on_unimplemented(
    message = "a hook cannot take `{Self}`",
    label = "not an argument of a hook",
    note = "take a type of `tenterhook_sdk::events`, `Data<…>` of a type of your own, `Event`, `&Event`, or `&Hook`"
)]
pub trait Argument<'h>: Sized {
    /// Creates it from the run.
    ///
    /// # Errors
    ///
    /// [`NoArgument`] when the run has no such event.
    fn take(hook: &'h Hook) -> Result<Self, NoArgument>;
}

/// Why an argument of a hook could not be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoArgument {
    /// The event cannot be read.
    Unreadable(Unreadable),
    /// The event is of another type.
    Type {
        /// The hook point that the hook is for.
        expected: &'static str,
        /// The event's type.
        found: String,
    },
    /// The event's data does not match its hook point.
    Unsuited(Unsuited),
    /// The event's data does not match the hook's own type.
    Data {
        /// The event's type.
        kind: String,
        /// The member at fault, from `data` on.
        member: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl fmt::Display for NoArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Type { expected, found } => write!(
                f,
                "this hook is for {expected}; the event is {found}: bind the hook to {expected}, or let it take an `Event`"
            ),
            Self::Unsuited(error) => error.fmt(f),
            Self::Data {
                kind,
                member,
                detail,
            } => write!(f, "`{member}` of the event {kind}: {detail}"),
        }
    }
}

impl std::error::Error for NoArgument {}

impl From<Unreadable> for NoArgument {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl<'h> Argument<'h> for &'h Hook {
    fn take(hook: &'h Hook) -> Result<Self, NoArgument> {
        Ok(hook)
    }
}

impl<'h> Argument<'h> for &'h Event {
    fn take(hook: &'h Hook) -> Result<Self, NoArgument> {
        Ok(hook.event()?)
    }
}

impl<'h> Argument<'h> for Event {
    fn take(hook: &'h Hook) -> Result<Self, NoArgument> {
        Ok(hook.event()?.clone())
    }
}

impl<'h, E: TypedEvent> Argument<'h> for E {
    fn take(hook: &'h Hook) -> Result<Self, NoArgument> {
        let found = hook.event_type().ok_or(Unreadable::Missing)?;
        if found != E::POINT.name {
            return Err(NoArgument::Type {
                expected: E::POINT.name,
                found: found.to_owned(),
            });
        }
        let data = match hook.data()? {
            Value::Object(data) => data.clone(),
            _ => Map::new(),
        };
        let variable = |name: &str| hook.variable(name).map(str::to_owned);
        let point = E::POINT;
        E::take(&mut EventFields::new(&point, data, &variable)).map_err(NoArgument::Unsuited)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::events::{BackupPre, OnAudit, OnHealthRecover};

    fn hook(kind: &str, data: serde_json::Value) -> Hook {
        Hook::simulated(Some(Event::new("1", "/t", kind, Some(data))))
    }

    #[test]
    fn an_event_of_another_type_is_refused_with_where_to_bind_the_hook() {
        let hook = hook("OnAudit", json!({}));
        assert_eq!(
            hook.take::<OnHealthRecover>().unwrap_err().to_string(),
            "this hook is for OnHealthRecover; the event is OnAudit: \
             bind the hook to OnHealthRecover, or let it take an `Event`"
        );
    }

    #[test]
    fn a_missing_member_is_named_with_its_meaning() {
        let hook = hook("OnHealthRecover", json!({"newStatus": "HEALTH_OK"}));
        assert_eq!(
            hook.take::<OnHealthRecover>().unwrap_err().to_string(),
            "the event OnHealthRecover has no `oldStatus` (overall status before, such as \
             HEALTH_WARN) in its data; send it, or read the event as `Event` to do without it"
        );
    }

    #[test]
    fn numbers_and_objects_may_come_as_text() {
        let mut data = OnAudit::sample().into_data();
        data.insert("status".into(), "404".into());
        data.insert("queryParams".into(), r#"{"page":"2"}"#.into());
        let audit: OnAudit = hook("OnAudit", data.into()).take().unwrap();
        assert_eq!(audit.status, 404);
        assert_eq!(audit.query_params, json!({"page": "2"}));
    }

    #[test]
    fn undocumented_members_are_kept() {
        let mut data = OnAudit::sample().into_data();
        data.insert("tenant".into(), "blue".into());
        let audit: OnAudit = hook("OnAudit", data.into()).take().unwrap();
        assert_eq!(audit.other["tenant"], "blue");
    }

    #[test]
    fn a_container_comes_from_the_application_not_from_the_event() {
        let data = BackupPre::sample().into_data();
        let mut hook = hook("backup.pre", data.into());
        hook.set_variable("HOOK_PARAM_POD_NAME", "from-us");
        let backup: BackupPre = hook.take().unwrap();
        assert_eq!(backup.pod_name, "from-us");
    }

    #[test]
    fn a_run_without_an_event_is_reported_as_such() {
        let hook = Hook::simulated(None);
        let error = hook.take::<&Event>().unwrap_err().to_string();
        assert!(error.starts_with("this run has no event"), "{error}");
    }
}
