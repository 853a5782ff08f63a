//! Compares two folders: their common files, and what only one of them has.

use super::super::options::Given;
use super::super::tool::{Tool, reason};
use super::{Pair, files, is_folder};
use bashkit::Result;
use std::collections::BTreeSet;

/// Deepest pair of folders that is compared.
const DEPTH_MAX: usize = 64;

/// Compares the folders `old` and `new`; 0 same, 1 different, 2 trouble.
pub(super) async fn compare(tool: &Tool<'_>, given: &Given, old: &str, new: &str) -> Result<i32> {
    let mut status = 0;
    let mut pending = vec![(old.to_owned(), new.to_owned(), String::new(), 0)];
    while let Some((old, new, name, depth)) = pending.pop() {
        let (old, new) = match name.as_str() {
            "" => (old, new),
            name => {
                let pair = (join(&old, name), join(&new, name));
                let found = one(tool, given, (&old, &new), name).await?;
                match found {
                    Found::Done(code) => {
                        status = status.max(code);
                        continue;
                    }
                    Found::Folders if given.has('r') && depth < DEPTH_MAX => pair,
                    Found::Folders => {
                        let text = format!("Common subdirectories: {} and {}\n", pair.0, pair.1);
                        tool.print(text).await?;
                        continue;
                    }
                }
            }
        };
        match names(tool, given, [&old, &new]).await {
            // Taken from the end, so that the first name comes first.
            Ok(names) => pending.extend(
                names
                    .into_iter()
                    .rev()
                    .map(|name| (old.clone(), new.clone(), name, depth + 1)),
            ),
            Err(wrong) => {
                tool.complain(&wrong).await?;
                status = 2;
            }
        }
    }
    Ok(status)
}

enum Found {
    Done(i32),
    /// Both are folders.
    Folders,
}

fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

/// All names in both folders; with `-N`, a folder that is missing is empty.
async fn names(
    tool: &Tool<'_>,
    given: &Given,
    folders: [&str; 2],
) -> std::result::Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    for folder in folders {
        match tool.ctx.fs.read_dir(&tool.path(folder)).await {
            Ok(entries) => names.extend(entries.into_iter().map(|entry| entry.name)),
            Err(_) if given.has('N') && !exists(tool, folder).await => {}
            Err(error) => return Err(format!("{folder}: {}", reason(&error))),
        }
    }
    Ok(names)
}

async fn one(tool: &Tool<'_>, given: &Given, folders: (&str, &str), name: &str) -> Result<Found> {
    let (old, new) = (join(folders.0, name), join(folders.1, name));
    let (has_old, has_new) = (exists(tool, &old).await, exists(tool, &new).await);
    let (old_folder, new_folder) = (is_folder(tool, &old).await, is_folder(tool, &new).await);
    if !(has_old && has_new) && given.has('N') && (old_folder || new_folder) {
        return Ok(Found::Folders);
    }
    if !(has_old && has_new || given.has('N')) {
        let folder = if has_old { folders.0 } else { folders.1 };
        tool.print(format!(
            "Only in {}: {name}\n",
            folder.trim_end_matches('/')
        ))
        .await?;
        return Ok(Found::Done(1));
    }
    if old_folder && new_folder {
        return Ok(Found::Folders);
    }
    if old_folder != new_folder {
        let kind = |folder| if folder { "directory" } else { "regular file" };
        let text = format!(
            "File {old} is a {} while file {new} is a {}\n",
            kind(old_folder),
            kind(new_folder)
        );
        tool.print(text).await?;
        return Ok(Found::Done(1));
    }
    let heading = format!("diff{} {old} {new}\n", options(tool));
    files(
        tool,
        given,
        &Pair {
            old: &old,
            new: &new,
        },
        Some(heading),
    )
    .await
    .map(Found::Done)
}

async fn exists(tool: &Tool<'_>, name: &str) -> bool {
    tool.ctx.fs.exists(&tool.path(name)).await.unwrap_or(false)
}

/// The options as they were given, which the heading repeats.
fn options(tool: &Tool<'_>) -> String {
    let given = tool
        .ctx
        .args
        .iter()
        .filter(|arg| arg.len() > 1 && arg.starts_with('-'));
    given.map(|option| format!(" {option}")).collect()
}
