//! Two accounts with equal names and overlapping requests: neither ever sees,
//! uses or disturbs anything of the other.
//!
//! What each is answered is held against what it is answered where it is alone.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use tenterhook_dispatch::{
    AccountId, App, AppChange, AppId, Dispatcher, Error, Hook, HookChange, HookOverride, Key,
    Lookup, NewApp, NewHook, NewOverride, NewPrincipal, NewServer, NewSource, NewToken, Number,
    Page, Principal, PrincipalChange, PrincipalId, Role, Server, Source, SourceChange, Targets,
    Task, TaskFilter, Token, Visibility,
};
use uuid::Uuid;

use crate::support::{Yard, about, containers};

/// What a caller asks for: a name to give or a place in a list of its own.
#[derive(Clone, Copy, Debug)]
enum Request {
    MakeSource(usize),
    ChangeSource(usize, usize),
    DeleteSource(usize),
    MakeApp(usize),
    ChangeApp(usize, usize),
    DeleteApp(usize),
    MakeHook(usize, usize, usize),
    MakeManaged(usize, usize),
    ChangeHook(usize, usize),
    DeleteHook(usize),
    MakeOverride(usize, usize),
    MakePrincipal(usize),
    DeletePrincipal(usize),
    MakeToken(usize),
    RevokeToken(usize),
    MakeServer(usize),
    Fire(usize),
}

fn request() -> impl Strategy<Value = Request> {
    let n = || 0..3_usize;
    prop_oneof![
        3 => n().prop_map(Request::MakeSource),
        1 => (n(), n()).prop_map(|(a, b)| Request::ChangeSource(a, b)),
        1 => n().prop_map(Request::DeleteSource),
        3 => n().prop_map(Request::MakeApp),
        1 => (n(), n()).prop_map(|(a, b)| Request::ChangeApp(a, b)),
        1 => n().prop_map(Request::DeleteApp),
        3 => (n(), n(), n()).prop_map(|(a, b, c)| Request::MakeHook(a, b, c)),
        2 => (n(), n()).prop_map(|(a, b)| Request::MakeManaged(a, b)),
        1 => (n(), n()).prop_map(|(a, b)| Request::ChangeHook(a, b)),
        1 => n().prop_map(Request::DeleteHook),
        2 => (n(), n()).prop_map(|(a, b)| Request::MakeOverride(a, b)),
        1 => n().prop_map(Request::MakePrincipal),
        1 => n().prop_map(Request::DeletePrincipal),
        2 => n().prop_map(Request::MakeToken),
        1 => n().prop_map(Request::RevokeToken),
        1 => n().prop_map(Request::MakeServer),
        2 => n().prop_map(Request::Fire),
    ]
}

/// Everything that an account can see.
#[derive(Debug, PartialEq)]
struct View {
    sources: Vec<Source>,
    apps: Vec<App>,
    hooks: Vec<Hook>,
    overrides: Vec<HookOverride>,
    principals: Vec<Principal>,
    tokens: Vec<Token>,
    servers: Vec<Server>,
    tasks: Vec<Task>,
}

impl View {
    async fn of(dispatcher: &Dispatcher, account: AccountId) -> Self {
        let apps = dispatcher.apps().list(account).await.unwrap();
        let mut overrides = Vec::new();
        for app in &apps {
            overrides.extend(dispatcher.overrides().list(account, app.id).await.unwrap());
        }
        Self {
            sources: dispatcher.sources().list(account).await.unwrap(),
            apps,
            hooks: dispatcher.hooks().list(account).await.unwrap(),
            overrides,
            principals: dispatcher.principals().list(account).await.unwrap(),
            tokens: dispatcher.tokens().list(account).await.unwrap(),
            servers: dispatcher.servers().list(account).await.unwrap(),
            tasks: dispatcher
                .tasks()
                .list(account, &TaskFilter::default(), Page::first(100))
                .await
                .unwrap(),
        }
    }

    /// The ids of everything but applications, whose ids the callers have chosen.
    fn ids(&self) -> Vec<Uuid> {
        let sources = self.sources.iter().map(|noun| noun.id.as_uuid());
        let hooks = self.hooks.iter().map(|noun| noun.id.as_uuid());
        let overrides = self.overrides.iter().map(|noun| noun.id.as_uuid());
        let principals = self.principals.iter().map(|noun| noun.id.as_uuid());
        let tokens = self.tokens.iter().map(|noun| noun.id.as_uuid());
        let servers = self.servers.iter().map(|noun| noun.id.as_uuid());
        let tasks = self.tasks.iter().map(|noun| noun.id.as_uuid());
        sources
            .chain(hooks)
            .chain(overrides)
            .chain(principals)
            .chain(tokens)
            .chain(servers)
            .chain(tasks)
            .collect()
    }
}

