//! The inventory of servers.

use async_trait::async_trait;
use tenterhook_dispatch::{AccountId, Error, Noun, Server, ServerId, ServerStore};

use super::accounts::{self, Numbered};
use super::columns::{self, columns};
use super::convert::{cannot, is_taken};
use super::{Sqlite, hooks};

columns! {
    Server in "servers", read by read();
    #[fixed] id,
    #[fixed] number,
    name,
    host,
    project,
    group: "instance_group",
    labels as Json,
    #[fixed] created_at,
    modified_at,
}

#[async_trait]
impl ServerStore for Sqlite {
    async fn insert_server(&self, account: AccountId, server: Server) -> Result<Server, Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move {
                let number = accounts::next(conn, account, Numbered::Server).await?;
                let server = Server { number, ..server };
                let done = columns::insert(account, &server).execute(conn).await;
                done.map_err(|error| taken(error, &server))?;
                Ok(server)
            })
        })
        .await
    }

    async fn update_server(&self, account: AccountId, server: Server) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move {
                match columns::update(conn, account, &server).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Error::not_found(Noun::Server, server.id)),
                    Err(error) => Err(taken(error, &server)),
                }
            })
        })
        .await
    }

    async fn delete_server(&self, account: AccountId, id: ServerId) -> Result<(), Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move {
                let by = hooks::of_server(conn, account, id).await?;
                if !by.is_empty() {
                    return Err(Error::InUse {
                        what: Noun::Server,
                        id: id.to_string(),
                        by,
                    });
                }
                let done = sqlx::query("DELETE FROM servers WHERE account = ? AND id = ?")
                    .bind(account)
                    .bind(id.as_uuid())
                    .execute(conn)
                    .await
                    .map_err(cannot("delete the server"))?;
                match done.rows_affected() {
                    0 => Err(Error::not_found(Noun::Server, id)),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    async fn servers(&self, account: AccountId) -> Result<Vec<Server>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let rows = sqlx::query("SELECT * FROM servers WHERE account = ? ORDER BY number")
            .bind(account)
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the servers"))?;
        self.damaged.sift("servers", &rows, read)
    }
}

fn taken(error: sqlx::Error, server: &Server) -> Error {
    let name = if is_taken(&error, "servers.account, servers.name") {
        server.name.clone()
    } else if is_taken(&error, "servers.account, servers.id") {
        server.id.to_string()
    } else {
        return cannot("store the server")(error);
    };
    Error::NameTaken {
        what: Noun::Server,
        name,
    }
}
