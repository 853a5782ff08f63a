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
use self::template::Template;

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
    letters: 2,
    sessions: 1,
};

/// Cases that run at one time.
const AT_ONCE: usize = 4;

/// One wrong value in one column.
#[derive(Clone, Debug)]
struct Case {
    table: String,
    column: String,
    /// The declared type.
    kind: String,
    value: &'static str,
}

impl Case {
    /// Whether no conversion can take this value for one of the column.
    fn is_surely_wrong(&self) -> bool {
        let is_of_type = match self.value {
            "'wrong'" => self.kind == "TEXT",
            "x'ff00ff'" => self.kind == "BLOB",
            "NULL" => true,
            _ => self.kind == "INTEGER",
        };
        let is_no_time = self.column.ends_with("_at") && !matches!(self.value, "NULL");
        !is_of_type || is_no_time
    }
}

#[test]
fn no_cell_that_is_damaged_stops_the_server_or_reaches_another_account() {
    let (template, cases) = runtime().block_on(async {
        let template = Template::create().await;
        let cases = template.cases(&WRONG).await;
        (template, cases)
    });
    assert!(cases.len() > 600, "{}", cases.len());
    let (next, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let runtime = runtime();
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = AssertUnwindSafe(|| runtime.block_on(run(&template, case)));
                    match std::panic::catch_unwind(run) {
                        Ok(was_made) => {
                            made.fetch_add(usize::from(was_made), Ordering::Relaxed);
                        }
                        Err(_) => failed.lock().unwrap().push(format!("{case:?}")),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
    let made = made.into_inner();
    assert!(made > 500, "only {made} of {} could be made", cases.len());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs a case; tells whether it could be made.
async fn run(template: &Template, case: &Case) -> bool {
    let Some(home) = Home::damaged(template, case).await else {
        return false;
    };
    let server = home.start().await;

    let hi = server.fire(template.other).await.unwrap();
    assert_eq!(server.stdout_of(template.other, &hi).await, "hi\n");
    assert_eq!(server.counts(template.other).await, WHOLE);
    assert!(server.other_is_known(template).await);

    let own = server.fire(template.own).await;
    server.look_at_all(template.own).await;
    if let Some(identity) = server.identity(template).await {
        assert!(identity.role <= Role::Admin && identity.account == template.own);
    }
    let told = server.unreadable();
    let hook_is_lost = told
        .iter()
        .any(|(table, _)| matches!(*table, "hooks" | "sources"));
    if let Ok(task) = own
        && hook_is_lost
    {
        assert!(!server.allows(template.own, &task).await, "it fails closed");
    }
    server.stop().await;

    let faults = home.faults().await;
    let names = |table: &str| {
        let quoted = format!("`{table}`");
        faults.iter().any(|fault| fault.contains(&quoted))
    };
    // What ran may have written the cell anew, or the row is gone as an old one.
    if home.still_has(case).await {
        if case.is_surely_wrong() {
            assert!(names(&case.table), "{faults:#?}");
        }
        for (table, _) in told {
            // These are read together with the rows of another table.
            let by_another = matches!(
                table,
                "accounts" | "disk" | "executions" | "sessions" | "tasks" | "tokens" | "webhooks"
            );
            assert!(names(table) || by_another, "{table}: {faults:#?}");
        }
    }
    true
}

impl Template {
    /// All wrong values of all columns, those aside that the schema makes itself.
    async fn cases(&self, wrong: &[&'static str]) -> Vec<Case> {
        let mut conn = self.open().await;
        let rows = sqlx::query(
            "SELECT tables.name AS table_name, columns.name AS name, columns.type AS type, \
             columns.\"notnull\" OR columns.pk > 0 AS required FROM sqlite_schema AS tables, \
             pragma_table_xinfo(tables.name) AS columns WHERE tables.type = 'table' AND columns.hidden = 0 \
             AND tables.name NOT LIKE 'sqlite%' AND tables.name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY 1, columns.cid",
        )
        .fetch_all(&mut conn)
        .await
        .unwrap();
        let mut cases = Vec::new();
        for row in rows {
            for value in wrong {
                let required: bool = row.get::<i64, _>("required") != 0;
                let kind = self.kind_of(row.get("table_name"), row.get("name"));
                // One number is as wrong as another where none belongs.
                let is_like_others = value.starts_with('9') && kind != "INTEGER";
                if is_like_others || (*value == "NULL" && required) {
                    continue;
                }
                cases.push(Case {
                    table: row.get("table_name"),
                    column: row.get("name"),
                    kind,
                    value,
                });
            }
        }
        cases
    }
}
