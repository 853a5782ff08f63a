// Judges each entry of the audit log by a list of rules, and raises alerts.
//
// Event:      OnAudit
// Parameters: time, operation, username, ip, method, status, endpoint
// Settings:   NETWORKS, in the hook's own environment: beginnings of the addresses
//             that operators come from, with spaces between; ROBOTS, users that are
//             programs and may work at night.
// Leaves:     a verdict {"allow": true, "alerts": [{"rule", "severity", "text"}]}, and
//             a log line for each alert. It never says no: the entry is about what
//             has already happened.

import { allow, event, hook, log, print, variables } from "./tenterhook.js";

const words = (text) => (text ?? "").split(" ").filter((word) => word !== "");
const succeeded = (entry) => entry.status >= 200 && entry.status < 300;
const changes = (entry) => !["GET", "HEAD", "OPTIONS"].includes(entry.method);

/** The hour of a timestamp in UTC; undefined if it is none. */
const hourOf = (time) => {
  const read = new Date(time);
  return Number.isNaN(read.getTime()) ? undefined : read.getUTCHours();
};

// To add a rule, add a line: `when` looks at an entry and at the settings.
const RULES = [
  {
    rule: "deletion",
    severity: "high",
    when: (entry) => entry.method === "DELETE" && succeeded(entry),
    text: (entry) => `${entry.username} deleted ${entry.endpoint}`,
  },
  {
    rule: "refused",
    severity: "medium",
    when: (entry) => entry.status === 401 || entry.status === 403,
    text: (entry) => `${entry.username} was refused ${entry.method} ${entry.endpoint}`,
  },
  {
    rule: "foreign-address",
    severity: "high",
    when: (entry, { networks }) =>
      networks.length > 0 && !networks.some((network) => entry.ip.startsWith(network)),
    text: (entry) => `${entry.username} came from ${entry.ip}`,
  },
  {
    rule: "at-night",
    severity: "low",
    when: (entry, { robots }) => {
      const hour = hourOf(entry.time);
      const night = hour !== undefined && (hour < 6 || hour >= 20);
      return night && changes(entry) && !robots.includes(entry.username);
    },
    text: (entry) => `${entry.username} worked at ${entry.time}`,
  },
];

/** The entry with every member of the type that the rules count on. */
function entryOf(data) {
  const text = (value) => (typeof value === "string" ? value.slice(0, 200) : "?");
  return {
    time: text(data.time),
    username: text(data.username),
    ip: text(data.ip),
    method: text(data.method).toUpperCase(),
    endpoint: text(data.endpoint),
    status: Number(data.status) || 0,
  };
}

export const run = hook(() => {
  const { NETWORKS, ROBOTS } = variables();
  const settings = { networks: words(NETWORKS), robots: words(ROBOTS) };
  const entry = entryOf(event().data ?? {});
  const alerts = RULES.filter((rule) => rule.when(entry, settings)).map(
    ({ rule, severity, text }) => ({ rule, severity, text: text(entry) }),
  );
  for (const { rule, severity, text } of alerts) {
    print(`${severity}: ${text}`);
    log(severity === "low" ? "info" : "warn", text, { rule });
  }
  allow({ alerts });
});
