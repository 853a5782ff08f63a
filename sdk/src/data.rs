//! The data of an event as a type of the hook's own.
//!
//! For `custom.…` events, and wherever a hook wants other members than the catalog
//! documents. An event whose hook point is in the catalog has a type in
//! [`events`](crate::events).

mod reader;

use serde::Deserialize;

use crate::Hook;
use crate::argument::{Argument, NoArgument};

/// The event's `data`, deserialized as a `T`, for any type of event.
///
/// ```
/// use serde::Deserialize;
/// use serde_json::json;
/// use tenterhook_sdk::{Data, Event, Verdict, testing::Case};
///
/// #[derive(Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Backup {
///     volume: String,
///     age_hours: u32,
/// }
///
/// fn guard(Data(backup): Data<Backup>) -> Verdict {
///     match backup.age_hours {
///         0..=24 => Verdict::allow(),
///         age => Verdict::deny(format!("the backup of {} is {age} hours old", backup.volume)),
///     }
/// }
///
/// let outcome = Case::custom("custom.backup", json!({"volume": "db", "ageHours": 30})).run(guard);
/// assert_eq!(outcome.denied(), Some("the backup of db is 30 hours old"));
///
/// let outcome = Case::custom("custom.backup", json!({"volume": "db", "ageHours": "30"})).run(guard);
/// assert_eq!(
///     outcome.error.unwrap(),
///     r#"`data.ageHours` of the event custom.backup: invalid type: string "30", expected u32"#
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<T>(pub T);

impl<'h, T: Deserialize<'h>> Argument<'h> for Data<T> {
    fn take(hook: &'h Hook) -> Result<Self, NoArgument> {
        reader::read(hook.data()?)
            .map(Self)
            .map_err(|error| NoArgument::Data {
                kind: hook.event_type().unwrap_or_default().to_owned(),
                member: error.member("data"),
                detail: error.detail,
            })
    }
}
