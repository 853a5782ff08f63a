//! The header fields of a request, as far as a guest can read and change them.

use std::sync::Arc;

use wasmtime::component::{LinkerInstance, Resource, Val};

use super::request::Held;
use super::{LISTED_BYTE, Store, func, give, kept, ok, resource, text, unexpected};
use crate::sandbox::guest::Guest;

/// What a field takes beside its name and its value, in bytes.
const FIELD_BYTES: usize = 64;

/// Header fields. Copies share their contents until one of them is changed.
#[derive(Clone)]
pub(super) struct Fields {
    list: Option<Arc<List>>,
    is_fixed: bool,
}

struct List {
    fields: Vec<Field>,
    _held: Held,
}

type Field = (String, Vec<u8>);

impl Fields {
    /// Returns them for a request, whose fields cannot be changed.
    pub(super) fn fixed(self) -> Self {
        Self {
            is_fixed: true,
            ..self
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Field> {
        self.list.iter().flat_map(|list| &list.fields)
    }

    fn without(&self, name: &str) -> Vec<Field> {
        let others = self.iter().filter(|field| !is_named(field, name));
        others.cloned().collect()
    }
}

fn bytes<'a>(fields: impl Iterator<Item = &'a Field>) -> usize {
    fields
        .map(|(name, value)| name.len() + value.len() + FIELD_BYTES)
        .sum()
}

/// Adds the resource and its functions.
pub(super) fn add(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    kept::<Fields>(types, "fields")?;
    func(types, "[constructor]fields", |mut store, _| {
        give(&mut store, new(None))
    })?;
    func(types, "[static]fields.from-list", |mut store, params| {
        let mut fields = Vec::new();
        for entry in list(params, 0)? {
            let Val::Tuple(entry) = entry else {
                return Err(unexpected());
            };
            fields.push((text(entry, 0)?.to_owned(), value(&store, entry, 1)?));
        }
        match checked(&mut store, fields) {
            Ok(list) => Ok(ok(Some(give(&mut store, new(Some(list)))?))),
            Err(error) => Ok(error),
        }
    })?;
    func(types, "[method]fields.get", |mut store, params| {
        let (_, fields) = this(&mut store, params)?;
        let name = text(params, 1)?;
        let found = fields.iter().filter(|field| is_named(field, name));
        let found = found.map(|(_, value)| listed(&store, value));
        Ok(Val::List(found.collect()))
    })?;
    func(types, "[method]fields.has", |mut store, params| {
        let (_, fields) = this(&mut store, params)?;
        let name = text(params, 1)?;
        Ok(Val::Bool(fields.iter().any(|field| is_named(field, name))))
    })?;
    func(types, "[method]fields.set", |mut store, params| {
        let (this, fields) = this(&mut store, params)?;
        let name = text(params, 1)?;
        let mut all = fields.without(name);
        for value in list(params, 2)? {
            all.push((name.to_owned(), bytes_of(&store, value)?));
        }
        change(&mut store, &this, all)
    })?;
    func(types, "[method]fields.delete", |mut store, params| {
        let (this, fields) = this(&mut store, params)?;
        let others = fields.without(text(params, 1)?);
        change(&mut store, &this, others)
    })?;
    func(types, "[method]fields.append", |mut store, params| {
        let (this, fields) = this(&mut store, params)?;
        let new = (text(params, 1)?.to_owned(), value(&store, params, 2)?);
        let all = fields.iter().cloned().chain([new]).collect();
        change(&mut store, &this, all)
    })?;
    func(types, "[method]fields.entries", |mut store, params| {
        let (_, fields) = this(&mut store, params)?;
        let entry = |(name, value): &Field| {
            Val::Tuple(vec![Val::String(name.clone()), listed(&store, value)])
        };
        Ok(Val::List(fields.iter().map(entry).collect()))
    })?;
    func(types, "[method]fields.clone", |mut store, params| {
        let (_, fields) = this(&mut store, params)?;
        give(&mut store, new(fields.list))
    })
}

fn new(list: Option<Arc<List>>) -> Fields {
    Fields {
        list,
        is_fixed: false,
    }
}

/// Returns the fields that a method is called on, for the price of reading all of them.
fn this(store: &mut Store<'_>, params: &[Val]) -> wasmtime::Result<(Resource<Fields>, Fields)> {
    let this: Resource<Fields> = resource(store, params, 0)?;
    let guest = store.data_mut();
    let fields = guest.wasi().table.get(&this)?.clone();
    guest.meter.owe_bytes(bytes(fields.iter()));
    Ok((this, fields))
}

/// Replaces the fields of a resource, unless that is refused.
fn change(store: &mut Store<'_>, this: &Resource<Fields>, to: Vec<Field>) -> wasmtime::Result<Val> {
    if store.data_mut().wasi().table.get(this)?.is_fixed {
        return Ok(refused("immutable"));
    }
    Ok(match checked(store, to) {
        Ok(list) => {
            store.data_mut().wasi().table.get_mut(this)?.list = Some(list);
            ok(None)
        }
        Err(error) => error,
    })
}

/// Returns a list of these fields, if they are valid and there is room for them.
fn checked(store: &mut Store<'_>, fields: Vec<Field>) -> Result<Arc<List>, Val> {
    if !fields.iter().all(is_valid) {
        return Err(refused("invalid-syntax"));
    }
    let held = store.data_mut().wasi().http.hold(bytes(fields.iter()));
    let held = held.ok_or_else(|| refused("forbidden"))?;
    Ok(Arc::new(List {
        fields,
        _held: held,
    }))
}

/// Whether a field has the syntax of RFC 9110, sections 5.1 and 5.5.
fn is_valid((name, value): &Field) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_content = |byte: u8| byte == b'\t' || !byte.is_ascii_control();
    !name.is_empty() && name.bytes().all(is_token) && value.iter().copied().all(is_content)
}

