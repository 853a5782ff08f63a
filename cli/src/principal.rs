//! `tenterhook principal`: manages the principals of an account.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use tenterhook_wire::{ChangedPrincipal, NewPrincipal, Principal, Role};

use crate::account::AccountFlag;
use crate::client::{self, Client, Received, find_named};
use crate::command;
use crate::table::{Column, OutputFormat, time};

const PATH: &str = "/api/v1/principals";

/// Manages the principals of an account: the people and programs that act in it.
///
/// A principal holds tokens; none of them grants more than its role does.
#[derive(Debug, Args)]
pub(crate) struct PrincipalArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    account: AccountFlag,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Creates a principal, without a token.
    Create {
        /// Its name, unique in the account.
        name: String,
        /// Its role: `viewer`, `member`, `admin` or `owner`.
        #[arg(long, value_name = "ROLE")]
        role: Role,
    },
    /// Lists the principals.
    List,
    /// Changes a principal; a lower role applies to its tokens at once.
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
    ///
    /// Prints nothing; with --json, `{"deleted": "ID"}`.
    Delete {
        /// Its id or name.
        principal: String,
    },
}

const COLUMNS: [Column<Principal>; 4] = [
    ("NAME", |principal| principal.name.clone()),
    ("ROLE", |principal| principal.role.as_str().into()),
    ("CREATED", |principal| time(&*principal.created_at)),
    ("ID", |principal| principal.id.clone()),
];

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &PrincipalArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &PrincipalArgs) -> anyhow::Result<()> {
    let client = Client::open(&args.client)?;
    let account = args.account.id(&client)?;
    let of = query(account.as_deref());
    let principal: Received<Principal> = match &args.action {
        Action::List => {
            let all: Vec<Received<Principal>> = client.list(PATH, &of)?;
            return args.format.print_list(&all, &COLUMNS);
        }
        Action::Create { name, role } => {
            let new = NewPrincipal {
                account: account.clone(),
                name: name.clone(),
                role: *role,
            };
            client.post(PATH, &new)?
        }
        Action::Set {
            principal,
            name,
            role,
        } => {
            if name.is_none() && role.is_none() {
                anyhow::bail!("nothing to change: give --name or --role");
            }
            let change = ChangedPrincipal {
                name: name.clone(),
                role: *role,
            };
            let id = find(&client, &of, principal)?;
            client.patch(&format!("{PATH}/{id}"), &of, &change)?
        }
        Action::Delete { principal } => {
            let id = find(&client, &of, principal)?;
            client.delete(&format!("{PATH}/{id}"), &of)?;
            return args.format.print_done("deleted", &id);
        }
    };
    args.format.print_one(&principal, &COLUMNS)
}

/// Returns the query that names an account, if one is given.
pub(crate) fn query(account: Option<&str>) -> Vec<(&str, &str)> {
    account.map(|id| ("account", id)).into_iter().collect()
}

/// Returns the id of the principal with this name or id.
fn find(client: &Client, of: &[(&str, &str)], name: &str) -> anyhow::Result<String> {
    let all: Vec<Received<Principal>> = client.list(PATH, of)?;
    Ok(find_named(&all, name)?.id.clone())
}
