//! Principals and their tokens, which are found by the hash of their secret.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{
    AccountId, Error, IdentityStore, Noun, Principal, PrincipalId, SecretHash, SessionBounds,
    Token, TokenId, TokenKind,
};
use time::OffsetDateTime;

use super::Sqlite;
use super::columns::{self, columns};
use super::convert::{Impossible, Read as _, cannot, is_missing, is_taken, micros, unreadable};

columns! {
    Principal in "principals", read by principal(account: AccountId);
    #[fixed] id,
    name,
    role,
    #[fixed] created_at,
    modified_at,
}

columns! {
    Token in "tokens" beside "hash", read by any_token(account: AccountId);
    #[fixed] id,
    #[fixed] principal,
    #[fixed] name,
    #[fixed] role,
    #[fixed] kind,
    #[fixed] parent,
    #[fixed] created_at,
    #[fixed] expires_at,
    used_at,
}

#[async_trait]
impl IdentityStore for Sqlite {
    async fn insert_principal(&self, principal: Principal) -> Result<(), Error> {
        self.write(principal.account, move |conn, account| {
            Box::pin(async move {
                let done = columns::insert(account, &principal).execute(conn).await;
                done.map(drop)
                    .map_err(|error| principal_taken(error, &principal))
            })
        })
        .await
    }

