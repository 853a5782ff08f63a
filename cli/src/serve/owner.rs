//! The operator's account and the token that opens it, made at the first start.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use tenterhook_dispatch::{Account, Dispatcher, NewToken, Role, TokenKind};

use super::data_dir::DataDir;
use crate::say::say;

/// Name of the account that the first start makes.
const ACCOUNT: &str = "operator";

/// Name of its owner's token.
const TOKEN: &str = "owner";

/// What becomes of the owner's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnerToken {
    /// It stays; it is made if there never was one.
    Keep,
    /// A new one takes its place.
    Renew,
}

/// Sees to it that there is an account and a token for its owner.
pub(super) async fn ensure(
    dispatcher: &Dispatcher,
    data: &DataDir,
    wish: OwnerToken,
) -> anyhow::Result<()> {
    let accounts = dispatcher
        .accounts()
        .await
        .context("cannot read the accounts")?;
    let account = match accounts.into_iter().find(Account::is_operator) {
        Some(account) => account,
        None => dispatcher
            .create_account(ACCOUNT)
            .await
            .context("cannot make the operator's account")?,
    };
    let tokens = dispatcher
        .tokens(account.id)
        .await
        .context("cannot read the tokens")?;
    let known = tokens
        .into_iter()
        .find(|token| token.kind == TokenKind::Issued && token.name == TOKEN);
    let file = data.owner_token();
    match (known, wish) {
        (Some(_), OwnerToken::Keep) => {
            if !file.exists() {
                say(format_args!(
                    "{} is missing; if its token is lost, `--new-owner-token` issues another",
                    file.display()
                ));
            }
            return Ok(());
        }
        (Some(token), OwnerToken::Renew) => dispatcher
            .revoke_token(account.id, token.id)
            .await
            .context("cannot revoke the owner's token")?,
        (None, _) => {}
    }
    let new = NewToken {
        name: TOKEN.into(),
        principal: None,
        role: Role::Owner,
        expires_at: None,
    };
    let (_, secret) = dispatcher
        .issue_token(account.id, new)
        .await
        .context("cannot issue the owner's token")?;
    write(&file, secret.reveal()).with_context(|| format!("cannot write {}", file.display()))?;
    // Anything but a terminal is a log, which is kept, copied and read by others.
    if io::stderr().is_terminal() {
        say(format_args!(
            "owner token {}, kept in {}",
            secret.reveal(),
            file.display()
        ));
    } else {
        say(format_args!("the owner's token is in {}", file.display()));
    }
    Ok(())
}

/// Writes the token so that nobody else can ever read it and no half of it is
/// left by a crash.
fn write(file: &Path, token: &str) -> io::Result<()> {
    let part = file.with_extension("token.part");
    let mut out = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)?;
    writeln!(out, "{token}")?;
    out.sync_all()?;
    fs::rename(part, file)
}
