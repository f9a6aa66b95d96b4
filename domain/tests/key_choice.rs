//! The laws of choosing a key.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use domain::{
    id::{AccountId, KeyId},
    key::{AccountLimits, Cooling, CoolingCause, KeyChoice, KeyFacts, choose},
    time::Timestamp,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn any_facts() -> impl Strategy<Value = Vec<KeyFacts>> {
    let cooling = prop::option::of((0_i64..2_000_000, prop::sample::select(&CoolingCause::ALL[..])));
    let one = (cooling, 0_u32..130, 0_u32..25, 0_u32..40, prop::option::of(0_u64..12_000));
    prop::collection::vec(one, 0..6).prop_map(|keys| {
        let facts =
            keys.into_iter().enumerate().map(|(n, (cooling, running, created, own, frees))| KeyFacts {
                key: KeyId::new(format!("k{n}")).unwrap(),
                account: AccountId::new(format!("a{n}")).unwrap(),
                cooling: cooling
                    .map(|(until, cause)| Cooling { until: Timestamp::from_millis(until), cause }),
                account_running: running,
                account_created: created,
                window_frees_at: frees.map(|ms| NOW.after(Duration::from_millis(ms))),
                key_running: own,
            });
        facts.collect()
    })
}

fn usable(facts: &KeyFacts, limits: &AccountLimits) -> bool {
    facts.cooling.is_none_or(|cooling| cooling.until <= NOW)
        && facts.account_running < limits.running_max
        && facts.account_created < limits.creates_max
}

proptest! {
    #[test]
    fn no_choice_exceeds_a_limit_or_wakes_a_cooling_key(facts in any_facts(), avoid in prop::option::of(0_usize..6)) {
        let limits = AccountLimits::default();
        let avoid = avoid.and_then(|n| facts.get(n)).map(|f| f.key.clone());
        match choose(&facts, &limits, avoid.as_ref(), NOW) {
            KeyChoice::Use(key) => {
                let chosen = facts.iter().find(|f| f.key == key).unwrap();
                prop_assert!(usable(chosen, &limits));
                let others = facts.iter().filter(|f| usable(f, &limits) && Some(&f.key) != avoid.as_ref());
                if Some(&key) == avoid.as_ref() {
                    prop_assert_eq!(others.count(), 0, "the key that failed is only taken when it is the last");
                } else {
                    prop_assert!(others.clone().all(|f| f.account_running >= chosen.account_running), "least loaded");
                }
            }
            KeyChoice::Wait(until) => {
                prop_assert!(until > NOW, "a wait ends in the future");
                prop_assert!(!facts.iter().any(|f| usable(f, &limits)));
            }
            KeyChoice::NoneLeft => {
                let hopeless = |f: &KeyFacts| f.cooling.is_some_and(|c| c.until > NOW && !c.cause.passes_by_itself());
                prop_assert!(facts.iter().all(hopeless), "gives up only when no key comes back by itself");
            }
        }
    }
}
