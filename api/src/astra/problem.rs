//! Astra's errors: problem documents with a number, in Astra's exact words.
//!
//! The numbers, titles and details are part of the contract; clients compare
//! them. `status` is text, and `correlationID` is the request's id.

mod print;
#[cfg(test)]
mod tests;

use http::StatusCode;
use serde_json::{Map, Value, json};

pub(super) use self::print::print;
use crate::rejection::OwnProblem;

/// One thing that is wrong with a parameter, a header or a member of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The parameter, header or member.
    pub(crate) name: String,
    /// What is wrong and what to send instead.
    pub(crate) reason: String,
}

/// Declares every row of the table, in the order of its numbers.
macro_rules! problems {
    ($($name:ident $number:literal $status:ident $title:literal $detail:literal)*) => {
        /// A row of the table of problems.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Row {
            $(#[doc = $title] $name,)*
        }

        impl Row {
            /// All rows.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// Number, status, title and detail.
            fn text(self) -> (u16, StatusCode, &'static str, &'static str) {
                match self {
                    $(Self::$name => ($number, StatusCode::$status, $title, $detail),)*
                }
            }
        }
    };
}

problems! {
    ResourceNotFound 1 NOT_FOUND "Resource not found"
        "The resource specified in the request URI wasn't found."
    CollectionNotFound 2 NOT_FOUND "Collection not found"
        "The collection specified in the request URI wasn't found."
    MissingToken 3 UNAUTHORIZED "Missing bearer token"
        "The request is missing the required bearer token."
    InvalidToken 4 UNAUTHORIZED "Invalid bearer token"
        "The bearer token provided is invalid, revoked, or doesn't exist."
    InvalidQuery 5 BAD_REQUEST "Invalid query parameters"
        "The supplied query parameters are invalid."
    UnsupportedQuery 6 BAD_REQUEST "Query parameters not supported"
        "The supplied query parameters aren't supported for this endpoint."
    InvalidJson 7 BAD_REQUEST "Invalid JSON payload"
        "The request body is not valid JSON."
    InvalidSchema 8 BAD_REQUEST "Invalid JSON resource"
        "The request body JSON doesn't conform to the schema."
    InvalidResource 9 BAD_REQUEST "Invalid JSON resource"
        "The request body JSON didn't pass extended validation."
    Conflict 10 CONFLICT "JSON resource conflict"
        "The request body JSON contains a field that conflicts with an idempotent value."
    NotPermitted 11 FORBIDDEN "Operation not permitted"
        "The requested operation isn't permitted."
    InvalidHeaders 12 BAD_REQUEST "Invalid headers"
        "The request headers are invalid."
    NotAcceptable 32 NOT_ACCEPTABLE "Unsupported content type"
        "The response can't be returned in the requested format."
    Internal 34 INTERNAL_SERVER_ERROR "Internal server error"
        "The server was unable to process this request."
    Precondition 38 PRECONDITION_FAILED "Precondition not met"
        "The conditional headers aren't satisfied."
    NotReady 41 SERVICE_UNAVAILABLE "Service not ready"
        "Currently, the service can't respond to this request."
    PreloadedSource 71 FORBIDDEN "Preloaded hook sources read only"
        "The hook source resource wasn't created, edited, or deleted. Hook source resources with a preloaded value of true are read only."
    SourceInUse 72 FORBIDDEN "Hook source referenced by execution hook"
        "The hook source resource wasn't deleted because it is referenced by an execution hook resource."
    ManagedHook 73 FORBIDDEN "NetApp execution hooks read only"
        "The execution hook resource wasn't created, edited, or deleted. Execution hook resources with a hookType of NetApp are read only."
    TooLarge 85 PAYLOAD_TOO_LARGE "Request body too large"
        "The request body is too large."
    NotReplicated 162 CONFLICT "Post-failover execution hooks not supported"
        "The application isn't eligible for post-failover execution hooks."
    HooksDisabled 168 FORBIDDEN "Execution hook action not permitted"
        "Execution hooks are not enabled in feature settings."
}

/// A problem, with what it adds to its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    row: Row,
    extra: Extra,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Extra {
    None,
    Params(Vec<Wrong>),
    Fields(Vec<Wrong>),
    Schema(String),
}

impl Problem {
    /// Parameters whose values are not acceptable.
    pub(super) fn query(faults: Vec<Wrong>) -> Self {
        Self::new(Row::InvalidQuery, Extra::Params(faults))
    }

    /// Parameters that are not known.
    pub(super) fn unsupported_query(faults: Vec<Wrong>) -> Self {
        Self::new(Row::UnsupportedQuery, Extra::Params(faults))
    }

    /// A header whose value is not acceptable.
    pub(super) fn header(name: &str, reason: impl Into<String>) -> Self {
        let faults = vec![Wrong::new(name, reason)];
        Self::new(Row::InvalidHeaders, Extra::Params(faults))
    }

    /// A body that does not follow the schema.
    pub(super) fn schema(failure: impl Into<String>) -> Self {
        Self::new(Row::InvalidSchema, Extra::Schema(failure.into()))
    }

    /// A member that follows the schema and still makes no sense.
    pub(super) fn field(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::fields(vec![Wrong::new(name, reason)])
    }

    /// The same of several.
    pub(super) fn fields(faults: Vec<Wrong>) -> Self {
        Self::new(Row::InvalidResource, Extra::Fields(faults))
    }

    /// A member that conflicts with the present state.
    pub(super) fn conflict(name: impl Into<String>, reason: impl Into<String>) -> Self {
        let faults = vec![Wrong::new(name, reason)];
        Self::new(Row::Conflict, Extra::Fields(faults))
    }

    fn new(row: Row, extra: Extra) -> Self {
        Self { row, extra }
    }

    fn members(&self) -> Map<String, Value> {
        let (number, status, title, detail) = self.row.text();
        let kind = format!("https://astra.netapp.io/problems/{number}");
        let mut members = document(&kind, status, title, detail);
        let list = |faults: &[Wrong]| -> Value {
            let one = |wrong: &Wrong| json!({"name": wrong.name, "reason": wrong.reason});
            faults.iter().map(one).collect()
        };
        match &self.extra {
            Extra::None => None,
            Extra::Params(faults) => members.insert("invalidParams".into(), list(faults)),
            Extra::Fields(faults) => members.insert("invalidFields".into(), list(faults)),
            Extra::Schema(text) => {
                members.insert("schemaValidationFailure".into(), text.as_str().into())
            }
        };
        members
    }
}

fn document(kind: &str, status: StatusCode, title: &str, detail: &str) -> Map<String, Value> {
    [
        ("type", kind),
        ("title", title),
        ("detail", detail),
        ("status", status.as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.into()))
    .collect()
}

impl Wrong {
    pub(super) fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            reason: reason.into(),
        }
    }
}

impl OwnProblem for Problem {
    fn status(&self) -> StatusCode {
        self.row.text().1
    }
}

impl From<Row> for Problem {
    fn from(row: Row) -> Self {
        Self::new(row, Extra::None)
    }
}

/// Why Astra does not carry out a request.
pub(super) type Rejection = crate::rejection::Rejection<Problem>;

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self::Own(problem)
    }
}

impl From<Row> for Rejection {
    fn from(row: Row) -> Self {
        Self::Own(row.into())
    }
}
