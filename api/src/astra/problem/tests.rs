//! The table as it is printed, and the rows for what shared code refuses.

use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::Value;

use super::*;
use crate::refusal::Refusal;
use crate::request_id::RequestId;

async fn printed(rejection: impl Into<Rejection>, id: &RequestId) -> (StatusCode, Value) {
    let response = match rejection.into() {
        Rejection::Shared(refusal) => print(&refusal, id),
        Rejection::Own(problem) => problem.print(id),
    };
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn id(text: &'static str) -> RequestId {
    let value = http::HeaderValue::from_static(text);
    RequestId::of(&http::HeaderMap::from_iter([(
        crate::request_id::HEADER,
        value,
    )]))
}

#[tokio::test]
async fn every_row_has_its_number_status_title_and_detail() {
    let mut lines = Vec::new();
    for row in Row::ALL {
        let (status, problem) = printed(*row, &id("x")).await;
        assert_eq!(problem["status"], status.as_str());
        let text = |name: &str| problem[name].as_str().unwrap().to_owned();
        let number = text("type").replace("https://astra.netapp.io/problems/", "");
        lines.push(format!(
            "{number} | {} | {} | {}",
            text("status"),
            text("title"),
            text("detail")
        ));
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    1 | 404 | Resource not found | The resource specified in the request URI wasn't found.
    2 | 404 | Collection not found | The collection specified in the request URI wasn't found.
    3 | 401 | Missing bearer token | The request is missing the required bearer token.
    4 | 401 | Invalid bearer token | The bearer token provided is invalid, revoked, or doesn't exist.
    5 | 400 | Invalid query parameters | The supplied query parameters are invalid.
    6 | 400 | Query parameters not supported | The supplied query parameters aren't supported for this endpoint.
    7 | 400 | Invalid JSON payload | The request body is not valid JSON.
    8 | 400 | Invalid JSON resource | The request body JSON doesn't conform to the schema.
    9 | 400 | Invalid JSON resource | The request body JSON didn't pass extended validation.
    10 | 409 | JSON resource conflict | The request body JSON contains a field that conflicts with an idempotent value.
    11 | 403 | Operation not permitted | The requested operation isn't permitted.
    12 | 400 | Invalid headers | The request headers are invalid.
    32 | 406 | Unsupported content type | The response can't be returned in the requested format.
    34 | 500 | Internal server error | The server was unable to process this request.
    38 | 412 | Precondition not met | The conditional headers aren't satisfied.
    41 | 503 | Service not ready | Currently, the service can't respond to this request.
    71 | 403 | Preloaded hook sources read only | The hook source resource wasn't created, edited, or deleted. Hook source resources with a preloaded value of true are read only.
    72 | 403 | Hook source referenced by execution hook | The hook source resource wasn't deleted because it is referenced by an execution hook resource.
    73 | 403 | NetApp execution hooks read only | The execution hook resource wasn't created, edited, or deleted. Execution hook resources with a hookType of NetApp are read only.
    85 | 413 | Request body too large | The request body is too large.
    162 | 409 | Post-failover execution hooks not supported | The application isn't eligible for post-failover execution hooks.
    168 | 403 | Execution hook action not permitted | Execution hooks are not enabled in feature settings.
    ");
}

#[tokio::test]
async fn the_correlation_id_is_the_requests_id_or_derived_from_it() {
    let uuid = "0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f";
    let correlation = async |text| {
        let (_, problem) = printed(Refusal::Internal, &id(text)).await;
        problem["correlationID"].as_str().unwrap().to_owned()
    };
    assert_eq!(correlation(uuid).await, uuid);
    let made = correlation("deploy-7.2").await;
    assert_eq!(made, correlation("deploy-7.2").await);
    assert_ne!(made, correlation("deploy-7.3").await);
    assert_eq!(made.as_bytes()[14], b'5', "{made}");
}

#[tokio::test]
async fn every_refusal_has_a_row_or_states_its_status() {
    let mut lines = Vec::new();
    for refusal in [
        Refusal::Unauthenticated("no token"),
        Refusal::InvalidToken,
        Refusal::Forbidden { needs: "member" },
        Refusal::NoRoute,
        Refusal::WrongMethod,
        Refusal::NotAcceptable { offered: "x" },
        Refusal::Unreadable("broke off".into()),
        Refusal::TooLarge {
            limit_bytes: 7,
            size_bytes: None,
        },
        Refusal::UnsupportedMedia("uncompressed only".into()),
        Refusal::TooSlow,
        Refusal::invalid("/args", "has NUL"),
        Refusal::invalid("/targets/containers/criteria/3/value", "is no expression"),
        Refusal::NotFound {
            noun: "source".into(),
            id: "x".into(),
        },
        Refusal::NameTaken { name: "a".into() },
        Refusal::ReadOnly {
            noun: "source".into(),
            id: "x".into(),
        },
        Refusal::HooksDisabled,
        Refusal::Conflict("stands against it".into()),
        Refusal::ChangedMeanwhile {
            noun: "source".into(),
            id: "x".into(),
        },
        Refusal::InvalidProgram {
            digest: None,
            reason: "imports `env::abort`".into(),
        },
        Refusal::TooManyFailures {
            retry_after: std::time::Duration::from_secs(1),
        },
        Refusal::TooBusy,
        Refusal::Internal,
    ] {
        let (status, problem) = printed(refusal, &id("x")).await;
        let kind = problem["type"].as_str().unwrap();
        let kind = kind.rsplit('/').next().unwrap();
        let extra = [&problem["invalidParams"], &problem["invalidFields"]];
        let extra = extra.iter().find(|value| !value.is_null());
        let extra = extra.map(ToString::to_string).unwrap_or_default();
        lines.push(
            format!("{} {kind} {extra}", status.as_str())
                .trim_end()
                .to_owned(),
        );
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    401 3
    401 4
    403 11
    404 2
    405 about:blank
    406 32
    400 7
    413 85
    400 12 [{"name":"Content-Encoding","reason":"uncompressed only"}]
    408 about:blank
    400 9 [{"name":"arguments","reason":"has NUL"}]
    400 9 [{"name":"matchingCriteria[3]","reason":"is no expression"}]
    404 1
    409 10 [{"name":"name","reason":"the name `a` is already in use; choose another"}]
    403 11
    403 168
    409 10 [{"name":"id","reason":"stands against it"}]
    412 38
    400 9 [{"name":"source","reason":"imports `env::abort`"}]
    429 about:blank
    503 41
    500 34
    "#);
}
