//! The columns of a noun's table, each named once: [`columns!`] derives from one list how a
//! noun is read, inserted and updated.
//!
//! It does what `sqlx::FromRow` does for reading, and cannot be that: the types of the columns
//! are dispatch's, which has no SQL, and a value that is damaged must say in which column it
//! is. Tables that hold no noun, or one that is written piece by piece, do not use it.

use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Row as _, ValueRef as _};
use tenterhook_dispatch::{
    AppId, Error, FailurePolicy, HookId, HookPointName, Number, OverrideId, PrincipalId, Role,
    ServerId, SourceId, TokenId, TokenKind, Visibility,
};
use tenterhook_engine::{Digest, Kind};
use time::OffsetDateTime;

use super::convert::{Read as _, micros, unreadable};

/// A statement and the values bound to it so far.
pub(super) type Values<'q> = Query<'q, Sqlite, SqliteArguments>;

/// A noun that is a row of a table which has a column `account`.
pub(super) trait Record: Sync {
    /// Its statements, written once.
    fn statements() -> &'static Statements;

    /// Binds all values, in the order of the columns.
    fn bind<'q>(&self, query: Values<'q>) -> Values<'q>;
}

/// Whether an update changes a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Fixed,
    Changes,
}

/// The statements that write a noun. The account is the first parameter, the columns follow.
pub(super) struct Statements {
    insert: &'static str,
    update: &'static str,
}

impl Statements {
    /// Writes the statements.
    ///
    /// The texts are never freed: keep the value in a `static`.
    pub(super) fn new(table: &str, columns: &[(&[&str], Change)], beside: &[&str]) -> Self {
        let (mut names, mut changes, mut id) = (String::from("account"), String::new(), 0);
        let mut parameters = String::from("?1");
        let of_noun = columns
            .iter()
            .flat_map(|(names, change)| names.iter().map(|name| (*name, *change)));
        let beside = beside.iter().map(|name| (*name, Change::Fixed));
        for (at, (name, change)) in (2..).zip(of_noun.chain(beside)) {
            names += &format!(", {name}");
            parameters += &format!(", ?{at}");
            if name == "id" {
                id = at;
            }
            if change == Change::Changes {
                let comma = if changes.is_empty() { "" } else { ", " };
                changes += &format!("{comma}{name} = ?{at}");
            }
        }
        let insert = format!("INSERT INTO {table} ({names}) VALUES ({parameters})");
        let update = format!("UPDATE {table} SET {changes} WHERE account = ?1 AND id = ?{id}");
        Self {
            insert: insert.leak(),
            update: update.leak(),
        }
    }
}

/// The INSERT of a noun, with its values. What is beside the noun is bound after them.
pub(super) fn insert<R: Record>(account: i64, noun: &R) -> Values<'static> {
    noun.bind(sqlx::query(R::statements().insert).bind(account))
}

/// Updates a noun by its id. Returns whether it exists.
pub(super) async fn update<R: Record>(
    conn: &mut SqliteConnection,
    account: i64,
    noun: &R,
) -> Result<bool, sqlx::Error> {
    // A value that the statement has no parameter for is not looked at.
    let done = noun
        .bind(sqlx::query(R::statements().update).bind(account))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// How a value is kept in its columns, of which there is mostly one.
pub(super) trait Column<T, const N: usize> {
    fn bind<'q>(query: Values<'q>, value: &T) -> Values<'q>;

    fn read(row: &SqliteRow, columns: [&'static str; N]) -> Result<T, Error>;
}

/// As the type itself defines.
pub(super) struct Plain;

/// As JSON.
pub(super) struct Json;

/// Declares the columns of a noun, in the order in which they are read:
/// `field`, `field: "column"` if it is named otherwise, `field as Json`. An update leaves
/// those that are `#[fixed]` as they are. `beside` names a column that
/// is not the noun's.
macro_rules! columns {
    (
        $noun:ident in $table:literal $(beside $beside:literal)?,
        read by $read:ident($($given:ident: $given_type:ty),*);
        $($(#[$fixed:ident])? $field:ident $(: $($column:literal)+)? $(as $how:ident)?,)+
    ) => {
        impl $crate::sqlite::columns::Record for $noun {
            fn statements() -> &'static $crate::sqlite::columns::Statements {
                use $crate::sqlite::columns::{Statements, change, names};
                static STATEMENTS: std::sync::LazyLock<Statements> =
                    std::sync::LazyLock::new(|| {
                        Statements::new(
                            $table,
                            &[$((&names!($field $($($column)+)?), change!($($fixed)?))),+],
                            &[$($beside)?],
                        )
                    });
                &STATEMENTS
            }

            fn bind<'q>(
                &self,
                query: $crate::sqlite::columns::Values<'q>,
            ) -> $crate::sqlite::columns::Values<'q> {
                use $crate::sqlite::columns::{Column, how};
                $(let query = <how!($($how)?) as Column<_, _>>::bind(query, &self.$field);)+
                query
            }
        }

        pub(super) fn $read(
            row: &sqlx::sqlite::SqliteRow
            $(, $given: $given_type)*
        ) -> Result<$noun, tenterhook_dispatch::Error> {
            use $crate::sqlite::columns::{Column, how, names};
            Ok($noun {
                $($given,)*
                $($field: <how!($($how)?) as Column<_, _>>::read(
                    row,
                    names!($field $($($column)+)?),
                )?,)+
            })
        }
    };
}
pub(super) use columns;

macro_rules! names {
    ($field:ident) => {
        [stringify!($field)]
    };
    ($field:ident $($column:literal)+) => {
        [$($column),+]
    };
}
pub(super) use names;

macro_rules! change {
    () => {
        $crate::sqlite::columns::Change::Changes
    };
    (fixed) => {
        $crate::sqlite::columns::Change::Fixed
    };
}
pub(super) use change;

macro_rules! how {
    () => {
        $crate::sqlite::columns::Plain
    };
    (Json) => {
        $crate::sqlite::columns::Json
    };
}
pub(super) use how;

impl<T: serde::Serialize + serde::de::DeserializeOwned> Column<T, 1> for Json {
    fn bind<'q>(query: Values<'q>, value: &T) -> Values<'q> {
        query.bind(super::convert::json(value))
    }

    fn read(row: &SqliteRow, [column]: [&'static str; 1]) -> Result<T, Error> {
        row.json(column)
    }
}

