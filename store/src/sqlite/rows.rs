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
    fn any_number_of_rows_is_cut_without_loss() {
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
