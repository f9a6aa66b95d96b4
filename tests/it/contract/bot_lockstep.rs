//! Memory and PostgreSQL in lock-step over what the bot keeps: the same generated operations, the same answers.

use domain::{id::UserId, money::Credits, time::Timestamp};
use ports::{
    ErrorKind, PortError,
    bot::{Chat, InboxUpdate, Offer, Reply, Turn},
};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::{
    chats::{chat, message},
    inbox::update,
};
use crate::{
    make::{WORKER, at, s},
    stores::{self, Stores},
};

/// One operation. Numbers choose among what was claimed until then, whether it still holds or not.
#[derive(Debug, Clone)]
enum Op {
    Receive { ids: Vec<(i64, i64)> },
    ClaimUpdates { limit: u32 },
    Turn { update: usize, read: Read, replies: usize },
    PostponeUpdate { update: usize, seconds: u64 },
    Park { update: usize },
    ForgetHandled,
    Push { key: u8, user: i64, messages: usize },
    ClaimReplies { limit: u32 },
    Sent { reply: usize },
    PostponeReply { reply: usize, seconds: u64 },
    GiveUp { reply: usize },
    Block { user: i64, is_blocked: bool },
    ForgetUser { user: i64 },
    Offer { payload: u8, user: i64 },
    Credit { payload: u8, charge: u8, user: i64 },
    PaidBack { charge: u8 },
    Advance { seconds: u64 },
}

/// The chat a turn changes.
#[derive(Debug, Clone, Copy)]
enum Read {
    Now,
    Outdated,
    Not,
}

fn op() -> impl Strategy<Value = Op> {
    let (which, user) = (|| 0_usize..32, || 1_i64..4);
    let seconds = || prop_oneof![0_u64..5, 5_u64..90];
    prop_oneof![
        4 => prop::collection::vec((0_i64..60, user()), 1..4).prop_map(|ids| Op::Receive { ids }),
        5 => (1_u32..4).prop_map(|limit| Op::ClaimUpdates { limit }),
        8 => (which(), prop::sample::select(&[Read::Now, Read::Now, Read::Outdated, Read::Not][..]), 0_usize..3)
            .prop_map(|(update, read, replies)| Op::Turn { update, read, replies }),
        2 => (which(), seconds()).prop_map(|(update, seconds)| Op::PostponeUpdate { update, seconds }),
        1 => which().prop_map(|update| Op::Park { update }),
        1 => Just(Op::ForgetHandled),
        2 => (0_u8..20, user(), 0_usize..3).prop_map(|(key, user, messages)| Op::Push { key, user, messages }),
        5 => (1_u32..4).prop_map(|limit| Op::ClaimReplies { limit }),
        4 => which().prop_map(|reply| Op::Sent { reply }),
        2 => (which(), seconds()).prop_map(|(reply, seconds)| Op::PostponeReply { reply, seconds }),
        1 => which().prop_map(|reply| Op::GiveUp { reply }),
        1 => (user(), any::<bool>()).prop_map(|(user, is_blocked)| Op::Block { user, is_blocked }),
        1 => user().prop_map(|user| Op::ForgetUser { user }),
        1 => (0_u8..4, user()).prop_map(|(payload, user)| Op::Offer { payload, user }),
        2 => (0_u8..4, 0_u8..4, user())
            .prop_map(|(payload, charge, user)| Op::Credit { payload, charge, user }),
        1 => (0_u8..4).prop_map(|charge| Op::PaidBack { charge }),
        4 => seconds().prop_map(|seconds| Op::Advance { seconds }),
    ]
}

/// An answer both must give. Errors count as equal when their kinds are.
fn same<T: PartialEq + std::fmt::Debug>(
    memory: Result<T, PortError>,
    postgres: Result<T, PortError>,
) -> Result<T, ErrorKind> {
    let (memory, postgres) = (memory.map_err(|e| e.kind()), postgres.map_err(|e| e.kind()));
    assert_eq!(memory, postgres, "memory and PostgreSQL disagree");
    memory
}

/// Calls both.
macro_rules! both {
    ($pair:expr, |$stores:ident| $call:expr) => {{
        let memory = {
            let $stores = &$pair.memory;
            $call.await
        };
        let postgres = {
            let $stores = &$pair.postgres;
            $call.await
        };
        same(memory, postgres)
    }};
}

struct Pair {
    memory: Stores,
    postgres: Stores,
    now: Timestamp,
    updates: Vec<InboxUpdate>,
    replies: Vec<Reply>,
}

fn pick<T: Clone>(from: &[T], which: usize) -> Option<T> {
    // The newest more often than not.
    from.len().checked_sub(1 + which % from.len().max(1)).and_then(|place| from.get(place)).cloned()
}

