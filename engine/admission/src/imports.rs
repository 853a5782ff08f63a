//! What a program may import, by name. Any other import is refused by its name.

/// Namespaces of WASI for core modules.
const MODULE_NAMESPACES: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

/// Functions of WASI preview 1 that can be linked. Those of sockets fail when they are called.
const PREVIEW1: [&str; 46] = [
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_advise",
    "fd_allocate",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "fd_read",
    "fd_readdir",
    "fd_renumber",
    "fd_seek",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "poll_oneoff",
    "proc_exit",
    "proc_raise",
    "random_get",
    "sched_yield",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];

/// Packages of WASI 0.2 that components may import.
const PACKAGES: [&str; 6] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

/// Interfaces that components may import although they give nothing: sending a request fails
/// when it is called.
const DENIED: [&str; 2] = ["wasi:http/types@", "wasi:http/outgoing-handler@"];

/// Returns whether a core module may import this function.
pub(crate) fn module_may_import(namespace: &str, name: &str) -> bool {
    MODULE_NAMESPACES.contains(&namespace) && PREVIEW1.contains(&name)
}

/// Returns whether a core module that imports this function works on files.
pub(crate) fn is_about_files(name: &str) -> bool {
    name.starts_with("path_") || name.starts_with("fd_prestat")
}

/// Returns whether a component may import this interface.
pub(crate) fn component_may_import(interface: &str) -> bool {
    let mut known = PACKAGES.iter().chain(&DENIED);
    known.any(|start| interface.starts_with(start)) && interface.contains("@0.2.")
}
