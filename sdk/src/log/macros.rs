//! The macros for logging.

/// Logs every step; see [`info!`](crate::info).
#[macro_export]
macro_rules! trace {
    ($($line:tt)*) => { $crate::__log!(Trace, $($line)*) };
}

/// Logs what helps to debug a hook; see [`info!`](crate::info).
#[macro_export]
macro_rules! debug {
    ($($line:tt)*) => { $crate::__log!(Debug, $($line)*) };
}

/// Logs what an operator may want to know.
///
/// Takes a message, then fields: a name and any value that serde can serialize. A literal
/// message may contain variables in braces; any other expression is printed by its
/// `Display`. Fields are evaluated only if the line is printed, and not moved.
///
/// ```
/// use tenterhook_sdk::{events::PreFormatDisk, info, testing::Case};
///
/// fn hook(disk: PreFormatDisk) {
///     let host = &disk.hostname;
///     info!("a disk of {host} is about to be formatted", device = disk.device, bytes = disk.size_bytes);
/// }
///
/// let outcome = Case::sample::<PreFormatDisk>().run(hook);
/// assert_eq!(
///     outcome.log[0].to_string(),
///     r#"INFO  a disk of node-3 is about to be formatted bytes=4000787030016 device="/dev/sdc""#
/// );
/// ```
///
/// The names `level` and `message` are the line's own:
///
/// ```compile_fail
/// tenterhook_sdk::info!("formatted", level = 3);
/// ```
#[macro_export]
macro_rules! info {
    ($($line:tt)*) => { $crate::__log!(Info, $($line)*) };
}

/// Logs what an operator should look at; see [`info!`](crate::info).
#[macro_export]
macro_rules! warn {
    ($($line:tt)*) => { $crate::__log!(Warn, $($line)*) };
}

/// Logs what went wrong; see [`info!`](crate::info). The hook continues.
#[macro_export]
macro_rules! error {
    ($($line:tt)*) => { $crate::__log!(Error, $($line)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $message:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::__log!(@ $level, ::core::format_args!($message) $(, $name = $value)*)
    };
    ($level:ident, $message:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::__log!(@ $level, $message $(, $name = $value)*)
    };
    (@ $level:ident, $message:expr $(, $name:ident = $value:expr)*) => {{
        $(const _: () = $crate::log::check_field(::core::stringify!($name));)*
        if $crate::log::enabled($crate::log::Level::$level) {
            $crate::log::write(
                $crate::log::Level::$level,
                &$message,
                &mut [$((::core::stringify!($name), $crate::log::value(&$value))),*],
            );
        }
    }};
}
