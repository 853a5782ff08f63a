//! By which name a client has reached this server, as far as it can be believed.

use http::{HeaderMap, Uri, header};

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
/// `https` if whoever ends TLS in front of it says so in `X-Forwarded-Proto`.
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
    use super::*;

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
