//! `tenterhook account`: creates, shows and changes accounts of a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::client::{self, Client, find_named, text};
use crate::command;
use crate::table::{Column, OutputFormat, time};

/// Manages the accounts of a running server.
///
/// Owners of the operator's account create accounts and see all of them; others see
/// only their own.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Creates an account. It can be used once it has a token: `tenterhook token
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
        /// Switch Astra's execution hooks on, or off if there are none.
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

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &AccountArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &AccountArgs) -> anyhow::Result<()> {
    let client = Client::open(&args.client)?;
    let account = match &args.action {
        Action::List => return args.format.print_list(&list(&client)?, &COLUMNS),
        Action::Create { name } => client.post("/api/v1/accounts", &json!({ "name": name }))?,
        Action::Show { account } => find(&client, account.as_deref())?,
        Action::Set {
            account,
            name,
            hooks,
        } => set(&client, account.as_deref(), name.as_deref(), *hooks)?,
    };
    args.format.print_one(&account, &COLUMNS)
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

/// Finds the named account, or the token's own.
fn find(client: &Client, name: Option<&str>) -> anyhow::Result<Value> {
    let accounts = list(client)?;
    // Only the operator's account sees others, and it is the first one created.
    let name = name.unwrap_or(if accounts.len() == 1 {
        text(&accounts[0], "id")
    } else {
        "1"
    });
    find_named(&accounts, "account", name).cloned()
}

/// The flag that names an account other than the token's own.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AccountFlag {
    /// Another account than the token's own, by id, number or name; for owners of
    /// the operator's account.
    #[arg(long, global = true, value_name = "ACCOUNT")]
    account: Option<String>,
}

impl AccountFlag {
    /// Returns the id of the account, if one is named.
    pub(crate) fn id(&self, client: &Client) -> anyhow::Result<Option<String>> {
        match &self.account {
            None => Ok(None),
            Some(name) => Ok(Some(text(&find(client, Some(name))?, "id").to_owned())),
        }
    }
}
