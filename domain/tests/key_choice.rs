//! The laws of choosing a key.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use domain::{
    breaker::{Answers, OutagePolicy},
    id::{AccountId, KeyId},
    key::{
        AccountLimits, Chosen, Cooling, CoolingCause, CoolingTimes, KeyChoice, KeyFacts, choose, singled_out,
    },
    time::Timestamp,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn any_facts() -> impl Strategy<Value = Vec<KeyFacts>> {
    let cooling =
        prop::option::of((0_i64..2_000_000, 0_i64..=1_000_000, prop::sample::select(&CoolingCause::ALL[..])));
    let one = (
        cooling,
        0_u32..130,
        0_u32..25,
        0_u32..40,
        prop::option::of(0_u64..12_000),
        (0_u32..30, prop_oneof![3 => Just(0), 1 => 0_u32..30]),
    );
    prop::collection::vec(one, 0..6).prop_map(|keys| {
        let facts =
            keys.into_iter().enumerate().map(|(n, (cooling, running, created, own, frees, answers))| {
                KeyFacts {
                    key: KeyId::new(format!("k{n}")).unwrap(),
                    account: AccountId::new(format!("a{n}")).unwrap(),
                    cooling: cooling.map(|(until, since, cause)| Cooling {
                        since: Timestamp::from_millis(since),
                        until: Timestamp::from_millis(until),
                        cause,
                    }),
                    account_running: running,
                    account_created: created,
                    window_frees_at: frees.map(|ms| NOW.after(Duration::from_millis(ms))),
                    key_running: own,
                    answers: Answers { accepted: answers.0, faults: answers.1 },
                }
            });
        facts.collect()
    })
}

fn has_room(facts: &KeyFacts, limits: &AccountLimits) -> bool {
    facts.account_running < limits.running_max && facts.account_created < limits.creates_max
}

fn is_cool(facts: &KeyFacts) -> bool {
    facts.cooling.is_none_or(|cooling| cooling.until <= NOW && cooling.cause == CoolingCause::RateLimited)
}

/// Out of use until a person does something.
fn is_out(facts: &KeyFacts) -> bool {
    facts.cooling.is_some_and(|c| c.until > NOW && !c.cause.passes_by_itself())
}

fn chosen(facts: &[KeyFacts], avoid: Option<&KeyId>) -> Chosen {
    let (limits, policy) = (AccountLimits::default(), OutagePolicy::default());
    choose(facts, &limits, &CoolingTimes::default(), Some(&policy), avoid, NOW)
}

