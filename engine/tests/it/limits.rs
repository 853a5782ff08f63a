//! How limits are merged: for any three sets of them, a run never gets more than is
//! allowed.

use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use tenterhook_engine::{AskedLimits, Limits};

/// The fields of [`AskedLimits`], in the order in which they are checked.
const FIELDS: [&str; 7] = [
    "fuel",
    "memory_bytes",
    "wall_ms",
    "output_bytes",
    "files_bytes",
    "inodes",
    "descriptors",
];

/// Generates small values as often as any, so that they are equal or one apart.
fn long() -> impl Strategy<Value = u64> {
    prop_oneof![0..20_u64, any::<u64>()]
}

fn short() -> impl Strategy<Value = u32> {
    prop_oneof![0..20_u32, any::<u32>()]
}

prop_compose! {
    fn limits()(
        fuel in long().prop_map(|n| n.max(1)),
        memory in long().prop_map(|n| n.max(1)),
        wall_ms in short().prop_map(|n| u64::from(n.max(1))),
        output in long().prop_map(|n| n.max(1)),
        files in long().prop_map(|n| n.max(1)),
        inodes in short().prop_map(|n| n.max(1)),
        descriptors in short().prop_map(|n| n.max(1)),
    ) -> Limits {
        Limits { fuel, memory, wall: Duration::from_millis(wall_ms), output, files, inodes, descriptors }
    }
}

prop_compose! {
    fn asked()(
        fuel in option::of(long()),
        memory_bytes in option::of(long()),
        wall_ms in option::of(long()),
        output_bytes in option::of(long()),
        files_bytes in option::of(long()),
        inodes in option::of(short()),
        descriptors in option::of(short()),
    ) -> AskedLimits {
        AskedLimits { fuel, memory_bytes, wall_ms, output_bytes, files_bytes, inodes, descriptors }
    }
}

/// Returns all bounds as numbers.
fn figures(limits: &Limits) -> [u128; 7] {
    [
        limits.fuel.into(),
        limits.memory.into(),
        limits.wall.as_millis(),
        limits.output.into(),
        limits.files.into(),
        limits.inodes.into(),
        limits.descriptors.into(),
    ]
}

/// Returns all requested bounds as numbers.
fn asked_figures(asked: &AskedLimits) -> [Option<u128>; 7] {
    [
        asked.fuel.map(u128::from),
        asked.memory_bytes.map(u128::from),
        asked.wall_ms.map(u128::from),
        asked.output_bytes.map(u128::from),
        asked.files_bytes.map(u128::from),
        asked.inodes.map(u128::from),
        asked.descriptors.map(u128::from),
    ]
}

proptest! {
    #[test]
    fn the_stricter_of_two_is_never_above_either(a in limits(), b in limits()) {
        let both = a.within(&b);
        for ((both, a), b) in figures(&both).into_iter().zip(figures(&a)).zip(figures(&b)) {
            prop_assert!(both == a.min(b));
        }
        prop_assert_eq!(&both, &b.within(&a));
        prop_assert_eq!(&both.within(&a), &both);
    }

    #[test]
    fn a_requested_limit_is_granted_in_full_or_refused_by_name(
        asked in asked(), defaults in limits(), ceiling in limits()
    ) {
        let wanted = asked_figures(&asked).into_iter().zip(figures(&defaults)).zip(figures(&ceiling));
        let refused = wanted.clone().zip(FIELDS).find_map(|(((asked, _), ceiling), field)| {
            let asked = asked.filter(|asked| *asked == 0 || *asked > ceiling)?;
            Some((field, asked, ceiling))
        });
        match asked.resolve(&defaults, &ceiling) {
            Err(over) => {
                prop_assert_eq!(Some((over.field, over.asked.into(), over.ceiling.into())), refused);
            }
            Ok(granted) => {
                prop_assert_eq!(refused, None);
                for (granted, ((asked, default), ceiling)) in figures(&granted).into_iter().zip(wanted) {
                    prop_assert_eq!(granted, asked.unwrap_or(default.min(ceiling)));
                }
            }
        }
    }

    #[test]
    fn the_shipped_defaults_are_within_the_ceiling(asked in asked()) {
        if let Ok(granted) = asked.resolve(&Limits::default(), &Limits::ceiling()) {
            prop_assert_eq!(&granted.within(&Limits::ceiling()), &granted);
        }
    }

    #[test]
    fn requested_limits_survive_json(asked in asked()) {
        let json = serde_json::to_string(&asked).unwrap();
        prop_assert_eq!(serde_json::from_str::<AskedLimits>(&json).unwrap(), asked);
    }
}
