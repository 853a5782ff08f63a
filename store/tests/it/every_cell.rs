//! Every cell of every table once with a wrong value: the server starts, other accounts
//! notice nothing, nothing is allowed that was not, and `check-data` names the row.

mod home;
pub(crate) mod template;

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::Row as _;
use tenterhook_dispatch::Role;

use self::home::{Counts, Home};
use self::template::{OWN, Template};

/// Values of the wrong sort for any column, as SQL has them.
const WRONG: [&str; 5] = ["'wrong'", "-1", "9223372036854775807", "x'ff00ff'", "NULL"];

/// What an account has to which nothing has happened but one event more.
const WHOLE: Counts = Counts {
    hooks: 1,
    sources: 1,
    servers: 1,
    apps: 1,
    overrides: 1,
    principals: 1,
    tokens: 2,
    tasks: 4,
    executions: 4,
    webhooks: 1,
    deliveries: 2,
    sessions: 1,
};

/// Databases that are looked at at one time.
const AT_ONCE: usize = 4;

/// One wrong value in one column.
#[derive(Clone, Debug)]
struct Case {
    table: String,
    column: String,
    /// The declared type.
    kind: String,
    is_required: bool,
    value: &'static str,
}

impl Case {
    /// Whether no conversion can take this value for one of the column.
    fn is_surely_wrong(&self) -> bool {
        let is_of_type = match self.value {
            "'wrong'" => self.kind == "TEXT",
            "x'ff00ff'" => self.kind == "BLOB",
            "NULL" => !self.is_required,
            _ => self.kind == "INTEGER",
        };
        let is_no_time = self.column.ends_with("_at") && self.value != "NULL";
        !is_of_type || is_no_time
    }
}

/// Each server has a number of accounts that are damaged in one cell each: what is done to one
/// must not show in the others either.
#[test]
fn no_cell_that_is_damaged_stops_the_server_or_reaches_another_account() {
    let (template, cases) = runtime().block_on(async {
        let template = Template::create().await;
        let cases = template.cases(&WRONG).await;
        (template, cases)
    });
    assert!(cases.len() > 800, "{}", cases.len());
    let groups = dealt(&cases);
    let (next, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let runtime = runtime();
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = AssertUnwindSafe(|| runtime.block_on(run(&template, group)));
                    match std::panic::catch_unwind(run) {
                        Ok(count) => {
                            made.fetch_add(count, Ordering::Relaxed);
                        }
                        Err(_) => failed.lock().unwrap().push(format!("{group:?}")),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
    let made = made.into_inner();
    assert!(made > 750, "only {made} of {} could be made", cases.len());
}

/// Deals the cases out, one for each damaged account. Those of one column, which may be the
/// same value in a column that must not repeat any, come into different databases.
fn dealt(cases: &[Case]) -> Vec<Vec<&Case>> {
    let count = cases.len().div_ceil(OWN);
    let group = |first: usize| cases.iter().skip(first).step_by(count).collect();
    (0..count).map(group).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs a server on the cases of one database; returns how many could be created.
async fn run(template: &Template, cases: &[&Case]) -> usize {
    let home = Home::damaged(template, cases).await;
    let server = home.start().await;

    let hi = server.fire(template.other).await.unwrap();
    assert_eq!(server.stdout_of(template.other, &hi).await, "hi\n");
    assert!(server.allows(template.other, &hi).await);
    assert_eq!(server.counts(template.other).await, WHOLE);
    assert!(server.knows_other(template).await);

    for (own, case) in &home.made {
        let account = template.own[*own].0;
        let fired = server.fire(account).await;
        let counts = server.look_at_all(account).await;
        if let Some(identity) = server.identity(template, *own).await {
            assert!(
                identity.role <= Role::Admin && identity.account == account,
                "{case:?}"
            );
        }
        let is_lost = counts.is_none_or(|counts| counts.hooks < 1 || counts.sources < 1);
        if let Ok(task) = fired
            && is_lost
        {
            let allows = server.allows(account, &task).await;
            assert!(!allows, "{case:?}: it fails closed");
        }
    }
    let told = server.unreadable();
    server.stop().await;

    let faults = home.faults().await;
    let names = |table: &str| {
        let quoted = format!("`{table}`");
        let named = faults.iter().filter(|fault| fault.contains(&quoted));
        named.count()
    };
    // The run may have rewritten the cell, or the row was removed as an old one.
    let left = home.left().await;
    for case in &left {
        let wrong = left
            .iter()
            .filter(|other| other.table == case.table && other.is_surely_wrong());
        assert!(names(&case.table) >= wrong.count(), "{case:?}: {faults:#?}");
    }
    for (table, _) in told {
        // These are read together with the rows of another table.
        let by_another = matches!(
            table,
            "accounts" | "disk" | "executions" | "sessions" | "tasks" | "tokens" | "webhooks"
        );
        let is_gone = home.made.iter().any(|(_, case)| {
            case.table == table && !left.iter().any(|left| std::ptr::eq(*left, *case))
        });
        assert!(
            names(table) > 0 || by_another || is_gone,
            "{table}: {faults:#?}"
        );
    }
    home.made.len()
}

impl Template {
    /// All wrong values of all columns, except those that the schema generates.
    async fn cases(&self, wrong: &[&'static str]) -> Vec<Case> {
        let mut conn = self.open().await;
        let rows = sqlx::query(
            "SELECT tables.name AS table_name, columns.name AS name FROM sqlite_schema AS tables, \
             pragma_table_xinfo(tables.name) AS columns WHERE tables.type = 'table' AND columns.hidden = 0 \
             AND tables.name NOT LIKE 'sqlite%' AND tables.name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY 1, columns.cid",
        )
        .fetch_all(&mut conn)
        .await
        .unwrap();
        let mut cases = Vec::new();
        for row in rows {
            for value in wrong {
                let (kind, is_required) = self.kind_of(row.get("table_name"), row.get("name"));
                // One number is as wrong as another where none belongs, and bytes are as wrong
                // as a text.
                let is_like_others = match *value {
                    "9223372036854775807" => kind != "INTEGER",
                    "x'ff00ff'" => kind == "INTEGER",
                    _ => false,
                };
                if is_like_others {
                    continue;
                }
                cases.push(Case {
                    table: row.get("table_name"),
                    column: row.get("name"),
                    kind,
                    is_required,
                    value,
                });
            }
        }
        cases
    }
}
