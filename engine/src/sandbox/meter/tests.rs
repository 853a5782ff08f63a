use proptest::prelude::*;

use super::slices::SLICE;
use super::*;

/// A model of a store and the guest code in it, as far as fuel is concerned.
struct Machine {
    meter: Meter,
    /// The store's fuel: how much of the slice is used, and what is beyond it.
    used: i64,
    behind: u64,
    /// The register in which guest code counts.
    register: i64,
    /// The expected values: what it has burnt, and what it has to pay for its calls.
    burnt: u64,
    prices: u128,
    calls: u64,
}

/// What guest code does.
#[derive(Clone, Debug)]
enum Step {
    /// Burns this much without checking whether it is there.
    Burn(u64),
    /// Begins a loop iteration or a function, where it checks.
    Check,
    /// The same, and the epoch has advanced.
    Tick,
    /// Returns from a function.
    Return,
    /// Calls the host, which owes this much for its work.
    Call(Vec<u64>),
    /// The same, and the host calls back, where the guest checks, burns, and calls.
    Nested(u64, u64),
    /// Calls the runtime itself, for memory for example.
    Ask,
}

fn step() -> impl Strategy<Value = Step> {
    let debt = || prop_oneof![4 => 0..10_000_u64, 1 => 0..3 * SLICE, 1 => any::<u64>()];
    let burn = || prop_oneof![0..200_u64, 0..SLICE, 0..3 * SLICE];
    prop_oneof![
        burn().prop_map(Step::Burn),
        Just(Step::Check),
        Just(Step::Tick),
        Just(Step::Return),
        prop::collection::vec(debt(), 0..3).prop_map(Step::Call),
        (burn(), 0..10_000_u64).prop_map(|(burn, debt)| Step::Nested(burn, debt)),
        Just(Step::Ask),
    ]
}

impl Machine {
    fn new(fuel: u64) -> Self {
        let meter = Meter::default();
        meter.slices.begin(fuel);
        let mut machine = Self {
            meter,
            used: 0,
            behind: 0,
            register: 0,
            burnt: 0,
            prices: 0,
            calls: 0,
        };
        machine.set(fuel);
        machine.register = machine.used;
        machine
    }

    fn held(&self) -> u64 {
        self.behind.saturating_add_signed(-self.used)
    }

    fn set(&mut self, fuel: u64) {
        let slice = fuel.min(SLICE);
        self.behind = fuel - slice;
        self.used = -i64::try_from(slice).unwrap();
    }

    fn cross(&mut self, hook: CallHook) -> Result<(), Spent> {
        if let Crossing::Reset(left) = self.meter.cross(hook, self.held())? {
            self.set(left);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), Spent> {
        if self.register < 0 {
            return Ok(());
        }
        self.used = self.register;
        self.cross(CallHook::CallingHost)?;
        let held = self.held();
        if held > 0 {
            self.set(held);
            // It yields, and is to continue.
            assert!(self.meter.goes_on());
        }
        self.cross(CallHook::ReturningFromHost)?;
        if held == 0 {
            return Err(Spent);
        }
        self.register = self.used;
        Ok(())
    }

    fn burn(&mut self, fuel: u64) {
        self.burnt += fuel;
        self.register += i64::try_from(fuel).unwrap();
    }

    fn owe(&mut self, debt: u64) {
        self.prices += u128::from(debt);
        self.meter.owe(debt);
    }

    fn call(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Spent>) -> Result<(), Spent> {
        self.used = self.register;
        self.calls += 1;
        self.prices += u128::from(CALL);
        self.cross(CallHook::CallingHost)?;
        work(self)?;
        self.cross(CallHook::ReturningFromHost)?;
        self.register = self.used;
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), Spent> {
        match step {
            Step::Burn(fuel) => self.burn(fuel),
            Step::Check => self.check()?,
            Step::Tick => {
                self.check()?;
                self.cross(CallHook::CallingHost)?;
                self.meter.take_tick();
                assert!(!self.meter.goes_on());
                self.cross(CallHook::ReturningFromHost)?;
            }
            Step::Return => self.used = self.register,
            Step::Call(debts) => self.call(|machine| {
                debts.into_iter().for_each(|debt| machine.owe(debt));
                Ok(())
            })?,
            Step::Nested(burn, debt) => self.call(|machine| {
                machine.owe(debt);
                machine.cross(CallHook::CallingWasm)?;
                machine.register = machine.used;
                machine.step(Step::Tick)?;
                machine.burn(burn);
                machine.call(|machine| {
                    machine.owe(debt);
                    Ok(())
                })?;
                machine.used = machine.register;
                machine.cross(CallHook::ReturningFromWasm)
            })?,
            Step::Ask => {
                self.calls += 1;
                self.prices += u128::from(CALL);
                self.cross(CallHook::CallingHost)?;
                self.cross(CallHook::ReturningFromHost)?;
            }
        }
        Ok(())
    }

    /// Takes all steps and ends the run.
    fn go(&mut self, steps: Vec<Step>) -> Result<(), Spent> {
        self.check()?;
        for step in steps {
            self.step(step)?;
        }
        self.used = self.register;
        self.cross(CallHook::ReturningFromWasm)
    }

    fn left(&self) -> u64 {
        self.meter.left(self.held())
    }
}

#[test]
fn a_tick_within_a_call_is_neither_counted_nor_charged() {
    let mut machine = Machine::new(1_000_000);
    machine.step(Step::Nested(0, 7)).unwrap();
    assert_eq!(machine.meter.calls(), 2);
    assert_eq!(machine.left(), 1_000_000 - 2 * CALL - 14);
}

#[test]
fn the_fuel_that_a_loop_used_is_known_to_a_slice() {
    let given = 100 * SLICE;
    let mut machine = Machine::new(given);
    for _ in 0..1_000 {
        machine.burn(SLICE / 100);
        machine.check().unwrap();
        // It is interrupted here: what is in the register is lost.
        let known = given - machine.left();
        assert!(known <= machine.burnt && machine.burnt - known <= SLICE + SLICE / 100);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_run_pays_for_all_it_does_and_never_more_than_it_has(
        given in prop_oneof![0..1_000_000_u64, 0..20 * SLICE, any::<u64>()],
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut machine = Machine::new(given);
        let ended = machine.go(steps);
        let all = u128::from(machine.burnt) + machine.prices;
        if ended.is_ok() {
            // What it burns after its last check may go beyond.
            let paid = u128::from(given - machine.left());
            prop_assert_eq!(paid, all.min(given.into()));
            prop_assert_eq!(machine.meter.calls(), machine.calls);
        } else {
            prop_assert!(all >= u128::from(given), "{all} of {given}");
            prop_assert_eq!(machine.left(), 0);
        }
    }
}
