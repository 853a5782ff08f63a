//! Astra's dialect: what the code that all APIs share has to know of it.

use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::Extensions;
use serde_json::{Value, json};
use tenterhook_dispatch::{Dispatcher, Identity, Role};

use super::problem::{self, Problem};
use super::{gate, identifier, media};
use crate::audit::redaction::SourceMember;
use crate::dialect::Dialect;
use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// Astra's dialect.
pub(crate) struct Astra;

impl Dialect for Astra {
    fn error_media_type(&self) -> &'static str {
        media::PROBLEM
    }

    fn print(&self, refusal: &Refusal, id: &RequestId) -> Response {
        problem::print(refusal, id)
    }

    fn print_own(&self, carried: &mut Extensions, id: &RequestId) -> Option<Response> {
        let problem: Problem = carried.remove()?;
        Some(problem.print(id))
    }

    fn turn_away<'a>(
        &'a self,
        dispatcher: &'a Dispatcher,
        caller: &'a Identity,
        needed: Role,
        path: &'a str,
    ) -> BoxFuture<'a, Option<Response>> {
        async move {
            let admitted = gate::admit(dispatcher, caller, needed, path).await;
            admitted.err().map(|rejection| rejection.into_response())
        }
        .boxed()
    }

    fn audit_category<'a>(&self, path: &'a str) -> &'a str {
        let collections = ["hookSources", "executionHooks", "executionHookOverrides"];
        let collection = path.split('/').find(|part| collections.contains(part));
        collection.unwrap_or_default()
    }

    fn audits_bodies(&self) -> bool {
        true
    }

    fn source_member(&self) -> SourceMember {
        SourceMember::Text
    }

    fn path_parameter_schema(&self) -> Value {
        json!({"type": "string", "pattern": identifier::PATTERN})
    }
}