fn name(place: usize) -> String {
    format!("n{place}")
}

/// The id that both accounts choose for their application of a name.
fn app_id(place: usize) -> AppId {
    AppId::from_uuid(
        uuid::Builder::from_random_bytes([u8::try_from(place).unwrap(); 16]).into_uuid(),
    )
}

fn source(name: String, script: String) -> NewSource {
    NewSource {
        name,
        bytes: script.into(),
        kind: None,
        description: String::new(),
        visibility: Visibility::Readable,
        labels: Vec::new(),
        created_by: PrincipalId::SYSTEM,
    }
}

fn hook(name: String, source: &Source, app: Option<&App>) -> NewHook {
    let mut new = NewHook::new(source.id, "snapshot.pre");
    new.name = Some(name);
    new.managed = app.is_none();
    new.targets = Some(Targets::Containers {
        app: app.map(|app| app.id),
        criteria: Vec::new(),
    });
    new
}

fn at<T>(list: &[T], place: usize) -> Option<&T> {
    list.get(place % list.len().max(1))
}

/// Does what is asked for. Answers without what differs from place to place.
async fn act(dispatcher: &Dispatcher, account: AccountId, request: Request) -> String {
    let view = View::of(dispatcher, account).await;
    let own: Vec<_> = view
        .sources
        .iter()
        .filter(|s| !s.preloaded)
        .cloned()
        .collect();
    let answer = carry_out(dispatcher, account, request, &view, &own).await;
    match answer {
        None => "nothing to do".into(),
        Some(Ok(number)) => format!("ok {number}"),
        Some(Err(Error::NameTaken { what, name })) => format!("{what} {name} is taken"),
        Some(Err(Error::InUse { what, by, .. })) => format!("{what} in use by {by:?}"),
        Some(Err(Error::Invalid { field, reason })) => format!("{field} {reason}"),
        // Its place in the list has another application by now, so its subject is another.
        Some(Err(Error::EventConflict { .. })) => "the event differs".into(),
        Some(Err(error)) => panic!("{request:?}: {error}"),
    }
}

