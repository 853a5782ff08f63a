//! Where a request's head carries the caller's credentials.
//!
//! It depends on the API: all read `Authorization`, and those of OpenStack's interfaces
//! read `X-Auth-Token` before it.

use http::{HeaderMap, HeaderName, header};

/// Where OpenStack's clients put their token.
const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// Where a service that acts for a user puts its own token.
const X_SERVICE_TOKEN: HeaderName = HeaderName::from_static("x-service-token");

/// A place for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenPlace {
    /// `Authorization: Bearer <token>`.
    Bearer,
    /// `X-Auth-Token: <token>`.
    XAuthToken,
}

/// The one place of most interfaces.
pub(crate) const BEARER: &[TokenPlace] = &[TokenPlace::Bearer];

/// The places of the interfaces whose clients are OpenStack's.
pub(crate) const OPENSTACK: &[TokenPlace] = &[TokenPlace::XAuthToken, TokenPlace::Bearer];

/// The token in the first of these places that holds one.
pub(crate) fn token<'a>(places: &[TokenPlace], headers: &'a HeaderMap) -> Option<&'a str> {
    places.iter().find_map(|place| match place {
        TokenPlace::Bearer => scheme(headers, "bearer"),
        TokenPlace::XAuthToken => headers.get(X_AUTH_TOKEN)?.to_str().ok().map(str::trim),
    })
}

/// The token of the service between the caller and this server, where OpenStack's clients
/// put theirs. One that is not text is not a valid token either.
pub(crate) fn service_token<'a>(places: &[TokenPlace], headers: &'a HeaderMap) -> Option<&'a str> {
    if !places.contains(&TokenPlace::XAuthToken) {
        return None;
    }
    let value = headers.get(X_SERVICE_TOKEN)?;
    Some(value.to_str().map_or("", str::trim))
}

/// What follows the scheme in the `Authorization` header, if it is this scheme.
pub(crate) fn scheme<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (own, rest) = value.split_once(' ')?;
    own.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::face::Face;
    use crate::router::DIALECTS;

    fn found(path: &str, pairs: &[(HeaderName, &'static str)]) -> Option<String> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        let places = DIALECTS.of(Face::of(path)).token_places();
        token(places, &headers).map(str::to_owned)
    }

    #[test]
    fn a_token_follows_the_scheme_in_any_case() {
        let token = |value| found("/api/v1/hooks", &[(header::AUTHORIZATION, value)]);
        assert_eq!(token("Bearer th_x").as_deref(), Some("th_x"));
        assert_eq!(token("bearer  th_x ").as_deref(), Some("th_x"));
        assert_eq!(token("Basic th_x"), None);
        assert_eq!(token("th_x"), None);
    }

    #[test]
    fn openstacks_header_is_accepted_only_where_its_clients_send_it() {
        let openstack = (X_AUTH_TOKEN, "th_openstack");
        let bearer = (header::AUTHORIZATION, "Bearer th_bearer");
        for path in [
            "/os-server-external-events",
            "/v2.1/os-server-external-events",
            "/v1/maintenance",
            "/v1/maintenance/7",
            "/v1/instance/7",
        ] {
            let both = found(path, &[openstack.clone(), bearer.clone()]);
            assert_eq!(both.as_deref(), Some("th_openstack"), "{path}");
            let alone = found(path, std::slice::from_ref(&bearer));
            assert_eq!(alone.as_deref(), Some("th_bearer"), "{path}");
        }
        for path in [
            "/api/v1/hooks",
            "/api/events/hooks",
            "/accounts/x",
            "/v2.10",
            "/v10",
        ] {
            assert_eq!(
                found(path, std::slice::from_ref(&openstack)),
                None,
                "{path}"
            );
            let both = found(path, &[openstack.clone(), bearer.clone()]);
            assert_eq!(both.as_deref(), Some("th_bearer"), "{path}");
        }
    }
}
