//! Tokens, found by the hash of their secret.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{
    AccountId, Error, Noun, Principal, PrincipalId, SecretHash, SessionBounds, Token, TokenId,
    TokenKind,
};
use time::OffsetDateTime;

use super::convert::{Impossible, Read as _, cannot, is_missing, is_taken, micros, unreadable};
use super::damaged::Damaged;

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    token: &Token,
    hash: SecretHash,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO tokens (id, account, principal, hash, name, role, kind, parent, created_at, expires_at, used_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(token.id.as_uuid())
    .bind(account)
    .bind(token.principal.as_uuid())
    .bind(&hash.as_bytes()[..])
    .bind(&token.name)
    .bind(token.role.as_str())
    .bind(match token.kind {
        TokenKind::Issued => "issued",
        TokenKind::Session => "session",
    })
    .bind(token.parent.as_ref().map(TokenId::as_uuid))
    .bind(micros(token.created_at))
    .bind(token.expires_at.map(micros))
    .bind(token.used_at.map(micros))
    .execute(conn)
    .await
    .map(|_| ())
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

/// Stores a new session; returns those that were removed to make room for it.
pub(super) async fn insert_login(
    conn: &mut SqliteConnection,
    account: i64,
    session: &Token,
    hash: SecretHash,
    bounds: SessionBounds,
) -> Result<Vec<TokenId>, Error> {
    // One less than the bound, so that this one fits.
    let stay = |most: u32| i64::from(most.saturating_sub(1));
    let mut ended: Vec<SqliteRow> = sqlx::query(
        "DELETE FROM tokens WHERE rowid IN (SELECT rowid FROM tokens \
         WHERE account = ? AND principal = ? AND kind = 'session' \
         ORDER BY rowid DESC LIMIT -1 OFFSET ?) RETURNING id",
    )
    .bind(account)
    .bind(session.principal.as_uuid())
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
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot("end the oldest sessions"))?;
    ended.extend(others);
    insert(conn, account, session, hash).await?;
    // Nobody has been let in by a token whose id cannot be read.
    let ids = ended.iter().map(|row| row.id("id", TokenId::from_uuid));
    Ok(ids.filter_map(Result::ok).collect())
}

/// Finds a token and its principal. Where either cannot be read, there is none: it is
/// unknown, as one that was revoked.
pub(super) async fn by_hash(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    hash: SecretHash,
) -> Result<Option<(Token, Principal)>, Error> {
    let row = sqlx::query(
        "SELECT tokens.*, accounts.id AS account_id, principals.name AS principal_name, \
         principals.role AS principal_role, principals.created_at AS principal_created_at, \
         principals.modified_at AS principal_modified_at FROM tokens \
         JOIN accounts ON accounts.number = tokens.account \
         JOIN principals ON principals.account = tokens.account AND principals.id = tokens.principal \
         WHERE hash = ?",
    )
    .bind(&hash.as_bytes()[..])
    .fetch_optional(&mut *conn)
    .await
    .map_err(cannot("read the token"))?;
    let Some(row) = row else {
        return Ok(None);
    };
    let found = || {
        let token = read(&row, row.id("account_id", AccountId::from_uuid)?)?;
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
    damaged.readable("tokens", &row, found())
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    (account, id): (i64, AccountId),
) -> Result<Vec<Token>, Error> {
    let rows = sqlx::query("SELECT * FROM tokens WHERE account = ? ORDER BY created_at, id")
        .bind(account)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot("read the tokens"))?;
    damaged.sift("tokens", &rows, |row| read(row, id))
}

const KINDS: [(&str, TokenKind); 2] = [
    ("issued", TokenKind::Issued),
    ("session", TokenKind::Session),
];

/// Removes a token; the schema removes its sessions with it.
pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    id: TokenId,
) -> Result<bool, Error> {
    sqlx::query("DELETE FROM tokens WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(cannot("revoke the token"))
}

pub(super) async fn touch(
    conn: &mut SqliteConnection,
    uses: &[(TokenId, OffsetDateTime)],
) -> Result<(), Error> {
    for (id, at) in uses {
        sqlx::query("UPDATE tokens SET used_at = ? WHERE id = ?")
            .bind(micros(*at))
            .bind(id.as_uuid())
            .execute(&mut *conn)
            .await
            .map_err(cannot("note a token's use"))?;
    }
    Ok(())
}

/// Reads a token. One of which any column is damaged is none: what cannot be read never
/// allows anything. So there are no stand-ins here, neither for a role nor for an end.
pub(super) fn read(row: &SqliteRow, account: AccountId) -> Result<Token, Error> {
    let kind = row.word("kind", &KINDS)?;
    let parent = row.id_opt("parent", TokenId::from_uuid)?;
    let expires_at = row.time_opt("expires_at")?;
    let is_session = kind == TokenKind::Session;
    if is_session && expires_at.is_none() || is_session != parent.is_some() {
        let what = "a session without its end or its parent".to_owned();
        return Err(unreadable("kind", Impossible(what)));
    }
    Ok(Token {
        id: row.id("id", TokenId::from_uuid)?,
        account,
        principal: row.id("principal", PrincipalId::from_uuid)?,
        name: row.read("name")?,
        role: row.parsed("role")?,
        kind,
        parent,
        created_at: row.time("created_at")?,
        expires_at,
        used_at: row.time_opt("used_at")?,
    })
}