async fn carry_out(
    dispatcher: &Dispatcher,
    account: AccountId,
    request: Request,
    view: &View,
    own: &[Source],
) -> Option<Result<String, Error>> {
    let number = |number: Number| number.to_string();
    let done = |()| String::new();
    Some(match request {
        Request::MakeSource(n) => dispatcher
            .sources()
            .create(account, source(name(n), format!("echo {n}\n")), Vec::new())
            .await
            .map(|(source, _)| number(source.number)),
        Request::ChangeSource(place, n) => {
            let change = SourceChange {
                name: Some(name(n)),
                bytes: Some(format!("echo changed {n}\n").into()),
                ..SourceChange::default()
            };
            dispatcher
                .sources()
                .change(account, Key::Id(at(own, place)?.id), change, None)
                .await
                .map(|source| format!("{} {}", source.number, source.revision))
        }
        Request::DeleteSource(place) => dispatcher
            .sources()
            .delete(account, Key::Number(at(own, place)?.number))
            .await
            .map(done),
        Request::MakeApp(n) => {
            let new = NewApp {
                id: Some(app_id(n)),
                name: name(n),
                replicated: false,
                containers: containers("pod", &["image"]),
            };
            dispatcher
                .apps()
                .create(account, new)
                .await
                .map(|app| number(app.number))
        }
        Request::ChangeApp(place, n) => {
            let change = AppChange {
                name: Some(name(n)),
                containers: Some(containers("pod", &["a", "b"][..n.min(2)])),
                ..AppChange::default()
            };
            dispatcher
                .apps()
                .change(account, Key::Id(at(&view.apps, place)?.id), change)
                .await
                .map(|app| number(app.number))
        }
        Request::DeleteApp(place) => dispatcher
            .apps()
            .delete(account, Key::Number(at(&view.apps, place)?.number))
            .await
            .map(done),
        Request::MakeHook(n, source, app) => {
            let new = hook(name(n), at(own, source)?, Some(at(&view.apps, app)?));
            dispatcher
                .hooks()
                .create(account, new)
                .await
                .map(|hook| number(hook.number))
        }
        Request::MakeManaged(n, source) => dispatcher
            .hooks()
            .create(account, hook(name(n), at(own, source)?, None))
            .await
            .map(|hook| number(hook.number)),
        Request::ChangeHook(place, n) => {
            let change = HookChange {
                name: Some(name(n)),
                ..HookChange::default()
            };
            dispatcher
                .hooks()
                .change(account, Key::Id(at(&view.hooks, place)?.id), change)
                .await
                .map(|hook| number(hook.number))
        }
        Request::DeleteHook(place) => dispatcher
            .hooks()
            .delete(account, Key::Number(at(&view.hooks, place)?.number))
            .await
            .map(done),
        Request::MakeOverride(hook, app) => {
            let new = NewOverride {
                app: at(&view.apps, app)?.id,
                hook: at(&view.hooks, hook)?.id,
                enabled: false,
                labels: Vec::new(),
                created_by: PrincipalId::SYSTEM,
            };
            let made = dispatcher.overrides().create(account, new).await;
            // Its name is made of two ids.
            match made {
                Err(Error::NameTaken { .. }) => Ok("taken".into()),
                made => made.map(|_| String::new()),
            }
        }
        Request::MakePrincipal(n) => {
            let new = NewPrincipal {
                name: name(n),
                role: Role::Admin,
            };
            dispatcher
                .principals()
                .create(account, new)
                .await
                .map(|_| String::new())
        }
        Request::DeletePrincipal(place) => dispatcher
            .principals()
            .delete(account, at(&view.principals, place)?.id)
            .await
            .map(done),
        Request::MakeToken(n) => {
            let new = NewToken {
                name: name(n),
                principal: None,
                role: Role::Member,
                expires_at: None,
            };
            let (token, secret) = match dispatcher.tokens().issue(account, new).await {
                Ok(issued) => issued,
                Err(error) => return Some(Err(error)),
            };
            let identity = dispatcher
                .identities()
                .authenticate(secret.reveal())
                .await
                .unwrap();
            let identity = identity.unwrap();
            assert_eq!((identity.account, identity.token), (account, token.id));
            Ok(identity.role.to_string())
        }
        Request::RevokeToken(place) => dispatcher
            .tokens()
            .revoke(account, at(&view.tokens, place)?.id)
            .await
            .map(done),
        Request::MakeServer(n) => {
            let new = NewServer {
                name: name(n),
                ..NewServer::default()
            };
            dispatcher
                .servers()
                .create(account, new)
                .await
                .map(|server| number(server.number))
        }
        Request::Fire(place) => {
            // The same event for both accounts, again and again.
            let mut event = about("snapshot.pre", at(&view.apps, place)?.id);
            event.id = name(place);
            let accepted = dispatcher
                .events()
                .accept(account, "tester", vec![event])
                .await;
            match accepted {
                Ok(accepted) => {
                    let task = &accepted[0].task;
                    let key = Key::Id(task.id);
                    let detail = dispatcher
                        .tasks()
                        .wait(account, key, crate::support::LONG)
                        .await;
                    let executions = detail.unwrap().executions;
                    let printed: Vec<_> = executions.iter().map(crate::support::stdout).collect();
                    Ok(format!(
                        "{} {} {printed:?}",
                        task.number, accepted[0].repeated
                    ))
                }
                Err(error) => Err(error),
            }
        }
    })
}

