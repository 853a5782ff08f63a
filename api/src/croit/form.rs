//! Bodies in the form encoding, which croit's login reads.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::body::{self, Pieces};
use crate::door::Door;
use crate::extract::parse_form;
use crate::refusal::Refusal;

/// Bytes of a form: a name and a token, with room.
const MAX_BYTES: u64 = 16 * 1024;

/// A body in the form encoding.
#[derive(Debug)]
pub(super) struct Form<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Form<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        match body::media_type(&parts.headers).as_deref() {
            None | Some("application/x-www-form-urlencoded") => {}
            Some(_) => {
                return Err(Refusal::UnsupportedMedia(
                    "this call reads a form; send it with `Content-Type: application/x-www-form-urlencoded`".to_owned(),
                ));
            }
        }
        let bytes = Pieces::new(Door::of(&parts.extensions), &parts.headers, body, MAX_BYTES)?
            .collect()
            .await?;
        parse_form(&bytes, '/').map(Self)
    }
}
