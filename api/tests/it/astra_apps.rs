//! The applications that hooks belong to, as Astra's clients read them.

use serde_json::json;

use crate::astra_support::Astra;

const APPS: &str = "/k8s/v2/apps";

#[tokio::test]
async fn applications_are_listed_and_shown_in_astras_form() {
    let astra = Astra::start().await;
    let shop = astra
        .application("shop", &[("db-0", "postgres:17"), ("web-0", "nginx:1")])
        .await;
    let bank = astra.application("bank", &[]).await;
    let shown = astra.get(&format!("{APPS}/{}", shop.id)).await.expect(200);
    assert_eq!(
        shown,
        json!({
            "type": "application/astra-app", "version": "2.0", "id": shop.id, "name": "shop",
            "state": "ready", "namespaces": [shop.containers[0].namespace_name],
            "metadata": {
                "labels": [], "createdBy": "00000000-0000-0000-0000-000000000000",
                "creationTimestamp": shown["metadata"]["creationTimestamp"],
                "modificationTimestamp": shown["metadata"]["creationTimestamp"],
            },
        })
    );
    let list = astra.get(APPS).await.expect(200);
    assert_eq!(list["type"], "application/astra-apps");
    assert_eq!(list["items"][0], shown);
    assert_eq!(list["items"][1]["id"], json!(bank.id));
    let some = format!("{APPS}?include=name,namespaces&filter=name%20eq%20'bank'");
    let some = astra.get(&some).await.expect(200);
    assert_eq!(some["items"], json!([["bank", []]]));
}

#[tokio::test]
async fn changes_of_applications_are_refused_in_this_apis_form() {
    let astra = Astra::start().await;
    let unknown = "/k8s/v2/apps/0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f";
    for (path, status, number) in [
        (unknown, 404, 1),
        ("/k8s/v2/apps?skip=1", 400, 6),
        ("/k8s/v2/apps?limit=0", 400, 5),
    ] {
        let problem = astra.get(path).await.expect(status);
        assert_eq!(
            problem["type"],
            format!("https://astra.netapp.io/problems/{number}")
        );
    }
}
