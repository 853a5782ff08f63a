//! The operator's account, and a token for an owner of it.
//!
//! An owner's token is recognized by its role, whatever its name is. No problem with it keeps
//! the server from starting, unless a new one was requested.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use tenterhook_dispatch::{
    Account, AccountId, Dispatcher, Error, NewPrincipal, NewToken, Principal, PrincipalId, Role,
    Secret, Token, TokenId, TokenKind,
};
use time::OffsetDateTime;

use super::data_dir::DataDir;
use crate::say::say;

/// Name of the account that the first start creates.
const ACCOUNT: &str = "operator";

/// Name of the tokens that are issued here, and of their principal; if it is taken, a number
/// is appended.
const NAME: &str = "owner";

const UNREADABLE: &str = "the operator's account is missing from the database or unreadable: the server serves the \
    other accounts; `tenterhook check-data` reports what is wrong";

/// Names that are tried, in case unreadable rows have the first ones.
const NAMES: usize = 10;

/// What a start does with the owner's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnerToken {
    /// Keep it; issue one if no owner has a token.
    Keep,
    /// Replace it with a new one.
    Renew,
}

/// Ensures that there is an account, and a token for an owner of it.
///
/// # Errors
///
/// If there is no account, or if a requested token could not be issued.
pub(super) async fn ensure(
    dispatcher: &Dispatcher,
    data: &DataDir,
    policy: OwnerToken,
) -> anyhow::Result<()> {
    let accounts = dispatcher
        .accounts()
        .list()
        .await
        .context("cannot read the accounts")?;
    let is_first = accounts.is_empty();
    let account = match accounts.into_iter().find(Account::is_operator) {
        Some(account) => account,
        // It is the first that is created, so if there are others it has existed.
        None if !is_first || has_unreadable(dispatcher, "accounts") => {
            say(UNREADABLE);
            return Ok(());
        }
        None => match dispatcher.accounts().create(ACCOUNT).await {
            // It exists, but is damaged so that it is no longer the operator's.
            Err(Error::NameTaken { .. }) => {
                say(UNREADABLE);
                return Ok(());
            }
            made => made.context("cannot create the operator's account")?,
        },
    };
    let owners = Owners {
        dispatcher,
        account: account.id,
        data,
    };
    match policy {
        OwnerToken::Renew => owners.renew().await,
        OwnerToken::Keep => {
            if let Err(error) = owners.keep().await {
                let error: &dyn std::error::Error = error.as_ref();
                tracing::error!(
                    error,
                    "no owner has a token; `--new-owner-token` issues one"
                );
            }
            Ok(())
        }
    }
}

/// The owners of the operator's account.
struct Owners<'a> {
    dispatcher: &'a Dispatcher,
    account: AccountId,
    data: &'a DataDir,
}

