//! Two accounts with equal names never see each other, whatever they do.

use std::collections::BTreeMap;

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::astra_support::{Astra, HOOKS, SOURCES, hook, source, source_change};
use crate::support::Answer;

/// What one of the two does; numbers choose among names and among what it has.
#[derive(Clone, Debug)]
enum Step {
    Make(usize),
    Rename(usize, usize),
    Remove(usize),
    Bind(usize, usize),
    Unbind(usize),
    /// Reaches for what the other has, by its id.
    Reach(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..4_usize;
    prop_oneof![
        3 => n.clone().prop_map(Step::Make),
        1 => (n.clone(), n.clone()).prop_map(|(which, name)| Step::Rename(which, name)),
        1 => n.clone().prop_map(Step::Remove),
        2 => (n.clone(), n.clone()).prop_map(|(which, name)| Step::Bind(which, name)),
        1 => n.clone().prop_map(Step::Unbind),
        2 => n.prop_map(Step::Reach),
    ]
}

/// One account, and what it must see: names by id.
struct Side {
    base: String,
    token: String,
    app: tenterhook_dispatch::App,
    sources: BTreeMap<String, String>,
    /// Names and sources by id.
    hooks: BTreeMap<String, (String, String)>,
}

impl Side {
    async fn call(&self, astra: &Astra, method: Method, path: &str, body: &Value) -> Answer {
        let call = astra.app.call_as(&self.token, method, path).await;
        call.json(body).send().await
    }

    async fn act(&mut self, astra: &Astra, step: &Step, other: &Self) {
        let nth = |map: &BTreeMap<String, String>, n: usize| map.keys().nth(n).cloned();
        let sources = format!("{}{SOURCES}", self.base);
        let hooks = format!("{}{HOOKS}", self.base);
        match step {
            Step::Make(name) => {
                let name = format!("n{name}");
                let taken = self.sources.values().any(|own| *own == name);
                let body = source(&name, "true\n");
                let answer = self.call(astra, Method::POST, &sources, &body).await;
                let made = answer.expect(if taken { 409 } else { 201 });
                if !taken {
                    self.sources.insert(text(&made["id"]), name);
                }
            }
            Step::Rename(which, name) => {
                let Some(id) = nth(&self.sources, *which) else {
                    return;
                };
                let name = format!("n{name}");
                let taken = self
                    .sources
                    .iter()
                    .any(|(other, own)| *own == name && *other != id);
                let body = source_change(&json!({"name": name}));
                let path = format!("{sources}/{id}");
                let answer = self.call(astra, Method::PUT, &path, &body).await;
                answer.expect(if taken { 409 } else { 204 });
                if !taken {
                    self.sources.insert(id, name);
                }
            }
            Step::Remove(which) => {
                let Some(id) = nth(&self.sources, *which) else {
                    return;
                };
                let used = self.hooks.values().any(|(_, source)| *source == id);
                let path = format!("{sources}/{id}");
                let answer = self.call(astra, Method::DELETE, &path, &json!({})).await;
                answer.expect(if used { 403 } else { 204 });
                if !used {
                    self.sources.remove(&id);
                }
            }
            Step::Bind(which, name) => {
                let Some(id) = nth(&self.sources, *which) else {
                    return;
                };
                let name = format!("n{name}");
                let taken = self.hooks.values().any(|(own, _)| *own == name);
                let body = hook(&name, &json!({ "id": id }), &self.app);
                let answer = self.call(astra, Method::POST, &hooks, &body).await;
                let made = answer.expect(if taken { 409 } else { 201 });
                if !taken {
                    self.hooks.insert(text(&made["id"]), (name, id));
                }
            }
            Step::Unbind(which) => {
                let Some(id) = self.hooks.keys().nth(*which).cloned() else {
                    return;
                };
                let path = format!("{hooks}/{id}");
                self.call(astra, Method::DELETE, &path, &json!({}))
                    .await
                    .expect(204);
                self.hooks.remove(&id);
            }
            Step::Reach(which) => self.reach(astra, *which, other).await,
        }
    }

    /// Neither over the own account nor over the other's is anything to be had.
    async fn reach(&self, astra: &Astra, which: usize, other: &Self) {
        for path in [SOURCES, HOOKS] {
            let foreign = format!("{}{path}", other.base);
            self.call(astra, Method::GET, &foreign, &json!({}))
                .await
                .expect_astra(403, 11);
        }
        let Some(id) = other.sources.keys().nth(which) else {
            return;
        };
        let body = source_change(&json!({"name": "mine"}));
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let path = format!("{}{SOURCES}/{id}", self.base);
            self.call(astra, method.clone(), &path, &body)
                .await
                .expect_astra(404, 1);
            let path = format!("{}{SOURCES}/{id}", other.base);
            self.call(astra, method, &path, &body)
                .await
                .expect_astra(403, 11);
        }
        let path = format!("{}{HOOKS}", self.base);
        for (source, app, name) in [
            (id.clone(), &self.app, "hookSourceID"),
            (
                self.sources.keys().next().cloned().unwrap_or_default(),
                &other.app,
                "appID",
            ),
        ] {
            if source.is_empty() {
                continue;
            }
            let body = hook("reach", &json!({ "id": source }), app);
            let answer = self.call(astra, Method::POST, &path, &body).await;
            assert_eq!(answer.expect_wrong(400, 9, "invalidFields"), name);
        }
    }

    /// Sees exactly what it has made.
    async fn check(&self, astra: &Astra) {
        let filter = "filter=preloaded%20eq%20'false'";
        let path = format!("{}{SOURCES}?include=id,name&{filter}", self.base);
        let list = self
            .call(astra, Method::GET, &path, &json!({}))
            .await
            .expect(200);
        let seen: BTreeMap<_, _> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (text(&item[0]), text(&item[1])))
            .collect();
        assert_eq!(seen, self.sources);
        let path = format!("{}{HOOKS}?include=id,name,hookSourceID", self.base);
        let list = self
            .call(astra, Method::GET, &path, &json!({}))
            .await
            .expect(200);
        let seen: BTreeMap<_, _> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (text(&item[0]), (text(&item[1]), text(&item[2]))))
            .collect();
        assert_eq!(seen, self.hooks);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn play(steps: Vec<(bool, Step)>) {
    let astra = Astra::start().await;
    let (account, token) = astra.app.tenant("second").await;
    let second = account["id"].as_str().unwrap().parse().unwrap();
    let mut sides = Vec::new();
    for (account, token) in [(astra.account, astra.owner.clone()), (second, token)] {
        let new = tenterhook_dispatch::NewApp {
            name: "shop".into(),
            ..Default::default()
        };
        sides.push(Side {
            base: format!("/accounts/{account}"),
            token,
            app: astra
                .app
                .dispatcher
                .apps()
                .create(account, new)
                .await
                .unwrap(),
            sources: BTreeMap::new(),
            hooks: BTreeMap::new(),
        });
    }
    let mut second = sides.pop().unwrap();
    let mut first = sides.pop().unwrap();
    for (who, step) in steps {
        if who {
            first.act(&astra, &step, &second).await;
        } else {
            second.act(&astra, &step, &first).await;
        }
        first.check(&astra).await;
        second.check(&astra).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn two_accounts_never_see_each_other(steps in prop::collection::vec((any::<bool>(), step()), 1..24)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(play(steps));
    }
}
