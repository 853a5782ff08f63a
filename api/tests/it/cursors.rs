//! Pages of lists: a cursor names a place, which outlives the item that was there.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::support::TestApp;

/// Makes five items with these names, reads a page of two, deletes the second of them, and
/// answers with the names on the pages behind it.
async fn behind_a_deleted_item(list: &str, make: impl Fn(usize) -> Value) -> Vec<Value> {
    let app = TestApp::start().await;
    // One token for all calls: each of them is in the list.
    let owner = app.token(Role::Owner).await;
    let call = async |method: Method, path: &str, body: Option<Value>| {
        let call = app.call_as(&owner, method, path).await;
        match body {
            Some(body) => call.json(&body).send().await,
            None => call.send().await,
        }
    };
    let get = async |path: String| call(Method::GET, &path, None).await.expect(200);
    for n in 0..5 {
        call(Method::POST, list, Some(make(n))).await.expect(201);
    }
    let all = get(format!("{list}?limit=1000")).await["items"].clone();
    let all = all.as_array().unwrap();
    let first = get(format!("{list}?limit={}", all.len() - 3)).await;
    let last = first["items"].as_array().unwrap().last().unwrap();
    let path = format!("{list}/{}", last["id"].as_str().unwrap());
    let gone = call(Method::DELETE, &path, None).await;
    assert_eq!(gone.status, 204);
    let mut seen = Vec::new();
    let mut next = first["next"].clone();
    while let Some(after) = next.as_str() {
        let page = get(format!("{list}?limit=2&after={after}")).await;
        seen.extend(page["items"].as_array().unwrap().clone());
        next = page["next"].clone();
    }
    assert_eq!(seen, all[all.len() - 3..], "{list}");
    seen
}

#[tokio::test]
async fn a_page_continues_after_a_deleted_item_in_every_list() {
    let principal = |n: usize| json!({"name": format!("p{n}"), "role": "viewer"});
    behind_a_deleted_item("/api/v1/principals", principal).await;
    let token = |n: usize| json!({"name": format!("t{n}"), "role": "viewer"});
    behind_a_deleted_item("/api/v1/tokens", token).await;
    let webhook = |n: usize| json!({"url": format!("https://a.example/{n}")});
    behind_a_deleted_item("/api/v1/webhooks", webhook).await;
    let app = |n: usize| json!({"name": format!("a{n}"), "containers": []});
    behind_a_deleted_item("/api/v1/apps", app).await;
}

#[tokio::test]
async fn an_invalid_cursor_is_refused_by_every_list() {
    let app = TestApp::start().await;
    for list in [
        "accounts",
        "apps",
        "executions",
        "hooks",
        "principals",
        "servers",
        "sources",
        "tasks",
        "tokens",
        "webhooks",
    ] {
        for after in ["x", "", "%00", "1.2.3", "-1.0198c0de"] {
            let path = format!("/api/v1/{list}?after={after}");
            let problem = app
                .get(&path)
                .await
                .expect_problem(422, "/problems/invalid-request");
            assert_eq!(problem["errors"][0]["pointer"], "?after", "{path}");
        }
    }
}
