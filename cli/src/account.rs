//! `tenterhook account`: creates, shows and changes accounts of a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use tenterhook_wire::{Account, ChangedAccount, NewAccount};

use crate::client::{self, Client, Received, find_named};
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

const PATH: &str = "/api/v1/accounts";

const COLUMNS: [Column<Account>; 5] = [
    ("NUMBER", |account| account.number.to_string()),
    ("NAME", |account| account.name.clone()),
    ("HOOKS", |account| match account.hooks_enabled {
        true => "on".into(),
        false => "off".into(),
    }),
    ("CREATED", |account| time(&*account.created_at)),
    ("ID", |account| account.id.clone()),
];

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &AccountArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &AccountArgs) -> anyhow::Result<()> {
    let client = Client::open(&args.client)?;
    let account = match &args.action {
        Action::List => return args.format.print_list(&list(&client)?, &COLUMNS),
        Action::Create { name } => {
            let name = name.clone();
            client.post(PATH, &NewAccount { name })?
        }
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
) -> anyhow::Result<Received<Account>> {
    if name.is_none() && hooks.is_none() {
        anyhow::bail!("nothing to change: give --name or --hooks");
    }
    let change = ChangedAccount {
        name: name.map(str::to_owned),
        hooks_enabled: hooks.map(|to| to == Switch::On),
    };
    let account = find(client, account)?;
    client.patch(&format!("{PATH}/{}", account.id), &[], &change)
}

fn list(client: &Client) -> anyhow::Result<Vec<Received<Account>>> {
    client.list(PATH, &[])
}

/// Finds the named account, or the token's own.
fn find(client: &Client, name: Option<&str>) -> anyhow::Result<Received<Account>> {
    let accounts = list(client)?;
    // Only the operator's account sees others, and it is the first one created.
    let own = match &accounts[..] {
        [own] => own.id.clone(),
        _ => "1".to_owned(),
    };
    let found = find_named(&accounts, name.unwrap_or(&own))?;
    Ok(found.clone())
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
            Some(name) => Ok(Some(find(client, Some(name))?.id.clone())),
        }
    }
}
