//! `tenterhook account`: makes, shows and changes accounts of a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::client::{self, Client, named, text};
use crate::command;
use crate::table::{Column, Form, time};

/// Keeps the accounts of a running server.
///
/// Owners of the operator's account make accounts and see all of them; others see
/// their own.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    client: client::Flags,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Makes an account. It can be used once it has a token: `tenterhook token
    /// create NAME --role owner --account ACCOUNT`.
    Create {
        /// Its name, unique on the server.
        name: String,
    },
    /// Lists the accounts.
    List,
    /// Shows an account.
    Show {
        /// Its id, number or name [default: the token's own].
        account: Option<String>,
    },
    /// Changes an account.
    Set {
        /// Its id, number or name [default: the token's own].
        account: Option<String>,
        /// Give it another name.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Switch Astra's execution hooks on or, if there are none, off.
        #[arg(long, value_name = "ON|OFF")]
        hooks: Option<Switch>,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

const COLUMNS: [Column; 5] = [
    ("NUMBER", |account| account["number"].to_string()),
    ("NAME", |account| text(account, "name").into()),
    ("HOOKS", |account| {
        match account["hooks_enabled"].as_bool() {
            Some(true) => "on",
            Some(false) => "off",
            None => "",
        }
        .into()
    }),
    ("CREATED", |account| time(&account["created_at"])),
    ("ID", |account| text(account, "id").into()),
];

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    command::run(log, || run(raw))
}

fn run(raw: &Raw) -> anyhow::Result<()> {
    let client = Client::open(&raw.client)?;
    let account = match &raw.what {
        What::List => return raw.form.list(&list(&client)?, &COLUMNS),
        What::Create { name } => client.post("/api/v1/accounts", &json!({ "name": name }))?,
        What::Show { account } => find(&client, account.as_deref())?,
        What::Set {
            account,
            name,
            hooks,
        } => set(&client, account.as_deref(), name.as_deref(), *hooks)?,
    };
    raw.form.one(&account, &COLUMNS)
}

fn set(
    client: &Client,
    account: Option<&str>,
    name: Option<&str>,
    hooks: Option<Switch>,
) -> anyhow::Result<Value> {
    let mut change = Map::new();
    change.extend(name.map(|name| ("name".into(), name.into())));
    change.extend(hooks.map(|to| ("hooks_enabled".into(), (to == Switch::On).into())));
    if change.is_empty() {
        anyhow::bail!("nothing to change: give --name or --hooks");
    }
    let account = find(client, account)?;
    let path = format!("/api/v1/accounts/{}", text(&account, "id"));
    client.patch(&path, &[], &change.into())
}

fn list(client: &Client) -> anyhow::Result<Vec<Value>> {
    client.list("/api/v1/accounts", &[])
}

/// The account that is named, or the token's own.
fn find(client: &Client, said: Option<&str>) -> anyhow::Result<Value> {
    let accounts = list(client)?;
    // Only the operator's own account sees others, and it is the first one made.
    let said = said.unwrap_or(if accounts.len() == 1 {
        text(&accounts[0], "id")
    } else {
        "1"
    });
    named(&accounts, "account", said).cloned()
}

/// Which account a command is about, if not the token's own.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Of {
    /// Another account than the token's own, by id, number or name; for owners of
    /// the operator's account.
    #[arg(long, global = true, value_name = "ACCOUNT")]
    account: Option<String>,
}

impl Of {
    /// The id of the account, if one is named.
    pub(crate) fn id(&self, client: &Client) -> anyhow::Result<Option<String>> {
        match &self.account {
            None => Ok(None),
            Some(said) => Ok(Some(text(&find(client, Some(said))?, "id").to_owned())),
        }
    }
}
