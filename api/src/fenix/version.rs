//! The version of Fenix's interface, for clients that ask before they begin.

use axum::http::Uri;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::shapes;
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::extract::Json;
use crate::host;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/v1",
            Access::Everyone,
            "get_version",
            get_version,
        )
        .summary("Returns the version of this API")
        .answers_as(200, &shapes::version()),
    ]
}

/// In the form of OpenStack's services.
async fn get_version(uri: Uri, headers: HeaderMap) -> Json<Value> {
    let place = match host::of_target(&uri, &headers) {
        Some(host) => format!("http://{host}/v1"),
        None => "/v1".to_owned(),
    };
    Json(json!({"version": {
        "id": "v1.0",
        "status": "CURRENT",
        "links": [{"rel": "self", "href": place}],
    }}))
}
