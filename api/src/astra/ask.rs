//! One request of this API, parsed step by step in Astra's order: headers, query, body.
//! A handler asks for each in turn.

use axum::body::Body;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Uri, header};
use serde_json::{Map, Value};
use tenterhook_dispatch::{AccountId, AppId, PrincipalId, Role};
use uuid::Uuid;

use super::identifier;
use super::media::Media;
use super::problem::{Problem, Rejection, Row, Wrong};
use super::schema::{self, Member, Purpose};
use super::strict_json;
use crate::app::App;
use crate::audit::AuditedBody;
use crate::auth::Caller;
use crate::body::{JSON_MAX_BYTES, Pieces};
use crate::door::Door;
use crate::extract::PathMembers;
use crate::host;
use crate::refusal::Refusal;
use tenterhook_query::astra::{self as query, Query, Refused, Vocabulary};

/// Longest query string, in bytes.
const QUERY_MAX_BYTES: usize = 64 * 1024;

/// A request that the guard has let through.
pub(super) struct Ask {
    pub(super) app: App,
    pub(super) headers: HeaderMap,
    caller: Caller,
    uri: Uri,
    path: PathMembers,
    door: Door,
    audited: AuditedBody,
}

impl FromRequestParts<App> for Ask {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let path = PathMembers::from_request_parts(parts, app).await?;
        Ok(Self {
            app: app.clone(),
            headers: parts.headers.clone(),
            caller,
            uri: parts.uri.clone(),
            path,
            door: Door::of(&parts.extensions),
            audited: parts
                .extensions
                .get::<AuditedBody>()
                .cloned()
                .unwrap_or_default(),
        })
    }
}

impl Ask {
    pub(super) fn account(&self) -> AccountId {
        self.caller.account()
    }

    /// The caller.
    pub(super) fn principal(&self) -> PrincipalId {
        self.caller.0.principal
    }

    /// The caller's role.
    pub(super) fn role(&self) -> Role {
        self.caller.0.role
    }

    /// The application in the path, if there is one in it. What cannot be an id is an
    /// unknown collection.
    pub(super) fn app_id(&self) -> Result<Option<AppId>, Problem> {
        let Some(text) = self.path.get("app_id") else {
            return Ok(None);
        };
        let id = identifier::parse(text).ok_or(Row::CollectionNotFound)?;
        Ok(Some(AppId::from_uuid(id)))
    }

    /// The resource in the path.
    pub(super) fn id(&self) -> Result<Uuid, Problem> {
        let id = self.path.get("id").and_then(identifier::parse);
        id.ok_or_else(|| Row::ResourceNotFound.into())
    }

    /// Checks that there are no query parameters.
    pub(super) fn no_query(&self) -> Result<(), Problem> {
        let parameters = self.parameters()?;
        query::refuse_unknown(parameters.iter().map(|(name, _)| name.as_str()), &[])
            .map_err(Problem::from)
    }

    /// Reads the query parameters of a list.
    pub(super) fn query(&self, vocabulary: &Vocabulary) -> Result<Query, Problem> {
        let parameters = self.parameters()?;
        let parameters = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        Query::read(parameters, vocabulary).map_err(Problem::from)
    }

    fn parameters(&self) -> Result<Vec<(String, String)>, Problem> {
        let text = self.uri.query().unwrap_or_default();
        if text.len() > QUERY_MAX_BYTES {
            let reason = format!("must not be longer than {QUERY_MAX_BYTES} bytes together");
            return Err(Problem::query(vec![Wrong::new("filter", reason)]));
        }
        Ok(form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect())
    }

    /// Reads the body and checks it against its table. Larger ones wait for a slot.
    pub(super) async fn object(
        &self,
        body: Body,
        media: &Media,
        members: &'static [Member],
        purpose: Purpose,
        limit_bytes: u64,
    ) -> Result<Map<String, Value>, Rejection> {
        media.check_body(&self.headers)?;
        let announced = self.headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let small = limit_bytes <= JSON_MAX_BYTES || announced.is_some_and(|n| n <= JSON_MAX_BYTES);
        let _slot = if small {
            None
        } else {
            Some(self.app.upload_slot(self.account()).await?)
        };
        let bytes = Pieces::new(self.door, &self.headers, body, limit_bytes)?
            .collect()
            .await?;
        let audited = self.audited.clone();
        let read = move || {
            let object = strict_json::read_object(&bytes)?;
            audited.record(&object);
            schema::check(members, &object, purpose).map_err(Problem::schema)?;
            Ok::<_, Problem>(object)
        };
        let object = if small {
            read()?
        } else {
            // Megabytes are parsed off the async threads.
            tokio::task::spawn_blocking(read)
                .await
                .map_err(|error| Refusal::internal(&error))??
        };
        Ok(object)
    }

    /// The full URL of a new resource of this collection. Without a valid Host, it is the
    /// path alone.
    pub(super) fn location(&self, id: Uuid) -> String {
        let collection = self.uri.path().trim_end_matches('/');
        let path = format!("{collection}/{id}");
        let base = host::base(&self.headers).unwrap_or_default();
        format!("{base}{path}")
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let wrong = |faults: Vec<query::ParameterFault>| {
            let one = |fault: query::ParameterFault| Wrong::new(fault.name, fault.reason);
            faults.into_iter().map(one).collect()
        };
        match refused {
            Refused::Unsupported(faults) => Self::unsupported_query(wrong(faults)),
            Refused::Invalid(faults) => Self::query(wrong(faults)),
        }
    }
}
