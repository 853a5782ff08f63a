//! `tenterhook token`: issues, lists and revokes the tokens of an account.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenterhook_dispatch::Role;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::account::Of;
use crate::client::{self, Client, named, text};
use crate::command;
use crate::principal::query;
use crate::say::say;
use crate::table::{self, Column, Form, print};
use crate::{neutral, quantity};

const PATH: &str = "/api/v1/tokens";

/// Keeps the tokens of an account.
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
    /// Issues a token and prints its secret, this once.
    Create {
        /// Its name, unique among the account's tokens.
        name: String,
        /// What it allows: `viewer`, `member`, `admin` or `owner` [default: all that
        /// its principal may].
        #[arg(long, value_name = "ROLE")]
        role: Option<Role>,
        /// Whose it is, by id or name [default: a principal with the token's name,
        /// made if there is none].
        #[arg(long, value_name = "PRINCIPAL")]
        principal: Option<String>,
        /// When it ends: a time such as `2027-05-04T03:02:01Z`, or from now, such as
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
    /// Revokes a token: it is void at once.
    Revoke {
        /// Its id, or the name of an issued one.
        // Not `token`, which is the flag that every command has.
        #[arg(value_name = "TOKEN")]
        revoked: String,
    },
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    command::run(log, || run(raw))
}

fn run(raw: &Raw) -> anyhow::Result<()> {
    let client = Client::open(&raw.client)?;
    let account = raw.of.id(&client)?;
    let of = query(account.as_deref());
    match &raw.what {
        What::Create {
            name,
            role,
            principal,
            expires,
        } => {
            let new = json!({
                "name": name,
                "account": account,
                "role": role,
                "principal": principal,
                "expires_at": expires.as_deref().map(read_expiry).transpose()?,
            });
            show_issued(raw.form, &client.post(PATH, &new)?)
        }
        What::List { principal } => {
            let mut query = of.clone();
            query.extend(principal.as_deref().map(|said| ("principal", said)));
            list(&client, raw.form, &of, &query)
        }
        What::Revoke { revoked } => {
            let mut tokens = client.list(PATH, &of)?;
            // Logins have their principal's name; they are named by id alone.
            for token in &mut tokens {
                if text(token, "kind") == "session" {
                    token["name"] = Value::Null;
                }
            }
            let found = named(&tokens, "token", revoked)?;
            client.delete(&format!("{PATH}/{}", text(found, "id")), &of)
        }
    }
}

/// The secret alone on standard output, for `$(…)`; the rest beside it.
fn show_issued(form: Form, issued: &Value) -> anyhow::Result<()> {
    if form.is_json() {
        return print(&format!("{issued}\n"));
    }
    say(neutral::line(&format!(
        "issued the token `{}`, {}; it ends {}; its secret is shown this once",
        text(issued, "name"),
        text(issued, "role"),
        match table::time(&issued["expires_at"]) {
            never if never.is_empty() => "never".to_owned(),
            at => format!("at {at}"),
        },
    )));
    print(&format!("{}\n", text(issued, "token")))
}

fn list(
    client: &Client,
    form: Form,
    of: &[(&str, &str)],
    query: &[(&str, &str)],
) -> anyhow::Result<()> {
    const COLUMNS: [Column; 7] = [
        ("NAME", |token| text(token, "name").into()),
        ("ROLE", |token| text(token, "role").into()),
        ("PRINCIPAL", |token| text(token, "principal_name").into()),
        ("KIND", |token| text(token, "kind").into()),
        ("EXPIRES", |token| table::time(&token["expires_at"])),
        ("USED", |token| table::time(&token["used_at"])),
        ("ID", |token| text(token, "id").into()),
    ];
    let mut tokens = client.list(PATH, query)?;
    if !form.is_json() {
        let principals = client.list("/api/v1/principals", of)?;
        for token in &mut tokens {
            let whose = principals
                .iter()
                .find(|one| one["id"] == token["principal"]);
            token["principal_name"] = whose.map_or(Value::Null, |one| one["name"].clone());
        }
    }
    form.list(&tokens, &COLUMNS)
}

/// A time as it was said, or so long from now.
fn read_expiry(said: &str) -> anyhow::Result<String> {
    if OffsetDateTime::parse(said, &Rfc3339).is_ok() {
        return Ok(said.to_owned());
    }
    let wrong = || {
        format!(
            "`--expires {}` is neither a time such as 2027-05-04T03:02:01Z nor a length such as 30d",
            said.escape_debug()
        )
    };
    let millis = quantity::parse_millis(said).ok().with_context(wrong)?;
    let from_now = i64::try_from(millis).ok().map(time::Duration::milliseconds);
    from_now
        .and_then(|from_now| tenterhook_dispatch::now().checked_add(from_now))
        .and_then(|end| end.format(&Rfc3339).ok())
        .with_context(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_or_so_long_from_now() {
        let said = "2027-05-04T03:02:01Z";
        assert_eq!(read_expiry(said).unwrap(), said);
        let end = OffsetDateTime::parse(&read_expiry("30d").unwrap(), &Rfc3339).unwrap();
        assert!(end > OffsetDateTime::now_utc() + time::Duration::days(29));
        for said in ["", "soon", "30", "99999999999d", "\u{1b}"] {
            let error = read_expiry(said).unwrap_err().to_string();
            assert!(error.contains("--expires"), "{error}");
            assert!(!error.chars().any(char::is_control), "{error}");
        }
    }
}
