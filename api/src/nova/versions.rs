//! What clients ask before anything else: which versions are served.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};

use super::microversion::Microversion;
use super::shapes;
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::host;

/// When version 2.1 was released, as Nova reports it.
const UPDATED: &str = "2013-07-23T11:33:21Z";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/v2.1",
            Access::Everyone,
            "get_version",
            get_version,
        )
        .summary("Returns the versions that are served")
        .answers_as(200, &shapes::version())
        .slash_or_not(),
        Endpoint::new(
            Method::GET,
            "/",
            Access::Everyone,
            "list_versions",
            list_versions,
        )
        .summary("Lists the versions of Nova's API, for service catalogs that name the root")
        .answers_as(200, &shapes::versions()),
    ]
}

async fn get_version(headers: HeaderMap) -> Response {
    let mut version = describe(&headers);
    version["media-types"] = json!([{
        "base": "application/json",
        "type": "application/vnd.openstack.compute+json;version=2.1",
    }]);
    reply(&json!({ "version": version }))
}

/// As Nova's list has them, without media types.
async fn list_versions(headers: HeaderMap) -> Response {
    reply(&json!({"versions": [describe(&headers)]}))
}

fn reply(body: &Value) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
}

fn describe(headers: &HeaderMap) -> Value {
    let base = host::base(headers).unwrap_or_default();
    json!({
        "id": "v2.1",
        "status": "CURRENT",
        "version": Microversion::MAX.to_string(),
        "min_version": Microversion::MIN.to_string(),
        "updated": UPDATED,
        "links": [{"rel": "self", "href": format!("{base}/v2.1/")}],
    })
}
