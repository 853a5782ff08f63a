//! The two streams that a script writes to.

/// Standard output or standard error; the number is its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Stream {
    /// Descriptor 1.
    Stdout = 1,
    /// Descriptor 2.
    Stderr = 2,
}

/// Takes what a script writes, at once and in order.
pub type Sink<'a> = &'a (dyn Fn(Stream, &[u8]) + Send + Sync);