impl Owners<'_> {
    async fn keep(&self) -> anyhow::Result<()> {
        let (principals, tokens) = self.read().await?;
        if !tokens.iter().any(|token| is_owners(token, &principals)) {
            if has_unreadable(self.dispatcher, "tokens") {
                // It no longer grants anything. A new one is issued only on the operator's
                // request, not because a row is damaged.
                say(
                    "the owner's token cannot be read from the database: `--new-owner-token` issues another; \
                     `tenterhook check-data` names the row",
                );
                return Ok(());
            }
            return self.issue(&principals, &tokens).await;
        }
        let file = self.data.owner_token();
        if !file.exists() {
            say(format_args!(
                "{} is missing; if its token is lost, `--new-owner-token` issues another",
                file.display()
            ));
        }
        Ok(())
    }

    /// Issues a token, and only then revokes those that it replaces: the one in the file, and
    /// those that were issued here. Other owner tokens stay.
    async fn renew(&self) -> anyhow::Result<()> {
        let (principals, tokens) = self.read().await?;
        let in_file = self.in_file().await?;
        if self.data.owner_token().is_dir() {
            bail!(cannot_write(&self.data.owner_token()));
        }
        self.issue(&principals, &tokens).await?;
        let replaced = tokens.iter().filter(|token| {
            in_file == Some(token.id)
                || (token.role == Role::Owner && is_generated_name(&token.name))
        });
        for token in replaced {
            self.dispatcher
                .tokens()
                .revoke(self.account, token.id)
                .await
                .with_context(|| format!("cannot revoke the token `{}`", token.name))?;
        }
        Ok(())
    }

    async fn read(&self) -> anyhow::Result<(Vec<Principal>, Vec<Token>)> {
        let principals = self.dispatcher.principals().list(self.account).await;
        let principals = principals.context("cannot read the principals")?;
        let tokens = self.dispatcher.tokens().list(self.account).await;
        let mut tokens = tokens.context("cannot read the tokens")?;
        tokens.retain(|token| token.kind == TokenKind::Issued);
        Ok((principals, tokens))
    }

    /// Returns the token in the file, if it belongs to this account.
    async fn in_file(&self) -> anyhow::Result<Option<TokenId>> {
        let Ok(secret) = fs::read_to_string(self.data.owner_token()) else {
            return Ok(None);
        };
        let identity = self
            .dispatcher
            .identities()
            .authenticate(secret.trim())
            .await;
        let identity = identity.context("cannot look up the owner's token")?;
        Ok(identity
            .filter(|identity| identity.account == self.account)
            .map(|identity| identity.token))
    }

    /// Issues a token to an owner and writes it to the file. If that fails, the token is
    /// revoked again, since no one has it.
    async fn issue(&self, principals: &[Principal], tokens: &[Token]) -> anyhow::Result<()> {
        let owner = self.owner(principals).await?;
        let (token, secret) = self.issue_to(owner, tokens).await?;
        let file = self.data.owner_token();
        if let Err(error) = write(&file, secret.reveal()) {
            let revoked = self
                .dispatcher
                .tokens()
                .revoke(self.account, token.id)
                .await;
            revoked.with_context(|| format!("cannot revoke the token `{}`", token.name))?;
            return Err(error).with_context(|| cannot_write(&file));
        }
        // Anything but a terminal may be a log, which is stored, copied and read by others.
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

    async fn issue_to(
        &self,
        owner: PrincipalId,
        tokens: &[Token],
    ) -> anyhow::Result<(Token, Secret)> {
        for name in free_names(tokens.iter().map(|token| &*token.name)) {
            let new = NewToken {
                name,
                principal: Some(owner),
                role: Role::Owner,
                expires_at: None,
            };
            match self.dispatcher.tokens().issue(self.account, new).await {
                Err(Error::NameTaken { .. }) => {}
                issued => return issued.context("cannot issue the owner's token"),
            }
        }
        Err(anyhow!(
            "cannot issue the owner's token: every name is taken"
        ))
    }

    /// Returns the owner who gets the token; creates one if there is none.
    async fn owner(&self, principals: &[Principal]) -> anyhow::Result<PrincipalId> {
        let owners = || {
            principals
                .iter()
                .filter(|principal| principal.role == Role::Owner)
        };
        let usual = owners().find(|principal| is_generated_name(&principal.name));
        if let Some(owner) = usual.or_else(|| owners().next()) {
            return Ok(owner.id);
        }
        for name in free_names(principals.iter().map(|principal| &*principal.name)) {
            let new = NewPrincipal {
                name,
                role: Role::Owner,
            };
            match self.dispatcher.principals().create(self.account, new).await {
                Err(Error::NameTaken { .. }) => {}
                made => return Ok(made.context("cannot create an owner")?.id),
            }
        }
        Err(anyhow!("cannot create an owner: every name is taken"))
    }
}

/// Whether a token is valid and grants the role of an owner.
fn is_owners(token: &Token, principals: &[Principal]) -> bool {
    let is_valid = token
        .expires_at
        .is_none_or(|end| end > OffsetDateTime::now_utc());
    let principal = principals
        .iter()
        .find(|principal| principal.id == token.principal);
    let role = principal.map(|principal| principal.role);
    is_valid && token.role == Role::Owner && role == Some(Role::Owner)
}

/// Whether this name was generated here.
fn is_generated_name(name: &str) -> bool {
    match name.strip_prefix(NAME) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix(' ')
            .is_some_and(|number| number.parse::<u32>().is_ok()),
        None => false,
    }
}

/// Generates names that are not in `taken`. An unreadable row may still have one of them.
fn free_names<'a>(taken: impl Iterator<Item = &'a str> + Clone) -> impl Iterator<Item = String> {
    let numbered = (2..u32::MAX).map(|number| format!("{NAME} {number}"));
    std::iter::once(NAME.to_owned())
        .chain(numbered)
        .filter(move |name| taken.clone().all(|taken| taken != name))
        .take(NAMES)
}

/// Whether rows of a table could not be read.
fn has_unreadable(dispatcher: &Dispatcher, table: &str) -> bool {
    let rows = dispatcher.stats().unreadable_rows;
    rows.iter().any(|(name, _)| *name == table)
}

/// Describes a file that cannot be written.
fn cannot_write(file: &Path) -> String {
    let why = match file.is_dir() {
        true => ": it is a folder; move it away, then start again",
        false => "",
    };
    format!(
        "cannot write the owner's token into {}{why}",
        file.display()
    )
}

/// Writes the token so that no other user can read it at any time, and a crash leaves no
/// partial file.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_name_is_recognised_as_generated() {
        let taken = ["owner", "owner 2", "ci"];
        let name = free_names(taken.into_iter()).next().unwrap();
        assert_eq!(name, "owner 3");
        assert!(is_generated_name(&name) && is_generated_name("owner"));
        for other in ["owners", "owner x", "owner2", "Owner", ""] {
            assert!(!is_generated_name(other), "{other}");
        }
        assert_eq!(free_names(["ci"].into_iter()).next().unwrap(), "owner");
    }
}
