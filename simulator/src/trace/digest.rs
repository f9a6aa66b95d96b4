//! The identity of a run.

use domain::{
    ledger::EntryKind,
    notice::{Audience, Notice, NoticeKind},
    time::Timestamp,
};

use super::{CallEnd, Creation, Event, Kind, Observer};

/// A running 128-bit hash over numbers and words: two lanes of splitmix64, which is quick, the same on every machine,
/// and no protection against anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mixer(u64, u64);

impl Mixer {
    const fn new() -> Self {
        Self(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344)
    }

    fn number(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number);
        self.1 = mix(self.1.wrapping_add(number).rotate_left(23));
    }

    fn word(&mut self, word: &str) {
        self.number(word.len() as u64);
        for chunk in word.as_bytes().chunks(8) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.number(u64::from_le_bytes(bytes));
        }
    }

    fn time(&mut self, at: Option<Timestamp>) {
        self.number(at.map_or(u64::MAX, |at| at.as_millis().unsigned_abs()));
    }

    fn signed(&mut self, number: i64) {
        self.number(u64::from_le_bytes(number.to_le_bytes()));
    }

    const fn value(self) -> u128 {
        ((self.0 as u128) << 64) | self.1 as u128
    }
}

const fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn audience(audience: Audience) -> u64 {
    u64::from(audience == Audience::Operator)
}

/// A notice's kind as a number, with what tells two of a kind apart.
fn notice(mixer: &mut Mixer, notice: &NoticeKind) {
    match notice {
        NoticeKind::OrderAccepted { quantity, held } => {
            mixer.number(1);
            mixer.number(u64::from(quantity.videos()));
            mixer.signed(held.value());
        }
        NoticeKind::WritingPrompt => mixer.number(2),
        NoticeKind::Rendering { .. } => mixer.number(3),
        NoticeKind::Retrying { retry, of, delay } => {
            mixer.number(4);
            mixer.number(u64::from(*retry) << 8 | u64::from(*of));
            mixer.number(delay.as_secs());
        }
        NoticeKind::Refunded { cause, credits } => {
            mixer.number(5);
            mixer.word(&cause.code());
            mixer.signed(credits.value());
        }
        NoticeKind::Cancelled { credits } => {
            mixer.number(6);
            mixer.signed(credits.value());
        }
        NoticeKind::KeyOut { failure, .. } => {
            mixer.number(7);
            mixer.word(failure.reason.code());
        }
        NoticeKind::NoKeyLeft => mixer.number(8),
        NoticeKind::ModelOut { .. } => mixer.number(9),
        NoticeKind::JobAbandoned => mixer.number(10),
        NoticeKind::RequestRefused => mixer.number(11),
        NoticeKind::ProviderDown => mixer.number(12),
        NoticeKind::OutageBegan => mixer.number(13),
        NoticeKind::OutageEnded => mixer.number(14),
    }
}

/// What a run came to, whatever the order in which it happened: how each job ended, which credits moved, what was
/// said about each order. Two adapters that keep the laws give the same outcome.
#[derive(Debug, Clone, Default)]
pub struct OutcomeDigest {
    sum: u128,
}

impl OutcomeDigest {
    /// The digest so far.
    #[must_use]
    pub const fn value(&self) -> u128 {
        self.sum
    }

    fn add(&mut self, fill: impl FnOnce(&mut Mixer)) {
        let mut mixer = Mixer::new();
        fill(&mut mixer);
        self.sum = self.sum.wrapping_add(mixer.value());
    }
}

impl Observer for OutcomeDigest {
    fn see(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Granted { user, credits } => self.add(|mixer| {
                mixer.number(1);
                mixer.signed(user.value());
                mixer.signed(credits);
            }),
            Kind::Placed { order, user, first_job, videos, held, .. } => self.add(|mixer| {
                mixer.number(2);
                mixer.number(u64::from(order.0));
                mixer.signed(user.value());
                mixer.number(u64::from(first_job.0) << 8 | u64::from(videos));
                mixer.signed(held);
            }),
            Kind::Stepped { job, step, .. } if step.job.state.is_terminal() => self.add(|mixer| {
                mixer.number(3);
                mixer.number(u64::from(job.0));
                mixer.word(step.job.state.name().as_str());
                mixer.number(u64::from(step.job.retries));
                if let domain::job::State::Refunded { cause, .. } = step.job.state {
                    mixer.word(&cause.code());
                }
                for entry in &step.entries {
                    mixer.number(entry_number(entry.kind));
                }
            }),
            Kind::NoticeClosed { order, job, audience: to, notice: said, given_up } => self.add(|mixer| {
                mixer.number(4);
                mixer.number(u64::from(order.0));
                mixer.number(job.map_or(u64::MAX, |job| u64::from(job.0)));
                mixer.number(audience(to) << 1 | u64::from(given_up));
                notice(mixer, said);
            }),
            _ => {}
        }
    }
}

const fn entry_number(kind: EntryKind) -> u64 {
    match kind {
        EntryKind::Grant => 1,
        EntryKind::Purchase => 2,
        EntryKind::Adjustment => 3,
        EntryKind::Hold => 4,
        EntryKind::Capture => 5,
        EntryKind::Release => 6,
        EntryKind::PurchaseRefund => 7,
    }
}

/// Everything that happened, in its order and at its times.
#[derive(Debug, Clone)]
pub struct TimelineDigest {
    mixer: Mixer,
    events: u64,
}

