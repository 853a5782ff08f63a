//! Sources, their bytes, and the hooks that are changed together with them.

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{AccountId, Error, Hook, Noun, Number, Source, SourceId, SourceStore};
use tenterhook_engine::Digest;

use super::accounts::{self, Numbered};
use super::columns::{self, columns};
use super::convert::{Read as _, cannot, is_damage, is_taken};
use super::{Sqlite, hooks, insert as programs};

columns! {
    Source in "sources", read by read();
    #[fixed] id,
    #[fixed] number,
    name,
    kind,
    digest,
    size_bytes,
    revision,
    description,
    checksum: "base64_md5",
    visibility: "private",
    #[fixed] preloaded,
    labels as Json,
    #[fixed] created_by,
    modified_by,
    #[fixed] created_at,
    modified_at,
}

#[async_trait]
impl SourceStore for Sqlite {
    async fn insert_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Bytes,
        hooks: Vec<Hook>,
    ) -> Result<(Source, Vec<Hook>), Error> {
        let length = bytes.len();
        self.write_large(account, length, move |conn, account| {
            Box::pin(async move {
                programs::program(conn, account, source.digest, &bytes).await?;
                // A built-in source brings its number, far from those of the tenant's own.
                let number = match source.number {
                    Number::UNASSIGNED => accounts::next(conn, account, Numbered::Source).await?,
                    given => given,
                };
                let source = Source { number, ..source };
                let done = columns::insert(account, &source).execute(&mut *conn).await;
                done.map_err(|error| taken(error, &source))?;
                let hooks = hooks::insert_all(conn, account, hooks).await?;
                Ok((source, hooks))
            })
        })
        .await
    }

    async fn update_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Option<Bytes>,
        hooks: Option<Vec<Hook>>,
    ) -> Result<Vec<Hook>, Error> {
        let length = bytes.as_ref().map_or(0, Bytes::len);
        self.write_large(account, length, move |conn, account| {
            Box::pin(async move {
                if let Some(bytes) = &bytes {
                    programs::program(conn, account, source.digest, bytes).await?;
                }
                match columns::update(conn, account, &source).await {
                    Ok(true) => {}
                    Ok(false) => return Err(Error::not_found(Noun::Source, source.id)),
                    Err(error) => return Err(taken(error, &source)),
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
            })
        })
        .await
    }

    async fn delete_source(&self, account: AccountId, id: SourceId) -> Result<(), Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move {
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
                match done.rows_affected() {
                    0 => Err(Error::not_found(Noun::Source, id)),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    async fn sources(&self, account: AccountId) -> Result<Vec<Source>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let rows = sqlx::query("SELECT * FROM sources WHERE account = ? ORDER BY number")
            .bind(account)
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the sources"))?;
        self.damaged.sift("sources", &rows, read)
    }

    async fn program(&self, digest: Digest) -> Result<Option<Bytes>, Error> {
        let mut reader = self.readers.of_server().await?;
        let read = sqlx::query("SELECT bytes FROM programs WHERE digest = ?")
            .bind(&digest.as_bytes()[..])
            .fetch_optional(&mut *reader)
            .await
            .map_err(cannot("read the program"))
            .and_then(|row| {
                let bytes = row.map(|row| row.read::<Vec<u8>>("bytes").map(Bytes::from));
                bytes.transpose()
            });
        if let Err(error) = &read
            && is_damage(error)
        {
            self.damaged
                .report("programs", format!("digest {digest}"), error);
        }
        read
    }

    async fn has_program(&self, digest: Digest) -> Result<bool, Error> {
        let mut reader = self.readers.of_server().await?;
        holds(
            &mut reader,
            "SELECT EXISTS (SELECT 1 FROM programs WHERE digest = ?) AS holds",
            digest,
        )
        .await
    }

    async fn wants_program(&self, digest: Digest) -> Result<bool, Error> {
        let mut reader = self.readers.of_server().await?;
        // Those that are not finished are among the newest: they are looked at first.
        holds(
            &mut reader,
            "SELECT EXISTS (SELECT 1 FROM sources WHERE digest = ?1) OR EXISTS \
             (SELECT 1 FROM recipes WHERE digest = ?1 AND EXISTS (SELECT 1 FROM executions \
             WHERE recipe = recipes.id AND ended_at IS NULL ORDER BY seq DESC)) AS holds",
            digest,
        )
        .await
    }
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
