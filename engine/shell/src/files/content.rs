//! Reading and writing the content of one file, within the quota.

use super::error;
use super::node::{Access, Body, NodeId};
use super::tree::Tree;
use std::path::Path;

/// Where written bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Replace,
    Append,
}

impl Tree {
    /// The whole content of the file at `path`.
    pub(super) fn read(&mut self, path: &Path) -> bashkit::Result<Vec<u8>> {
        let id = self.find(path)?;
        let content = match &mut self.get_mut(id).body {
            Body::File(content) => return copy(content),
            Body::Device(device) => return device.read(),
            Body::Folder(_) => return Err(error::is_a_directory()),
            Body::Link(_) => return Err(error::not_found()),
            Body::Fifo(content) => std::mem::take(content),
        };
        self.ledger.move_bytes(content.len(), 0);
        Ok(content)
    }

    /// Writes to the file at `path`, which is made if it does not exist.
    pub(super) fn write(&mut self, path: &Path, how: Write, bytes: &[u8]) -> bashkit::Result<()> {
        let (parent, name) = self.find_parent(path)?;
        let id = match self.entries(parent)?.get(name) {
            Some(id) => *id,
            None => {
                self.ledger.check_bytes(0, bytes.len())?;
                let content = copy(bytes)?;
                self.insert(parent, name, Body::File(content), 0o644)?;
                self.ledger.move_bytes(0, bytes.len());
                return Ok(());
            }
        };
        self.write_node(id, how, bytes)
    }

    fn write_node(&mut self, id: NodeId, how: Write, bytes: &[u8]) -> bashkit::Result<()> {
        if self.get(id).access == Access::Sealed {
            return Err(error::sealed());
        }
        let old = self.get(id).stored();
        let how = match &self.get(id).body {
            Body::Device(device) => return device.write(bytes),
            Body::Folder(_) => return Err(error::is_a_directory()),
            Body::Link(_) => return Err(error::not_found()),
            Body::Fifo(_) => Write::Append,
            Body::File(_) => how,
        };
        let kept = if how == Write::Append { old } else { 0 };
        let new = kept + bytes.len();
        self.ledger.check_bytes(old, new)?;
        let now = self.tick();
        let node = self.get_mut(id);
        let (Body::File(content) | Body::Fifo(content)) = &mut node.body else {
            unreachable!("only files and pipes are left");
        };
        if how == Write::Append {
            content
                .try_reserve(bytes.len())
                .map_err(|_| error::no_memory())?;
            content.extend_from_slice(bytes);
        } else {
            *content = copy(bytes)?;
        }
        node.modified = now;
        self.ledger.move_bytes(old, new);
        Ok(())
    }
}

fn copy(bytes: &[u8]) -> bashkit::Result<Vec<u8>> {
    let mut content = Vec::new();
    content
        .try_reserve_exact(bytes.len())
        .map_err(|_| error::no_memory())?;
    content.extend_from_slice(bytes);
    Ok(content)
}
