// The interface of a hook in JavaScript: its event, parameters, log lines and verdict.

import { getEnvironment } from "wasi:cli/environment@0.2.0";
import { getStdout } from "wasi:cli/stdout@0.2.0";
import { getStderr } from "wasi:cli/stderr@0.2.0";
import { getDirectories } from "wasi:filesystem/preopens@0.2.0";

const CHUNK = 4096; // bytes that one write to a stream takes at most

/** The environment variables that were set for the hook. */
export function variables() {
  return Object.fromEntries(getEnvironment());
}

/**
 * One of the hook point's parameters by its documented name, such as "sizeBytes",
 * as text; undefined if the event does not have it. Values that are not text are JSON.
 */
export function param(name) {
  const words = name.replace(/([a-z0-9])(?=[A-Z])/g, "$1_");
  return variables()["HOOK_PARAM_" + words.replace(/[^A-Za-z0-9]/g, "_").toUpperCase()];
}

/** The whole event, an object. */
export function event() {
  return JSON.parse(readFile("event.json"));
}

/** Prints a line to standard output. */
export function print(text) {
  write(getStdout(), text + "\n");
}

/** Writes a line to the execution's log. `level`: trace, debug, info, warn, error. */
export function log(level, message, fields = {}) {
  write(getStderr(), JSON.stringify({ level, message, ...fields }) + "\n");
}

/** Allows the event; `details` are added to the verdict. */
export function allow(details = {}) {
  answer({ allow: true, ...details });
}

/**
 * Denies the event, for a reason. This is not a failure: return as usual.
 */
export function deny(reason, details = {}) {
  answer({ allow: false, reason, ...details });
}

/** Writes any other verdict. */
export function answer(verdict) {
  writeFile("verdict.json", JSON.stringify(verdict));
}

/**
 * Turns a function into the program. An exception becomes a line of the log and exit
 * status 1.
 */
export function hook(body) {
  return {
    run() {
      try {
        body();
      } catch (error) {
        log("error", String(error), { at: error?.stack?.trim().split("\n")[0] });
        throw undefined; // ends the program with status 1
      }
    },
  };
}

function readFile(path) {
  const [[root]] = getDirectories();
  const file = root.openAt({}, path, {}, { read: true });
  let text = "";
  for (let at = 0, end = false; !end; ) {
    const [chunk, last] = file.read(CHUNK, at);
    text += String.fromCharCode(...chunk);
    at += chunk.length;
    end = last || chunk.length === 0;
  }
  return fromUtf8(text);
}

function writeFile(path, text) {
  const [[root]] = getDirectories();
  const file = root.openAt({}, path, { create: true, truncate: true }, { write: true });
  const bytes = toUtf8(text);
  for (let at = 0; at < bytes.length; ) {
    // A count of 64 bits is a number in QuickJS, and a BigInt in SpiderMonkey.
    at += Number(file.write(bytes.subarray(at), at));
  }
}

function write(stream, text) {
  const bytes = toUtf8(text);
  for (let at = 0; at < bytes.length; at += CHUNK) {
    stream.blockingWriteAndFlush(bytes.subarray(at, at + CHUNK));
  }
}

// QuickJS has neither TextEncoder nor TextDecoder. What it has turns text into UTF-8
// with an escape such as %C3 for each byte, and back.

function toUtf8(text) {
  const bytes = unescape(encodeURIComponent(text.toWellFormed()));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}

function fromUtf8(bytes) {
  return decodeURIComponent(escape(bytes));
}
