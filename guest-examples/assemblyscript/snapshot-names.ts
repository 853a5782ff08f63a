// Holds snapshots to a naming rule, and says how long each is kept.
//
// Event:      OnRbdSnapshotComplete
// Parameters: pool, namespace, image, snapshot
// Settings:   KEEP, in the hook's own environment: kinds of snapshots and for how many
//             days each is kept (default: hourly=2 daily=14 weekly=90); FOREVER, images
//             such as "vm/golden" whose snapshots never expire.
// Leaves:     a verdict {"allow": true, "kind", "expires"}, or the reason why the name
//             breaks the rule: KIND-YYYY-MM-DD, with anything behind it.

import { answer, deny, log, param, quote, variables } from "./tenterhook";

const MILLISECONDS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/** Longest time that a snapshot is kept, in days; a larger setting is a typing error. */
const KEEP_MAX_DAYS: i32 = 36_500;

function setting(name: string, otherwise: string): string {
  return variables().has(name) ? variables().get(name) : otherwise;
}

function digits(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 48 || c > 57) return false;
  }
  return text.length > 0;
}

/** The days that snapshots of a kind are kept; -1 for a kind without a rule. */
function daysOf(kind: string): i32 {
  const rules = setting("KEEP", "hourly=2 daily=14 weekly=90").split(" ");
  for (let i = 0; i < rules.length; i++) {
    const equals = rules[i].indexOf("=");
    if (equals < 1 || rules[i].substring(0, equals) != kind) continue;
    const days = rules[i].substring(equals + 1);
    if (digits(days) && days.length <= 5 && I32.parseInt(days) <= KEEP_MAX_DAYS) {
      return I32.parseInt(days);
    }
    log("warn", "KEEP holds what is no number of days: " + rules[i]);
  }
  return -1;
}

/** The time of a date such as 2026-03-10, in milliseconds; -1 if there is no such day. */
function timeOf(date: string): i64 {
  const parts = date.split("-");
  if (parts.length != 3 || date.length != 10 || parts[0].length != 4 || parts[1].length != 2) return -1;
  for (let i = 0; i < 3; i++) if (!digits(parts[i])) return -1;
  const year = I32.parseInt(parts[0]);
  const month = I32.parseInt(parts[1]);
  const day = I32.parseInt(parts[2]);
  if (year < 1970 || month < 1 || month > 12 || day < 1) return -1;
  const time = Date.UTC(year, month - 1, day);
  // 30 February is 2 March: no day of its month.
  return new Date(time).getUTCDate() == day ? time : -1;
}

function main(): void {
  const snapshot = param("snapshot");
  if (snapshot === null) return deny("the event names no snapshot");

  const dash = snapshot.indexOf("-");
  const kind = dash < 0 ? snapshot : snapshot.substring(0, dash);
  const days = daysOf(kind);
  if (days < 0) return deny("no rule keeps " + quote(kind) + " snapshots");
  const taken = timeOf(snapshot.substring(dash + 1, dash + 11));
  if (dash < 0 || taken < 0) return deny(quote(snapshot) + " does not begin with " + kind + "-YYYY-MM-DD");

  const pool = param("pool");
  const image = (pool === null ? "" : pool) + "/" + (param("image") || "");
  const name = image + "@" + snapshot;
  if (setting("FOREVER", "").split(" ").includes(image)) {
    log("info", name + " is kept for ever");
    return answer('{"allow":true,"kind":' + quote(kind) + ',"expires":null}');
  }
  const expires = new Date(taken + i64(days) * MILLISECONDS_PER_DAY).toISOString().substring(0, 10);
  log("info", name + " may go on " + expires);
  answer('{"allow":true,"kind":' + quote(kind) + ',"expires":' + quote(expires) + "}");
}

main();
