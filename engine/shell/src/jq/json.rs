//! JSON values: what is read, and what is left to the interpreter's `jq`.
//!
//! Numbers are kept only as far as they print as they were written; duplicate
//! keys, lone surrogates and deep nesting are not for us.

use std::collections::HashSet;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 64;

/// A JSON value; objects keep the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A plain integer as it was written.
    Integer(String),
    /// A number that can be passed over but not printed.
    OtherNumber,
    Text(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Everything but `null` and `false`.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }
}

/// Reads a stream of values; nothing if any of it is not for us.
pub(super) fn values(text: &[u8], out: &mut Vec<Value>) -> Option<()> {
    let mut reader = Reader {
        rest: std::str::from_utf8(text).ok()?,
    };
    loop {
        reader.space();
        if reader.rest.is_empty() {
            return Some(());
        }
        out.push(reader.value(0)?);
        // `1 2` are two values, `12` and `1"a"` are better not guessed at.
        let next = reader.rest.as_bytes().first();
        if next.is_some_and(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'{' | b'[')) {
            return None;
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.rest.as_bytes().first()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.text().map(Value::Text),
            b'-' | b'0'..=b'9' => self.number(),
            _ if self.take("null") => Some(Value::Null),
            _ if self.take("true") => Some(Value::Bool(true)),
            _ if self.take("false") => Some(Value::Bool(false)),
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.take("[");
        self.space();
        if self.take("]") {
            return Some(Value::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Some(Value::Array(items));
            }
            self.take(",").then_some(())?;
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut entries = Vec::new();
        self.take("{");
        self.space();
        if self.take("}") {
            return Some(Value::Object(entries));
        }
        loop {
            self.space();
            let key = self.text()?;
            self.space();
            self.take(":").then_some(())?;
            self.space();
            entries.push((key, self.value(depth + 1)?));
            self.space();
            if self.take("}") {
                let keys: HashSet<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
                let unique = keys.len() == entries.len();
                return unique.then_some(Value::Object(entries));
            }
            self.take(",").then_some(())?;
        }
    }

    fn number(&mut self) -> Option<Value> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        if is_plain_integer(text) {
            return Some(Value::Integer(text.to_owned()));
        }
        text.parse::<f64>().ok().map(|_| Value::OtherNumber)
    }

    fn text(&mut self) -> Option<String> {
        self.take("\"").then_some(())?;
        let mut text = String::new();
        loop {
            let end = self.rest.find(['"', '\\'])?;
            let (plain, rest) = self.rest.split_at(end);
            if plain.bytes().any(|byte| byte < 0x20) {
                return None;
            }
            text.push_str(plain);
            self.rest = rest;
            if self.take("\"") {
                return Some(text);
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        chars.next();
        let letter = chars.next()?;
        self.rest = chars.as_str();
        Some(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.hex()?;
                if !(0xd800..0xe000).contains(&high) {
                    return char::from_u32(high);
                }
                self.take("\\u").then_some(())?;
                let low = self.hex()?;
                let pair = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
                pair.then_some(())?;
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        self.rest = &self.rest[4..];
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
    }
}

/// `0`, `-5`, `1234`: at most fifteen digits, so that a double holds it.
pub(super) fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain && digits.len() <= 15 && (!digits.starts_with('0') || text == "0")
}
