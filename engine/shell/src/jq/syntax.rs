//! Reads the filters that are answered here.
//!
//! From loose to tight: `|`, `,`, `//`, then a term with its steps. Whatever else
//! a filter holds makes it not for us.

use super::filter::{Filter, Into, Step};
use super::json::{Value, is_plain_integer};

/// Deepest nesting of brackets, and longest filter in bytes, that is read.
const DEPTH_MAX: usize = 32;
const TEXT_MAX: usize = 4096;

/// Reads `text`; nothing if it is not for us.
pub(super) fn parse(text: &str) -> Option<Filter> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let mut parser = Parser {
        rest: text,
        depth: 0,
    };
    let filter = parser.pipe()?;
    parser.space();
    parser.rest.is_empty().then_some(filter)
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Takes `mark` after spaces, unless what follows makes it another one.
    fn mark(&mut self, mark: &str) -> bool {
        self.space();
        let Some(rest) = self.rest.strip_prefix(mark) else {
            return false;
        };
        // `|=`, `//=` and `?//` are other operators.
        if rest.starts_with('=') || (mark == "?" && rest.starts_with("//")) {
            return false;
        }
        self.rest = rest;
        true
    }

    fn pipe(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut filter = self.comma()?;
        if self.mark("|") {
            filter = Filter::Pipe(Box::new(filter), Box::new(self.pipe()?));
        }
        self.depth -= 1;
        Some(filter)
    }

    fn comma(&mut self) -> Option<Filter> {
        let mut filter = self.alternative()?;
        while self.mark(",") {
            filter = Filter::Comma(Box::new(filter), Box::new(self.alternative()?));
        }
        Some(filter)
    }

    fn alternative(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut filter = self.term()?;
        if self.mark("//") {
            filter = Filter::Else(Box::new(filter), Box::new(self.alternative()?));
        }
        self.depth -= 1;
        Some(filter)
    }

    fn term(&mut self) -> Option<Filter> {
        self.space();
        let first = self.rest.chars().next()?;
        let mut filter = match first {
            '.' => self.path()?,
            '"' => Filter::Literal(Value::Text(self.text()?)),
            '(' => {
                self.rest = &self.rest[1..];
                let inner = self.pipe()?;
                self.mark(")").then_some(inner)?
            }
            '[' => {
                self.rest = &self.rest[1..];
                if self.mark("]") {
                    Filter::Array(None)
                } else {
                    let items = self.pipe()?;
                    self.mark("]")
                        .then_some(Filter::Array(Some(Box::new(items))))?
                }
            }
            '{' => self.object()?,
            '$' => {
                self.rest = &self.rest[1..];
                Filter::Variable(self.name()?.to_owned())
            }
            '0'..='9' => {
                let end = self.rest.find(|c: char| !c.is_ascii_digit());
                let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                let goes_on = rest.starts_with(['.', 'e', 'E']);
                (is_plain_integer(digits) && !goes_on).then_some(())?;
                self.rest = rest;
                return Some(Filter::Literal(Value::Integer(digits.to_owned())));
            }
            _ => match self.name()? {
                "null" => Filter::Literal(Value::Null),
                "true" => Filter::Literal(Value::Bool(true)),
                "false" => Filter::Literal(Value::Bool(false)),
                "length" => Filter::Length,
                "keys" => Filter::Keys,
                "type" => Filter::Type,
                "not" => Filter::Not,
                "empty" => Filter::Empty,
                _ => return None,
            },
        };
        while let Some(into) = self.step()? {
            let optional = self.mark("?");
            filter = Filter::Step(Box::new(filter), Step { into, optional });
        }
        Some(filter)
    }

    /// What follows a leading dot; `.` alone is the whole input.
    fn path(&mut self) -> Option<Filter> {
        self.rest = &self.rest[1..];
        let into = match self.rest.chars().next() {
            Some('"') => Into::Key(self.text()?),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => Into::Key(self.name()?.to_owned()),
            // `..` and `.5` mean something else.
            Some('.' | '0'..='9') => return None,
            _ => return Some(Filter::Identity),
        };
        let optional = self.mark("?");
        Some(Filter::Step(
            Box::new(Filter::Identity),
            Step { into, optional },
        ))
    }

    /// A further step, `.name` or `[…]`, if there is one.
    fn step(&mut self) -> Option<Option<Into>> {
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            return match rest.chars().next()? {
                '"' => Some(Some(Into::Key(self.text()?))),
                '[' => self.step(),
                c if c.is_ascii_alphabetic() || c == '_' => {
                    Some(Some(Into::Key(self.name()?.to_owned())))
                }
                _ => None,
            };
        }
        let Some(rest) = self.rest.strip_prefix('[') else {
            return Some(None);
        };
        self.rest = rest;
        if self.mark("]") {
            return Some(Some(Into::All));
        }
        self.space();
        let into = if self.rest.starts_with('"') {
            Into::Key(self.text()?)
        } else {
            let end = self.rest.find([']', ' '])?;
            let (number, rest) = self.rest.split_at(end);
            is_plain_integer(number).then_some(())?;
            self.rest = rest;
            Into::Index(number.parse().ok()?)
        };
        self.mark("]").then_some(Some(into))
    }

    fn object(&mut self) -> Option<Filter> {
        self.rest = &self.rest[1..];
        let mut entries: Vec<(String, Filter)> = Vec::new();
        if self.mark("}") {
            return Some(Filter::Object(entries));
        }
        loop {
            let (key, filter) = self.entry()?;
            if entries.iter().any(|(known, _)| *known == key) {
                return None;
            }
            entries.push((key, filter));
            if self.mark("}") {
                return Some(Filter::Object(entries));
            }
            self.mark(",").then_some(())?;
        }
    }

    /// `name: value`, `"name": value`, `name` or `$name`.
    fn entry(&mut self) -> Option<(String, Filter)> {
        self.space();
        if let Some(rest) = self.rest.strip_prefix('$') {
            self.rest = rest;
            let name = self.name()?.to_owned();
            return Some((name.clone(), Filter::Variable(name)));
        }
        let key = if self.rest.starts_with('"') {
            self.text()?
        } else {
            self.name()?.to_owned()
        };
        if self.mark(":") {
            return Some((key, self.value()?));
        }
        let step = Step {
            into: Into::Key(key.clone()),
            optional: false,
        };
        Some((key, Filter::Step(Box::new(Filter::Identity), step)))
    }

    /// The value of an entry: a term, with alternatives only in brackets.
    fn value(&mut self) -> Option<Filter> {
        let value = self.term()?;
        self.space();
        self.rest.starts_with([',', '}']).then_some(value)
    }

    fn name(&mut self) -> Option<&'a str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        // `a::b` is a module's; a bracket makes it a call.
        (starts && !rest.starts_with("::") && !rest.starts_with('(')).then_some(())?;
        self.rest = rest;
        Some(name)
    }

    /// A text without interpolation and with the plain escapes alone.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                '\\' => text.push(match chars.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    c @ ('"' | '\\' | '/') => c,
                    _ => return None,
                }),
                c if c.is_control() => return None,
                c => text.push(c),
            }
        }
        None
    }
}
