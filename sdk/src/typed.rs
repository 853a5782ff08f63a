//! Converts an event to the type of its hook point.
//!
//! Senders differ in how they write a number or a list, so a member is also accepted as
//! text where its meaning is clear.

use std::fmt;

use serde_json::{Map, Value};

use crate::catalog::{Face, HookPoint, ParameterType};
use crate::contract;
use crate::json;

/// The events of one hook point of the catalog.
pub trait TypedEvent: Sized {
    /// The catalog's entry.
    const POINT: HookPoint;

    /// Takes the members of the event.
    ///
    /// # Errors
    ///
    /// [`Unsuited`] when a member is missing or of another type.
    fn take(fields: &mut EventFields<'_>) -> Result<Self, Unsuited>;

    /// Converts it back to the event's `data`.
    fn into_data(self) -> Map<String, Value>;

    /// Returns a sample event, for tests.
    #[must_use]
    fn sample() -> Self {
        let data = Self::POINT.sample_data();
        let mut fields = EventFields::new(&Self::POINT, data, &|_| None);
        Self::take(&mut fields).expect("a sample of the catalog matches its type")
    }
}

/// The members of an event's data and the hook's variables; each member is taken once.
pub struct EventFields<'a> {
    point: &'a HookPoint,
    data: Map<String, Value>,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for EventFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventFields")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl<'a> EventFields<'a> {
    /// Combines the event's `data` and the hook's variables.
    #[must_use]
    pub fn new(
        point: &'a HookPoint,
        data: Map<String, Value>,
        variable: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            point,
            data,
            variable,
        }
    }

    /// Takes one member.
    ///
    /// For a container, the variables take precedence: they come from the application, not
    /// from the sender of the event.
    ///
    /// # Errors
    ///
    /// [`Unsuited`] when it is required and missing, or of another type.
    pub fn take<T: Member>(&mut self, member: &str, meaning: &str) -> Result<T, Unsuited> {
        let in_data = self.data.remove(member).filter(|value| !value.is_null());
        let variable = || {
            let name = contract::upper_snake(member);
            (self.variable)(&format!("{}{name}", contract::env::PARAM_PREFIX)).map(Value::String)
        };
        let value = match self.point.face {
            Face::Astra => variable().or(in_data),
            Face::Croit | Face::Nova | Face::Fenix => in_data.or_else(variable),
        };
        T::read(value).map_err(|fault| Unsuited {
            point: self.point.name.to_owned(),
            member: member.to_owned(),
            meaning: meaning.to_owned(),
            fault,
        })
    }

    /// Takes all remaining members.
    #[must_use]
    pub fn take_rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.data)
    }
}

/// An event's data does not match its hook point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuited {
    /// The hook point.
    pub point: String,
    /// The member that is missing or of another type.
    pub member: String,
    /// What it holds.
    pub meaning: String,
    /// What is wrong with it.
    pub fault: MemberFault,
}

/// What is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberFault {
    /// It is missing.
    Missing,
    /// It has another type than expected.
    Other {
        /// The expected type.
        expected: ParameterType,
        /// The value, shortened.
        found: String,
    },
}

impl fmt::Display for Unsuited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            point,
            member,
            meaning,
            fault,
        } = self;
        match fault {
            MemberFault::Missing => write!(
                f,
                "the event {point} has no `{member}` ({meaning}) in its data; send it, or read the event as `Event` to do without it"
            ),
            MemberFault::Other { expected, found } => write!(
                f,
                "`{member}` ({meaning}) of the event {point} must be {expected}, not {found}"
            ),
        }
    }
}

impl std::error::Error for Unsuited {}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Number => "a whole number",
            Self::Boolean => "true or false",
            Self::Json => "a JSON list or object",
        })
    }
}

/// A type that a member of an event's `data` may have.
pub trait Member: Sized {
    /// The catalog's name for the type.
    const KIND: ParameterType;
    /// Whether the member is required.
    const REQUIRED: bool = true;

    /// Reads the member; `None` if it is missing.
    ///
    /// # Errors
    ///
    /// A [`MemberFault`] if it is missing or has another type.
    fn read(value: Option<Value>) -> Result<Self, MemberFault>;

    /// Writes the member; `None` to omit it.
    fn write(self) -> Option<Value>;
}

/// The longest value that is shown in an error, in characters.
const SHOWN_MAX_CHARS: usize = 80;

fn other<T: Member>(value: &Value) -> MemberFault {
    MemberFault::Other {
        expected: T::KIND,
        found: json::print(value).chars().take(SHOWN_MAX_CHARS).collect(),
    }
}

impl Member for String {
    const KIND: ParameterType = ParameterType::Text;

    fn read(value: Option<Value>) -> Result<Self, MemberFault> {
        match value.ok_or(MemberFault::Missing)? {
            Value::String(text) => Ok(text),
            value @ (Value::Number(_) | Value::Bool(_)) => Ok(json::print(&value)),
            value => Err(other::<Self>(&value)),
        }
    }

    fn write(self) -> Option<Value> {
        Some(self.into())
    }
}

impl Member for u64 {
    const KIND: ParameterType = ParameterType::Number;

    fn read(value: Option<Value>) -> Result<Self, MemberFault> {
        let value = value.ok_or(MemberFault::Missing)?;
        let number = match &value {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        };
        number.ok_or_else(|| other::<Self>(&value))
    }

    fn write(self) -> Option<Value> {
        Some(self.into())
    }
}

impl Member for bool {
    const KIND: ParameterType = ParameterType::Boolean;

    fn read(value: Option<Value>) -> Result<Self, MemberFault> {
        let value = value.ok_or(MemberFault::Missing)?;
        let flag = match &value {
            Value::String(text) => text.parse().ok(),
            value => value.as_bool(),
        };
        flag.ok_or_else(|| other::<Self>(&value))
    }

    fn write(self) -> Option<Value> {
        Some(self.into())
    }
}

impl Member for Value {
    const KIND: ParameterType = ParameterType::Json;

    fn read(value: Option<Value>) -> Result<Self, MemberFault> {
        let value = value.ok_or(MemberFault::Missing)?;
        match &value {
            Value::String(text) => serde_json::from_str(text).map_err(|_| other::<Self>(&value)),
            _ => Ok(value),
        }
    }

    fn write(self) -> Option<Value> {
        Some(self)
    }
}

impl<T: Member> Member for Option<T> {
    const KIND: ParameterType = T::KIND;
    const REQUIRED: bool = false;

    fn read(value: Option<Value>) -> Result<Self, MemberFault> {
        value.map(|value| T::read(Some(value))).transpose()
    }

    fn write(self) -> Option<Value> {
        self.and_then(Member::write)
    }
}