proptest! {
    #[test]
    fn no_choice_exceeds_a_limit_or_wakes_a_cooling_key(facts in any_facts(), avoid in prop::option::of(0_usize..6)) {
        let limits = AccountLimits::default();
        let avoid = avoid.and_then(|n| facts.get(n)).map(|f| f.key.clone());
        let out = singled_out(&facts, &OutagePolicy::default());
        let usable = |f: &KeyFacts| is_cool(f) && has_room(f, &limits) && Some(&f.key) != out;
        let Chosen { choice, on_trial, .. } = chosen(&facts, avoid.as_ref());
        match choice {
            KeyChoice::Use(key) => {
                let found = facts.iter().find(|f| f.key == key).unwrap();
                prop_assert!(has_room(found, &limits));
                prop_assert_eq!(on_trial.is_some(), !is_cool(found), "a try is written down, and nothing else is");
                if on_trial.is_some() {
                    let rests = found.cooling.unwrap();
                    let is_lone = !facts.iter().any(&usable);
                    let waited = NOW.since(rests.since) >= CoolingTimes::default().lone_probe;
                    prop_assert!(rests.until <= NOW || (is_lone && waited), "woken too early: {rests:?}");
                } else {
                    prop_assert!(usable(found));
                    let others = facts.iter().filter(|f| usable(f) && Some(&f.key) != avoid.as_ref());
                    if Some(&key) == avoid.as_ref() {
                        prop_assert_eq!(others.count(), 0, "the key that failed is only taken when it is the last");
                    } else {
                        let least = found.account_running;
                        prop_assert!(others.clone().all(|f| f.account_running >= least), "least loaded");
                    }
                }
            }
            KeyChoice::Wait(until) => {
                prop_assert!(until > NOW, "a wait ends in the future");
                prop_assert!(!facts.iter().any(usable));
            }
            KeyChoice::NoneLeft => {
                prop_assert!(facts.iter().all(is_out), "gives up only when no key comes back by itself");
            }
        }
    }

    #[test]
    fn a_key_is_singled_out_only_while_another_works(facts in any_facts()) {
        let policy = OutagePolicy::default();
        let Some(key) = singled_out(&facts, &policy) else { return Ok(()) };
        let found = facts.iter().find(|f| f.key == *key).unwrap();
        prop_assert!(found.answers.are_faults(policy.answers_min, policy.faults_percent));
        let works = |f: &&KeyFacts| f.cooling.is_none() && f.answers.accepted > f.answers.faults;
        prop_assert!(facts.iter().filter(|f| f.key != *key).any(|f| works(&f)));
    }

    #[test]
    fn a_key_on_trial_is_tried_once_and_not_by_the_job_that_failed_with_it(
        cause in prop::sample::select(vec![CoolingCause::Billing, CoolingCause::Rejected, CoolingCause::Faults]),
    ) {
        let mut facts = two_keys();
        let times = CoolingTimes::default();
        facts[0].cooling = Some(Cooling { since: Timestamp::from_millis(0), until: NOW, cause });
        let Chosen { choice, on_trial, .. } = chosen(&facts, None);
        prop_assert_eq!(choice, KeyChoice::Use(facts[0].key.clone()));
        let (key, renewed) = on_trial.unwrap();
        prop_assert_eq!(renewed, times.begin(cause, NOW));
        prop_assert_eq!(chosen(&facts, Some(&key)).choice, KeyChoice::Use(facts[1].key.clone()));
        facts[0].cooling = Some(renewed);
        prop_assert_eq!(chosen(&facts, None).choice, KeyChoice::Use(facts[1].key.clone()), "one try, and no more");
    }
}

/// Two idle keys, each on an account of its own.
fn two_keys() -> Vec<KeyFacts> {
    let key = |n: u8| KeyFacts {
        key: KeyId::new(format!("k{n}")).unwrap(),
        account: AccountId::new(format!("a{n}")).unwrap(),
        cooling: None,
        account_running: 0,
        account_created: 0,
        window_frees_at: None,
        key_running: 0,
        answers: Answers::default(),
    };
    vec![key(0), key(1)]
}

#[test]
fn a_lone_key_that_cannot_pay_is_tried_once_a_minute() {
    let mut facts = vec![two_keys().remove(0)];
    let times = CoolingTimes::default();
    let mut tries = Vec::new();
    facts[0].cooling = Some(times.begin(CoolingCause::Billing, NOW));
    for second in 0..=240_u64 {
        let now = NOW.after(Duration::from_secs(second));
        let chosen = choose(&facts, &AccountLimits::default(), &times, None, None, now);
        match chosen.on_trial {
            Some((_, cooling)) => {
                tries.push(second);
                facts[0].cooling = Some(cooling);
            }
            None => assert_eq!(chosen.choice, KeyChoice::NoneLeft),
        }
    }
    assert_eq!(tries, [60, 120, 180, 240]);
}

#[test]
fn a_key_that_fails_while_another_works_goes_out_of_use_and_the_other_is_taken() {
    let mut facts = two_keys();
    facts[0].answers = Answers { accepted: 4, faults: 6 };
    facts[1].answers = Answers { accepted: 10, faults: 1 };
    facts[1].account_running = 9;
    let Chosen { choice, singled_out, .. } = chosen(&facts, None);
    assert_eq!(choice, KeyChoice::Use(facts[1].key.clone()));
    let (key, cooling) = singled_out.unwrap();
    assert_eq!((key, cooling.cause), (facts[0].key.clone(), CoolingCause::Faults));
    facts[1].answers = Answers { accepted: 4, faults: 6 };
    assert_eq!(chosen(&facts, None).singled_out, None, "all of them fail: that is no key's fault");
}
