//! Every problem has a known type, its own status, a page and words that read well.

use std::path::Path;

use serde_json::{Map, Value};

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
        Refusal::Unreadable("the body is not valid JSON: EOF while parsing a value".into()),
        Refusal::TooLarge {
            limit_bytes: 98_304,
            size_bytes: Some(70_000_008),
        },
        Refusal::TooLarge {
            limit_bytes: 98_304,
            size_bytes: None,
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
        Refusal::ReadOnly {
            noun: "source".into(),
            id: "redis-quiesce".into(),
        },
        Refusal::Withheld {
            noun: "source".into(),
            id: "audit".into(),
        },
        Refusal::HooksDisabled,
        Refusal::Conflict("the source `audit` is in use by the hooks 3; remove them first".into()),
        Refusal::ChangedMeanwhile {
            noun: "source".into(),
            id: "audit".into(),
        },
        Refusal::InvalidProgram {
            digest: Some("sha256:00".into()),
            reason: "the module imports `env::abort`, which is not offered".into(),
        },
        Refusal::TooManyFailures {
            retry_after: std::time::Duration::from_secs(6),
        },
        Refusal::TooBusy,
        Refusal::DiskFull("not enough disk of your share: 10 bytes needed, 3 bytes left".into()),
        Refusal::Shortage(tenterhook_ledger::Shortage {
            resource: tenterhook_ledger::Resource::Requests,
            asked: 1,
            available: 0,
            scope: tenterhook_ledger::Scope::Holder,
            retry_after: std::time::Duration::from_secs(1),
        }),
        Refusal::InvalidHost("is given more than once"),
        Refusal::InvalidPosition,
        Refusal::Internal,
    ]
}

fn print(refusal: &Refusal) -> Value {
    let headers =
        http::HeaderMap::from_iter([(crate::request_id::HEADER, HeaderValue::from_static("r1"))]);
    serde_json::to_value(of_request(refusal, &RequestId::of(&headers))).unwrap()
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
400 /problems/unreadable-body | The body cannot be read | the body is not valid JSON: EOF while parsing a value | {}
413 /problems/unreadable-body | The request is too large | 70000008 bytes; at most 98304 are accepted here | {"limit_bytes":98304,"size_bytes":70000008}
413 /problems/unreadable-body | The request is too large | more than 98304 bytes are not accepted here | {"limit_bytes":98304}
415 /problems/unreadable-body | The body's format is not supported | this call reads JSON | {}
408 about:blank | Request Timeout | the body did not arrive in time | {}
422 /problems/invalid-request | The request is invalid | `limits/fuel` must be from 1 to 200000000000, not 0 | {"errors":[{"detail":"must be from 1 to 200000000000, not 0","pointer":"/limits/fuel"}]}
404 /problems/not-found | Not found | there is no hook `7` | {"id":"7","noun":"hook"}
409 /problems/name-taken | The name is already in use | the name `audit` is already in use; choose another | {"name":"audit"}
403 /problems/read-only | The resource is read-only | the source `redis-quiesce` is read-only; create your own instead | {"id":"redis-quiesce","noun":"source"}
403 /problems/withheld | The content is withheld | the source `audit` is private: its text is never shown | {"id":"audit","noun":"source"}
403 /problems/hooks-disabled | Execution hooks are switched off | execution hooks are switched off for this account; an admin can switch them on | {}
409 /problems/conflict | Conflict | the source `audit` is in use by the hooks 3; remove them first | {}
412 /problems/changed-meanwhile | Precondition failed | the source `audit` was changed by someone else; read it again and retry | {"id":"audit","noun":"source"}
422 /problems/invalid-program | The program was not accepted | the module imports `env::abort`, which is not offered | {"digest":"sha256:00","reason":"the module imports `env::abort`, which is not offered"}
429 /problems/too-many-failures | Too many attempts have failed | too many logins or tokens from your address were wrong; wait for the seconds in Retry-After | {}
503 /problems/too-busy | The server is too busy | the server is too busy; try again later | {}
507 /problems/insufficient-storage | Not enough disk space | not enough disk of your share: 10 bytes needed, 3 bytes left | {}
503 /problems/too-busy | Not enough of a shared resource is left | not enough requests of your share: 1 needed, 0 left; try again after the seconds in Retry-After | {"resource":"requests"}
400 about:blank | Bad Request | the `Host` header is given more than once; send one | {}
400 about:blank | Bad Request | `Last-Event-ID` or `after` is not the id of an event of this output; leave it out to start from the beginning | {}
500 /problems/internal | The server failed | the server failed; the request id leads to the cause in its log | {}
"#);
}
