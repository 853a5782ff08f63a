//! Who may hold a share of a resource.

use std::net::{IpAddr, Ipv6Addr};

/// Who holds a share of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// The server itself and its operator. Only they may use the reserve.
    Operator,
    /// A tenant, by the bits of its identifier.
    Account(u128),
    /// A client whose account is not known yet: one IPv4 address, or one IPv6 /64.
    Address(IpAddr),
}

impl Holder {
    /// Returns whether it is a client that has not presented a token.
    pub(crate) fn is_stranger(self) -> bool {
        matches!(self, Self::Address(_))
    }

    /// Returns the client at `address`. An IPv6 /64 is one client, since that is what a
    /// provider gives to one customer; an IPv4-mapped address counts as the IPv4 one.
    #[must_use]
    pub fn client(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
                address.to_bits() & !u128::from(u64::MAX),
            )),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_one_customer_is_one_client() {
        let client = |address: &str| Holder::client(address.parse().unwrap());
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.2"), client("192.0.2.1"));
    }
}
