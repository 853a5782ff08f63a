//! Which of two forms a client wants: plain text, or the same as a JSON string.
//!
//! croit's documents say both of a script's text. Plain text is given unless
//! the client names JSON.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};

use crate::extract::Json;
use crate::refusal::Refusal;

/// One of the two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Json,
}

impl Form {
    /// Reads the `Accept` headers. Without one, it is plain text.
    pub(super) fn wanted(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut plain = None::<Wish>;
        let mut json = None::<Wish>;
        let mut said = false;
        for value in headers.get_all(header::ACCEPT) {
            let Ok(value) = value.to_str() else { continue };
            for (place, range) in value.split(',').enumerate() {
                said = true;
                let (media, quality) = split(range);
                for (wish, kind, subtype) in [
                    (&mut plain, "text", "plain"),
                    (&mut json, "application", "json"),
                ] {
                    let precision = precision(media, kind, subtype);
                    let new = Wish {
                        precision,
                        quality,
                        place,
                    };
                    if precision > 0 && wish.is_none_or(|old| precision > old.precision) {
                        *wish = Some(new);
                    }
                }
            }
        }
        if !said {
            return Ok(Self::Plain);
        }
        let usable = |wish: Option<Wish>| wish.filter(|wish| wish.quality > 0);
        match (usable(plain), usable(json)) {
            (None, None) => Err(Refusal::NotAcceptable {
                offered: "`text/plain` or `application/json`",
            }),
            (Some(_), None) => Ok(Self::Plain),
            (None, Some(_)) => Ok(Self::Json),
            (Some(plain), Some(json)) if json.rank() > plain.rank() => Ok(Self::Json),
            (Some(_), Some(_)) => Ok(Self::Plain),
        }
    }

    /// Gives `text` in this form.
    pub(super) fn give(self, text: String) -> Response {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        let nosniff = HeaderValue::from_static("nosniff");
        match self {
            Self::Plain => (
                [
                    (header::CONTENT_TYPE, kind),
                    (header::X_CONTENT_TYPE_OPTIONS, nosniff),
                ],
                text,
            )
                .into_response(),
            Self::Json => Json(text).into_response(),
        }
    }
}

/// What the headers say of one form.
#[derive(Clone, Copy)]
struct Wish {
    /// 3 for the very type, 2 for `text/*`, 1 for `*/*`.
    precision: u8,
    /// In thousandths.
    quality: u16,
    place: usize,
}

impl Wish {
    /// What is wanted more, then named more exactly, then named first.
    fn rank(self) -> (u16, u8, std::cmp::Reverse<usize>) {
        (self.quality, self.precision, std::cmp::Reverse(self.place))
    }
}

fn split(range: &str) -> (&str, u16) {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let quality = parts
        .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .and_then(|text| text.parse::<f32>().ok())
        .map_or(1_000, |quality| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the value is held between 0 and 1000"
            )]
            let thousandths = (quality.clamp(0.0, 1.0) * 1_000.0) as u16;
            thousandths
        });
    (media, quality)
}

fn precision(media: &str, kind: &str, subtype: &str) -> u8 {
    let (own_kind, own_subtype) = media.split_once('/').unwrap_or((media, "*"));
    if own_kind == "*" {
        1
    } else if !own_kind.eq_ignore_ascii_case(kind) {
        0
    } else if own_subtype == "*" {
        2
    } else if own_subtype.eq_ignore_ascii_case(subtype) {
        3
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &'static str) -> Option<Form> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        Form::wanted(&headers).ok()
    }

    #[test]
    fn plain_text_is_given_unless_json_is_named() {
        assert_eq!(Form::wanted(&HeaderMap::new()).unwrap(), Form::Plain);
        for (accept, form) in [
            ("*/*", Some(Form::Plain)),
            ("text/*", Some(Form::Plain)),
            ("application/json", Some(Form::Json)),
            ("application/json, text/plain, */*", Some(Form::Json)),
            ("text/plain, application/json", Some(Form::Plain)),
            ("text/plain;q=0.2, application/json;q=0.9", Some(Form::Json)),
            ("application/json, */*", Some(Form::Json)),
            ("text/html", None),
            ("text/plain;q=0", None),
            ("", None),
            ("q=;;,", None),
        ] {
            assert_eq!(wanted(accept), form, "{accept}");
        }
    }
}
