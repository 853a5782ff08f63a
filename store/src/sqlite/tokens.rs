//! Tokens, found by the hash of their secret.

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{AccountId, Error, Noun, SecretHash, Token, TokenId, TokenKind};
use time::OffsetDateTime;

use super::convert::{Read as _, cannot, is_taken, micros};

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    token: &Token,
    hash: SecretHash,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO tokens (id, account, hash, name, role, kind, created_at, expires_at, used_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(token.id.as_uuid())
    .bind(account)
    .bind(&hash.as_bytes()[..])
    .bind(&token.name)
    .bind(token.role.as_str())
    .bind(match token.kind {
        TokenKind::Issued => "issued",
        TokenKind::Session => "session",
    })
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
        cannot("store the token")(error)
    })
}

pub(super) async fn by_hash(pool: &SqlitePool, hash: SecretHash) -> Result<Option<Token>, Error> {
    sqlx::query(
        "SELECT tokens.*, accounts.id AS account_id FROM tokens JOIN accounts ON accounts.number = tokens.account \
         WHERE hash = ?",
    )
    .bind(&hash.as_bytes()[..])
    .fetch_optional(pool)
    .await
    .map_err(cannot("read the token"))?
    .as_ref()
    .map(read)
    .transpose()
}

pub(super) async fn list(pool: &SqlitePool, account: i64) -> Result<Vec<Token>, Error> {
    sqlx::query(
        "SELECT tokens.*, accounts.id AS account_id FROM tokens JOIN accounts ON accounts.number = tokens.account \
         WHERE account = ? ORDER BY tokens.created_at, tokens.id",
    )
    .bind(account)
    .fetch_all(pool)
    .await
    .map_err(cannot("read the tokens"))?
    .iter()
    .map(read)
    .collect()
}

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

fn read(row: &SqliteRow) -> Result<Token, Error> {
    Ok(Token {
        id: row.id("id", TokenId::from_uuid)?,
        account: row.id("account_id", AccountId::from_uuid)?,
        name: row.read("name")?,
        role: row.parsed("role")?,
        kind: match row.read("kind")? {
            "session" => TokenKind::Session,
            _ => TokenKind::Issued,
        },
        created_at: row.time("created_at")?,
        expires_at: row.time_opt("expires_at")?,
        used_at: row.time_opt("used_at")?,
    })
}
