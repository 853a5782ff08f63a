//! One name in a listing, with what the file system knows of it.

use super::super::options::Given;
use super::super::tool::Tool;
use bashkit::{FileType, Metadata, Result};
use std::path::PathBuf;

/// A file, folder or link as it will be listed.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) meta: Metadata,
    /// Where a link points.
    pub(super) target: Option<String>,
}

impl Entry {
    pub(super) fn is_folder(&self) -> bool {
        self.meta.file_type.is_dir()
    }

    pub(super) fn can_descend(&self) -> bool {
        self.is_folder() && self.name != "." && self.name != ".."
    }

    /// The same entry, named from where the listing began.
    pub(super) fn below(mut self, folder: &Self) -> Self {
        self.name = format!("{}/{}", folder.name.trim_end_matches('/'), self.name);
        self
    }

    /// The name with the marks that `-F`, `-p`, `-Q`, `-i` and `-s` add.
    pub(super) fn shown(&self, given: &Given) -> String {
        let mut shown = String::new();
        if given.has('i') {
            shown = format!("{} ", inode(&self.path));
        }
        if given.has('s') {
            shown += &format!("{} ", blocks(&self.meta));
        }
        if given.has('Q') {
            shown += &format!(
                "\"{}\"",
                self.name.replace('\\', "\\\\").replace('"', "\\\"")
            );
        } else {
            shown += &self.name;
        }
        let mark = match self.meta.file_type {
            FileType::Directory if given.has('F') || given.has('p') => "/",
            FileType::Symlink if given.has('F') && !super::long::is_long(given) => "@",
            FileType::Fifo if given.has('F') => "|",
            FileType::File if given.has('F') && self.meta.mode & 0o111 != 0 => "*",
            _ => "",
        };
        shown + mark
    }
}

/// Blocks of 1 KiB, as a file system with blocks of 4 KiB would use.
pub(super) fn blocks(meta: &Metadata) -> u64 {
    match meta.file_type {
        FileType::Symlink | FileType::Fifo => 0,
        FileType::File | FileType::Directory => meta.size.div_ceil(4096) * 4,
    }
}

/// A number that stays the same for a path.
fn inode(path: &std::path::Path) -> u32 {
    let mix = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0x811c_9dc5, mix)
}

/// What an operand names; a link to a folder is followed unless listed long.
pub(super) async fn operand(tool: &Tool<'_>, name: &str, given: &Given) -> Result<Entry> {
    let path = tool.path(name);
    let meta = tool.ctx.fs.lstat(&path).await?;
    let follows = given.has('L') || given.has('H') || name.ends_with('/');
    let keeps = super::long::is_long(given) || given.has('d') || given.has('F');
    let link = meta.file_type.is_symlink();
    if link
        && (follows || !keeps)
        && let Ok(meta) = tool.ctx.fs.stat(&path).await
    {
        return Ok(Entry {
            name: name.to_owned(),
            path,
            meta,
            target: None,
        });
    }
    let target = if link {
        target(tool, &path).await
    } else {
        None
    };
    Ok(Entry {
        name: name.to_owned(),
        path,
        meta,
        target,
    })
}

async fn target(tool: &Tool<'_>, path: &std::path::Path) -> Option<String> {
    let target = tool.ctx.fs.read_link(path).await.ok()?;
    Some(target.to_string_lossy().into_owned())
}

/// The entries of a folder that the options let through.
pub(super) async fn read(tool: &Tool<'_>, folder: &Entry, given: &Given) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let all = given.has('a') || given.has('f');
    if all {
        for name in [".", ".."] {
            let path = tool.path(&format!("{}/{name}", folder.path.display()));
            let meta = tool.ctx.fs.stat(&path).await?;
            entries.push(Entry {
                name: name.to_owned(),
                path,
                meta,
                target: None,
            });
        }
    }
    for found in tool.ctx.fs.read_dir(&folder.path).await? {
        let hidden = found.name.starts_with('.') && !all && !given.has('A');
        let backup = given.has('B') && found.name.ends_with('~');
        if hidden
            || backup
            || given
                .value('I')
                .is_some_and(|pattern| matches(pattern, &found.name))
        {
            continue;
        }
        let path = folder.path.join(&found.name);
        let link = found.metadata.file_type.is_symlink();
        let mut meta = found.metadata;
        if link
            && given.has('L')
            && let Ok(followed) = tool.ctx.fs.stat(&path).await
        {
            meta = followed;
        }
        let target = if meta.file_type.is_symlink() {
            target(tool, &path).await
        } else {
            None
        };
        entries.push(Entry {
            name: found.name,
            path,
            meta,
            target,
        });
    }
    Ok(entries)
}

/// A shell pattern with `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            name.char_indices()
                .any(|(at, _)| matches(rest, &name[at..]))
                || matches(rest, "")
        }
        Some(c) => name.chars().next().is_some_and(|n| {
            (c == '?' || c == n) && matches(&pattern[c.len_utf8()..], &name[n.len_utf8()..])
        }),
    }
}
