//! How an event becomes a value of a type that its hook point has.
//!
//! Senders differ in how they write a number or a list, so a member is taken as
//! text as well where its meaning is clear.

use std::fmt;

use serde_json::{Map, Value};

use crate::catalog::{Face, HookPoint, ParameterType};
use crate::contract;
use crate::json;

/// The events of one hook point of the catalog.
pub trait TypedEvent: Sized {
    /// The catalog's entry.
    const POINT: HookPoint;

    /// Takes what the event tells.
    ///
    /// # Errors
    ///
    /// [`Unsuited`] when a member is missing or of another type.
    fn take(told: &mut Told<'_>) -> Result<Self, Unsuited>;

    /// The `data` that tells the same.
    fn into_data(self) -> Map<String, Value>;

    /// An event as it may come, for tests.
    #[must_use]
    fn sample() -> Self {
        let mut told = Told::new(&Self::POINT, Self::POINT.sample_data(), &|_| None);
        Self::take(&mut told).expect("a sample of the catalog suits its type")
    }
}

/// What an event and the hook's variables tell; each member is taken once.
pub struct Told<'a> {
    point: &'a HookPoint,
    data: Map<String, Value>,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl<'a> Told<'a> {
    /// Puts together what is told: the event's `data` and the hook's variables.
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
    /// Of a container, the variables count first: they come from the application,
    /// not from the sender of the event.
    ///
    /// # Errors
    ///
    /// [`Unsuited`] when it is missing though every event has to tell it, or of
    /// another type.
    pub fn take<T: Member>(&mut self, member: &str, meaning: &str) -> Result<T, Unsuited> {
        let said = self.data.remove(member).filter(|value| !value.is_null());
        let variable = || {
            let name = contract::upper_snake(member);
            (self.variable)(&format!("{}{name}", contract::env::PARAM_PREFIX)).map(Value::String)
        };
        let value = match self.point.face {
            Face::Astra => variable().or(said),
            Face::Croit | Face::Nova | Face::Fenix => said.or_else(variable),
        };
        T::read(value).map_err(|fault| Unsuited {
            point: self.point.name.to_owned(),
            member: member.to_owned(),
            meaning: meaning.to_owned(),
            fault,
        })
    }

    /// Takes all members that are left.
    #[must_use]
    pub fn take_rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.data)
    }
}

/// An event does not tell what its hook point's events tell.
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
    /// It is not there.
    Missing,
    /// It is something else, shown in short, than the type that was expected.
    Other {
        /// What was expected.
        expected: ParameterType,
        /// What there is.
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
    /// What the catalog calls the type.
    const KIND: ParameterType;
    /// Whether the member has to be there.
    const REQUIRED: bool = true;

    /// Reads the member; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// A [`MemberFault`] if it is not there or something else.
    fn read(value: Option<Value>) -> Result<Self, MemberFault>;

    /// Writes the member; `None` to leave it out.
    fn write(self) -> Option<Value>;
}

/// Longest value that is shown in a refusal, in characters.
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
        let told = match &value {
            Value::String(text) => text.parse().ok(),
            value => value.as_bool(),
        };
        told.ok_or_else(|| other::<Self>(&value))
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