impl<T> Column<Option<T>, 1> for Plain
where
    Plain: Column<T, 1>,
{
    fn bind<'q>(query: Values<'q>, value: &Option<T>) -> Values<'q> {
        match value {
            Some(value) => <Self as Column<T, 1>>::bind(query, value),
            None => query.bind(None::<i64>),
        }
    }

    fn read(row: &SqliteRow, columns: [&'static str; 1]) -> Result<Option<T>, Error> {
        let [column] = columns;
        let cell = row.try_get_raw(column);
        let is_null = cell.map_err(|source| unreadable(column, source))?.is_null();
        match is_null {
            true => Ok(None),
            false => <Self as Column<T, 1>>::read(row, columns).map(Some),
        }
    }
}

/// Columns of which the value is `bound` and `read` as these say.
macro_rules! plain {
    ($($type:ty: |$value:ident| $bound:expr, |$row:ident, $column:ident| $read:expr;)+) => {
        $(impl Column<$type, 1> for Plain {
            fn bind<'q>(query: Values<'q>, $value: &$type) -> Values<'q> {
                query.bind($bound)
            }

            fn read($row: &SqliteRow, [$column]: [&'static str; 1]) -> Result<$type, Error> {
                $read
            }
        })+
    };
}

plain! {
    String: |text| text.as_str(), |row, column| row.read(column);
    bool: |switch| i64::from(*switch), |row, column| row.bool(column);
    i32: |number| *number, |row, column| row.read(column);
    u32: |number| i64::from(*number), |row, column| row.int(column);
    u64: |number| i64::try_from(*number).unwrap_or(i64::MAX), |row, column| row.int(column);
    Number: |number| number.get(), |row, column| row.number(column);
    OffsetDateTime: |at| micros(*at), |row, column| row.time(column);
    Digest: |digest| &digest.as_bytes()[..], |row, column| row.digest(column);
    HookPointName: |event| event.stored(), |row, column| {
        HookPointName::parse_stored(row.read(column)?).map_err(|source| unreadable(column, source))
    };
    Kind: |kind| kind.as_str(), |row, column| row.word(column, &KINDS);
    FailurePolicy: |policy| policy.as_str(), |row, column| row.word(column, &POLICIES);
    Visibility: |visibility| i64::from(*visibility == Visibility::Private), |row, column| {
        row.bool(column).map(|private| match private {
            true => Visibility::Private,
            false => Visibility::Readable,
        })
    };
    Role: |role| role.as_str(), |row, column| row.parsed(column);
    TokenKind: |kind| match kind {
        TokenKind::Issued => "issued",
        TokenKind::Session => "session",
    }, |row, column| row.word(column, &TOKEN_KINDS);
}

macro_rules! ids {
    ($($id:ident)+) => {
        plain! {
            $($id: |id| id.as_uuid(), |row, column| row.id(column, $id::from_uuid);)+
        }
    };
}

ids!(AppId HookId OverrideId PrincipalId ServerId SourceId TokenId);

/// Kinds of programs as they are written.
const KINDS: [(&str, Kind); 3] = [
    ("script", Kind::Script),
    ("module", Kind::Module),
    ("component", Kind::Component),
];

/// Failure policies as they are written.
pub(super) const POLICIES: [(&str, FailurePolicy); 2] = [
    ("open", FailurePolicy::Open),
    ("closed", FailurePolicy::Closed),
];

const TOKEN_KINDS: [(&str, TokenKind); 2] = [
    ("issued", TokenKind::Issued),
    ("session", TokenKind::Session),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_names_the_changed_columns_and_an_insert_all() {
        let columns: [(&[&str], Change); 3] = [
            (&["number"], Change::Fixed),
            (&["id"], Change::Fixed),
            (&["name", "words"], Change::Changes),
        ];
        let statements = Statements::new("nouns", &columns, &["hash"]);
        assert_eq!(
            statements.insert,
            "INSERT INTO nouns (account, number, id, name, words, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        );
        assert_eq!(
            statements.update,
            "UPDATE nouns SET name = ?4, words = ?5 WHERE account = ?1 AND id = ?3"
        );
    }
}
