//! Versions of Nova's interface: asked for, repeated, refused and listed.

use http::Method;
use serde_json::Value;

use crate::nova_support::{PATH, events, instance, message, post_at, tagged};
use crate::support::{Answer, TestApp};

async fn with(app: &TestApp, name: &'static str, value: &str) -> Answer {
    let call = app.call(Method::POST, PATH).await;
    call.header(name, value).json(&Value::Null).send().await
}

#[tokio::test]
async fn a_name_is_refused_before_its_version_and_accepted_from_it_on() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    for (name, before, since) in [
        ("volume-extended", "2.50", "2.51"),
        ("power-update", "2.75", "2.76"),
        ("accelerator-request-bound", "2.81", "2.82"),
        ("volume-reimaged", "2.92", "2.93"),
    ] {
        let sent = events(&[tagged(name, &vm.id, "x")]);
        let answer = post_at(&app, before, &sent).await;
        let text = message(&answer, 400, "badRequest");
        assert!(
            text.contains(&format!("'{name}' is not one of [")),
            "{text}"
        );
        // Without a header it is 2.1.
        message(&app.post(PATH, &sent).await, 400, "badRequest");
        for version in [since, "2.104", "latest"] {
            post_at(&app, version, &sent).await.expect(200);
        }
        let call = app.call(Method::POST, PATH).await.json(&sent);
        let call = call.header("x-openstack-nova-api-version", since);
        call.send().await.expect(200);
    }
}

#[tokio::test]
async fn every_reply_repeats_the_version_and_has_a_request_id() {
    let app = TestApp::start().await;
    for (asked, version, has_openstack_id) in [
        ("compute 2.1", "2.1", false),
        ("compute 2.45", "2.45", false),
        ("compute 2.46", "2.46", true),
        ("compute latest", "2.104", true),
    ] {
        let answer = with(&app, "openstack-api-version", asked).await;
        message(&answer, 400, "badRequest");
        let repeated = format!("compute {version}");
        assert_eq!(answer.header("openstack-api-version"), repeated);
        assert_eq!(answer.header("x-openstack-nova-api-version"), version);
        let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
        assert_eq!(
            vary,
            ["OpenStack-API-Version", "X-OpenStack-Nova-API-Version"]
        );
        let id = answer.header("x-compute-request-id");
        let uuid = id.strip_prefix("req-").unwrap();
        assert!(
            uuid::Uuid::try_parse(uuid).is_ok() && uuid.len() == 36,
            "{id}"
        );
        let openstack_id = answer.header("x-openstack-request-id");
        assert_eq!(openstack_id, if has_openstack_id { id } else { "" });
    }
}

#[tokio::test]
async fn an_invalid_version_is_400_and_one_that_is_not_served_406() {
    let app = TestApp::start().await;
    for (header, before) in [
        ("openstack-api-version", "compute "),
        ("x-openstack-nova-api-version", ""),
    ] {
        for text in ["2", "2.x", "2.01", "new"] {
            let answer = with(&app, header, &format!("{before}{text}")).await;
            let expected = format!(
                "API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
            );
            assert_eq!(message(&answer, 400, "badRequest"), expected);
            assert_eq!(answer.header("openstack-api-version"), "");
        }
        for text in ["2.0", "2.105", "3.0"] {
            let answer = with(&app, header, &format!("{before}{text}")).await;
            let expected = format!(
                "Version {text} is not supported by the API. Minimum is 2.1 and maximum is 2.104."
            );
            assert_eq!(message(&answer, 406, "computeFault"), expected);
            assert!(answer.header("x-compute-request-id").starts_with("req-"));
        }
    }
}

#[tokio::test]
async fn versions_are_public() {
    let app = TestApp::start().await;
    for path in ["/v2.1", "/v2.1/"] {
        let call = app.call(Method::GET, path).await.anonymous();
        let answer = call.header("host", "cloud.example:8774").send().await;
        let version = &answer.expect(200)["version"];
        assert_eq!(version["id"], "v2.1");
        assert_eq!(version["status"], "CURRENT");
        assert_eq!(
            (&version["min_version"], &version["version"]),
            (&"2.1".into(), &"2.104".into())
        );
        let link = &version["links"][0];
        assert_eq!(link["href"], "http://cloud.example:8774/v2.1/");
        assert_eq!(answer.header("openstack-api-version"), "compute 2.1");
    }
    // Catalogs may name the root, which lists versions as Nova's root does.
    let call = app.call(Method::GET, "/").await.anonymous();
    let answer = call.header("host", "cloud.example:8774").send().await;
    let versions = &answer.expect(200)["versions"];
    assert_eq!(versions.as_array().unwrap().len(), 1);
    let version = &versions[0];
    assert_eq!(
        (&version["id"], &version["status"]),
        (&"v2.1".into(), &"CURRENT".into())
    );
    assert_eq!(
        (&version["min_version"], &version["version"]),
        (&"2.1".into(), &"2.104".into())
    );
    let link = &version["links"][0];
    assert_eq!(link["href"], "http://cloud.example:8774/v2.1/");
}

#[tokio::test]
async fn the_service_without_a_version_is_400() {
    let app = TestApp::start().await;
    let answer = with(&app, "openstack-api-version", "compute").await;
    let text = message(&answer, 400, "badRequest");
    assert!(text.contains("is of invalid format"), "{text}");
    assert_eq!(answer.header("openstack-api-version"), "");
}

#[tokio::test]
async fn other_apis_send_no_version_headers() {
    let app = TestApp::start().await;
    let answer = app.get("/api/v1/limits").await;
    answer.expect(200);
    for name in ["openstack-api-version", "x-compute-request-id", "vary"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
}
