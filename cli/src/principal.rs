//! `tenterhook principal`: keeps the people and programs of an account.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use tenterhook_dispatch::Role;

use crate::account::Of;
use crate::client::{self, Client, named, text};
use crate::command;
use crate::table::{Column, Form, time};

const PATH: &str = "/api/v1/principals";

/// Keeps the principals of an account: the people and programs that act in it.
///
/// A principal holds tokens, and none of them allows more than its role does.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    client: client::Flags,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Makes a principal, without a token.
    Create {
        /// Its name, unique in the account.
        name: String,
        /// What it may do: `viewer`, `member`, `admin` or `owner`.
        #[arg(long, value_name = "ROLE")]
        role: Role,
    },
    /// Lists the principals.
    List,
    /// Changes a principal; a lower role holds for its tokens at once.
    Set {
        /// Its id or name.
        principal: String,
        /// Give it another name.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Give it another role.
        #[arg(long, value_name = "ROLE")]
        role: Option<Role>,
    },
    /// Removes a principal and revokes all its tokens.
    Delete {
        /// Its id or name.
        principal: String,
    },
}

const COLUMNS: [Column; 4] = [
    ("NAME", |principal| text(principal, "name").into()),
    ("ROLE", |principal| text(principal, "role").into()),
    ("CREATED", |principal| time(&principal["created_at"])),
    ("ID", |principal| text(principal, "id").into()),
];

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    command::run(log, || run(raw))
}

fn run(raw: &Raw) -> anyhow::Result<()> {
    let client = Client::open(&raw.client)?;
    let account = raw.of.id(&client)?;
    let of = query(account.as_deref());
    let principal = match &raw.what {
        What::List => return raw.form.list(&client.list(PATH, &of)?, &COLUMNS),
        What::Create { name, role } => {
            let mut new = json!({"name": name, "role": role});
            if let Some(account) = &account {
                new["account"] = account.as_str().into();
            }
            client.post(PATH, &new)?
        }
        What::Set {
            principal,
            name,
            role,
        } => {
            let mut change = Map::new();
            change.extend(name.clone().map(|name| ("name".into(), name.into())));
            change.extend(role.map(|role| ("role".into(), role.as_str().into())));
            if change.is_empty() {
                anyhow::bail!("nothing to change: give --name or --role");
            }
            let path = path(&client, &of, principal)?;
            client.patch(&path, &of, &change.into())?
        }
        What::Delete { principal } => {
            return client.delete(&path(&client, &of, principal)?, &of);
        }
    };
    raw.form.one(&principal, &COLUMNS)
}

/// The query that names an account, if it is not the token's own.
pub(crate) fn query(account: Option<&str>) -> Vec<(&str, &str)> {
    account.map(|id| ("account", id)).into_iter().collect()
}

fn path(client: &Client, of: &[(&str, &str)], said: &str) -> anyhow::Result<String> {
    let all: Vec<Value> = client.list(PATH, of)?;
    let found = named(&all, "principal", said)?;
    Ok(format!("{PATH}/{}", text(found, "id")))
}
