//! Items that a user names by id, number or name.

use std::ops::Deref;

use anyhow::Context as _;
use tenterhook_wire::{Account, App, Principal, Token, TokenKind};

/// An item that has an id, perhaps a number, and a name.
pub(crate) trait Named {
    /// What it is, as its command is called.
    const NOUN: &'static str;

    fn id(&self) -> &str;

    fn number(&self) -> Option<i32> {
        None
    }

    fn name(&self) -> Option<&str>;
}

impl Named for Account {
    const NOUN: &'static str = "account";

    fn id(&self) -> &str {
        &self.id
    }

    fn number(&self) -> Option<i32> {
        Some(self.number)
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

impl Named for App {
    const NOUN: &'static str = "app";

    fn id(&self) -> &str {
        &self.id
    }

    fn number(&self) -> Option<i32> {
        Some(self.number)
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

impl Named for Principal {
    const NOUN: &'static str = "principal";

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

impl Named for Token {
    const NOUN: &'static str = "token";

    fn id(&self) -> &str {
        &self.id
    }

    /// A login has its principal's name, so it is named by its id alone.
    fn name(&self) -> Option<&str> {
        (self.kind == TokenKind::Issued).then_some(self.name.as_str())
    }
}

/// How an item can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Id,
    Number,
    Name,
}

const FORMS: [(Form, &str); 3] = [
    (Form::Id, "id"),
    (Form::Number, "number"),
    (Form::Name, "name"),
];

/// Finds the item with this id, number or name. `id:`, `number:` or `name:` before it determines
/// which of them it is.
///
/// # Errors
///
/// No item has it, or several have.
pub(crate) fn find_named<'a, R>(items: &'a [R], name: &str) -> anyhow::Result<&'a R>
where
    R: Deref<Target: Named>,
{
    let noun = R::Target::NOUN;
    let typed = name.split_once(':').and_then(|(prefix, rest)| {
        let form = FORMS.iter().find(|(_, word)| *word == prefix)?;
        Some((form.0, rest))
    });
    let means = |item: &&R| match typed {
        Some((form, name)) => has(&***item, form, name),
        None => FORMS.iter().any(|(form, _)| has(&***item, *form, name)),
    };
    let mut found = items.iter().filter(means);
    let item = found.next().with_context(|| {
        format!("no such {noun}: `{name}`; `tenterhook {noun} list` lists them")
    })?;
    if found.next().is_some() {
        let is_id = items.iter().any(|item| has(&**item, Form::Id, name));
        let form = if is_id { "id" } else { "number" };
        anyhow::bail!(
            "`{name}` is ambiguous: it is the {form} of one {noun} and the name of another; say `{form}:{name}` \
             or `name:{name}`"
        );
    }
    Ok(item)
}

fn has(item: &(impl Named + ?Sized), form: Form, name: &str) -> bool {
    match form {
        Form::Id => item.id().eq_ignore_ascii_case(name),
        Form::Number => item.number().is_some_and(|n| n.to_string() == name),
        Form::Name => item.name() == Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str, number: i32, name: &str) -> Box<Account> {
        Box::new(Account {
            id: id.into(),
            number,
            name: name.into(),
            hooks_enabled: true,
            created_at: String::new(),
        })
    }

    #[test]
    fn an_item_is_named_by_its_id_its_number_or_its_name() {
        let items = [account("a1", 7, "x"), account("b2", 9, "8")];
        let id = |name| find_named(&items, name).map(|item| item.id.clone());
        assert_eq!(id("A1").unwrap(), "a1");
        assert_eq!(id("7").unwrap(), "a1");
        assert_eq!(id("x").unwrap(), "a1");
        let error = id("y").unwrap_err().to_string();
        assert!(error.contains("tenterhook account list"), "{error}");
    }

    #[test]
    fn a_name_that_is_another_items_number_needs_a_prefix() {
        let items = [
            account("a1", 7, "x"),
            account("b2", 8, "7"),
            account("c3", 9, "a1"),
        ];
        let id = |name| find_named(&items, name).map(|item| item.id.clone());
        let error = id("7").unwrap_err().to_string();
        assert!(error.contains("`number:7` or `name:7`"), "{error}");
        let error = id("a1").unwrap_err().to_string();
        assert!(error.contains("`id:a1` or `name:a1`"), "{error}");
        assert_eq!(id("number:7").unwrap(), "a1");
        assert_eq!(id("name:7").unwrap(), "b2");
        assert_eq!(id("id:a1").unwrap(), "a1");
        assert_eq!(id("name:a1").unwrap(), "c3");
    }

    #[test]
    fn a_login_is_named_only_by_its_id() {
        let token = |id: &str, kind| {
            Box::new(Token {
                id: id.into(),
                account: String::new(),
                principal: String::new(),
                name: "ci".into(),
                role: tenterhook_wire::Role::Member,
                kind,
                parent: None,
                created_at: String::new(),
                expires_at: None,
                used_at: None,
            })
        };
        let items = [
            token("a1", TokenKind::Session),
            token("b2", TokenKind::Issued),
        ];
        let id = |name| find_named(&items, name).map(|item| item.id.clone());
        assert_eq!(id("ci").unwrap(), "b2");
        assert_eq!(id("a1").unwrap(), "a1");
    }
}
