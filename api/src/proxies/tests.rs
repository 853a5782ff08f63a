//! Headers of trusted proxies are used, and those of no other peer.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn proxies() -> Proxies {
    let trusted = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"];
    let trusted = trusted.map(|text| text.parse().unwrap());
    Proxies::new(trusted, ProxyProtocol::Off)
}

fn client(peer: &str, lines: &[(&'static str, &str)]) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let client = proxies().client(peer.parse().unwrap(), &headers);
    client.to_string()
}

const PROXY: &str = "10.0.0.7";
const STANDARD: &str = "forwarded";
const CUSTOMARY: &str = "x-forwarded-for";

#[test]
fn a_trusted_proxy_names_its_client() {
    for (line, expected) in [
        ((CUSTOMARY, "203.0.113.5"), "203.0.113.5"),
        ((CUSTOMARY, "203.0.113.5:4711"), "203.0.113.5"),
        ((CUSTOMARY, "2a00::1"), "2a00::1"),
        ((CUSTOMARY, "[2a00::1]:80"), "2a00::1"),
        ((CUSTOMARY, "::ffff:203.0.113.5"), "203.0.113.5"),
        ((STANDARD, "for=203.0.113.5"), "203.0.113.5"),
        (
            (STANDARD, "For=\"[2a00::1]:4711\";proto=https;by=10.0.0.7"),
            "2a00::1",
        ),
        ((STANDARD, "by=\"a,b;c\";for=203.0.113.5"), "203.0.113.5"),
    ] {
        assert_eq!(client(PROXY, &[line]), expected, "{line:?}");
        assert_eq!(client("::ffff:10.0.0.7", &[line]), expected, "{line:?}");
    }
}

#[test]
fn the_last_hop_that_is_not_trusted_is_the_client() {
    // What is before it came from the client itself.
    for lines in [
        &[(CUSTOMARY, "198.51.100.9, 203.0.113.5, 10.1.1.1")][..],
        &[
            (CUSTOMARY, "198.51.100.9"),
            (CUSTOMARY, "203.0.113.5,192.0.2.1"),
        ],
        &[(STANDARD, "for=198.51.100.9, for=203.0.113.5, for=10.1.1.1")],
        &[
            (STANDARD, "for=198.51.100.9"),
            (STANDARD, "for=203.0.113.5"),
        ],
    ] {
        assert_eq!(client(PROXY, lines), "203.0.113.5", "{lines:?}");
    }
    // All are trusted: the first of them has called.
    assert_eq!(
        client(PROXY, &[(CUSTOMARY, "10.2.2.2, 10.1.1.1")]),
        "10.2.2.2"
    );
}

#[test]
fn an_unreadable_header_leaves_the_peer_as_the_client() {
    for line in [
        (CUSTOMARY, ""),
        (CUSTOMARY, "unknown"),
        (CUSTOMARY, "203.0.113.5, "),
        (CUSTOMARY, "203.0.113.5, _hidden"),
        (CUSTOMARY, "203.0.113.5 198.51.100.9"),
        (STANDARD, ""),
        (STANDARD, "proto=https"),
        (STANDARD, "for=unknown"),
        (STANDARD, "for=_hidden"),
        (STANDARD, "for=203.0.113.5;for=198.51.100.9"),
        (STANDARD, "for=\"203.0.113.5"),
        (STANDARD, "for=203.0.113.5,"),
        (STANDARD, "for=203.0.113.5 for=198.51.100.9"),
    ] {
        assert_eq!(client(PROXY, &[line]), PROXY, "{line:?}");
    }
    assert_eq!(client(PROXY, &[]), PROXY);
    let long = ["203.0.113.5"; 65].join(",");
    assert_eq!(client(PROXY, &[(CUSTOMARY, &long)]), PROXY);
}

#[test]
fn a_header_that_the_proxy_only_passes_on_is_ignored() {
    // The proxy writes one of the two; the client has sent the other.
    let lines = [(STANDARD, "for=198.51.100.9"), (CUSTOMARY, "203.0.113.5")];
    assert_eq!(client(PROXY, &lines), PROXY);
    let lines = [(STANDARD, "for=203.0.113.5"), (CUSTOMARY, "203.0.113.5")];
    assert_eq!(client(PROXY, &lines), "203.0.113.5");
    let lines = [(STANDARD, "for=?"), (CUSTOMARY, "203.0.113.5")];
    assert_eq!(client(PROXY, &lines), PROXY);
}

#[test]
fn headers_of_untrusted_peers_are_ignored() {
    for peer in ["203.0.113.99", "192.0.2.2", "::1"] {
        let lines = [(CUSTOMARY, "198.51.100.9"), (STANDARD, "for=198.51.100.9")];
        assert_eq!(client(peer, &lines[..1]), peer);
        assert_eq!(client(peer, &lines[1..]), peer);
        assert!(!proxies().trusts(peer.parse().unwrap()));
    }
}

#[test]
fn an_invalid_network_is_refused() {
    for text in [
        "",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "2001:db8::1/32",
        "a.example",
        "10.0.0.0/",
    ] {
        assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
    }
}

proptest! {
    /// Whatever is sent, a client is named, and by others never another than the peer.
    #[test]
    fn no_header_panics(
        value in "[ -~]{0,60}",
        near in "(for=|by=|,|;|\"|\\\\|\\[|\\]|:|10\\.0\\.0\\.1|2a00::1| ){0,12}",
    ) {
        for text in [&value, &near] {
            for name in [STANDARD, CUSTOMARY] {
                client(PROXY, &[(name, text)]);
                prop_assert_eq!(client("203.0.113.99", &[(name, text)]), "203.0.113.99");
            }
        }
    }
}
