//! The native face's errors: RFC 9457 problem documents.
//!
//! Each type has a constructor, so that status and `type` cannot disagree, and
//! a page in `docs/problems`. A hook that failed is not a problem.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// Every problem type that has a page, as the last part of its `type`.
#[cfg(test)]
pub(crate) const TYPES: [&str; 10] = [
    "unauthenticated",
    "forbidden",
    "unreadable-body",
    "invalid-request",
    "not-found",
    "name-taken",
    "conflict",
    "invalid-program",
    "too-busy",
    "internal",
];

/// One problem document.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
    instance: String,
    #[serde(flatten)]
    extensions: Map<String, Value>,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// Puts a refusal into words. `id` is what `instance` names.
    pub(crate) fn new(refusal: &Refusal, id: &RequestId) -> Self {
        let problem = match refusal {
            Refusal::Unauthenticated(_) => {
                Self::typed("unauthenticated", "The token is missing or not valid")
            }
            Refusal::Forbidden { needs } => {
                Self::typed("forbidden", "The token's role is not enough")
                    .with("needs", json!(needs))
            }
            Refusal::NoRoute => Self::untyped("Not Found"),
            Refusal::WrongMethod => Self::untyped("Method Not Allowed"),
            Refusal::NotAcceptable { .. } => Self::untyped("Not Acceptable"),
            Refusal::TooSlow => Self::untyped("Request Timeout"),
            Refusal::Unreadable(_) => Self::typed("unreadable-body", "The body cannot be read"),
            Refusal::UnsupportedMedia(_) => Self::typed(
                "unreadable-body",
                "The body is in a form that is not read here",
            ),
            Refusal::TooLarge { limit_bytes } => {
                Self::typed("unreadable-body", "The request is too large")
                    .with("limit_bytes", json!(limit_bytes))
            }
            Refusal::Invalid(faults) => Self::typed(
                "invalid-request",
                "The request asks for something that cannot be",
            )
            .with(
                "errors",
                faults
                    .iter()
                    .map(|fault| json!({"pointer": fault.pointer, "detail": fault.detail}))
                    .collect(),
            ),
            Refusal::NotFound { noun, id } => Self::typed("not-found", "There is no such thing")
                .with("noun", json!(noun))
                .with("id", json!(id)),
            Refusal::NameTaken { name } => {
                Self::typed("name-taken", "The name is already used").with("name", json!(name))
            }
            Refusal::Conflict(_) => Self::typed("conflict", "Something else stands against it"),
            Refusal::InvalidProgram { digest, reason } => {
                let problem = Self::typed("invalid-program", "The program was not accepted")
                    .with("reason", json!(reason));
                match digest {
                    Some(digest) => problem.with("digest", json!(digest)),
                    None => problem,
                }
            }
            Refusal::TooBusy => Self::typed("too-busy", "Too much is waiting already"),
            Refusal::Internal => Self::typed("internal", "The server failed"),
        };
        Self {
            status: refusal.status(),
            detail: refusal.detail(),
            instance: format!("urn:tenterhook:request:{id}"),
            ..problem
        }
    }

    fn typed(name: &str, title: &'static str) -> Self {
        Self {
            kind: format!("/problems/{name}"),
            title,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            detail: String::new(),
            instance: String::new(),
            extensions: Map::new(),
        }
    }

    fn untyped(title: &'static str) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            ..Self::typed("", title)
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.extensions.insert(name.to_owned(), value);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem holds nothing that JSON cannot say");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn every_refusal() -> Vec<Refusal> {
        vec![
            Refusal::Unauthenticated("this call needs a token"),
            Refusal::Forbidden { needs: "admin" },
            Refusal::NoRoute,
            Refusal::WrongMethod,
            Refusal::NotAcceptable {
                offered: "`text/plain`",
            },
            Refusal::Unreadable("the body is not JSON: EOF while parsing a value".into()),
            Refusal::TooLarge {
                limit_bytes: 98_304,
            },
            Refusal::UnsupportedMedia("this call reads JSON".into()),
            Refusal::TooSlow,
            Refusal::invalid("/limits/fuel", "must be from 1 to 200000000000, not 0"),
            Refusal::NotFound {
                noun: "hook".into(),
                id: "7".into(),
            },
            Refusal::NameTaken {
                name: "audit".into(),
            },
            Refusal::Conflict(
                "the source `audit` is in use by the hooks 3; remove them first".into(),
            ),
            Refusal::InvalidProgram {
                digest: Some("sha256:00".into()),
                reason: "the module imports `env::abort`, which is not offered".into(),
            },
            Refusal::TooBusy,
            Refusal::Internal,
        ]
    }

    fn print(refusal: &Refusal) -> Value {
        let headers = http::HeaderMap::from_iter([(
            crate::request_id::HEADER,
            HeaderValue::from_static("r1"),
        )]);
        serde_json::to_value(Problem::new(refusal, &RequestId::of(&headers))).unwrap()
    }

    #[test]
    fn every_type_has_a_page_and_every_page_a_type() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/problems");
        let mut pages: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
            .collect();
        let mut types = TYPES.map(str::to_owned).to_vec();
        pages.sort();
        types.sort();
        assert_eq!(pages, types);
    }

    #[test]
    fn every_problem_has_a_known_type_and_its_own_status() {
        for refusal in every_refusal() {
            let problem = print(&refusal);
            let kind = problem["type"].as_str().unwrap();
            let name = kind.strip_prefix("/problems/");
            assert!(
                kind == "about:blank" || name.is_some_and(|name| TYPES.contains(&name)),
                "{kind}"
            );
            assert_eq!(problem["status"], refusal.status().as_u16());
            assert_eq!(problem["instance"], "urn:tenterhook:request:r1");
            assert!(!problem["detail"].as_str().unwrap().is_empty());
        }
    }

    #[test]
    fn problems_read_well() {
        let lines: Vec<String> = every_refusal()
            .iter()
            .map(|refusal| {
                let problem = print(refusal);
                let rest: Map<String, Value> = problem
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(name, _)| {
                        !["type", "status", "title", "detail", "instance"].contains(&name.as_str())
                    })
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                format!(
                    "{} {} | {} | {} | {}",
                    problem["status"],
                    problem["type"].as_str().unwrap(),
                    problem["title"].as_str().unwrap(),
                    problem["detail"].as_str().unwrap(),
                    Value::from(rest)
                )
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
    401 /problems/unauthenticated | The token is missing or not valid | this call needs a token | {}
    403 /problems/forbidden | The token's role is not enough | this call needs the role `admin` | {"needs":"admin"}
    404 about:blank | Not Found | nothing is served at this path | {}
    405 about:blank | Method Not Allowed | this path is not served with this method; see the Allow header | {}
    406 about:blank | Not Acceptable | the reply can be given as `text/plain`; ask for one of them | {}
    400 /problems/unreadable-body | The body cannot be read | the body is not JSON: EOF while parsing a value | {}
    413 /problems/unreadable-body | The request is too large | more than 98304 bytes are not accepted here | {"limit_bytes":98304}
    415 /problems/unreadable-body | The body is in a form that is not read here | this call reads JSON | {}
    408 about:blank | Request Timeout | the body did not arrive in time | {}
    422 /problems/invalid-request | The request asks for something that cannot be | `limits/fuel` must be from 1 to 200000000000, not 0 | {"errors":[{"detail":"must be from 1 to 200000000000, not 0","pointer":"/limits/fuel"}]}
    404 /problems/not-found | There is no such thing | there is no hook `7` | {"id":"7","noun":"hook"}
    409 /problems/name-taken | The name is already used | the name `audit` is already used; choose another | {"name":"audit"}
    409 /problems/conflict | Something else stands against it | the source `audit` is in use by the hooks 3; remove them first | {}
    422 /problems/invalid-program | The program was not accepted | the module imports `env::abort`, which is not offered | {"digest":"sha256:00","reason":"the module imports `env::abort`, which is not offered"}
    503 /problems/too-busy | Too much is waiting already | too much is waiting already; try again later | {}
    500 /problems/internal | The server failed | the server failed; the request id leads to the cause in its log | {}
    "#);
    }
}
