//! Trusted proxies in front of the server, and the clients that they name.
//!
//! Only the peers that the operator lists are trusted. The headers of all others are
//! ignored.

mod forwarded;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use http::HeaderMap;
use ipnet::IpNet;

/// Which proxies are trusted, and how they name their clients. By default none is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    trusted: Arc<[Network]>,
    protocol: ProxyProtocol,
}

/// An address, or all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

/// A text that names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

/// Whether trusted proxies begin each connection with a header of PROXY protocol v2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// They do not; the headers of their requests are read.
    #[default]
    Off,
    /// They do; a connection of theirs without it is refused.
    Required,
}

impl FromStr for Network {
    type Err = NotANetwork;

    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits behind the prefix are
    /// refused: either they or the prefix are not what was meant.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => text.parse::<IpNet>().map_err(|_| NotANetwork)?,
        };
        match network.trunc() == network {
            true => Ok(Self(network)),
            false => Err(NotANetwork),
        }
    }
}

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "must be an address or a network without further bits, such as 10.0.0.7, \
             10.0.0.0/8 or 2001:db8::/32",
        )
    }
}

impl std::error::Error for NotANetwork {}

impl Proxies {
    /// Trusts the peers in these networks.
    #[must_use]
    pub fn new(trusted: impl IntoIterator<Item = Network>, protocol: ProxyProtocol) -> Self {
        Self {
            trusted: trusted.into_iter().collect(),
            protocol,
        }
    }

    /// Whether connections of this peer begin with a header of the PROXY protocol.
    pub(crate) fn speaks_proxy_protocol(&self, peer: IpAddr) -> bool {
        self.protocol == ProxyProtocol::Required && self.trusts(peer)
    }

    /// The client of a request that came from this peer: the last address that no trusted
    /// proxy has, reading the headers from right to left. Headers that cannot be read are
    /// ignored; the peer is the client then.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let hops = match (forwarded::standard(headers), forwarded::customary(headers)) {
            (Some(Ok(hops)), None) | (None, Some(Ok(hops))) => hops,
            // A proxy writes one of them and passes the other on as the client sent it:
            // they can be trusted only where they agree.
            (Some(Ok(one)), Some(Ok(other))) if self.last(&one) == self.last(&other) => one,
            _ => return peer,
        };
        self.last(&hops).unwrap_or(peer)
    }

    fn last(&self, hops: &[IpAddr]) -> Option<IpAddr> {
        let untrusted = hops.iter().rev().find(|hop| !self.trusts(**hop));
        untrusted.or(hops.first()).copied()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted
            .iter()
            .any(|network| network.0.contains(&address))
    }
}

#[cfg(test)]
mod tests;