impl Default for TimelineDigest {
    fn default() -> Self {
        Self { mixer: Mixer::new(), events: 0 }
    }
}

impl TimelineDigest {
    /// The digest so far.
    #[must_use]
    pub const fn value(&self) -> u128 {
        self.mixer.value()
    }

    /// How many events it is of.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }
}

impl Observer for TimelineDigest {
    fn see(&mut self, event: &Event<'_>) {
        self.events += 1;
        let mixer = &mut self.mixer;
        mixer.time(Some(event.at));
        match event.kind {
            Kind::Granted { user, credits } => {
                mixer.number(1);
                mixer.signed(user.value());
                mixer.signed(credits);
            }
            Kind::Placed { order, user, videos, .. } => {
                mixer.number(2);
                mixer.number(u64::from(order.0) << 8 | u64::from(videos));
                mixer.signed(user.value());
            }
            Kind::PlacedAgain { order } => mixer.number(3 << 32 | u64::from(order.0)),
            Kind::Refused { user, .. } => {
                mixer.number(4);
                mixer.signed(user.value());
            }
            Kind::CancelAsked { job, granted } => {
                mixer.number(5 << 33 | u64::from(job.0) << 1 | u64::from(granted));
            }
            Kind::Claimed { job, process, lease, .. } => {
                mixer.number(6 << 48 | u64::from(process.0) << 32 | u64::from(job.0));
                mixer.signed(lease);
            }
            Kind::Stepped { job, step, lease, .. } => {
                mixer.number(7 << 32 | u64::from(job.0));
                mixer.signed(lease.unwrap_or(-1));
                mixer.word(step.job.state.name().as_str());
                mixer.number(u64::from(step.job.retries) << 8 | u64::from(step.job.lost_answers));
                mixer.time(step.next_run_at);
                for entry in &step.entries {
                    mixer.number(entry_number(entry.kind));
                }
                for Notice { kind, audience: to, .. } in &step.notices {
                    mixer.number(audience(*to));
                    notice(mixer, kind);
                }
                if let Some(attempt) = &step.attempt {
                    mixer.word(attempt.status.as_str());
                    mixer.word(attempt.key.as_str());
                }
            }
            Kind::Outdated { job, process, lease } => {
                mixer.number(8 << 48 | u64::from(process.0) << 32 | u64::from(job.0));
                mixer.signed(lease);
            }
            Kind::Rescued { job, hung } => mixer.number(9 << 33 | u64::from(job.0) << 1 | u64::from(hung)),
            Kind::GivenBack { job, lease } => {
                mixer.number(10 << 32 | u64::from(job.0));
                mixer.signed(lease);
            }
            Kind::Created { job, outcome, answered, .. } => {
                mixer.number(11 << 1 | u64::from(answered));
                mixer.number(job.map_or(u64::MAX, |job| u64::from(job.0)));
                match outcome {
                    Creation::Task { task, .. } => mixer.word(task),
                    Creation::Refused { code } => mixer.signed(code),
                    Creation::NeverSeen => mixer.number(0),
                }
            }
            Kind::Charged { account, hundredths } => {
                mixer.number(12 << 32 | u64::from(account.0));
                mixer.signed(hundredths);
            }
            Kind::Called { job, call, end, took_ms } => {
                mixer.number(13 << 32 | job.map_or(u64::from(u32::MAX), |job| u64::from(job.0)));
                mixer.word(call.as_str());
                mixer.number(took_ms);
                match end {
                    CallEnd::Yes => mixer.number(0),
                    CallEnd::No(failure) => mixer.word(failure.reason.code()),
                    CallEnd::Unknown => mixer.number(1),
                }
            }
            Kind::VideoSent { job, end, arrived } => {
                mixer.number(14 << 40 | u64::from(job.0) << 8 | (end as u64) << 1 | u64::from(arrived));
            }
            Kind::TextSent { order, audience: to, end, arrived } => {
                mixer.number(15 << 40 | u64::from(order.0) << 8 | (end as u64) << 2 | audience(to) << 1);
                mixer.number(u64::from(arrived));
            }
            Kind::NoticeClosed { order, job, audience: to, notice: said, given_up } => {
                mixer.number(16 << 32 | u64::from(order.0));
                mixer.number(job.map_or(u64::MAX, |job| u64::from(job.0)));
                mixer.number(audience(to) << 1 | u64::from(given_up));
                notice(mixer, said);
            }
            Kind::Started { process } => mixer.number(17 << 32 | u64::from(process.0)),
            Kind::Killed { process, in_call } => {
                mixer.number(18 << 32 | u64::from(process.0) << 1 | u64::from(in_call));
            }
            Kind::Fault { site, fault, job } => {
                mixer.number(19 << 32 | job.map_or(u64::from(u32::MAX), |job| u64::from(job.0)));
                mixer.number((site as u64) << 8 | fault as u64);
            }
            Kind::Outage { number, began } => {
                mixer.number(20 << 32 | (number as u64) << 1 | u64::from(began));
            }
            Kind::Hastened { job, .. } => mixer.number(23 << 32 | u64::from(job.0)),
            Kind::CalledBack { job, end } => {
                mixer.number(24 << 32 | job.map_or(u64::from(u32::MAX), |job| u64::from(job.0)));
                mixer.word(end.as_str());
            }
            Kind::Healed => mixer.number(21),
            Kind::Settled => mixer.number(22),
        }
    }
}
