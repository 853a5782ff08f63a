//! Applications and their containers, where Astra's hooks run.

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{AccountId, App, AppId, AppStore, Error, Noun};

use super::accounts::{self, Numbered};
use super::columns::{self, columns};
use super::convert::{cannot, is_taken};
use super::{Sqlite, hooks};

columns! {
    App in "apps", read by read();
    #[fixed] id,
    #[fixed] number,
    name,
    replicated,
    containers as Json,
    #[fixed] created_at,
    modified_at,
}

#[async_trait]
impl AppStore for Sqlite {
    async fn insert_app(&self, account: AccountId, app: App) -> Result<App, Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move {
                let number = accounts::next(conn, account, Numbered::App).await?;
                let app = App { number, ..app };
                let done = columns::insert(account, &app).execute(conn).await;
                done.map_err(|error| taken(error, &app))?;
                Ok(app)
            })
        })
        .await
    }

    async fn update_app(&self, account: AccountId, app: App) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move {
                match columns::update(conn, account, &app).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Error::not_found(Noun::App, app.id)),
                    Err(error) => Err(taken(error, &app)),
                }
            })
        })
        .await
    }

    /// The schema removes its overrides with it.
    async fn delete_app(&self, account: AccountId, id: AppId) -> Result<bool, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move {
                // The dispatcher has checked this already; a hook may have been bound since.
                let by = hooks::of_app(conn, account, id).await?;
                if !by.is_empty() {
                    return Err(Error::InUse {
                        what: Noun::App,
                        id: id.to_string(),
                        by,
                    });
                }
                sqlx::query("DELETE FROM apps WHERE account = ? AND id = ?")
                    .bind(account)
                    .bind(id.as_uuid())
                    .execute(conn)
                    .await
                    .map(|done| done.rows_affected() > 0)
                    .map_err(cannot("delete the app"))
            })
        })
        .await
    }

    async fn apps(&self, account: AccountId) -> Result<Vec<App>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let rows = sqlx::query("SELECT * FROM apps WHERE account = ? ORDER BY number")
            .bind(account)
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the apps"))?;
        self.damaged.sift("apps", &rows, read)
    }
}

/// Whether the account has this application.
pub(super) async fn exists(
    conn: &mut SqliteConnection,
    account: i64,
    id: AppId,
) -> Result<bool, Error> {
    sqlx::query("SELECT 1 FROM apps WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await
        .map(|row| row.is_some())
        .map_err(cannot("read the app"))
}

fn taken(error: sqlx::Error, app: &App) -> Error {
    let name = if is_taken(&error, "apps.account, apps.name") {
        app.name.clone()
    } else if is_taken(&error, "apps.account, apps.id") {
        app.id.to_string()
    } else {
        return cannot("store the app")(error);
    };
    Error::NameTaken {
        what: Noun::App,
        name,
    }
}