fn is_named((own, _): &Field, name: &str) -> bool {
    own.eq_ignore_ascii_case(name)
}

fn refused(error: &str) -> Val {
    let error = Val::Variant(error.into(), None);
    Val::Result(Err(Some(Box::new(error))))
}

fn list(params: &[Val], at: usize) -> wasmtime::Result<&[Val]> {
    match params.get(at) {
        Some(Val::List(list)) => Ok(list),
        _ => Err(unexpected()),
    }
}

fn value(store: &Store<'_>, params: &[Val], at: usize) -> wasmtime::Result<Vec<u8>> {
    bytes_of(store, params.get(at).ok_or_else(unexpected)?)
}

/// Returns a list of bytes, for its price.
fn bytes_of(store: &Store<'_>, value: &Val) -> wasmtime::Result<Vec<u8>> {
    let Val::List(list) = value else {
        return Err(unexpected());
    };
    store.data().meter.owe(list.len() as u64 * LISTED_BYTE);
    let byte = |value: &Val| match value {
        Val::U8(byte) => Ok(*byte),
        _ => Err(unexpected()),
    };
    list.iter().map(byte).collect()
}

/// Returns bytes as a list, for its price.
fn listed(store: &Store<'_>, bytes: &[u8]) -> Val {
    store.data().meter.owe(bytes.len() as u64 * LISTED_BYTE);
    Val::List(bytes.iter().copied().map(Val::U8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_the_syntax_of_http() {
        for (name, value, valid) in [
            ("accept", &b"text/html; q=0.5"[..], true),
            ("X-Any_thing", b"\tgr\xc3\xb6\xc3\x9fe", true),
            ("empty", b"", true),
            ("", b"x", false),
            ("two words", b"x", false),
            ("colon:", b"x", false),
            ("split", b"x\r\nHost: other", false),
            ("zero", b"\0", false),
        ] {
            let field = (name.to_owned(), value.to_owned());
            assert_eq!(is_valid(&field), valid, "{name}");
        }
    }
}
