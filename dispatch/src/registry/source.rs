//! A named script, module or component that a tenant has uploaded.
//!
//! The bytes lie in a store addressed by their SHA-256; a source is the name
//! that leads to them, and it counts how often it was changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use serde::Serialize;
use tenterhook_engine::{Digest, Kind};
use time::OffsetDateTime;

use crate::id::{Number, PrincipalId, SourceId};
use crate::registry::label::Label;
use crate::tenancy::role::Role;

/// A named program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its identifier.
    pub id: SourceId,
    /// By which croit's `scriptId` refers to it.
    pub number: Number,
    /// Unique within the account.
    pub name: String,
    /// What sort of program the bytes are.
    pub kind: Kind,
    /// The SHA-256 of the bytes.
    pub digest: Digest,
    /// How many bytes there are.
    pub size_bytes: u64,
    /// 1 at first; one more whenever the bytes change.
    pub revision: u32,
    /// What it is for; empty if not given.
    pub description: String,
    /// A checksum for clients that transfer the bytes as text: see [`checksum`].
    pub checksum: String,
    /// Whether any role may read its bytes.
    pub visibility: Visibility,
    /// Whether it came with the account and cannot be changed.
    pub preloaded: bool,
    /// Free labels.
    pub labels: Vec<Label>,
    /// Who uploaded it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: Option<PrincipalId>,
    /// When it was uploaded first.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub modified_at: OffsetDateTime,
}

/// Whether any role may read the bytes of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// The roles that read secrets may.
    #[default]
    Readable,
    /// None may, in any API: it can be bound, run and replaced, and is never shown.
    Private,
}

/// A source to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSource {
    /// See [`Source::name`]; 1 to 255 bytes without control characters.
    pub name: String,
    /// The program. Its kind is determined by its first bytes.
    pub bytes: Bytes,
    /// What the bytes must be; `None` takes whatever they are.
    pub kind: Option<Kind>,
    /// See [`Source::description`]; at most 4,096 bytes.
    pub description: String,
    /// See [`Source::visibility`].
    pub visibility: Visibility,
    /// See [`Source::labels`]; at most 64, names and values up to 255 bytes.
    pub labels: Vec<Label>,
    /// See [`Source::created_by`].
    pub created_by: PrincipalId,
}

/// What to change of a source; `None` keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceChange {
    /// See [`NewSource::name`].
    pub name: Option<String>,
    /// See [`NewSource::bytes`].
    pub bytes: Option<Bytes>,
    /// See [`NewSource::kind`]; looked at only when there are bytes.
    pub kind: Option<Kind>,
    /// See [`NewSource::description`].
    pub description: Option<String>,
    /// See [`NewSource::labels`]; replaces all.
    pub labels: Option<Vec<Label>>,
    /// Who changes it.
    pub modified_by: Option<PrincipalId>,
    /// That principal's role. Default: the lowest.
    pub modified_as: Role,
    /// Change it only if its bytes still have one of these digests.
    pub expected: Option<Vec<Digest>>,
}

/// A source as JSON in the native form.
#[derive(Serialize)]
struct Printed<'a> {
    id: SourceId,
    number: Number,
    name: &'a str,
    kind: Kind,
    digest: String,
    size_bytes: u64,
    revision: u32,
    description: &'a str,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    modified_at: OffsetDateTime,
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Printed {
            id: self.id,
            number: self.number,
            name: &self.name,
            kind: self.kind,
            digest: self.digest.to_string(),
            size_bytes: self.size_bytes,
            revision: self.revision,
            description: &self.description,
            created_at: self.created_at,
            modified_at: self.modified_at,
        }
        .serialize(serializer)
    }
}

/// The checksum of a source: the MD5, in lower-case hexadecimal digits, of its bytes in
/// base64. It is stored with the source, since computing it reads the whole program.
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    // A multiple of three, so that the parts in base64 make the whole in base64.
    const PART: usize = 3 * 4096;
    let mut hash = Md5::new();
    let mut text = String::new();
    for part in bytes.chunks(PART) {
        text.clear();
        STANDARD.encode_string(part, &mut text);
        hash.update(&text);
    }
    use std::fmt::Write as _;
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes whatever is written");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_base64_text() {
        assert_eq!(checksum(b""), "d41d8cd98f00b204e9800998ecf8427e");
        // What `base64 -w 0 | md5sum` says.
        assert_eq!(checksum(b"echo hi\n"), "a3bae7e442bc3e8db3f2c99d87c4623c");
        assert_eq!(
            checksum(&[b'x'; 24_577]),
            "f5e583c15d9f69e5e4a9b47276bd60db"
        );
        // `printf '#!/bin/sh\necho hi\n' | base64 -w0 | md5sum`
        assert_eq!(
            checksum(b"#!/bin/sh\necho hi\n"),
            "c0846c54b3043d5a648e770783620732"
        );
        let long = vec![7; 100_000];
        let whole = Md5::digest(STANDARD.encode(&long));
        let whole: String = whole.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(checksum(&long), whole);
    }
}
