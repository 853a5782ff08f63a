//! One row of the catalog: an entry that is published, and the type of its events.

/// Declares the hook points of one interface.
///
/// A row is the type's name, the hook point's name, who runs its hooks (`None`: no server
/// in particular, `Each`: each server that a hook covers, `Lot`: one of them, chosen at
/// random) and when it fires; then for each parameter the field, its type, the member of
/// the event's `data`, what it holds, and a sample. A parameter whose type is an `Option`
/// is not in every event.
macro_rules! points {
    ($face:ident $(
        $name:ident $text:literal $servers:ident, $description:literal {
            $($field:ident: $type:ty = $member:literal $meaning:literal $sample:tt;)*
        }
    )*) => {
        pub(super) const POINTS: &[$crate::catalog::HookPoint] =
            &[$(<$name as $crate::typed::TypedEvent>::POINT),*];
        $(
            #[doc = $description]
            #[doc = ""]
            #[doc = concat!("The events of the hook point `", $text, "`.")]
            #[derive(Clone, Debug, PartialEq)]
            pub struct $name {
                $(
                    #[doc = concat!("`", $member, "`: ", $meaning, ".")]
                    pub $field: $type,
                )*
                /// Members of the event's `data` that the catalog does not document.
                pub other: serde_json::Map<String, serde_json::Value>,
            }

            impl $crate::typed::TypedEvent for $name {
                const POINT: $crate::catalog::HookPoint = $crate::catalog::HookPoint {
                    name: $text,
                    face: $crate::catalog::Face::$face,
                    can_choose_server: $crate::catalog::row::Servers::$servers.can_be_chosen(),
                    one_random_server: $crate::catalog::row::Servers::$servers.are_drawn(),
                    description: $description,
                    parameters: &[$($crate::catalog::Parameter {
                        name: $member,
                        description: $meaning,
                        kind: <$type as $crate::typed::Member>::KIND,
                        required: <$type as $crate::typed::Member>::REQUIRED,
                        sample: stringify!($sample),
                    }),*],
                };

                fn take(
                    fields: &mut $crate::typed::EventFields<'_>,
                ) -> Result<Self, $crate::typed::Unsuited> {
                    Ok(Self {
                        $($field: fields.take($member, $meaning)?,)*
                        other: fields.take_rest(),
                    })
                }

                fn into_data(self) -> serde_json::Map<String, serde_json::Value> {
                    #[allow(unused_mut, clippy::allow_attributes, reason = "some rows have no parameters")]
                    let mut data = self.other;
                    $(if let Some(value) = $crate::typed::Member::write(self.$field) {
                        data.insert($member.to_owned(), value);
                    })*
                    data
                }
            }
        )*
    };
}
pub(super) use points;

/// The column of the catalog's tables that determines who runs a hook.
pub(super) enum Servers {
    /// No server in particular.
    None,
    /// Each server that a hook covers.
    Each,
    /// One of them, chosen at random.
    Lot,
}

impl Servers {
    pub(super) const fn can_be_chosen(&self) -> bool {
        !matches!(self, Self::None)
    }

    pub(super) const fn are_drawn(&self) -> bool {
        matches!(self, Self::Lot)
    }
}
