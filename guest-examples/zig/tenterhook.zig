//! The interface of a hook in Zig: its event, parameters, log lines and verdict.

const std = @import("std");

/// Largest event that is read, in bytes.
const event_max_bytes = 1 << 20;

pub const Level = enum { trace, debug, info, warn, @"error" };

/// One run of a hook. Memory comes from the run's arena and is never given back:
/// the run is short, and its sandbox goes with it.
pub const Hook = struct {
    init: std.process.Init,
    arena: std.mem.Allocator,

    pub fn open(init: std.process.Init) Hook {
        return .{ .init = init, .arena = init.arena.allocator() };
    }

    /// The value of one of the hook point's parameters by its documented name, such
    /// as `sizeBytes`; null if the event does not have it. Values that are not text are JSON.
    pub fn param(hook: Hook, name: []const u8) ?[]const u8 {
        const prefix = "HOOK_PARAM_";
        var key: [128]u8 = prefix.* ++ @as([128 - prefix.len]u8, @splat(0));
        var end: usize = prefix.len;
        var lower_before = false;
        for (name) |c| {
            if (end + 2 > key.len) return null;
            if (std.ascii.isUpper(c) and lower_before) {
                key[end] = '_';
                end += 1;
            }
            lower_before = std.ascii.isLower(c) or std.ascii.isDigit(c);
            key[end] = if (std.ascii.isAlphanumeric(c)) std.ascii.toUpper(c) else '_';
            end += 1;
        }
        return hook.variable(key[0..end]);
    }

    /// One of the environment variables that were set for the hook.
    pub fn variable(hook: Hook, name: []const u8) ?[]const u8 {
        return hook.init.environ_map.get(name);
    }

    /// The whole event, of which only the members named in `Event` are read.
    pub fn event(hook: Hook, comptime Event: type) !Event {
        const text = try hook.root().readFileAlloc(
            hook.init.io,
            "event.json",
            hook.arena,
            .limited(event_max_bytes),
        );
        return std.json.parseFromSliceLeaky(Event, hook.arena, text, .{
            .ignore_unknown_fields = true,
        });
    }

    /// Prints a line to standard output.
    pub fn print(hook: Hook, comptime format: []const u8, args: anytype) !void {
        const line = try std.fmt.allocPrint(hook.arena, format ++ "\n", args);
        try std.Io.File.stdout().writeStreamingAll(hook.init.io, line);
    }

    /// Writes a line to the execution's log.
    pub fn log(hook: Hook, level: Level, comptime format: []const u8, args: anytype) !void {
        const message = try std.fmt.allocPrint(hook.arena, format, args);
        const line = try hook.json(.{ .level = level, .message = message });
        try std.Io.File.stderr().writeStreamingAll(hook.init.io, line);
        try std.Io.File.stderr().writeStreamingAll(hook.init.io, "\n");
    }

    /// Allows the event.
    pub fn allow(hook: Hook) !void {
        try hook.answer(.{ .allow = true });
    }

    /// Denies the event, for a reason. This is not a failure: return from `main` as usual.
    pub fn deny(hook: Hook, comptime format: []const u8, args: anytype) !void {
        const reason = try std.fmt.allocPrint(hook.arena, format, args);
        try hook.answer(.{ .allow = false, .reason = reason });
    }

    /// Writes any other verdict, a struct.
    pub fn answer(hook: Hook, verdict: anytype) !void {
        const text = try hook.json(verdict);
        try hook.root().writeFile(hook.init.io, .{ .sub_path = "verdict.json", .data = text });
    }

    fn json(hook: Hook, value: anytype) ![]const u8 {
        return std.json.Stringify.valueAlloc(hook.arena, value, .{});
    }

    /// The hook's file system: its root is the first folder that a guest is given.
    fn root(_: Hook) std.Io.Dir {
        return std.Io.Dir.cwd();
    }
};
