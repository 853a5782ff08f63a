//! Finds clients on the storage network that have no business there.
//!
//! Event:      OnDhcpLeaseUpdate
//! Parameters: operation, mac, ip, hostname
//! Settings:   ALLOWED, in the hook's own environment: hardware addresses or their
//!             beginnings, such as a vendor's "52:54:00", with spaces between; octets
//!             are separated by ":" or "-", in small or capital letters.
//! Leaves:     a verdict that says no for an unknown client. Its lease is given by
//!             then; whatever asked for the verdict has to block the port.

const std = @import("std");
const Hook = @import("tenterhook.zig").Hook;

/// A hardware address: six octets.
const Address = [6]u8;

pub fn main(init: std.process.Init) !void {
    const hook = Hook.open(init);
    const operation = hook.param("operation") orelse "";
    if (std.mem.eql(u8, operation, "del")) return hook.allow();

    const text = hook.param("mac") orelse "";
    const ip = hook.param("ip") orelse "an unknown address";
    var mac: Address = undefined;
    if (octets(text, &mac) != mac.len) {
        return hook.deny("the client of {s} has no hardware address: \"{s}\"", .{ ip, text });
    }

    var words = std.mem.tokenizeScalar(u8, hook.variable("ALLOWED") orelse "", ' ');
    while (words.next()) |word| {
        var allowed: Address = undefined;
        const count = octets(word, &allowed) orelse {
            // A typing error must not lock out everybody else.
            try hook.log(.warn, "ALLOWED holds what is no address: {s}", .{word});
            continue;
        };
        if (std.mem.startsWith(u8, &mac, allowed[0..count])) {
            try hook.print("{s} has {s}, allowed by {s}", .{ text, ip, word });
            return hook.allow();
        }
    }

    const name = hook.param("hostname") orelse "a client without a name";
    try hook.log(.warn, "{s} ({s}) took {s} and is not allowed", .{ text, name, ip });
    try hook.deny("{s} is on no list", .{text});
}

/// Parses octets such as `52:54:00`; returns their number, null if `text` is something
/// else.
fn octets(text: []const u8, out: *Address) ?usize {
    if (text.len == 0) return null;
    var count: usize = 0;
    var parts = std.mem.splitAny(u8, text, ":-");
    while (parts.next()) |part| : (count += 1) {
        if (count == out.len or part.len != 2) return null;
        for (part) |c| if (!std.ascii.isHex(c)) return null;
        out[count] = std.fmt.parseInt(u8, part, 16) catch return null;
    }
    return count;
}
