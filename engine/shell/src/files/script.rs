//! The script of a run, as a file.

use super::Files;
use super::node::Body;
use std::path::Path;

/// The folder of the script, which is all that it holds.
pub const SCRIPTS: &str = "/hooks";
/// Bytes of a file's name at most, as on Linux.
const NAME_MAX: usize = 255;

impl Files {
    /// Places the script and returns its path, which is `$0`.
    pub(crate) fn add_script(&self, name: &str, text: &[u8]) -> String {
        let name = name.rsplit('/').next().unwrap_or_default();
        let name = match name {
            "" | "." | ".." => "sh",
            name if name.len() > NAME_MAX => "sh",
            name => name,
        };
        let path = format!("{SCRIPTS}/{name}");
        let mut tree = self.tree();
        let made = tree.make(Path::new(&path), Body::File(text.to_vec()), 0o755);
        debug_assert!(made.is_ok(), "the folder is empty");
        path
    }
}
