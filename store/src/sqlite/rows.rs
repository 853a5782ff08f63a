//! Statements that write many rows at once.
//!
//! The text of a statement depends on how many rows it has, and preparing one
//! costs more than running it. So there are four sizes, prepared once each, and
//! any number of rows is cut into those.

/// Rows per statement, largest first.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// One statement in all its sizes.
pub(super) struct Rows([&'static str; SIZES.len()]);

impl Rows {
    /// Writes the statements: `before`, a list of rows of so many parameters, `after`.
    ///
    /// The texts are never freed: keep the value in a `static`.
    pub(super) fn new(before: &str, columns: usize, after: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(","));
        Self(SIZES.map(|size| {
            let rows = vec![row.as_str(); size].join(",");
            &*format!("{before}{rows}{after}").leak()
        }))
    }

    /// Inserts rows of these columns.
    pub(super) fn insert(table: &str, columns: &[&str], after: &str) -> Self {
        let before = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
        Self::new(&before, columns.len(), after)
    }

    /// Sets the columns `changes`, and what `also` sets, of the row with these `keys`, where
    /// the condition holds. The parameters of a row are its keys and then its changes.
    pub(super) fn update(
        table: &str,
        keys: &[&str],
        changes: &[&str],
        (also, condition): (&str, &str),
    ) -> Self {
        let columns = [keys, changes].concat();
        let list = |columns: &[&str], between: &str, each: &dyn Fn(&str) -> String| {
            let each: Vec<_> = columns.iter().map(|column| each(column)).collect();
            each.join(between)
        };
        let set = list(changes, ", ", &|column| format!("{column} = new.{column}"));
        let is = list(keys, " AND ", &|key| format!("{table}.{key} = new.{key}"));
        let before = format!("WITH new ({}) AS (VALUES ", columns.join(", "));
        let after = format!(") UPDATE {table} SET {set}{also} FROM new WHERE {is} AND {condition}");
        Self::new(&before, columns.len(), &after)
    }

    /// Cuts `items` into pieces, each with the statement of its size.
    pub(super) fn cut<'a, T>(
        &self,
        items: &'a [T],
    ) -> impl Iterator<Item = (&'static str, &'a [T])> + use<'a, T> {
        let texts = self.0;
        let mut rest = items;
        std::iter::from_fn(move || {
            let at = SIZES.iter().position(|&size| size <= rest.len())?;
            let (piece, after) = rest.split_at(SIZES[at]);
            rest = after;
            Some((texts[at], piece))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_inserted_and_updated_by_the_names_of_their_columns() {
        let insert = Rows::insert("nouns", &["id", "name"], " RETURNING id");
        assert_eq!(
            insert.0[3],
            "INSERT INTO nouns (id, name) VALUES (?,?) RETURNING id"
        );
        let update = Rows::update("nouns", &["id"], &["name"], (", owner = NULL", "open"));
        assert_eq!(
            update.0[3],
            "WITH new (id, name) AS (VALUES (?,?)) UPDATE nouns SET name = new.name, owner = NULL \
             FROM new WHERE nouns.id = new.id AND open"
        );
    }

    #[test]
    fn any_number_of_rows_is_split_without_loss() {
        let rows = Rows::new("VALUES ", 2, ";");
        for count in [0, 1, 3, 4, 63, 64, 65, 200] {
            let items: Vec<usize> = (0..count).collect();
            let pieces: Vec<_> = rows.cut(&items).collect();
            for (text, piece) in &pieces {
                assert_eq!(text.matches('?').count(), piece.len() * 2);
            }
            let together: Vec<usize> = pieces
                .iter()
                .flat_map(|(_, piece)| piece.iter().copied())
                .collect();
            assert_eq!(together, items);
        }
    }
}
