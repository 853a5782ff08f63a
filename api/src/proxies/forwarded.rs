//! Reading `Forwarded` (RFC 7239) and `X-Forwarded-For`: addresses, from the client's to
//! that of the last proxy but one.
//!
//! One entry without an address spoils the whole: what is to its left came from an
//! unknown sender.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// More entries than any chain of proxies has.
const HOPS_MAX: usize = 64;

/// The header cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

type Hops = Result<Vec<IpAddr>, Malformed>;

/// The hops that `Forwarded` lists, if it is present.
pub(super) fn standard(headers: &HeaderMap) -> Option<Hops> {
    hops(headers, &header::FORWARDED, |rest| {
        let (node, rest) = element(rest)?;
        Ok((address(&node)?, rest))
    })
}

/// The hops that `X-Forwarded-For` lists, if it is present.
pub(super) fn customary(headers: &HeaderMap) -> Option<Hops> {
    hops(headers, &X_FORWARDED_FOR, |rest| {
        let (one, rest) = match rest.split_once(',') {
            Some((one, rest)) => (one, Some(rest)),
            None => (rest, None),
        };
        Ok((address(one.trim())?, rest))
    })
}

/// Reads all lines of a header as one list.
fn hops(
    headers: &HeaderMap,
    name: &HeaderName,
    next: impl for<'a> Fn(&'a str) -> Result<(IpAddr, Option<&'a str>), Malformed>,
) -> Option<Hops> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    let mut hops = Vec::new();
    for line in lines {
        let Ok(line) = line.to_str() else {
            return Some(Err(Malformed));
        };
        let mut rest = Some(line);
        while let Some(left) = rest {
            match next(left) {
                Ok((hop, after)) if hops.len() < HOPS_MAX => {
                    hops.push(hop);
                    rest = after;
                }
                Ok(_) | Err(Malformed) => return Some(Err(Malformed)),
            }
        }
    }
    Some(Ok(hops))
}

/// Reads one element of `Forwarded`: the node that its `for` names, and what follows
/// the comma.
fn element(text: &str) -> Result<(String, Option<&str>), Malformed> {
    let mut node = None;
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=').ok_or(Malformed)?;
        let (value, after) = value(after)?;
        if name.trim().eq_ignore_ascii_case("for") && node.replace(value).is_some() {
            return Err(Malformed);
        }
        let after = after.trim_start();
        match after.split_at_checked(1) {
            None => return Ok((node.ok_or(Malformed)?, None)),
            Some((";", after)) => rest = after,
            Some((",", after)) => return Ok((node.ok_or(Malformed)?, Some(after))),
            Some(_) => return Err(Malformed),
        }
    }
}

/// Reads a token or a quoted text, and returns it with what follows.
fn value(text: &str) -> Result<(String, &str), Malformed> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t', '"']).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &quoted[place + 1..])),
            '\\' => value.push(chars.next().ok_or(Malformed)?.1),
            c => value.push(c),
        }
    }
    Err(Malformed)
}

/// Reads an address with a port or without. `unknown` and made-up names are none.
fn address(text: &str) -> Result<IpAddr, Malformed> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address
        .map(|address| address.to_canonical())
        .map_err(|_| Malformed)
}
