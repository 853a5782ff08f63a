//! The names that this API has for the dispatcher's values, in both directions.

use tenterhook_delivery::Status;
use tenterhook_dispatch as dispatch;
use tenterhook_engine as engine;
use tenterhook_wire::{DeliveryStatus, FailurePolicy, Kind, Role, State, TokenKind};

pub(super) fn role(own: dispatch::Role) -> Role {
    match own {
        dispatch::Role::Viewer => Role::Viewer,
        dispatch::Role::Member => Role::Member,
        dispatch::Role::Admin => Role::Admin,
        dispatch::Role::Owner => Role::Owner,
    }
}

pub(super) fn read_role(given: Role) -> dispatch::Role {
    match given {
        Role::Viewer => dispatch::Role::Viewer,
        Role::Member => dispatch::Role::Member,
        Role::Admin => dispatch::Role::Admin,
        Role::Owner => dispatch::Role::Owner,
    }
}

pub(super) fn policy(own: dispatch::FailurePolicy) -> FailurePolicy {
    match own {
        dispatch::FailurePolicy::Open => FailurePolicy::Open,
        dispatch::FailurePolicy::Closed => FailurePolicy::Closed,
    }
}

pub(super) fn read_policy(given: FailurePolicy) -> dispatch::FailurePolicy {
    match given {
        FailurePolicy::Open => dispatch::FailurePolicy::Open,
        FailurePolicy::Closed => dispatch::FailurePolicy::Closed,
    }
}

pub(super) fn state(own: dispatch::State) -> State {
    match own {
        dispatch::State::Waiting => State::Waiting,
        dispatch::State::Running => State::Running,
        dispatch::State::Finished => State::Finished,
        dispatch::State::Failed => State::Failed,
        dispatch::State::Canceled => State::Canceled,
    }
}

pub(super) fn kind(own: engine::Kind) -> Kind {
    match own {
        engine::Kind::Script => Kind::Script,
        engine::Kind::Module => Kind::Module,
        engine::Kind::Component => Kind::Component,
    }
}

pub(super) fn token_kind(own: dispatch::TokenKind) -> TokenKind {
    match own {
        dispatch::TokenKind::Issued => TokenKind::Issued,
        dispatch::TokenKind::Session => TokenKind::Session,
    }
}

pub(super) fn delivery_status(own: Status) -> DeliveryStatus {
    match own {
        Status::Waiting => DeliveryStatus::Waiting,
        Status::Delivered => DeliveryStatus::Delivered,
        Status::Failed => DeliveryStatus::Failed,
    }
}
