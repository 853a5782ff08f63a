// Forbids {{event}} when {{member}} is on the list PROTECTED.

import { allow, deny, log, param, variables } from "./tenterhook";

function main(): void {
  const value = param("{{member}}");
  if (value === null) {
    log("error", "the event does not tell {{member}}");
    return deny("the event does not tell {{member}}");
  }
  const list = variables().has("PROTECTED") ? variables().get("PROTECTED") : "";
  if (list.split(" ").includes(value)) {
    deny("{{member}} " + value + " is protected");
  } else {
    allow();
  }
}

main();
