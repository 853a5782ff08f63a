//! The rows of the ledger in the page of metrics: what tenants share, and how much is
//! left.

use tenterhook_ledger::Level;

use super::{Kind, Page};

impl Page {
    /// Adds how many steps of connections wait for their turn.
    pub(crate) fn write_turns(&mut self, waiting: u64) {
        let name = "tenterhook_http_turns_waiting";
        let help = "Steps of connections that wait until others have been served as long as they.";
        self.family(name, Kind::Gauge, help);
        self.sample(&[], waiting);
    }

    /// Adds the rows of the ledger to the page. What has no bound has no total.
    pub(crate) fn write_levels(&mut self, levels: &[Level]) {
        type Value = fn(&Level) -> Option<u64>;
        let families: [(&str, Kind, &str, Value); 9] = [
            (
                "total",
                Kind::Gauge,
                "How much there is of what tenants share; bytes or pieces.",
                |level| (level.total < u64::MAX).then_some(level.total),
            ),
            (
                "reserve",
                Kind::Gauge,
                "How much of it only the operator may use.",
                |level| (level.total < u64::MAX).then_some(level.reserve),
            ),
            (
                "newcomers",
                Kind::Gauge,
                "How much of it only an account may take that has less than its floor.",
                |level| (level.total < u64::MAX).then_some(level.newcomers),
            ),
            (
                "strangers_total",
                Kind::Gauge,
                "How much of it clients may hold together that have shown no token.",
                |level| (level.strangers_most < u64::MAX).then_some(level.strangers_most),
            ),
            ("taken", Kind::Gauge, "How much of it is held.", |level| {
                Some(level.taken)
            }),
            (
                "strangers_taken",
                Kind::Gauge,
                "How much of it clients hold that have shown no token.",
                |level| (level.strangers_most < u64::MAX).then_some(level.strangers),
            ),
            (
                "peak",
                Kind::Gauge,
                "The most that was held at one time.",
                |level| Some(level.peak),
            ),
            (
                "holders",
                Kind::Gauge,
                "How many hold some of it.",
                |level| u64::try_from(level.holders).ok(),
            ),
            (
                "refused_total",
                Kind::Counter,
                "How often a request was refused for lack of it; it then waits or fails.",
                |level| Some(level.refused),
            ),
        ];
        for (name, kind, help, value) in families {
            let name = format!("tenterhook_shared_{name}");
            self.family(name, kind, help);
            for level in levels {
                if let Some(value) = value(level) {
                    self.sample(&[("resource", level.resource.as_str())], value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tenterhook_ledger::{Amounts, Capacities, Capacity, Holder, Ledger, Resource, Strangers};

    use super::*;

    #[test]
    fn every_row_of_the_ledger_is_printed_and_unbounded_ones_have_no_total() {
        let strangers = Strangers {
            kept: 6,
            most: 25,
            floor: 1,
        };
        let capacity = Capacity::of(100)
            .with_reserve(10)
            .with_strangers(strangers)
            .with_floor(3);
        let ledger = Ledger::new(Capacities::default().with(Resource::Memory, capacity));
        let _guard = ledger
            .take(Holder::Account(1), Amounts::of(Resource::Memory, 40))
            .unwrap();
        let _refused = ledger
            .take(Holder::Account(1), Amounts::of(Resource::Memory, 40))
            .unwrap_err();
        let mut page = Page::default();
        page.write_levels(&ledger.levels());
        let page = page.write();
        for line in [
            "tenterhook_shared_total{resource=\"memory\"} 100",
            "tenterhook_shared_reserve{resource=\"memory\"} 10",
            "tenterhook_shared_newcomers{resource=\"memory\"} 12",
            "tenterhook_shared_strangers_total{resource=\"memory\"} 25",
            "tenterhook_shared_taken{resource=\"memory\"} 40",
            "tenterhook_shared_strangers_taken{resource=\"memory\"} 0",
            "tenterhook_shared_holders{resource=\"memory\"} 1",
            "tenterhook_shared_refused_total{resource=\"memory\"} 1",
        ] {
            assert!(page.lines().any(|own| own == line), "{line}\n{page}");
        }
        assert!(!page.contains("shared_total{resource=\"disk\"}"), "{page}");
        for resource in Resource::ALL {
            let line = format!("tenterhook_shared_taken{{resource=\"{resource}\"}}");
            assert!(page.contains(&line), "{line}\n{page}");
        }
    }
}
