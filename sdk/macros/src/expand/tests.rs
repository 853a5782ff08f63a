use super::*;

/// Returns the attribute's error for an item; empty if it accepts the item.
fn error_of(arguments: &str, item: &str) -> String {
    let arguments: TokenStream = arguments.parse().unwrap();
    let item: TokenStream = item.parse().unwrap();
    match parse(arguments, item) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// Returns what the attribute expands an item to, without spaces.
fn expanded(item: &str) -> String {
    let tokens = hook(TokenStream::new(), item.parse().unwrap());
    dense(&tokens.to_string())
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn functions_of_up_to_two_arguments_are_accepted_unchanged() {
    for item in [
        "fn guard() {}",
        "fn guard(event: Event) -> Verdict { todo!() }",
        "pub fn guard(Data(disk): Data<Disk>, hook: &Hook) -> Result<(), String> { Ok(()) }",
        "#[doc = \"x\"] fn guard<'h>(hook: &'h Hook) {}",
    ] {
        assert_eq!(error_of("", item), "", "{item}");
        let expanded = expanded(item);
        assert!(expanded.starts_with(&dense(item)), "{expanded}");
        assert!(
            expanded.contains("::tenterhook_sdk::run(guard)"),
            "{expanded}"
        );
    }
}

#[test]
fn the_types_are_checked_where_they_stand() {
    let text = expanded("fn guard(event: Event, hook: &Hook) -> Verdict { todo!() }");
    for check in [
        "check::argument::<Event>()",
        "check::argument::<&Hook>()",
        "check::answer::<Verdict>()",
    ] {
        assert!(text.contains(check), "{check}: {text}");
    }
}

#[test]
fn what_main_cannot_name_is_not_checked() {
    let text = expanded("fn guard<'h>(hook: &'h Hook) -> &'h str { todo!() }");
    assert!(!text.contains("check"), "{text}");
}

#[test]
fn wrong_use_says_what_to_write() {
    for (arguments, item, expected) in [
        ("event = \"OnAudit\"", "fn f() {}", "write `#[hook]`"),
        (
            "",
            "async fn f() {}",
            "cannot be `async`: remove the keyword",
        ),
        ("", "unsafe fn f() {}", "cannot be `unsafe`"),
        (
            "",
            "extern \"C\" fn f() {}",
            "is a plain function: `#[hook] fn",
        ),
        ("", "fn f<T>(event: T) {}", "cannot be generic"),
        ("", "fn f<const N: usize>() {}", "cannot be generic"),
        (
            "",
            "fn f(event: impl Sized) {}",
            "write the type in place of `impl …`",
        ),
        ("", "fn f(&self, event: Event) {}", "cannot be a method"),
        (
            "",
            "fn f(a: Event, b: &Hook, c: u8) {}",
            "at most two arguments",
        ),
        ("", "fn main() {}", "a name of its own, such as `guard`"),
        ("", "struct Guard;", "belongs on a function: `#[hook] fn"),
        ("", "impl Guard { fn f() {} }", "belongs on a function"),
        ("", "const GUARD: u8 = 1;", "belongs on a function"),
    ] {
        let error = error_of(arguments, item);
        assert!(error.contains(expected), "{item}: {error}");
    }
}

#[test]
fn a_refused_item_stays_so_that_nothing_else_seems_missing() {
    let text = expanded("async fn guard() {}");
    assert!(text.starts_with("asyncfnguard(){}"), "{text}");
    assert!(text.contains("compile_error!"), "{text}");
    assert!(text.ends_with("fnmain(){}"), "{text}");
    let text = expanded("fn main() {}");
    assert!(text.ends_with("\"}"), "{text}");
}

#[test]
fn no_tokens_panic() {
    for item in [
        "",
        "fn",
        "fn f(",
        "1 + 1",
        "#[x]",
        "fn f() -> ! { loop {} }",
        "fn f();",
    ] {
        if let Ok(item) = item.parse() {
            let _ = hook(TokenStream::new(), item).to_string();
        }
    }
}
