//! How limits meet: for any three sets of them, what a run gets is never more
//! than is allowed.

use std::time::Duration;

use proptest::prelude::*;
use tenterhook_engine::{AskedLimits, Limits};

prop_compose! {
    fn limits()(
        fuel in 1..=u64::MAX,
        memory in 1..=u64::MAX,
        wall_ms in 1..=u64::from(u32::MAX),
        output in 1..=u64::MAX,
        files in 1..=u64::MAX,
        inodes in 1..=u32::MAX,
        descriptors in 1..=u32::MAX,
    ) -> Limits {
        Limits { fuel, memory, wall: Duration::from_millis(wall_ms), output, files, inodes, descriptors }
    }
}

prop_compose! {
    fn asked()(
        fuel in any::<Option<u64>>(),
        memory_bytes in any::<Option<u64>>(),
        wall_ms in any::<Option<u64>>(),
        output_bytes in any::<Option<u64>>(),
        files_bytes in any::<Option<u64>>(),
        inodes in any::<Option<u32>>(),
        descriptors in any::<Option<u32>>(),
    ) -> AskedLimits {
        AskedLimits { fuel, memory_bytes, wall_ms, output_bytes, files_bytes, inodes, descriptors }
    }
}

/// All bounds as numbers.
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

/// All bounds that are asked for, as numbers.
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
    fn what_is_asked_for_is_granted_whole_or_refused_by_name(
        asked in asked(), defaults in limits(), ceiling in limits()
    ) {
        let wanted = asked_figures(&asked).into_iter().zip(figures(&defaults)).zip(figures(&ceiling));
        let too_much = wanted.clone().any(|((asked, _), ceiling)| asked.is_some_and(|asked| asked == 0 || asked > ceiling));
        match asked.resolve(&defaults, &ceiling) {
            Err(over) => {
                prop_assert!(too_much);
                prop_assert!(over.asked == 0 || over.asked > over.ceiling);
            }
            Ok(granted) => {
                prop_assert!(!too_much);
                for (granted, ((asked, default), ceiling)) in figures(&granted).into_iter().zip(wanted) {
                    prop_assert_eq!(granted, asked.unwrap_or(default.min(ceiling)));
                }
            }
        }
    }

    #[test]
    fn the_shipped_defaults_lie_within_the_ceiling(asked in asked()) {
        if let Ok(granted) = asked.resolve(&Limits::default(), &Limits::ceiling()) {
            prop_assert_eq!(&granted.within(&Limits::ceiling()), &granted);
        }
    }

    #[test]
    fn asked_limits_survive_json(asked in asked()) {
        let json = serde_json::to_string(&asked).unwrap();
        prop_assert_eq!(serde_json::from_str::<AskedLimits>(&json).unwrap(), asked);
    }
}
