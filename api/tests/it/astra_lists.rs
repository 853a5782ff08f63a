//! Lists: include, limit, filter and order, and that long ones come in pieces.

use serde_json::{Value, json};

use crate::astra_support::{Astra, SOURCES, source, with};

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn names(astra: &Astra, filter: &str) -> Vec<String> {
    let items = astra.sources(&format!("?filter={}", encoded(filter))).await;
    let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
    items.iter().map(name).collect()
}

async fn three() -> (Astra, Vec<Value>) {
    let astra = Astra::start().await;
    let mut made = Vec::new();
    for (name, team) in [("b", "x"), ("c", "y"), ("a", "y")] {
        let labels = json!({"metadata": {"labels": [{"name": "team", "value": team}]}, "description": format!("of {team}")});
        let body = with(source(name, "true\n"), &labels);
        made.push(astra.post(SOURCES, &body).await.expect(201));
    }
    (astra, made)
}

#[tokio::test]
async fn every_operator_filters_by_index_and_by_value() {
    let (astra, made) = three().await;
    let time = made[1]["metadata"]["creationTimestamp"].as_str().unwrap();
    let (id, other) = (
        made[1]["id"].as_str().unwrap(),
        made[2]["id"].as_str().unwrap(),
    );
    for (filter, expected) in [
        ("name eq 'b'".to_owned(), &["b"][..]),
        ("name in 'a,b,zz'".to_owned(), &["b", "a"]),
        ("name lt 'b'".to_owned(), &["a"]),
        ("name lte 'b'".to_owned(), &["b", "a"]),
        ("name gt 'b',name lt 'cc'".to_owned(), &["c"]),
        ("name gte 'c',name lte 'c'".to_owned(), &["c"]),
        (format!("id eq '{id}'"), &["c"]),
        (format!("id in '{other},{id},x'"), &["c", "a"]),
        (format!("id eq '{id}',name eq 'a'"), &[]),
        ("id eq 'x'".to_owned(), &[]),
        (
            format!("metadata.creationTimestamp lt '{time}',preloaded eq 'false'"),
            &["b"],
        ),
        (
            format!("metadata.creationTimestamp gte '{time}'"),
            &["c", "a"],
        ),
        (format!("metadata.creationTimestamp eq '{time}'"), &["c"]),
        (format!("metadata.creationTimestamp in '{time}'"), &["c"]),
        ("metadata.labels[*].value eq 'y'".to_owned(), &["c", "a"]),
        ("description eq 'of x'".to_owned(), &["b"]),
        ("description gt 'of x'".to_owned(), &["c", "a"]),
        ("sourceType eq 'wasm'".to_owned(), &[]),
    ] {
        assert_eq!(names(&astra, &filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_limit_cuts_after_the_filter_and_the_oldest_come_first() {
    let (astra, _) = three().await;
    let query = format!("?limit=2&filter={}", encoded("preloaded eq 'false'"));
    let items = astra.sources(&query).await;
    let names: Vec<_> = items.iter().map(|item| &item["name"]).collect();
    assert_eq!(names, ["b", "c"]);
    let huge = format!("?limit={}", "9".repeat(30));
    assert_eq!(astra.sources(&huge).await.len(), 3);
}

#[tokio::test]
async fn included_members_are_values_in_the_order_asked_for() {
    let (astra, made) = three().await;
    let filter = encoded("name eq 'a'");
    let path = format!("{SOURCES}?include=source,name,metadata,id,name&filter={filter}");
    let list = astra.get(&path).await.expect(200);
    let one = &made[2];
    assert_eq!(
        list,
        json!({
            "type": "application/astra-hookSources",
            "version": "1.0",
            "items": [[one["source"], "a", one["metadata"], one["id"], "a"]],
            "metadata": {},
        })
    );
    astra.script("bare", "true\n").await;
    let path = format!(
        "{SOURCES}?include=description,name&filter={}",
        encoded("name eq 'bare'")
    );
    let list = astra.get(&path).await.expect(200);
    assert_eq!(list["items"], json!([[null, "bare"]]));
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let astra = Astra::start().await;
    for (query, number, name) in [
        ("limit=0", 5, "limit"),
        ("limit=x", 5, "limit"),
        ("limit=1&limit=2", 5, "limit"),
        ("include=", 5, "include"),
        ("include=nothing", 5, "include"),
        ("include=metadata.labels", 5, "include"),
        ("filter=name", 5, "filter"),
        ("filter=name%20ne%20'x'", 5, "filter"),
        ("filter=source%20eq%20'x'", 5, "filter"),
        ("filter=metadata.creationTimestamp%20lt%20'x'", 5, "filter"),
        ("filter=name%20eq%20'%FF'", 5, "filter"),
        ("skip=1", 6, "skip"),
        ("orderBy=name&limit=0", 6, "orderBy"),
        ("continue=x", 6, "continue"),
        ("count=true", 6, "count"),
        ("=", 6, ""),
    ] {
        let answer = astra.get(&format!("{SOURCES}?{query}")).await;
        assert_eq!(
            answer.expect_wrong(400, number, "invalidParams"),
            name,
            "{query}"
        );
    }
    let made = astra.script("a", "true\n").await;
    let one = format!("{SOURCES}/{}?include=name", made["id"].as_str().unwrap());
    astra.get(&one).await.expect_astra(400, 6);
    astra.delete(&one).await.expect_astra(400, 6);
    astra.put(&one, &json!({})).await.expect_astra(400, 6);
    astra
        .post(&format!("{SOURCES}?limit=1"), &json!({}))
        .await
        .expect_astra(400, 6);
    let long = format!("{SOURCES}?filter={}", "x".repeat(60_000));
    astra.get(&long).await.expect_astra(400, 5);
}

#[tokio::test]
async fn a_list_of_many_large_scripts_is_whole() {
    let astra = Astra::start().await;
    let text = format!("#{}\n", "x".repeat(96 * 1024 - 2));
    for number in 0..12 {
        astra
            .script(
                &format!("s{number:02}"),
                &format!("{}{}", number % 10, &text[1..]),
            )
            .await;
    }
    let answer = astra.get(SOURCES).await;
    assert_eq!(answer.header("etag"), "", "a long list has no tag");
    let list = answer.expect(200);
    let items = list["items"].as_array().unwrap();
    let own = items.iter().filter(|item| item["preloaded"] == "false");
    assert_eq!(own.clone().count(), 12);
    for item in own {
        let source = item["source"].as_str().unwrap();
        assert_eq!(
            (source.len(), crate::astra_support::md5(source)),
            (
                131_072,
                item["sourceMD5Checksum"].as_str().unwrap().to_owned()
            )
        );
    }
    let answer = astra.get(&format!("{SOURCES}?include=name")).await;
    assert_ne!(answer.header("etag"), "");
}
