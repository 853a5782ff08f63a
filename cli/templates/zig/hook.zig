//! Forbids {{event}} when {{member}} is on the list PROTECTED.

const std = @import("std");
const Hook = @import("tenterhook.zig").Hook;

pub fn main(init: std.process.Init) !void {
    const hook = Hook.open(init);
    const value = hook.param("{{member}}") orelse return error.EventDoesNotTellIt;
    var list = std.mem.tokenizeScalar(u8, hook.variable("PROTECTED") orelse "", ' ');
    while (list.next()) |word| {
        if (std.mem.eql(u8, word, value)) return hook.deny("{{member}} {s} is protected", .{value});
    }
    try hook.allow();
}
