//! The OpenAPI documents describe exactly what is served.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use crate::support::TestApp;

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PATCH,
    Method::DELETE,
    Method::PUT,
];

fn paths(document: &Value) -> Vec<(String, BTreeSet<String>)> {
    document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, methods)| {
            (
                path.clone(),
                methods.as_object().unwrap().keys().cloned().collect(),
            )
        })
        .collect()
}

#[tokio::test]
async fn every_documented_call_is_served_and_no_other_method_is() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.expect(200);
    for (path, documented) in paths(&document) {
        let real: Vec<_> = path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => "0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f",
                false => part,
            })
            .collect();
        let real = real.join("/");
        for method in METHODS {
            let answer = app
                .call(method.clone(), &real)
                .await
                .anonymous()
                .send()
                .await;
            let served = answer.status != 405;
            let name = method.as_str().to_lowercase();
            assert_eq!(
                served,
                documented.contains(&name),
                "{method} {path}: {}",
                answer.status
            );
            if !served {
                assert!(!answer.header("allow").is_empty(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn every_reference_in_the_document_resolves() {
    let app = TestApp::start().await;
    for path in ["/openapi.json", "/api/swagger.json"] {
        let document = app.get(path).await.expect(200);
        let mut ids = BTreeSet::new();
        let mut left = vec![&document];
        while let Some(value) = left.pop() {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(reference)) = map.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{path}: {reference}");
                    }
                    if let Some(Value::String(id)) = map.get("operationId") {
                        assert!(ids.insert(id.clone()), "{path}: {id} stands twice");
                    }
                    left.extend(map.values());
                }
                Value::Array(list) => left.extend(list),
                _ => {}
            }
        }
        assert!(ids.len() > 20, "{path}");
    }
}

#[tokio::test]
async fn croits_document_has_only_its_own_paths() {
    let app = TestApp::start().await;
    let document = app.get("/api/swagger.json").await.expect(200);
    for (path, _) in paths(&document) {
        assert!(
            path.starts_with("/api/") && !path.starts_with("/api/v1"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_list_of_served_calls_is_complete() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.expect(200);
    let lines: Vec<String> = paths(&document)
        .into_iter()
        .map(|(path, methods)| {
            format!(
                "{path} {}",
                methods.into_iter().collect::<Vec<_>>().join(" ")
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    / get
    /accounts/{account_id}/core/v1/executionHooks get post
    /accounts/{account_id}/core/v1/executionHooks/{id} delete get put
    /accounts/{account_id}/core/v1/hookSources get post
    /accounts/{account_id}/core/v1/hookSources/{id} delete get put
    /accounts/{account_id}/k8s/v1/apps/{app_id}/executionHookOverrides get post
    /accounts/{account_id}/k8s/v1/apps/{app_id}/executionHookOverrides/{id} delete get put
    /accounts/{account_id}/k8s/v1/apps/{app_id}/executionHooks get post
    /accounts/{account_id}/k8s/v1/apps/{app_id}/executionHooks/{id} delete get put
    /accounts/{account_id}/k8s/v2/apps get
    /accounts/{account_id}/k8s/v2/apps/{app_id} get
    /api/api-tokens get post
    /api/api-tokens/{id} delete patch
    /api/auth/login post
    /api/auth/login-form post
    /api/auth/logout post
    /api/auth/token-info get
    /api/events/hook-scripts get post
    /api/events/hook-scripts/{id} patch
    /api/events/hooks get post
    /api/events/hooks/hook-points get
    /api/events/hooks/{id} delete patch
    /api/events/scripts get post
    /api/events/scripts/execute post
    /api/events/scripts/{id} delete get patch
    /api/servers get post
    /api/servers/{id} delete get patch
    /api/swagger.json get
    /api/tasks get
    /api/tasks/active get
    /api/tasks/status get
    /api/tasks/{id} get
    /api/tasks/{id}/answer post
    /api/tasks/{id}/cancel post
    /api/v1/accounts get post
    /api/v1/accounts/{id} get patch
    /api/v1/apps get post
    /api/v1/apps/{id} delete get patch
    /api/v1/events post
    /api/v1/executions get
    /api/v1/executions/{id} get
    /api/v1/executions/{id}/attempts/{attempt} get
    /api/v1/executions/{id}/cancel post
    /api/v1/executions/{id}/case get
    /api/v1/executions/{id}/output get
    /api/v1/executions/{id}/redrive post
    /api/v1/executions/{id}/replay post
    /api/v1/hook-points get
    /api/v1/hooks get post
    /api/v1/hooks/{id} delete get patch
    /api/v1/limits get
    /api/v1/principals get post
    /api/v1/principals/{id} delete get patch
    /api/v1/servers get post
    /api/v1/servers/{id} delete get patch
    /api/v1/sources get post
    /api/v1/sources/{id} delete get put
    /api/v1/sources/{id}/bytes get
    /api/v1/tasks get
    /api/v1/tasks/{id} get
    /api/v1/tasks/{id}/cancel post
    /api/v1/tokens get post
    /api/v1/tokens/{id} delete
    /api/v1/uploads/{id} get
    /api/v1/webhooks get post
    /api/v1/webhooks/{id} delete get patch
    /api/v1/webhooks/{id}/deliveries get
    /healthz get
    /metrics get
    /openapi.json get
    /os-server-external-events post
    /readyz get
    /v1 get
    /v1/instance/{instance_id} delete put
    /v1/instance_group/{group_id} delete put
    /v1/maintenance get post
    /v1/maintenance/{session_id} delete get put
    /v1/maintenance/{session_id}/detail get
    /v1/maintenance/{session_id}/{project_id} get put
    /v1/maintenance/{session_id}/{project_id}/{instance_id} put
    /v2.1 get
    /v2.1/os-server-external-events post
    /v2.1/{project_id}/os-server-external-events post
    "#);
}
