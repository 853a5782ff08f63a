//! Overrides, which turn one of the operator's hooks on or off for one application.

use async_trait::async_trait;
use tenterhook_dispatch::{AccountId, Error, HookOverride, Noun, OverrideId, OverrideStore};

use super::columns::{self, columns};
use super::convert::{cannot, is_missing, is_taken};
use super::{Sqlite, apps};

columns! {
    HookOverride in "overrides", read by read();
    #[fixed] id,
    #[fixed] app,
    #[fixed] hook,
    enabled,
    labels as Json,
    #[fixed] created_by,
    modified_by,
    #[fixed] created_at,
    modified_at,
}

#[async_trait]
impl OverrideStore for Sqlite {
    async fn insert_override(&self, account: AccountId, new: HookOverride) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move {
                let done = columns::insert(account, &new).execute(&mut *conn).await;
                match done {
                    Ok(_) => Ok(()),
                    // The database does not say which of the two references leads nowhere.
                    Err(error) if is_missing(&error) => {
                        Err(if apps::exists(conn, account, new.app).await? {
                            Error::not_found(Noun::Hook, new.hook)
                        } else {
                            Error::not_found(Noun::App, new.app)
                        })
                    }
                    Err(error) => Err(taken(error, &new)),
                }
            })
        })
        .await
    }

    async fn update_override(
        &self,
        account: AccountId,
        changed: HookOverride,
    ) -> Result<(), Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move {
                match columns::update(conn, account, &changed).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Error::not_found(Noun::Override, changed.id)),
                    Err(error) => Err(cannot("store the override")(error)),
                }
            })
        })
        .await
    }

    async fn delete_override(&self, account: AccountId, id: OverrideId) -> Result<bool, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move {
                sqlx::query("DELETE FROM overrides WHERE account = ? AND id = ?")
                    .bind(account)
                    .bind(id.as_uuid())
                    .execute(conn)
                    .await
                    .map(|done| done.rows_affected() > 0)
                    .map_err(cannot("delete the override"))
            })
        })
        .await
    }

    async fn overrides(&self, account: AccountId) -> Result<Vec<HookOverride>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let rows = sqlx::query("SELECT * FROM overrides WHERE account = ? ORDER BY created_at, id")
            .bind(account)
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the overrides"))?;
        let mut overrides = self.damaged.sift("overrides", &rows, read)?;
        overrides.retain(|one| !self.strays.is_override_of_another(account, one.id));
        Ok(overrides)
    }
}

fn taken(error: sqlx::Error, new: &HookOverride) -> Error {
    let name = if is_taken(&error, "overrides.account, overrides.hook, overrides.app") {
        format!("{} for {}", new.hook, new.app)
    } else if is_taken(&error, "overrides.account, overrides.id") {
        new.id.to_string()
    } else {
        return cannot("store the override")(error);
    };
    Error::NameTaken {
        what: Noun::Override,
        name,
    }
}
