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
    ]
}

async fn get_version(headers: HeaderMap) -> Response {
    let body = document(&headers).to_string();
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

fn document(headers: &HeaderMap) -> Value {
    let base = host::base(headers).unwrap_or_default();
    json!({"version": {
        "id": "v2.1",
        "status": "CURRENT",
        "version": Microversion::MAX.to_string(),
        "min_version": Microversion::MIN.to_string(),
        "updated": UPDATED,
        "links": [{"rel": "self", "href": format!("{base}/v2.1/")}],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.compute+json;version=2.1",
        }],
    }})
}
