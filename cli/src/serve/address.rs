//! A file in the data folder with the running server's address, for the commands that talk
//! to it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;

use super::data_dir::DataDir;

/// The file's name; it holds an address and a port.
pub(crate) const ADDRESS_FILE: &str = "listen.addr";

/// The file, which exists as long as the server runs. Clients ignore one that a killed
/// server has left behind.
#[derive(Debug)]
pub(super) struct AddressFile {
    file: PathBuf,
}

impl AddressFile {
    /// Writes the file; an unspecified address becomes the loopback address.
    pub(super) fn write(data: &DataDir, listening: SocketAddr) -> anyhow::Result<Self> {
        let mut address = listening;
        address.set_ip(match listening.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        });
        let file = data.address();
        let part = file.with_extension("addr.part");
        fs::write(&part, format!("{address}\n"))
            .and_then(|()| fs::rename(&part, &file))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self { file })
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn the_address_file_is_for_this_user_alone_and_is_removed_with_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let note = AddressFile::write(&data, "0.0.0.0:8080".parse().unwrap()).unwrap();
        let file = folder.path().join(ADDRESS_FILE);
        assert_eq!(fs::read_to_string(&file).unwrap(), "127.0.0.1:8080\n");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        drop(note);
        assert!(!file.exists());
        let note = AddressFile::write(&data, "[::]:8080".parse().unwrap()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "[::1]:8080\n");
        drop(note);
    }
}
