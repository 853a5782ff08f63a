// Forbids {{event}} when {{member}} is on the list PROTECTED.

import { allow, deny, hook, param, variables } from "./tenterhook.js";

export const run = hook(() => {
  const value = param("{{member}}");
  if (value === undefined) throw new Error("the event does not tell {{member}}");
  const list = (variables().PROTECTED ?? "").split(" ");
  if (list.includes(value)) deny(`{{member}} ${value} is protected`);
  else allow();
});