/// Tries everything on everything of another account: it is not there.
async fn nothing_of_the_other_is_known(
    dispatcher: &Dispatcher,
    account: AccountId,
    own: &View,
    other: &View,
) -> TestCaseResult {
    fn unknown<T>(result: Result<T, Error>) -> TestCaseResult {
        let unknown = matches!(result, Err(Error::NotFound { .. }));
        prop_assert!(unknown);
        Ok(())
    }
    let ours = own.ids();
    for id in other.ids() {
        prop_assert!(!ours.contains(&id));
    }
    let ids = other.sources.iter().map(|source| source.id.as_uuid());
    let lookup = Lookup::Ids(ids.collect());
    prop_assert_eq!(
        dispatcher
            .sources()
            .find(account, &lookup, None, |_| true)
            .await
            .unwrap(),
        []
    );
    let ids = other.hooks.iter().map(|hook| hook.id.as_uuid());
    let lookup = Lookup::Ids(ids.collect());
    prop_assert_eq!(
        dispatcher
            .hooks()
            .find(account, None, &lookup, None, |_| true)
            .await
            .unwrap(),
        []
    );
    for source in &other.sources {
        let key = Key::Id(source.id);
        unknown(dispatcher.sources().get(account, key).await)?;
        unknown(dispatcher.sources().bytes(account, key, Role::Admin).await)?;
        unknown(dispatcher.sources().delete(account, key).await)?;
        let change = SourceChange::default();
        unknown(
            dispatcher
                .sources()
                .change(account, key, change, None)
                .await,
        )?;
        let bound = NewHook::new(source.id, "OnAudit");
        unknown(dispatcher.hooks().create(account, bound).await)?;
    }
    for hook in &other.hooks {
        let key = Key::Id(hook.id);
        unknown(dispatcher.hooks().get(account, key).await)?;
        unknown(
            dispatcher
                .hooks()
                .change(account, key, HookChange::default())
                .await,
        )?;
        unknown(dispatcher.hooks().delete(account, key).await)?;
        unknown(
            dispatcher
                .apps()
                .matching_containers(account, hook.id)
                .await,
        )?;
        if let Some(app) = own.apps.first() {
            let new = NewOverride {
                app: app.id,
                hook: hook.id,
                enabled: false,
                labels: Vec::new(),
                created_by: PrincipalId::SYSTEM,
            };
            unknown(dispatcher.overrides().create(account, new).await)?;
        }
    }
    for app in other
        .apps
        .iter()
        .filter(|app| own.apps.iter().all(|ours| ours.id != app.id))
    {
        let key = Key::Id(app.id);
        unknown(dispatcher.apps().get(account, key).await)?;
        unknown(
            dispatcher
                .apps()
                .change(account, key, AppChange::default())
                .await,
        )?;
        unknown(dispatcher.apps().delete(account, key).await)?;
        unknown(dispatcher.overrides().list(account, app.id).await)?;
        unknown(
            dispatcher
                .hooks()
                .find(account, Some(app.id), &Lookup::All, None, |_| true)
                .await,
        )?;
        let fired = dispatcher
            .events()
            .accept(account, "tester", vec![about("backup.pre", app.id)])
            .await;
        let unknown = matches!(fired, Err(Error::Invalid { .. }));
        prop_assert!(unknown);
    }
    for other in &other.overrides {
        unknown(dispatcher.overrides().get(account, other.id).await)?;
        unknown(dispatcher.overrides().delete(account, other.id).await)?;
    }
    for principal in &other.principals {
        unknown(dispatcher.principals().get(account, principal.id).await)?;
        let change = PrincipalChange::default();
        unknown(
            dispatcher
                .principals()
                .change(account, principal.id, change)
                .await,
        )?;
        unknown(dispatcher.principals().delete(account, principal.id).await)?;
        let new = NewToken {
            name: "stolen".into(),
            principal: Some(principal.id),
            role: Role::Viewer,
            expires_at: None,
        };
        unknown(dispatcher.tokens().issue(account, new).await)?;
    }
    for token in &other.tokens {
        unknown(dispatcher.tokens().revoke(account, token.id).await)?;
    }
    for server in &other.servers {
        unknown(dispatcher.servers().get(account, Key::Id(server.id)).await)?;
        unknown(
            dispatcher
                .servers()
                .delete(account, Key::Id(server.id))
                .await,
        )?;
    }
    for task in &other.tasks {
        unknown(dispatcher.tasks().get(account, Key::Id(task.id)).await)?;
        unknown(dispatcher.tasks().cancel(account, Key::Id(task.id)).await)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn two_accounts_never_see_or_disturb_each_other(
        requests in proptest::collection::vec((0..2_usize, request()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let together = Yard::new().await;
            let second = together.dispatcher.accounts().create("second").await.unwrap().id;
            let accounts = [together.account, second];
            let alone = [Yard::new().await, Yard::new().await];
            for (who, request) in requests {
                let (account, other) = (accounts[who], accounts[1 - who]);
                let dispatcher = &together.dispatcher;
                let before = View::of(dispatcher, other).await;
                let answer = act(dispatcher, account, request).await;
                let expected = act(&alone[who].dispatcher, alone[who].account, request).await;
                prop_assert_eq!(answer, expected, "{:?}", request);

                let own = View::of(dispatcher, account).await;
                nothing_of_the_other_is_known(dispatcher, account, &own, &before).await?;
                prop_assert_eq!(View::of(dispatcher, account).await, own);
                prop_assert_eq!(View::of(dispatcher, other).await, before);
            }
            Ok(())
        })?;
    }
}
