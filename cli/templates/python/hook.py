"""Forbids {{event}} when {{member}} is on the list PROTECTED."""

import tenterhook


@tenterhook.hook
def Run():
    value = tenterhook.param("{{member}}")
    if value is None:
        raise ValueError("the event does not tell {{member}}")
    if value in tenterhook.setting("PROTECTED", "").split():
        tenterhook.deny(f"{{member}} {value} is protected")
    else:
        tenterhook.allow()
