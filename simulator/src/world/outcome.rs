//! What a trial ended with.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    id::{AccountId, KeyId, ModelId, OrderId},
    job::StateName,
    ledger::Balance,
    notice::{Audience, RefundCause},
    order::Quantity,
    time::Timestamp,
};
use ports::{AuditReport, KeyRoster};

use super::{checks::Check, trace::Record};
use crate::{provider::kie_model::Bill, trace::AccountNo};

/// A retry of one video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySeen {
    /// Which one, from 1.
    pub number: u8,
    /// The delay that was promised.
    pub delay: Duration,
    /// When the failure was stored.
    pub failed_at: Timestamp,
    /// How long after that the job was worked on again.
    pub waited: Option<Duration>,
}

/// How one video ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoOutcome {
    /// Its number, from 1.
    pub number: u8,
    /// The job's last state.
    pub state: StateName,
    /// Why the credit came back, if it did.
    pub cause: Option<RefundCause>,
    /// Its retries.
    pub retries: Vec<RetrySeen>,
    /// Keys it was submitted with, in order.
    pub keys: Vec<KeyId>,
    /// When it was handed over.
    pub handed_over: Option<Timestamp>,
}

/// What was done with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// Its fingerprint.
    pub key: KeyId,
    /// Its account.
    pub account: AccountId,
    /// Submissions.
    pub submitted: usize,
    /// Submissions the provider accepted.
    pub accepted: usize,
    /// What the provider said to the others: code and how often.
    pub refused: BTreeMap<i64, usize>,
}

/// How a trial ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The order.
    pub order: OrderId,
    /// The video model.
    pub model: ModelId,
    /// The videos.
    pub videos: Vec<VideoOutcome>,
    /// Credits held, captured and released.
    pub held: i64,
    /// Credits captured.
    pub captured: i64,
    /// Credits released.
    pub released: i64,
    /// The user's balance before the order.
    pub before: Balance,
    /// The user's balance at the end.
    pub after: Balance,
    /// What the ledger's own audit says.
    pub audit: AuditReport,
    /// The keys.
    pub keys: Vec<KeyUse>,
    /// The provider's bill.
    pub bill: Bill,
    /// Answers the language model gave.
    pub prompts_written: u64,
    /// The prompt of every task the provider created.
    pub prompts: Vec<String>,
    /// Every text that was sent: when, to whom, what.
    pub texts: Vec<(Timestamp, Audience, String)>,
    /// Messages that were given up.
    pub messages_given_up: usize,
    /// When the order was placed.
    pub began: Timestamp,
    /// When the last message was out.
    pub ended: Timestamp,
    /// Calls to the real world: statements, HTTP exchanges, files.
    pub real_calls: usize,
    /// What had to hold, and whether it did.
    pub checks: Vec<Check>,
}

impl Outcome {
    /// Whether everything held that had to.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.checks.iter().all(|check| check.problem.is_none())
    }
}

/// Each video's story, out of the record.
pub(super) fn videos(record: &Record, quantity: Quantity) -> Vec<VideoOutcome> {
    (1..=quantity.videos())
        .map(|number| {
            let steps: Vec<_> = record.steps.iter().filter(|step| step.video.0 == number).collect();
            let retries = steps.iter().enumerate().filter_map(|(place, step)| {
                let (retry, delay) = step.retry?;
                let next = steps.get(place + 1);
                let waited = next.map(|next| next.at.since(step.at));
                Some(RetrySeen { number: retry, delay, failed_at: step.at, waited })
            });
            VideoOutcome {
                number,
                state: steps.last().map_or(StateName::Queued, |step| step.state),
                cause: steps.last().and_then(|step| step.cause),
                retries: retries.collect(),
                keys: steps.iter().filter_map(|step| step.submits_with.clone()).collect(),
                handed_over: record.handed_over.iter().find(|(n, _)| *n == number).map(|(_, at)| *at),
            }
        })
        .collect()
}

/// What the provider saw of each key.
pub(super) fn key_uses(roster: &KeyRoster, record: &Record) -> Vec<KeyUse> {
    let of_account = |number: usize| {
        let is_its = move |account: &Option<AccountNo>| account.is_some_and(|a| usize::from(a.0) == number);
        record.creations.iter().filter(move |(account, _)| is_its(account)).map(|(_, refusal)| *refusal)
    };
    roster
        .keys
        .iter()
        .enumerate()
        .map(|(number, key)| {
            let mut refused = BTreeMap::new();
            for code in of_account(number).flatten() {
                *refused.entry(code).or_default() += 1;
            }
            KeyUse {
                key: key.key.clone(),
                account: key.account.clone(),
                submitted: of_account(number).count(),
                accepted: of_account(number).filter(Option::is_none).count(),
                refused,
            }
        })
        .collect()
}
