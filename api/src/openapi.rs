//! The OpenAPI documents: one of all APIs, one of croit's alone.
//!
//! Both are generated at startup from the list of endpoints that the router is built
//! from. Types describe themselves through `ToSchema`.

use std::collections::BTreeMap;

use axum::Extension;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::{Map, Value, json};

use crate::auth::Access;
use crate::credentials::TokenPlace;
use crate::dialect::{Dialect, Dialects};
use crate::endpoint::{Endpoint, Shape, Slash};
use crate::face::Face;

/// Where references to schemas lead.
const SCHEMAS: &str = "#/components/schemas/";

/// Both documents, printed.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    all: Bytes,
    croit: Bytes,
}

impl Documents {
    /// Describes the endpoints.
    pub(crate) fn of(endpoints: &[Endpoint], dialects: &Dialects) -> Self {
        let print = |document: Value| Bytes::from(document.to_string());
        Self {
            all: print(document(endpoints.iter(), dialects)),
            croit: print(document(
                endpoints
                    .iter()
                    .filter(|endpoint| endpoint.face() == Face::Croit),
                dialects,
            )),
        }
    }
}

/// Replies with the document of all APIs.
pub(crate) async fn get_openapi(Extension(documents): Extension<Documents>) -> Response {
    json_text(documents.all)
}

/// Replies with the document of the croit API.
pub(crate) async fn get_swagger(Extension(documents): Extension<Documents>) -> Response {
    json_text(documents.croit)
}

fn json_text(text: Bytes) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn document<'a>(endpoints: impl Iterator<Item = &'a Endpoint>, dialects: &Dialects) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut schemas = BTreeMap::new();
    for endpoint in endpoints {
        let shapes = endpoint.body.iter().chain(
            endpoint
                .replies
                .iter()
                .filter_map(|(_, shape)| shape.as_ref()),
        );
        for (name, schema) in shapes.flat_map(|shape| &shape.refers_to) {
            schemas
                .entry(format!("{}{name}", prefix(endpoint.face())))
                .or_insert_with(|| prefixed(endpoint.face(), schema));
        }
        paths.entry(endpoint.path).or_default().insert(
            endpoint.method.as_str().to_ascii_lowercase(),
            prefixed(endpoint.face(), &operation(endpoint, dialects)),
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tenterhook",
            "description": "Runs tenants' hooks in a WebAssembly sandbox.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
                "openstack": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
            },
        },
    })
}

/// Faces have schemas of the same names, which mean different things.
fn prefix(face: Face) -> &'static str {
    match face {
        Face::Croit => "Croit",
        Face::Native => "Native",
        Face::Astra => "Astra",
        Face::Nova => "Nova",
        Face::Fenix => "Fenix",
    }
}

/// The same with references that lead to the schemas of an API.
fn prefixed(face: Face, value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let schema = value
                    .as_str()
                    .filter(|_| name == "$ref")
                    .and_then(|text| text.strip_prefix(SCHEMAS));
                let value = match schema {
                    Some(schema) => format!("{SCHEMAS}{}{schema}", prefix(face)).into(),
                    None => prefixed(face, value),
                };
                (name.clone(), value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(list) => list.iter().map(|value| prefixed(face, value)).collect(),
        value => value.clone(),
    }
}

fn operation(endpoint: &Endpoint, dialects: &Dialects) -> Value {
    let dialect = dialects.of(endpoint.face());
    let in_path = endpoint
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = dialect.path_parameter_schema();
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        });
    let beside = endpoint.parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "in": parameter.place,
            "required": false,
            "description": parameter.meaning,
            "schema": parameter.schema,
        })
    });
    let mut replies: Map<String, Value> = endpoint
        .replies
        .iter()
        .map(|(status, shape)| (status.to_string(), reply(endpoint, *status, shape.as_ref())))
        .collect();
    let error = dialect.error_media_type();
    replies.insert(
        "default".to_owned(),
        json!({"description": "why it was not carried out", "content": {error: {"schema": {"type": "object"}}}}),
    );
    let mut operation = json!({
        "operationId": format!("{}_{}", endpoint.face().as_str(), endpoint.id),
        "tags": [endpoint.face().as_str()],
        "summary": endpoint.summary,
        "parameters": in_path.chain(beside).collect::<Vec<_>>(),
        "responses": replies,
        "security": security(endpoint, dialect),
    });
    if endpoint.slash == Slash::Either {
        operation["description"] = json!("The path may end with a slash.");
    }
    if endpoint.deprecated {
        operation["deprecated"] = json!(true);
    }
    if let Access::Role(role) = endpoint.access {
        operation["x-role"] = json!(role.as_str());
    }
    if let Some(shape) = &endpoint.body {
        operation["requestBody"] =
            json!({"required": !endpoint.body_is_optional, "content": content(shape)});
    }
    operation
}

fn security(endpoint: &Endpoint, dialect: &dyn Dialect) -> Value {
    let takes_openstacks = dialect.token_places().contains(&TokenPlace::XAuthToken);
    match endpoint.access {
        Access::Everyone | Access::Probe => json!([]),
        Access::Role(_) if takes_openstacks => json!([{"token": []}, {"openstack": []}]),
        Access::Role(_) => json!([{"token": []}]),
    }
}

fn reply(endpoint: &Endpoint, status: u16, shape: Option<&Shape>) -> Value {
    let meaning = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("done");
    let mut reply = json!({ "description": meaning });
    if let Some(shape) = shape {
        reply["content"] = content(shape);
    }
    for (of, name, meaning) in &endpoint.reply_headers {
        if *of == status {
            reply["headers"][name] = json!({"description": meaning, "schema": {"type": "string"}});
        }
    }
    reply
}

fn content(shape: &Shape) -> Value {
    shape
        .media
        .iter()
        .map(|media| ((*media).to_owned(), json!({"schema": shape.schema})))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_schemas_of_a_face_have_one_name() {
        let mut seen: BTreeMap<(&str, String), Value> = BTreeMap::new();
        for endpoint in crate::router::endpoints() {
            let face = prefix(endpoint.face());
            let replies = endpoint.replies.into_iter().filter_map(|(_, shape)| shape);
            for (name, schema) in endpoint
                .body
                .into_iter()
                .chain(replies)
                .flat_map(|shape| shape.refers_to)
            {
                let first = seen
                    .entry((face, name.clone()))
                    .or_insert_with(|| schema.clone());
                assert_eq!(*first, schema, "{name}");
            }
        }
        assert!(seen.len() > 40, "{}", seen.len());
    }
}
