//! Sources, their bytes, and the hooks that are changed together with them.

use bytes::Bytes;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{Error, Hook, Noun, Number, PrincipalId, Source, SourceId, Visibility};
use tenterhook_engine::{Digest, Kind};

use super::accounts::{self, Numbered};
use super::convert::{Read as _, cannot, is_taken, json, micros};
use super::damaged::Damaged;
use super::{hooks, insert as programs};

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    source: Source,
    bytes: &[u8],
    hooks: Vec<Hook>,
) -> Result<(Source, Vec<Hook>), Error> {
    programs::program(conn, account, source.digest, bytes).await?;
    // What comes with the account brings its number, far from those of the tenant's own.
    let number = match source.number {
        Number::UNASSIGNED => accounts::next(conn, account, Numbered::Source).await?,
        given => given,
    };
    sqlx::query(
        "INSERT INTO sources (account, number, id, name, kind, digest, size_bytes, revision, description, \
         base64_md5, private, preloaded, labels, created_by, modified_by, created_at, modified_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account)
    .bind(number.get())
    .bind(source.id.as_uuid())
    .bind(&source.name)
    .bind(source.kind.as_str())
    .bind(&source.digest.as_bytes()[..])
    .bind(i64::try_from(source.size_bytes).unwrap_or(i64::MAX))
    .bind(i64::from(source.revision))
    .bind(&source.description)
    .bind(&source.checksum)
    .bind(i64::from(source.visibility == Visibility::Private))
    .bind(i64::from(source.preloaded))
    .bind(json(&source.labels))
    .bind(source.created_by.as_uuid())
    .bind(source.modified_by.map(|by| by.as_uuid()))
    .bind(micros(source.created_at))
    .bind(micros(source.modified_at))
    .execute(&mut *conn)
    .await
    .map_err(|error| taken(error, &source))?;
    let hooks = hooks::insert_all(conn, account, hooks).await?;
    Ok((Source { number, ..source }, hooks))
}

pub(super) async fn update(
    conn: &mut SqliteConnection,
    account: i64,
    source: &Source,
    bytes: Option<&[u8]>,
    hooks: Option<Vec<Hook>>,
) -> Result<Vec<Hook>, Error> {
    if let Some(bytes) = bytes {
        programs::program(conn, account, source.digest, bytes).await?;
    }
    let done = sqlx::query(
        "UPDATE sources SET name = ?, kind = ?, digest = ?, size_bytes = ?, revision = ?, description = ?, \
         base64_md5 = ?, private = ?, labels = ?, modified_by = ?, modified_at = ? WHERE account = ? AND id = ?",
    )
    .bind(&source.name)
    .bind(source.kind.as_str())
    .bind(&source.digest.as_bytes()[..])
    .bind(i64::try_from(source.size_bytes).unwrap_or(i64::MAX))
    .bind(i64::from(source.revision))
    .bind(&source.description)
    .bind(&source.checksum)
    .bind(i64::from(source.visibility == Visibility::Private))
    .bind(json(&source.labels))
    .bind(source.modified_by.map(|by| by.as_uuid()))
    .bind(micros(source.modified_at))
    .bind(account)
    .bind(source.id.as_uuid())
    .execute(&mut *conn)
    .await
    .map_err(|error| taken(error, source))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(Noun::Source, source.id));
    }
    let Some(hooks) = hooks else {
        return Ok(Vec::new());
    };
    sqlx::query("DELETE FROM hooks WHERE account = ? AND source = ?")
        .bind(account)
        .bind(source.id.as_uuid())
        .execute(&mut *conn)
        .await
        .map_err(cannot("replace the hooks of the source"))?;
    hooks::insert_all(conn, account, hooks).await
}

pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    id: SourceId,
) -> Result<(), Error> {
    let by = hooks::of_source(conn, account, id).await?;
    if !by.is_empty() {
        return Err(Error::InUse {
            what: Noun::Source,
            id: id.to_string(),
            by,
        });
    }
    let done = sqlx::query("DELETE FROM sources WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .execute(conn)
        .await
        .map_err(cannot("delete the source"))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(Noun::Source, id));
    }
    Ok(())
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
) -> Result<Vec<Source>, Error> {
    let rows = sqlx::query("SELECT * FROM sources WHERE account = ? ORDER BY number")
        .bind(account)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot("read the sources"))?;
    damaged.sift("sources", &rows, read)
}

pub(super) async fn program(
    conn: &mut SqliteConnection,
    digest: Digest,
) -> Result<Option<Bytes>, Error> {
    sqlx::query("SELECT bytes FROM programs WHERE digest = ?")
        .bind(&digest.as_bytes()[..])
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot("read the program"))?
        .map(|row| row.read::<Vec<u8>>("bytes").map(Bytes::from))
        .transpose()
}

pub(super) async fn has_program(
    conn: &mut SqliteConnection,
    digest: Digest,
) -> Result<bool, Error> {
    holds(
        conn,
        "SELECT EXISTS (SELECT 1 FROM programs WHERE digest = ?) AS holds",
        digest,
    )
    .await
}

pub(super) async fn wants_program(
    conn: &mut SqliteConnection,
    digest: Digest,
) -> Result<bool, Error> {
    // Those that are not over are among the newest: they are looked at first.
    holds(
        conn,
        "SELECT EXISTS (SELECT 1 FROM sources WHERE digest = ?1) OR EXISTS \
         (SELECT 1 FROM recipes WHERE digest = ?1 AND EXISTS (SELECT 1 FROM executions \
         WHERE recipe = recipes.id AND ended_at IS NULL ORDER BY seq DESC)) AS holds",
        digest,
    )
    .await
}

async fn holds(
    conn: &mut SqliteConnection,
    question: &'static str,
    digest: Digest,
) -> Result<bool, Error> {
    sqlx::query(question)
        .bind(&digest.as_bytes()[..])
        .fetch_one(&mut *conn)
        .await
        .map_err(cannot("look for a program"))?
        .bool("holds")
}

const KINDS: [(&str, Kind); 3] = [
    ("script", Kind::Script),
    ("module", Kind::Module),
    ("component", Kind::Component),
];

pub(super) fn read(row: &SqliteRow) -> Result<Source, Error> {
    Ok(Source {
        id: row.id("id", SourceId::from_uuid)?,
        number: row.number("number")?,
        name: row.read("name")?,
        kind: row.word("kind", &KINDS)?,
        digest: row.digest("digest")?,
        size_bytes: row.int("size_bytes")?,
        revision: row.int("revision")?,
        description: row.read("description")?,
        checksum: row.read("base64_md5")?,
        visibility: match row.bool("private")? {
            true => Visibility::Private,
            false => Visibility::Readable,
        },
        preloaded: row.bool("preloaded")?,
        labels: row.json("labels")?,
        created_by: row.id("created_by", PrincipalId::from_uuid)?,
        modified_by: row.id_opt("modified_by", PrincipalId::from_uuid)?,
        created_at: row.time("created_at")?,
        modified_at: row.time("modified_at")?,
    })
}

fn taken(error: sqlx::Error, source: &Source) -> Error {
    let name = if is_taken(&error, "sources.account, sources.name") {
        source.name.clone()
    } else if is_taken(&error, "sources.account, sources.id") {
        source.id.to_string()
    } else if is_taken(&error, "sources.account, sources.number") {
        source.number.to_string()
    } else {
        return cannot("store the source")(error);
    };
    Error::NameTaken {
        what: Noun::Source,
        name,
    }
}
