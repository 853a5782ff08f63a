//! By which name a client has reached this server, as far as it can be trusted.

use http::{HeaderMap, Uri, Version, header};

/// What is wrong with how a request names its host, if anything (RFC 9112, 3.2).
pub(crate) fn fault(version: Version, headers: &HeaderMap) -> Option<&'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if version == Version::HTTP_11 => Some("is missing"),
        (None, _) => None,
        (Some(_), Some(_)) => Some("is given more than once"),
        (Some(host), None) => match host.to_str() {
            Ok(text) if is_valid(text) => None,
            Ok(_) | Err(_) => Some("is not a host with an optional port"),
        },
    }
}

/// Whether this is `uri-host [ ":" port ]` of RFC 9110, 7.2. It may be empty.
fn is_valid(text: &str) -> bool {
    let end_of_address = text.rfind(']').map_or(0, |place| place + 1);
    let (name, port) = match text[end_of_address..].rfind(':') {
        Some(place) => text.split_at(end_of_address + place),
        None => (text, ""),
    };
    let is_port = port.bytes().skip(1).all(|b| b.is_ascii_digit());
    let is_name = match name.strip_prefix('[') {
        Some(name) => name.strip_suffix(']').is_some_and(is_address_literal),
        None => is_registered_name(name),
    };
    is_name && is_port
}

/// What is in brackets: an address of version 6, or of a future version.
fn is_address_literal(text: &str) -> bool {
    let is_future = |text: &str| {
        text.split_once('.').is_some_and(|(version, address)| {
            !version.is_empty()
                && version.bytes().all(|b| b.is_ascii_hexdigit())
                && !address.is_empty()
                && address.bytes().all(|b| b == b':' || is_name_byte(b))
        })
    };
    text.parse::<std::net::Ipv6Addr>().is_ok()
        || text.strip_prefix(['v', 'V']).is_some_and(is_future)
}

fn is_registered_name(text: &str) -> bool {
    let mut parts = text.split('%');
    let plain = |part: &str| part.bytes().all(is_name_byte);
    let escaped = |part: &str| {
        part.len() >= 2 && part.bytes().take(2).all(|b| b.is_ascii_hexdigit()) && plain(part)
    };
    parts.next().is_some_and(plain) && parts.all(escaped)
}

/// `unreserved` and `sub-delims` of RFC 3986.
fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&b)
}

/// The request's `Host`, if it names a host: the longest has 255 bytes and a port.
pub(crate) fn of(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::HOST)?.to_str().ok()?;
    is_host(text).then_some(text)
}

/// The same for a request whose target may hold it, as HTTP/2 has it.
pub(crate) fn of_target<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let authority = uri.authority().map(http::uri::Authority::as_str);
    authority
        .filter(|text| is_host(text))
        .or_else(|| of(headers))
}

/// The URL of this server's root as its client has it, without a slash at the end:
/// `https` if a TLS proxy in front of it says so in `X-Forwarded-Proto`.
pub(crate) fn base(headers: &HeaderMap) -> Option<String> {
    let host = of(headers)?;
    let forwarded = headers.get("x-forwarded-proto");
    let is_tls = forwarded.is_some_and(|scheme| scheme == "https");
    let scheme = if is_tls { "https" } else { "http" };
    Some(format!("{scheme}://{host}"))
}

/// Whether a Host names a host, with a port or without.
fn is_host(text: &str) -> bool {
    let end_of_address = text.rfind(']').unwrap_or(0);
    let (name, port) = match text.rfind(':').filter(|place| *place > end_of_address) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    };
    let is_name = match name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
            (1..=255).contains(&name.len()) && name.bytes().all(plain)
        }
    };
    let is_port = |port: &str| {
        port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
    };
    is_name && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_valid_host_follows_the_grammar() {
        for host in [
            "",
            "a",
            "a:",
            ":80",
            "a:080",
            "a%20b",
            "a_b~c!",
            "1.2.3.4:5",
            "[::1]",
            "[::1]:",
            "[v7.a:b]",
            "xn--e1afmkfd.example",
        ] {
            assert!(is_valid(host), "{host}");
        }
        for host in [
            "a b", "a/b", "a@b", "a:b", "a:1:2", "::1", "[::1", "::1]", "[x]", "[]", "a[::1]",
            "[::1]a", "[v.a]", "[v1.]", "a%2", "a%zz", "a\"", "a\\b", "http://a",
        ] {
            assert!(!is_valid(host), "{host}");
        }
    }

    #[test]
    fn http_1_1_requires_exactly_one_host() {
        let fault = |version, hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, http::HeaderValue::from_static(host));
            }
            fault(version, &headers)
        };
        assert_eq!(fault(Version::HTTP_11, &["a"]), None);
        assert_eq!(fault(Version::HTTP_10, &[]), None);
        assert!(fault(Version::HTTP_11, &[]).is_some());
        assert!(fault(Version::HTTP_11, &["a", "a"]).is_some());
        assert!(fault(Version::HTTP_10, &["a", "b"]).is_some());
        assert!(fault(Version::HTTP_11, &["a b"]).is_some());
    }

    proptest! {
        #[test]
        fn every_accepted_host_is_valid(text in "[a-z0-9.:%\\[\\]_-]{0,20}") {
            prop_assert!(!is_host(&text) || is_valid(&text), "{text}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port_or_without() {
        for host in [
            "a.example",
            "a.example:8080",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:8080",
            "a_b",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "", ":80", "a b", "a/b", "a:x", "a:99999", "a:", "[::1", "[x]:1", "a@b", "a\"", "::1",
            "a:000080",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }
}
