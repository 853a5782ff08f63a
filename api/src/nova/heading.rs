//! The headers of every reply of this API: version and request id.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::microversion::{self, Microversion};
use crate::request_id::RequestId;

const COMPUTE_REQUEST_ID: HeaderName = HeaderName::from_static("x-compute-request-id");
const OPENSTACK_REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");

/// From here on the request id has OpenStack's name too.
const WITH_OPENSTACK_ID: Microversion = Microversion::of(46);

/// The headers of the reply to a request with these headers. A version that could
/// not be read is not repeated.
pub(super) fn heading(headers: &HeaderMap, id: &RequestId) -> HeaderMap {
    let mut heading = HeaderMap::new();
    let id = request_id(id);
    heading.insert(COMPUTE_REQUEST_ID, value(&id));
    if let Ok(version) = Microversion::read(headers) {
        heading.insert(microversion::HEADER, value(&format!("compute {version}")));
        heading.insert(microversion::LEGACY_HEADER, value(&version.to_string()));
        if version >= WITH_OPENSTACK_ID {
            heading.insert(OPENSTACK_REQUEST_ID, value(&id));
        }
    }
    for name in ["OpenStack-API-Version", "X-OpenStack-Nova-API-Version"] {
        heading.append(header::VARY, HeaderValue::from_static(name));
    }
    heading
}

/// The request's id in the form that OpenStack's services have.
pub(super) fn request_id(id: &RequestId) -> String {
    format!("req-{}", id.as_uuid())
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("versions and ids are plain text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_repeats_the_version_in_both_headers() {
        let headed = |text: &'static str| {
            let name = microversion::HEADER;
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(text))]);
            heading(&headers, &RequestId::of(&HeaderMap::new()))
        };
        let reply = headed("compute latest");
        assert_eq!(reply[microversion::HEADER], "compute 2.104");
        assert_eq!(reply[microversion::LEGACY_HEADER], "2.104");
        assert_eq!(reply[COMPUTE_REQUEST_ID], reply[OPENSTACK_REQUEST_ID]);
        assert_eq!(reply.get_all(header::VARY).iter().count(), 2);
        let reply = headed("compute 2.45");
        assert_eq!(reply[microversion::HEADER], "compute 2.45");
        assert!(!reply.contains_key(OPENSTACK_REQUEST_ID));
        let reply = headed("compute nonsense");
        assert!(!reply.contains_key(microversion::HEADER));
        assert!(
            reply[COMPUTE_REQUEST_ID]
                .to_str()
                .unwrap()
                .starts_with("req-")
        );
    }
}
