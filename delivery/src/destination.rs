//! Which addresses may be called.
//!
//! Every address that a name resolves to is checked at every attempt, immediately
//! before the connection to that very address, so DNS rebinding gains nothing.
//!
//! The judgement is our own on purpose: `IpAddr::is_global` is unstable, and what counts
//! as inside (addresses that embed others, NAT64, what cloud providers use) is a decision
//! of this server, with an attack for each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses may be called. What a name resolves to is checked, each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Destinations {
    /// Public ones. Private, loopback, link-local, shared, reserved and multicast addresses
    /// are refused.
    #[default]
    Public,
    /// All: the operator vouches for the network.
    All,
}

impl Destinations {
    /// Returns whether this address may be called.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Public, IpAddr::V4(address)) => is_public_v4(address),
            (Self::Public, IpAddr::V6(address)) => is_public_v6(address),
        }
    }
}

/// IPv4 networks that are not public, as IANA registers them, with their prefix lengths.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    // "This network", the unspecified address among it.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Shared by the customers of a carrier.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local: the metadata of clouds is here.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays of 6to4, given up.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarking.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, broadcast among it.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !SPECIAL_V4
        .iter()
        .any(|(network, length)| (bits ^ network.to_bits()) >> (32 - length) == 0)
}

/// Networks inside `2000::/3` that are not public.
const SPECIAL_V6: [(Ipv6Addr, u32); 3] = [
    // Protocol assignments: Teredo, benchmarking, identifiers that are not addresses.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = v4_within(address) {
        return is_public_v4(inner);
    }
    let bits = address.to_bits();
    let within =
        |(network, length): &(Ipv6Addr, u32)| (bits ^ network.to_bits()) >> (128 - length) == 0;
    // Nothing else is allocated for public use: loopback, link-local, site-local,
    // unique local, multicast and IPv4-compatible addresses all lie outside.
    bits >> 125 == 0b001 && !SPECIAL_V6.iter().any(within)
}

/// Returns the IPv4 address that is reached through this one: mapped, by NAT64 or by 6to4.
fn v4_within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let two = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(two(high, low))
        }
        [0x2002, high, low, ..] => Some(two(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(address: &str) -> bool {
        Destinations::Public.allows(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_allowed() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2a00:1450:4001::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn private_addresses_and_those_that_map_to_them_are_not_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.1.2.3",
            "64:ff9b:1::1.1.1.1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "2002:c0a8:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(address), "{address}");
            assert!(Destinations::All.allows(address.parse().unwrap()));
        }
    }

    proptest! {
        #[test]
        fn no_public_address_is_of_a_class_that_is_not(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_multicast()
                || address.is_unspecified();
            prop_assert!(!(special && is_public_v4(address)), "{}", address);
        }

        #[test]
        fn private_addresses_are_refused_in_every_notation(
            network in prop::sample::select(SPECIAL_V4.to_vec()), host in any::<u32>(), low in any::<u64>(),
        ) {
            let (network, length) = network;
            let inner = network.to_bits() | host & u32::MAX.checked_shr(length).unwrap_or(0);
            let wide = u128::from(inner);
            let nat64 = 0x0064_ff9b_u128 << 96;
            for bits in [wide, 0xffff_u128 << 32 | wide, nat64 | wide, 0x2002_u128 << 112 | wide << 80 | u128::from(low)] {
                prop_assert!(!is_public_v6(Ipv6Addr::from_bits(bits)), "{}", Ipv6Addr::from_bits(bits));
            }
            prop_assert!(!is_public_v4(Ipv4Addr::from_bits(inner)));
        }

        #[test]
        fn no_public_address_of_ipv6_is_of_a_class_that_is_not(bits in any::<u128>(), prefix in any::<u16>()) {
            // One prefix in eight is from the part that is given out.
            let bits = bits >> 16 | u128::from(prefix) << 112;
            let address = Ipv6Addr::from_bits(bits);
            let special = address.is_loopback() || address.is_multicast() || address.is_unspecified()
                || address.is_unique_local() || address.is_unicast_link_local();
            prop_assert!(!(special && is_public_v6(address)), "{}", address);
            prop_assert_eq!(is_public_v6(address) && v4_within(address).is_none(),
                v4_within(address).is_none() && (0x2000..0x4000).contains(&prefix)
                && !(prefix == 0x2001 && address.segments()[1] < 0x200)
                && !(prefix == 0x2001 && address.segments()[1] == 0xdb8)
                && !(prefix == 0x3fff && address.segments()[1] < 0x1000));
        }
    }
}
