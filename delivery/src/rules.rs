//! The rules that a new subscription must follow.

use url::Url;

use crate::error::Error;
use crate::kind::{self, KINDS};
use crate::secret::Secret;
use crate::subscription::NewSubscription;

/// Longest URL in bytes, as given and as normalized.
const URL_MAX_BYTES: usize = 2_048;

/// Most types of events that a subscription may list.
const EVENTS_MAX: usize = 32;

/// Longest project in characters.
const PROJECT_MAX_CHARS: usize = 255;

/// A subscription that follows the rules.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) url: String,
    pub(crate) events: Vec<String>,
    pub(crate) project: Option<String>,
    pub(crate) secret: Secret,
}

impl NewSubscription {
    /// Checks every field.
    pub(crate) fn check(self) -> Result<Checked, Error> {
        Ok(Checked {
            url: check_url(&self.url)?,
            events: check_events(self.events)?,
            project: self.project.map(check_project).transpose()?,
            secret: match self.secret {
                Some(text) => Secret::parse(&text)?,
                None => Secret::generate(),
            },
        })
    }
}

/// Checks the URL and returns its normal form, the only one that is shown, checked and
/// called.
fn check_url(input: &str) -> Result<String, Error> {
    let wrong = |reason: &str| Error::invalid("url", reason);
    if input.len() > URL_MAX_BYTES {
        return Err(wrong("must not be longer than 2048 bytes"));
    }
    // URL parsers drop some of these silently.
    if input.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(wrong("must not hold spaces or control characters"));
    }
    let url = Url::parse(input).map_err(|error| {
        wrong(&format!(
            "must be a URL such as `https://manager.example/hook`: {error}"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("must begin with `http://` or `https://`"));
    }
    if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
        return Err(wrong("must name a host, and no port 0"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "must not hold a user or a password; deliveries are signed",
        ));
    }
    if url.fragment().is_some() {
        return Err(wrong("must not hold a fragment, which is never sent"));
    }
    let text = String::from(url.clone());
    if text.len() > URL_MAX_BYTES {
        return Err(wrong("must not be longer than 2048 bytes"));
    }
    // The HTTP client parses it again: both must see the same host.
    match text.parse::<http::Uri>() {
        Ok(uri) if uri.host() == url.host_str() => Ok(text),
        _ => Err(wrong("holds characters that must be percent-encoded")),
    }
}

fn check_events(mut events: Vec<String>) -> Result<Vec<String>, Error> {
    if events.len() > EVENTS_MAX {
        return Err(Error::invalid("events", "must not hold more than 32 types"));
    }
    if !events.iter().all(|event| kind::is_delivered(event)) {
        let known = KINDS.map(|kind| format!("`{kind}`")).join(", ");
        return Err(Error::invalid("events", format!("must hold only {known}")));
    }
    events.sort_unstable();
    events.dedup();
    Ok(events)
}

fn check_project(project: String) -> Result<String, Error> {
    let wrong = |reason: &str| Error::invalid("project", reason);
    if project.is_empty() || project.chars().count() > PROJECT_MAX_CHARS {
        return Err(wrong("must have 1 to 255 characters"));
    }
    if project.chars().any(char::is_control) {
        return Err(wrong("must not hold control characters"));
    }
    Ok(project)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(new: NewSubscription) -> String {
        new.check().unwrap_err().to_string()
    }

    fn to(url: &str) -> NewSubscription {
        NewSubscription {
            url: url.into(),
            ..NewSubscription::default()
        }
    }

    #[test]
    fn an_address_has_one_form() {
        for (input, normal) in [
            ("https://Manager.example", "https://manager.example/"),
            ("http://10.0.0.5:8080/a?b=c", "http://10.0.0.5:8080/a?b=c"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://[::1]/", "http://[::1]/"),
            (
                "http://bücher.example/ü",
                "http://xn--bcher-kva.example/%C3%BC",
            ),
        ] {
            assert_eq!(to(input).check().unwrap().url, normal);
        }
    }

    #[test]
    fn what_is_not_a_url_is_refused() {
        let long = format!("http://a.example/{}", "x".repeat(2_048));
        let swollen = format!("http://a.example/{}", "ü".repeat(800));
        for url in [
            "",
            "manager.example",
            "/hook",
            "ftp://manager.example/",
            "file:///etc/passwd",
            "http://",
            "http://:80/",
            "http://a.example:0/",
            "http://a.example:99999/",
            "http://user@a.example/",
            "http://user:word@a.example/",
            "http://a.example/#part",
            "http://a.exa mple/",
            "http://a.example/\r\nx: y",
            "http://\u{7f}a.example/",
            "http://a.example\t/",
            &long,
            &swollen,
        ] {
            assert!(refused(to(url)).starts_with("`url` "), "{url}");
        }
    }

    #[test]
    fn only_types_that_are_delivered_can_be_subscribed_to() {
        let wants = |events: &[&str]| NewSubscription {
            events: events.iter().map(ToString::to_string).collect(),
            ..to("http://a.example/")
        };
        let checked = wants(&["maintenance.host", "action.instance", "maintenance.host"])
            .check()
            .unwrap();
        assert_eq!(checked.events, ["action.instance", "maintenance.host"]);
        assert_eq!(wants(&KINDS).check().unwrap().events.len(), KINDS.len());
        assert!(refused(wants(&["OnAudit"])).contains("`maintenance.scheduled`"));
        assert!(refused(wants(&["maintenance.host"; 33])).contains("32"));
    }

    #[test]
    fn a_project_is_a_short_line() {
        let of = |project: String| NewSubscription {
            project: Some(project),
            ..to("http://a.example/")
        };
        assert!(of("ü".repeat(255)).check().is_ok());
        for bad in [String::new(), "x".repeat(256), "a\nb".into()] {
            assert!(refused(of(bad)).starts_with("`project` "));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_an_address_panic(text in ".{0,200}", path in "(?s).{0,50}") {
            let _ = check_url(&text);
            if let Ok(url) = check_url(&format!("http://a.example/{path}")) {
                prop_assert_eq!(check_url(&url).unwrap(), url);
            }
        }
    }
}
