//! A hook that misspells a parameter.

use tenterhook_sdk::{Hook, NoParameter, hook};

#[hook]
fn guard(hook: &Hook) -> Result<(), NoParameter> {
    println!("{}", hook.param("sizeByte")?);
    Ok(())
}
