//! Which version of Nova's API a client speaks: `2.1` unless a header says
//! otherwise.

use std::fmt;

use http::{HeaderMap, HeaderName};

use super::fault::Fault;
use super::python;

/// The header of all OpenStack services, such as `compute 2.93`.
pub(super) const HEADER: HeaderName = HeaderName::from_static("openstack-api-version");

/// Nova's own header from before the common one, such as `2.93`.
pub(super) const LEGACY_HEADER: HeaderName =
    HeaderName::from_static("x-openstack-nova-api-version");

/// Characters of a version that a refusal quotes.
const QUOTED_MAX_CHARS: usize = 64;

/// A version `2.x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Microversion(u16);

impl Microversion {
    /// The lowest, which is meant where none is named.
    pub(super) const MIN: Self = Self(1);

    /// The highest, called `latest`. Above 2.93 nothing of what is served here changes.
    pub(super) const MAX: Self = Self(104);

    /// Version `2.minor`.
    pub(super) const fn of(minor: u16) -> Self {
        Self(minor)
    }

    /// Reads the headers of a request.
    ///
    /// # Errors
    ///
    /// 400 for what is not a version, 406 for one that is not served.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Fault> {
        match standard(headers).or_else(|| legacy(headers)) {
            Some(text) => Self::parse(&text),
            None => Ok(Self::MIN),
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        if text == "latest" {
            return Ok(Self::MAX);
        }
        let quoted = || python::clip(text, QUOTED_MAX_CHARS);
        let parts = text
            .split_once('.')
            .filter(|(major, minor)| is_numeral(major) && *major != "0" && is_numeral(minor));
        let Some((major, minor)) = parts else {
            return Err(Fault::bad_request(format!(
                "API Version String {} is of invalid format. Must be of format MajorNum.MinorNum.",
                quoted()
            )));
        };
        let version = minor.parse().map(Self).ok();
        version
            .filter(|version| major == "2" && (Self::MIN..=Self::MAX).contains(version))
            .ok_or_else(|| {
                Fault::not_acceptable(format!(
                    "Version {} is not supported by the API. Minimum is {} and maximum is {}.",
                    quoted(),
                    Self::MIN,
                    Self::MAX
                ))
            })
    }
}

impl fmt::Display for Microversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2.{}", self.0)
    }
}

/// A whole number without zeros before it.
fn is_numeral(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

/// What the common header says of this service; the last one counts.
fn standard(headers: &HeaderMap) -> Option<String> {
    items(headers, &HEADER).into_iter().rev().find_map(|item| {
        // The service alone is a version that is empty, not the default one: what the client
        // wanted is not known.
        let (service, version) = item.split_once(char::is_whitespace).unwrap_or((&item, ""));
        let is_ours = service.eq_ignore_ascii_case("compute");
        is_ours.then(|| version.trim().to_owned())
    })
}

fn legacy(headers: &HeaderMap) -> Option<String> {
    items(headers, &LEGACY_HEADER).pop()
}

/// The comma-separated values of all headers of this name.
fn items(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).into_iter();
    values
        .flat_map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let items: Vec<_> = text.split(',').map(|item| item.trim().to_owned()).collect();
            items
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};
    use proptest::prelude::*;

    use super::*;
    use crate::rejection::OwnProblem as _;

    fn read(pairs: &[(HeaderName, &'static str)]) -> Result<String, (StatusCode, String)> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        Microversion::read(&pairs.collect())
            .map(|version| version.to_string())
            .map_err(|fault| (fault.status(), fault.message().to_owned()))
    }

    #[test]
    fn both_headers_name_a_version_and_the_one_of_all_services_counts_first() {
        for (pairs, version) in [
            (&[][..], "2.1"),
            (&[(HEADER, "compute 2.51")], "2.51"),
            (&[(HEADER, "Compute  2.51")], "2.51"),
            (&[(HEADER, "volume 3.70, compute 2.82")], "2.82"),
            (&[(HEADER, "compute latest")], "2.104"),
            (&[(HEADER, "volume 3.70")], "2.1"),
            (&[(LEGACY_HEADER, "2.76")], "2.76"),
            (&[(LEGACY_HEADER, "latest")], "2.104"),
            (&[(HEADER, "volume 3.70"), (LEGACY_HEADER, "2.76")], "2.76"),
            (&[(LEGACY_HEADER, "2.76"), (HEADER, "compute 2.93")], "2.93"),
        ] {
            assert_eq!(read(pairs).as_deref(), Ok(version), "{pairs:?}");
        }
    }

    #[test]
    fn an_invalid_version_is_400() {
        for text in [
            "2", "x", "2.", ".1", "2.01", "02.1", "0.1", "2.1.1", "-2.1", "2.x", "",
        ] {
            let (status, message) = read(&[(LEGACY_HEADER, text)]).unwrap_err();
            assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
            assert_eq!(
                message,
                format!(
                    "API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
                )
            );
        }
    }

    #[test]
    fn the_service_without_a_version_is_400() {
        for text in ["compute", "Compute ", "volume 3.70, compute"] {
            let (status, message) = read(&[(HEADER, text)]).unwrap_err();
            assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
            assert_eq!(
                message,
                "API Version String  is of invalid format. Must be of format MajorNum.MinorNum."
            );
        }
    }

    #[test]
    fn a_version_that_is_not_served_is_406() {
        for text in ["2.0", "2.105", "3.1", "1.1", "2.99999999999999999999"] {
            let (status, message) = read(&[(LEGACY_HEADER, text)]).unwrap_err();
            assert_eq!(status, StatusCode::NOT_ACCEPTABLE, "{text}");
            assert_eq!(
                message,
                format!(
                    "Version {text} is not supported by the API. Minimum is 2.1 and maximum is 2.104."
                )
            );
        }
    }

    proptest! {
        #[test]
        fn no_header_panics_and_a_refusal_is_short(
            bytes in prop::collection::vec(prop_oneof![32u8..=126, 128u8..=255], 0..300),
        ) {
            let value = HeaderValue::from_bytes(&bytes).unwrap();
            for name in [HEADER, LEGACY_HEADER] {
                let headers = HeaderMap::from_iter([(name, value.clone())]);
                if let Err(fault) = Microversion::read(&headers) {
                    prop_assert!(fault.message().chars().count() < 200);
                    prop_assert!(!fault.message().chars().any(char::is_control));
                }
            }
        }
    }
}
