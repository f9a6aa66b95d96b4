use std::time::Duration;

use domain::{id::UserId, time::Timestamp};
use proptest::prelude::*;

use super::super::pace::{Cause, Pace};

const fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + ms)
}

const fn chat(number: i64) -> UserId {
    UserId::new(number)
}

proptest! {
    /// Whatever is asked for, and whenever: no second has more than the burst and what a second brings, whoever is
    /// refused is told the first moment it works, and no chat is refused over another's messages.
    #[test]
    fn a_chat_gets_its_pace_and_no_other_ones(asks in prop::collection::vec((0..3_i64, 0..900_i64), 1..200)) {
        let (pace, alone) = (Pace::default(), [Pace::default(), Pace::default(), Pace::default()]);
        let (mut now, mut went) = (0, vec![Vec::new(); 3]);
        for (who, passed) in asks {
            now += passed;
            let taken = pace.take(chat(who), Cause::Theirs, at(now));
            let index = usize::try_from(who).unwrap();
            prop_assert_eq!(taken, alone[index].take(chat(who), Cause::Theirs, at(now)));
            match taken {
                Ok(()) => went[index].push(now),
                Err(free_at) => prop_assert!(free_at > at(now) && free_at <= at(now + 1_000)),
            }
        }
        for sent in went {
            for (number, first) in sent.iter().enumerate() {
                let within = sent[number..].iter().filter(|at| **at < first + 10_000).count();
                prop_assert!(within <= 3 + 10, "{within} messages in 10 s");
            }
        }
    }

    #[test]
    fn what_was_refused_may_go_at_the_time_that_was_told(first in 0..3_000_i64, bulk in any::<bool>()) {
        let pace = Pace::default();
        let cause = if bulk { Cause::Bulk } else { Cause::Theirs };
        let mut now = at(first);
        for _ in 0..20 {
            if let Err(free_at) = pace.take(chat(1), cause, now) {
                now = free_at;
                prop_assert_eq!(pace.take(chat(1), cause, now), Ok(()));
            }
        }
    }
}

#[test]
fn a_flood_closes_its_chat_alone_until_the_time_telegram_said() {
    let pace = Pace::default();
    pace.close(chat(1), Duration::from_secs(240), at(0));
    pace.close(chat(1), Duration::from_secs(1), at(0));
    assert_eq!(pace.take(chat(1), Cause::Theirs, at(239_999)), Err(at(240_000)));
    assert_eq!(pace.reserve(chat(1), Duration::ZERO, at(239_999)), Err(at(240_000)));
    assert_eq!(pace.take(chat(2), Cause::Theirs, at(0)), Ok(()));
    assert_eq!(pace.take(chat(1), Cause::Theirs, at(240_000)), Ok(()));
}

#[test]
fn a_videos_turn_is_reserved_and_what_follows_comes_after_it() {
    let pace = Pace::default();
    for _ in 0..3 {
        pace.take(chat(1), Cause::Theirs, at(0)).unwrap();
    }
    let patience = Duration::from_secs(2);
    assert_eq!(pace.reserve(chat(1), patience, at(0)), Ok(at(1_000)));
    assert_eq!(pace.reserve(chat(1), patience, at(0)), Ok(at(2_000)));
    assert_eq!(pace.reserve(chat(1), patience, at(0)), Err(at(3_000)), "longer than anybody waits");
    assert_eq!(pace.take(chat(1), Cause::Theirs, at(2_999)), Err(at(3_000)));
    assert_eq!(pace.take(chat(1), Cause::Theirs, at(3_000)), Ok(()));
}

#[test]
fn bulk_messages_keep_below_thirty_a_second_and_hold_up_no_answer() {
    let pace = Pace::default();
    let sent = (0..2_000_i64).filter(|n| pace.take(chat(*n), Cause::Bulk, at(n / 2)).is_ok()).count();
    assert!((25..=30).contains(&sent), "{sent} in a second");
    assert_eq!(pace.take(chat(5_000), Cause::Theirs, at(1_000)), Ok(()));
}

#[test]
fn chats_left_alone_for_a_minute_are_forgotten() {
    let pace = Pace::default();
    for second in 0..600 {
        for user in 0..10 {
            pace.take(chat(second * 10 + user), Cause::Theirs, at(second * 1_000)).unwrap();
        }
    }
    assert!(pace.remembered() <= 10 * 130, "{}", pace.remembered());
    pace.close(chat(-1), Duration::from_secs(3_600), at(600_000));
    pace.take(chat(-2), Cause::Theirs, at(800_000)).unwrap();
    assert_eq!(pace.remembered(), 2, "a closed chat is not forgotten before its time");
}
