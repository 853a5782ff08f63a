// The interface of a hook in AssemblyScript: its event, parameters, log lines and verdict.
//
// The compiler has no bindings for WASI, so the calls that are needed are declared here. Compile
// with `--exportStart _start --use abort=tenterhook/abort`.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_open")
declare function path_open(
  folder: i32, lookup: i32, path: usize, length: usize, open: i32,
  rights: u64, inheriting: u64, flags: i32, file: usize,
): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(file: i32, pieces: usize, count: usize, done: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(file: i32, pieces: usize, count: usize, done: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_close")
declare function fd_close(file: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environ_sizes_get(count: usize, bytes: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
declare function environ_get(places: usize, bytes: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(status: i32): void;

/** The root of the hook's file system: the first folder that a guest is given. */
const ROOT: i32 = 3;
const CREATE_AND_TRUNCATE: i32 = 1 | 8;
const RIGHT_TO_READ: u64 = 1 << 1;
const RIGHT_TO_WRITE: u64 = 1 << 6;

/** Largest event that is read, in bytes. */
const EVENT_MAX_BYTES: i32 = 1 << 20;

/** Where calls put their results: a piece's address and length, and a count. */
const scratch = memory.data(16);

/**
 * One of the hook point's parameters by its documented name, such as "sizeBytes";
 * null if the event does not have it. Values that are not text are JSON.
 */
export function param(name: string): string | null {
  let variable = "HOOK_PARAM_";
  let lowerBefore = false;
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    const upper = c >= 65 && c <= 90;
    const lower = (c >= 97 && c <= 122) || (c >= 48 && c <= 57);
    if (upper && lowerBefore) variable += "_";
    lowerBefore = lower;
    variable += upper || lower ? name.charAt(i).toUpperCase() : "_";
  }
  return variables().has(variable) ? variables().get(variable) : null;
}

let known: Map<string, string> | null = null;

/** The environment variables that were set for the hook. */
export function variables(): Map<string, string> {
  if (known !== null) return known!;
  const found = new Map<string, string>();
  environ_sizes_get(scratch, scratch + 4);
  const count = load<i32>(scratch);
  const places = changetype<usize>(new ArrayBuffer(4 * count));
  environ_get(places, changetype<usize>(new ArrayBuffer(load<i32>(scratch, 4))));
  for (let i = 0; i < count; i++) {
    const at = load<usize>(places + 4 * i);
    let end = at;
    while (load<u8>(end) != 0) end++;
    const line = String.UTF8.decodeUnsafe(at, end - at);
    const equals = line.indexOf("=");
    if (equals > 0) found.set(line.substring(0, equals), line.substring(equals + 1));
  }
  known = found;
  return found;
}

/** The whole event as JSON text; null if it cannot be read. */
export function event(): string | null {
  const file = open("event.json", 0, RIGHT_TO_READ);
  if (file < 0) return null;
  const bytes = new ArrayBuffer(EVENT_MAX_BYTES);
  let length = 0;
  while (length < EVENT_MAX_BYTES) {
    store<usize>(scratch, changetype<usize>(bytes) + length);
    store<usize>(scratch, EVENT_MAX_BYTES - length, 4);
    if (fd_read(file, scratch, 1, scratch + 8) != 0) break;
    const read = load<i32>(scratch, 8);
    if (read == 0) break;
    length += read;
  }
  fd_close(file);
  return String.UTF8.decodeUnsafe(changetype<usize>(bytes), length);
}

/** Prints a line to standard output. */
export function print(text: string): void {
  write(1, text + "\n");
}

/** Writes a line to the execution's log. `level`: trace, debug, info, warn, error. */
export function log(level: string, message: string): void {
  write(2, '{"level":' + quote(level) + ',"message":' + quote(message) + "}\n");
}

/** Allows the event. */
export function allow(): void {
  answer('{"allow":true}');
}

/** Denies the event, for a reason. This is not a failure: end as usual. */
export function deny(reason: string): void {
  answer('{"allow":false,"reason":' + quote(reason) + "}");
}

/** Writes any other verdict, a JSON object. */
export function answer(json: string): void {
  const file = open("verdict.json", CREATE_AND_TRUNCATE, RIGHT_TO_WRITE);
  assert(file >= 0, "the verdict cannot be written");
  write(file, json);
  fd_close(file);
}

/** Ends the hook when something is wrong with the program itself. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message === null ? "the program gave up" : message;
  const place = file === null ? "" : " at " + file + ":" + line.toString();
  log("error", what + place);
  proc_exit(1);
}

/** Text as JSON. */
export function quote(text: string): string {
  let out = '"';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 0x22 || c == 0x5c) out += "\\" + text.charAt(i);
    else if (c < 0x20) out += "\\u00" + (c < 16 ? "0" : "1") + (c & 15).toString(16);
    else out += text.charAt(i);
  }
  return out + '"';
}

function open(path: string, flags: i32, rights: u64): i32 {
  const name = String.UTF8.encode(path);
  const failed = path_open(
    ROOT, 0, changetype<usize>(name), name.byteLength, flags, rights, 0, 0, scratch,
  );
  return failed ? -1 : load<i32>(scratch);
}

function write(file: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  for (let at = 0; at < bytes.byteLength; at += load<i32>(scratch, 8)) {
    store<usize>(scratch, changetype<usize>(bytes) + at);
    store<usize>(scratch, bytes.byteLength - at, 4);
    if (fd_write(file, scratch, 1, scratch + 8) != 0) return;
  }
}