    async fn update_principal(&self, principal: Principal) -> Result<(), Error> {
        self.write_to_free(principal.account, move |conn, account| {
            Box::pin(async move {
                match columns::update(conn, account, &principal).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Error::not_found(Noun::Principal, principal.id)),
                    Err(error) => Err(principal_taken(error, &principal)),
                }
            })
        })
        .await
    }

    /// The schema removes its tokens with it.
    async fn delete_principal(&self, account: AccountId, id: PrincipalId) -> Result<bool, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move {
                sqlx::query("DELETE FROM principals WHERE account = ? AND id = ?")
                    .bind(account)
                    .bind(id.as_uuid())
                    .execute(conn)
                    .await
                    .map(|done| done.rows_affected() > 0)
                    .map_err(cannot("delete the principal"))
            })
        })
        .await
    }

    async fn principals(&self, account: AccountId) -> Result<Vec<Principal>, Error> {
        let number = self.number_of(account).await?;
        let mut reader = self.readers.of(number).await?;
        let rows =
            sqlx::query("SELECT * FROM principals WHERE account = ? ORDER BY created_at, id")
                .bind(number)
                .fetch_all(&mut *reader)
                .await
                .map_err(cannot("read the principals"))?;
        self.damaged
            .sift("principals", &rows, |row| principal(row, account))
    }

    async fn insert_token(&self, token: Token, hash: SecretHash) -> Result<(), Error> {
        self.write(token.account, move |conn, account| {
            Box::pin(async move { insert_token(conn, account, &token, hash).await })
        })
        .await
    }

    async fn insert_login(
        &self,
        session: Token,
        hash: SecretHash,
        bounds: SessionBounds,
    ) -> Result<Vec<TokenId>, Error> {
        self.write(session.account, move |conn, account| {
            Box::pin(async move {
                let mut ended = end_oldest(conn, account, session.principal, bounds).await?;
                insert_token(conn, account, &session, hash).await?;
                // No request was let in by a token whose id cannot be read.
                let ids = ended.drain(..).map(|row| row.id("id", TokenId::from_uuid));
                Ok(ids.filter_map(Result::ok).collect())
            })
        })
        .await
    }

    /// Where either the token or its principal cannot be read, there is none: it is unknown,
    /// as one that was revoked.
    async fn token(&self, hash: SecretHash) -> Result<Option<(Token, Principal)>, Error> {
        let mut reader = self.readers.kept().await?;
        let row = sqlx::query(
            "SELECT tokens.*, accounts.id AS account_id, principals.name AS principal_name, \
             principals.role AS principal_role, principals.created_at AS principal_created_at, \
             principals.modified_at AS principal_modified_at FROM tokens \
             JOIN accounts ON accounts.number = tokens.account \
             JOIN principals ON principals.account = tokens.account AND principals.id = tokens.principal \
             WHERE hash = ?",
        )
        .bind(&hash.as_bytes()[..])
        .fetch_optional(&mut *reader)
        .await
        .map_err(cannot("read the token"))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let both = || {
            let token = token(&row, row.id("account_id", AccountId::from_uuid)?)?;
            let principal = Principal {
                id: token.principal,
                account: token.account,
                name: row.read("principal_name")?,
                role: row.parsed("principal_role")?,
                created_at: row.time("principal_created_at")?,
                modified_at: row.time("principal_modified_at")?,
            };
            Ok((token, principal))
        };
        self.damaged.readable("tokens", &row, both())
    }

    async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, Error> {
        let number = self.number_of(account).await?;
        let mut reader = self.readers.of(number).await?;
        let rows = sqlx::query("SELECT * FROM tokens WHERE account = ? ORDER BY created_at, id")
            .bind(number)
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the tokens"))?;
        self.damaged
            .sift("tokens", &rows, |row| token(row, account))
    }

    /// The schema removes its sessions with it.
    async fn delete_token(&self, account: AccountId, id: TokenId) -> Result<bool, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move {
                sqlx::query("DELETE FROM tokens WHERE account = ? AND id = ?")
                    .bind(account)
                    .bind(id.as_uuid())
                    .execute(conn)
                    .await
                    .map(|done| done.rows_affected() > 0)
                    .map_err(cannot("revoke the token"))
            })
        })
        .await
    }

    async fn touch_tokens(&self, uses: Vec<(TokenId, OffsetDateTime)>) -> Result<(), Error> {
        self.writer
            .run(move |writing| {
                Box::pin(async move {
                    for (id, at) in uses {
                        sqlx::query("UPDATE tokens SET used_at = ? WHERE id = ?")
                            .bind(micros(at))
                            .bind(id.as_uuid())
                            .execute(&mut writing.conn)
                            .await
                            .map_err(cannot("note a token's use"))?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Ends the oldest sessions of a principal and of the account, so that one more fits.
async fn end_oldest(
    conn: &mut SqliteConnection,
    account: i64,
    principal: PrincipalId,
    bounds: SessionBounds,
) -> Result<Vec<SqliteRow>, Error> {
    let stay = |most: u32| i64::from(most.saturating_sub(1));
    let mut ended: Vec<SqliteRow> = sqlx::query(
        "DELETE FROM tokens WHERE rowid IN (SELECT rowid FROM tokens \
         WHERE account = ? AND principal = ? AND kind = 'session' \
         ORDER BY rowid DESC LIMIT -1 OFFSET ?) RETURNING id",
    )
    .bind(account)
    .bind(principal.as_uuid())
    .bind(stay(bounds.per_principal))
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot("end the oldest sessions"))?;
    let others = sqlx::query(
        "DELETE FROM tokens WHERE rowid IN (SELECT rowid FROM tokens \
         WHERE account = ? AND kind = 'session' \
         ORDER BY rowid DESC LIMIT -1 OFFSET ?) RETURNING id",
    )
    .bind(account)
    .bind(stay(bounds.per_account))
    .fetch_all(conn)
    .await
    .map_err(cannot("end the oldest sessions"))?;
    ended.extend(others);
    Ok(ended)
}

async fn insert_token(
    conn: &mut SqliteConnection,
    account: i64,
    token: &Token,
    hash: SecretHash,
) -> Result<(), Error> {
    columns::insert(account, token)
        .bind(&hash.as_bytes()[..])
        .execute(conn)
        .await
        .map(drop)
        .map_err(|error| {
            if is_taken(&error, "tokens.account, tokens.name") {
                return Error::NameTaken {
                    what: Noun::Token,
                    name: token.name.clone(),
                };
            }
            if is_missing(&error) {
                // A session's parent goes with the principal, if not before.
                return match token.parent {
                    Some(parent) => Error::not_found(Noun::Token, parent),
                    None => Error::not_found(Noun::Principal, token.principal),
                };
            }
            cannot("store the token")(error)
        })
}

/// Reads a token. One of which any column is damaged is none: what cannot be read never
/// allows anything. So there are no stand-ins here, neither for a role nor for an end.
pub(super) fn token(row: &SqliteRow, account: AccountId) -> Result<Token, Error> {
    let token = any_token(row, account)?;
    let is_session = token.kind == TokenKind::Session;
    if is_session && token.expires_at.is_none() || is_session != token.parent.is_some() {
        let what = "a session without its end or its parent".to_owned();
        return Err(unreadable("kind", Impossible(what)));
    }
    Ok(token)
}

fn principal_taken(error: sqlx::Error, principal: &Principal) -> Error {
    let name = if is_taken(&error, "principals.account, principals.name") {
        principal.name.clone()
    } else if is_taken(&error, "principals.account, principals.id") {
        principal.id.to_string()
    } else {
        return cannot("store the principal")(error);
    };
    Error::NameTaken {
        what: Noun::Principal,
        name,
    }
}
