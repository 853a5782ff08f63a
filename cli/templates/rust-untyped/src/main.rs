//! Forbids {{event}} when {{member}} is on the list PROTECTED.

use tenterhook_sdk::{Hook, NoParameter, Verdict, hook};

#[hook]
fn guard(hook: &Hook) -> Result<Verdict, NoParameter> {
    let value = hook.param("{{member}}")?;
    let list = hook.variable("PROTECTED").unwrap_or_default();
    if list.split_whitespace().any(|word| word == value) {
        return Ok(Verdict::deny(format!("{{member}} {value} is protected")));
    }
    Ok(Verdict::allow())
}

#[cfg(test)]
mod tests {
    use tenterhook_sdk::testing::Case;

    use super::guard;

    #[test]
    fn what_is_protected_is_denied() {
        let case = Case::json(include_str!("../tests/denied.event.json"))
            .env("PROTECTED", "a {{protected}} b");
        let denied = "{{member}} {{protected}} is protected";
        assert_eq!(case.run(guard).denied(), Some(denied));
    }

    #[test]
    fn the_rest_is_allowed() {
        let case = Case::json(include_str!("../tests/allowed.event.json"))
            .env("PROTECTED", "a {{protected}} b");
        assert!(case.run(guard).allowed());
    }
}