impl Pair {
    async fn run(&mut self, op: &Op) {
        let (now, until) = (self.now, self.now.after(s(30)));
        let user = UserId::new;
        match op {
            Op::Receive { ids } => {
                let updates: Vec<_> = ids.iter().map(|(id, chat)| update(*id, user(*chat))).collect();
                let _ = both!(self, |stores| stores.inbox.receive(&updates, now));
            }
            Op::ClaimUpdates { limit } => {
                let claim = both!(self, |stores| stores.inbox.claim_due(WORKER, *limit, until, now));
                self.updates.extend(claim.unwrap().updates);
            }
            Op::Turn { update, read, replies } => {
                let Some(update) = pick(&self.updates, *update) else { return };
                let present = self.memory.chats.chat(update.update.chat).await.unwrap();
                let present = present.unwrap_or_else(|| chat(update.update.chat));
                let dialogue = format!("after {}", update.update.id);
                let changed = match read {
                    Read::Now => Some(Chat { dialogue, ..present }),
                    Read::Outdated => Some(Chat { dialogue, version: present.version - 1, ..present }),
                    Read::Not => None,
                };
                let replies: Vec<_> = ["a", "b", "c"].map(message).into_iter().take(*replies).collect();
                let turn = Turn { update, chat: changed, replies };
                let _ = both!(self, |stores| stores.chats.store(&turn, now));
            }
            Op::PostponeUpdate { update, seconds } => {
                let Some(update) = pick(&self.updates, *update) else { return };
                let at = now.after(s(*seconds));
                let _ = both!(self, |stores| stores.inbox.postpone(&update, at, "later"));
            }
            Op::Park { update } => {
                let Some(update) = pick(&self.updates, *update) else { return };
                let _ = both!(self, |stores| stores.inbox.park(&update, now, "broken"));
            }
            Op::ForgetHandled => {
                let _ = both!(self, |stores| stores.inbox.forget(now, 2));
            }
            Op::Push { key, user: to, messages } => {
                let (key, actions) = (key.to_string(), vec![message("news"); *messages]);
                let _ = both!(self, |stores| stores.replies.push(&key, user(*to), &actions, now));
            }
            Op::ClaimReplies { limit } => {
                let claim = both!(self, |stores| stores.replies.claim_due(WORKER, *limit, until, now));
                self.replies.extend(claim.unwrap().replies);
            }
            Op::Sent { reply } => {
                let Some(reply) = pick(&self.replies, *reply) else { return };
                let _ = both!(self, |stores| stores.replies.sent(&reply, now));
            }
            Op::PostponeReply { reply, seconds } => {
                let Some(reply) = pick(&self.replies, *reply) else { return };
                let at = now.after(s(*seconds));
                let _ = both!(self, |stores| stores.replies.postpone(&reply, at, "429"));
            }
            Op::GiveUp { reply } => {
                let Some(reply) = pick(&self.replies, *reply) else { return };
                let _ = both!(self, |stores| stores.replies.give_up(&reply, now, "blocked"));
            }
            Op::Block { user: of, is_blocked } => {
                let since = is_blocked.then_some(now);
                let _ = both!(self, |stores| stores.chats.set_blocked(user(*of), since));
            }
            Op::ForgetUser { user: of } => {
                let _ = both!(self, |stores| stores.privacy.forget_user(user(*of)));
            }
            Op::Offer { payload, user: of } => {
                let (payload, credits) = (payload.to_string(), Credits::of(10));
                let package = "ten".to_owned();
                let offer = Offer { payload, user: user(*of), package, credits, stars: 5, offered_at: at(0) };
                let _ = both!(self, |stores| stores.purchases.offer(&offer));
            }
            Op::Credit { payload, charge, user: of } => {
                let (payload, charge) = (payload.to_string(), charge.to_string());
                let _ = both!(self, |stores| stores.purchases.credit(&payload, &charge, user(*of), 5, now));
            }
            Op::PaidBack { charge } => {
                let charge = charge.to_string();
                let _ = both!(self, |stores| stores.purchases.paid_back(&charge, now));
            }
            Op::Advance { seconds } => self.now = now.after(s(*seconds)),
        }
    }

    async fn compare(&self) {
        both!(self, |stores| stores.inbox.census()).unwrap();
        both!(self, |stores| stores.inbox.newest()).unwrap();
        both!(self, |stores| stores.chats.reachable(None, 10)).unwrap();
        for user in (1..4).map(UserId::new) {
            both!(self, |stores| stores.chats.chat(user)).unwrap();
            both!(self, |stores| stores.ledger.balance(user)).unwrap();
            both!(self, |stores| stores.ledger.history(user, 50)).unwrap();
        }
        for payload in 0..4 {
            both!(self, |stores| stores.purchases.offer_of(&payload.to_string())).unwrap();
        }
        self.memory.assert_audit_is_clean().await;
        self.postgres.assert_audit_is_clean().await;
    }

    /// Whatever was done, everything that waits is claimed in the end, and nothing waits after that.
    async fn drain(&mut self) {
        self.now = self.now.after(s(1_000));
        let (now, until) = (self.now, self.now.after(s(30)));
        loop {
            let claim = both!(self, |stores| stores.inbox.claim_due(WORKER, 2, until, now)).unwrap();
            if claim.updates.is_empty() {
                break;
            }
            for update in claim.updates {
                both!(self, |stores| stores.inbox.park(&update, now, "the end")).unwrap();
            }
        }
        assert_eq!(self.memory.inbox.census().await.unwrap().waiting, 0);
        loop {
            let claim = both!(self, |stores| stores.replies.claim_due(WORKER, 2, until, now)).unwrap();
            if claim.replies.is_empty() {
                assert_eq!(claim.next_due_at, None, "none is left");
                break;
            }
            for reply in claim.replies {
                both!(self, |stores| stores.replies.sent(&reply, now)).unwrap();
            }
        }
        self.compare().await;
    }
}

/// Fewer cases than usual, for each has a database of its own; `PROPTEST_CASES` still wins.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_postgresql_keep_the_same_things_for_the_bot(ops in prop::collection::vec(op(), 20..90)) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let (memory, postgres) = (stores::memory().await, stores::postgres().await);
            let (updates, replies) = (Vec::new(), Vec::new());
            let mut pair = Pair { memory, postgres, now: at(0), updates, replies };
            for op in &ops {
                pair.run(op).await;
            }
            pair.compare().await;
            pair.drain().await;
        });
    }
}
