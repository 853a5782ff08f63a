//! The header that a trusted proxy sends before everything else: PROXY protocol v2.
//!
//! Not a byte behind the header is read, and nothing before it is known to be one. Who
//! may send it is configured in [`crate::proxies`].

use std::io;
use std::net::SocketAddr;

use proxy_header::{ParseConfig, Protocol, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What every header of version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, version and command, family, and the length of the rest.
const FIXED_BYTES: usize = 16;

/// The most that the rest may be. Addresses take 216 bytes at most; what a proxy sends
/// beside them (names, a certificate's subject) has room.
const REST_MAX_BYTES: usize = 2_048;

const VERSION_2: ParseConfig = ParseConfig {
    include_tlvs: false,
    allow_v1: false,
    allow_v2: true,
};

/// Reads the header. `None` if the proxy connects for itself, or does not know for whom.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut header = vec![0; FIXED_BYTES];
    stream.read_exact(&mut header).await?;
    if !header.starts_with(SIGNATURE) {
        return Err(invalid("it does not begin with one"));
    }
    let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
    if rest > REST_MAX_BYTES {
        return Err(invalid("it is too long"));
    }
    header.resize(FIXED_BYTES + rest, 0);
    stream.read_exact(&mut header[FIXED_BYTES..]).await?;
    let (header, _) =
        ProxyHeader::parse(&header, VERSION_2).map_err(|_| invalid("it cannot be read"))?;
    match header.proxied_address() {
        Some(address) if address.protocol == Protocol::Stream => Ok(Some(address.source)),
        Some(_) => Err(invalid("it is not about a stream")),
        None => Ok(None),
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proxy_header::ProxiedAddress;

    use super::*;

    async fn parsed(bytes: &[u8]) -> (io::Result<Option<SocketAddr>>, usize) {
        let mut stream = bytes;
        let address = read(&mut stream).await;
        (address, bytes.len() - stream.len())
    }

    fn header(source: &str, protocol: Protocol) -> Vec<u8> {
        let source: SocketAddr = source.parse().unwrap();
        let destination = SocketAddr::new(source.ip(), 80);
        let header = ProxyHeader::with_address(ProxiedAddress {
            protocol,
            source,
            destination,
        });
        let mut bytes = Vec::new();
        header.encode_v2(&mut bytes).unwrap();
        bytes
    }

    #[tokio::test]
    async fn the_client_is_read_and_the_following_bytes_are_left() {
        for source in ["192.0.2.7:4711", "[2001:db8::7]:4711"] {
            let mut bytes = header(source, Protocol::Stream);
            let length = bytes.len();
            bytes.extend_from_slice(b"GET / HTTP/1.1\r\n");
            let (address, read) = parsed(&bytes).await;
            assert_eq!(address.unwrap(), Some(source.parse().unwrap()));
            assert_eq!(read, length);
        }
    }

    #[tokio::test]
    async fn a_proxy_that_connects_for_itself_names_no_client() {
        let mut bytes = Vec::new();
        ProxyHeader::with_local().encode_v2(&mut bytes).unwrap();
        assert_eq!(parsed(&bytes).await.0.unwrap(), None);
    }

    #[tokio::test]
    async fn anything_other_than_a_header_is_refused() {
        let valid = header("192.0.2.7:1", Protocol::Stream);
        let with = |place: usize, byte: u8| {
            let mut bytes = valid.clone();
            bytes[place] = byte;
            bytes
        };
        for bytes in [
            b"PROXY TCP4 192.0.2.7 192.0.2.8 1 80\r\nGET / HTTP/1.1\r\n".to_vec(),
            b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            header("192.0.2.7:1", Protocol::Datagram),
            with(12, 0x11),
            with(12, 0x22),
            with(13, 0x41),
            with(14, 0xff),
            with(15, 4),
            valid[..20].to_vec(),
            Vec::new(),
        ] {
            assert!(parsed(&bytes).await.0.is_err(), "{bytes:?}");
        }
    }

    proptest! {
        /// Neither panics nor reads beyond the header, whatever comes.
        #[test]
        fn no_bytes_panic_and_none_beyond_the_header_are_read(
            fixed in prop::array::uniform4(any::<u8>()),
            rest in prop::collection::vec(any::<u8>(), 0..3_000),
            signed in any::<bool>(),
        ) {
            let mut bytes = if signed { SIGNATURE.to_vec() } else { fixed.repeat(3) };
            bytes.extend_from_slice(&fixed);
            bytes.extend_from_slice(&rest);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (_, read) = runtime.block_on(parsed(&bytes));
            let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
            prop_assert!(read <= FIXED_BYTES + length.min(REST_MAX_BYTES));
        }
    }
}
