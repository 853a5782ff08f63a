//! `tenterhook token`: issues, lists and revokes the tokens of an account.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use tenterhook_wire::{IssuedToken, NewToken, Principal, Role, Token};
use time::format_description::well_known::Rfc3339;

use crate::account::AccountFlag;
use crate::client::{self, Client, Received, find_named};
use crate::command;
use crate::principal::query;
use crate::say::say;
use crate::table::{self, Column, OutputFormat, print, print_json};
use crate::{neutral, quantity};

const PATH: &str = "/api/v1/tokens";

/// Manages the tokens of an account.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
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
    /// Issues a token and prints its secret, which cannot be shown again.
    Create {
        /// Its name, unique among the account's tokens.
        name: String,
        /// Its role: `viewer`, `member`, `admin` or `owner` [default: that of its
        /// principal].
        #[arg(long, value_name = "ROLE")]
        role: Option<Role>,
        /// Its principal, by id or name [default: a principal with the token's name,
        /// created if there is none].
        #[arg(long, value_name = "PRINCIPAL")]
        principal: Option<String>,
        /// When it expires: a time such as `2027-05-04T03:02:01Z`, or a duration from now, such as
        /// `30d` or `12h` [default: never].
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
    },
    /// Lists the tokens and logins.
    List {
        /// Only those of this principal, by id or name.
        #[arg(long, value_name = "PRINCIPAL")]
        principal: Option<String>,
    },
    /// Revokes a token, effective at once.
    ///
    /// Prints nothing; with --json, `{"revoked": "ID"}`.
    Revoke {
        /// Its id, or the name of an issued token.
        // Not `token`, which is a flag of every client command.
        #[arg(value_name = "TOKEN")]
        revoked: String,
    },
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &TokenArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let client = Client::open(&args.client)?;
    let account = args.account.id(&client)?;
    let of = query(account.as_deref());
    match &args.action {
        Action::Create {
            name,
            role,
            principal,
            expires,
        } => {
            let new = NewToken {
                account: account.clone(),
                principal: principal.clone(),
                name: name.clone(),
                role: *role,
                expires_at: expires.as_deref().map(parse_expiry).transpose()?,
            };
            show_issued(args.format, &client.post(PATH, &new)?)
        }
        Action::List { principal } => {
            let mut query = of.clone();
            query.extend(principal.as_deref().map(|name| ("principal", name)));
            list(&client, args.format, &of, &query)
        }
        Action::Revoke { revoked } => {
            let tokens: Vec<Received<Token>> = client.list(PATH, &of)?;
            let found = find_named(&tokens, revoked)?;
            client.delete(&format!("{PATH}/{}", found.id), &of)?;
            args.format.print_done("revoked", &found.id)
        }
    }
}

/// Prints only the secret on standard output, for `$(…)`; the rest goes to stderr.
fn show_issued(format: OutputFormat, issued: &Received<IssuedToken>) -> anyhow::Result<()> {
    if format.is_json() {
        return print_json(issued);
    }
    let about = &issued.about;
    say(neutral::line(&format!(
        "issued the token `{}`, {}; it expires {}; its secret is shown only once",
        about.name,
        about.role.as_str(),
        match table::time(about.expires_at.as_deref()) {
            never if never.is_empty() => "never".to_owned(),
            at => format!("at {at}"),
        },
    )));
    print(&format!("{}\n", issued.token))
}

/// A token and the name of its principal.
struct Row {
    token: Received<Token>,
    principal: String,
}

const COLUMNS: [Column<Row>; 7] = [
    ("NAME", |row| row.token.name.clone()),
    ("ROLE", |row| row.token.role.as_str().into()),
    ("PRINCIPAL", |row| row.principal.clone()),
    ("KIND", |row| row.token.kind.as_str().into()),
    ("EXPIRES", |row| {
        table::time(row.token.expires_at.as_deref())
    }),
    ("USED", |row| table::time(row.token.used_at.as_deref())),
    ("ID", |row| row.token.id.clone()),
];

fn list(
    client: &Client,
    format: OutputFormat,
    of: &[(&str, &str)],
    query: &[(&str, &str)],
) -> anyhow::Result<()> {
    let tokens: Vec<Received<Token>> = client.list(PATH, query)?;
    if format.is_json() {
        return print_json(&tokens);
    }
    let principals: Vec<Received<Principal>> = client.list("/api/v1/principals", of)?;
    let row = |token: Received<Token>| {
        let principal = principals.iter().find(|one| one.id == token.principal);
        Row {
            principal: principal.map_or_else(String::new, |one| one.name.clone()),
            token,
        }
    };
    let rows: Vec<Row> = tokens.into_iter().map(row).collect();
    print(&table::table(&rows, &COLUMNS))
}

/// Parses a time, or a duration from now.
fn parse_expiry(text: &str) -> anyhow::Result<String> {
    if tenterhook_api::parse_time(text).is_some() {
        return Ok(text.to_owned());
    }
    let wrong = || {
        format!(
            "`--expires {}` is neither a time such as 2027-05-04T03:02:01Z nor a duration such as 30d",
            text.escape_debug()
        )
    };
    let millis = quantity::parse_millis(text).ok().with_context(wrong)?;
    let from_now = i64::try_from(millis).ok().map(time::Duration::milliseconds);
    from_now
        .and_then(|from_now| tenterhook_dispatch::now().checked_add(from_now))
        .and_then(|end| end.format(&Rfc3339).ok())
        .with_context(wrong)
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn an_end_is_a_time_or_a_duration_from_now() {
        let text = "2027-05-04T03:02:01Z";
        assert_eq!(parse_expiry(text).unwrap(), text);
        let end = OffsetDateTime::parse(&parse_expiry("30d").unwrap(), &Rfc3339).unwrap();
        assert!(end > OffsetDateTime::now_utc() + time::Duration::days(29));
        for text in ["", "soon", "30", "99999999999d", "\u{1b}"] {
            let error = parse_expiry(text).unwrap_err().to_string();
            assert!(error.contains("--expires"), "{error}");
            assert!(!error.chars().any(char::is_control), "{error}");
        }
    }
}
