//! Which addresses may be sent to.

/// Which addresses may be sent to. What a name resolves to is judged, each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Destinations {
    /// Those that are reachable from everywhere. Private, loopback, link-local,
    /// shared, reserved and multicast ones are refused.
    #[default]
    Public,
    /// All: the operator knows what is in the network.
    All,
}
