//! Counts a run as it happens: [`Collector`].
//!
//! It keeps what jobs that have not ended need, fixed histograms, series whose length is that of the day, and the
//! twenty worst jobs. A run of a million jobs takes no more memory than one of a thousand, and an event costs less
//! than a microsecond.

mod distribution;
mod finish;
mod live;
mod measure;
mod series;
mod step;
mod tally;
#[cfg(test)]
mod tests;
mod wait;
mod worst;

use std::collections::BTreeMap;

use domain::{job::StateName, time::Timestamp};

pub use measure::Unit;
pub(super) use tally::sending;

use crate::{
    scenario::WINDOWS_MAX,
    trace::{Creation, Event, JobNo, Kind, Observer},
};
use distribution::{Group, Groups};
use live::Live;
use series::{Lines, grid};
use tally::Tally;
use wait::Waits;
use worst::Worst;

/// What a collector needs to know beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The scenario's name.
    pub scenario_name: String,
    /// Windows to report apart: name, from this instant on, before that one. At most [`WINDOWS_MAX`] are
    /// kept apart.
    pub windows: Vec<(String, Timestamp, Timestamp)>,
    /// When arrivals begin.
    pub day_from: Timestamp,
    /// When they are to end.
    pub day_to: Timestamp,
    /// What the scenario's local time is ahead of UTC, in seconds.
    pub utc_offset_s: i32,
    /// Provider accounts, in the scenario's order: name, and tasks it may run at once.
    pub accounts: Vec<(String, u32)>,
    /// Steps worked on at once.
    pub workers: u32,
}

/// Watches a run and counts, measures and draws up everything a report says of it.
#[derive(Debug)]
pub struct Collector {
    setup: Setup,
    live: BTreeMap<JobNo, Live>,
    tally: Tally,
    groups: Groups,
    lines: Lines,
    waits: Waits,
    worst: Worst,
    healed_at: Option<Timestamp>,
    settled_at: Option<Timestamp>,
    last_at: Timestamp,
    events: u64,
}

impl Collector {
    /// A collector for one run.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let grid = grid(setup.day_from, setup.day_to);
        Self {
            live: BTreeMap::new(),
            tally: Tally::default(),
            groups: Groups::new(setup.windows.len()),
            lines: Lines::new(grid, &setup),
            waits: Waits::default(),
            worst: Worst::default(),
            healed_at: None,
            settled_at: None,
            last_at: setup.day_from,
            events: 0,
            setup,
        }
    }

    /// Orders placed, videos ordered and videos that ended so far: what a progress bar shows.
    #[must_use]
    pub const fn so_far(&self) -> (u64, u64, u64) {
        let ended = self.tally.delivered + self.tally.refunded + self.tally.cancelled;
        (self.tally.orders, self.tally.videos, ended)
    }

    /// The bits of the windows an instant lies in.
    fn windows_at(&self, at: Timestamp) -> u64 {
        let windows = self.setup.windows.iter().take(WINDOWS_MAX).enumerate();
        windows
            .filter(|(_, (_, from, to))| (*from..*to).contains(&at))
            .fold(0, |bits, (n, _)| bits | (1 << n))
    }

    fn placed(&mut self, at: Timestamp, order: u32, first_job: JobNo, size: u8, held: i64) {
        let windows = self.windows_at(at);
        let group = Group { windows, size };
        let videos = u64::from(size);
        self.tally.orders += 1;
        *self.tally.orders_by_size.entry(size).or_default() += 1;
        self.tally.videos += videos;
        self.tally.held += held;
        self.groups.ordered(group, videos);
        let bin = self.lines.placed(at, size, self.tally.held);
        self.waits.ordered(bin, u32::from(size));
        for number in 0..u32::from(size) {
            let video = u8::try_from(number + 1).unwrap_or(u8::MAX);
            let job = Live::new(order, group, video, at, bin);
            self.live.insert(JobNo(first_job.0.saturating_add(number)), job);
        }
        self.lines.queue.add(at, i64::from(size));
    }

    fn created(&mut self, at: Timestamp, job: Option<JobNo>, account: Option<u16>, outcome: Creation<'_>) {
        let Creation::Task { running, .. } = outcome else { return };
        if let Some(account) = account {
            self.lines.saw_running(at, account, running);
        }
        let Some(live) = job.and_then(|job| self.live.get_mut(&job)) else { return };
        if live.has_task {
            self.tally.double_submissions += 1;
        }
        live.has_task = true;
        live.account = account;
    }
}

impl Observer for Collector {
    fn see(&mut self, event: &Event<'_>) {
        let at = event.at;
        self.last_at = self.last_at.max(at);
        self.events += 1;
        let tally = &mut self.tally;
        match event.kind {
            Kind::Granted { credits, .. } => tally.granted += credits,
            Kind::Placed { order, first_job, videos, held, .. } => {
                self.placed(at, order.0, first_job, videos, held);
            }
            Kind::PlacedAgain { .. } => tally.duplicates += 1,
            Kind::Refused { .. } => tally.refused += 1,
            Kind::CancelAsked { granted, .. } => tally.cancels_refused += u64::from(!granted),
            Kind::Claimed { .. } => tally.claims += 1,
            Kind::Stepped { job, step, .. } => self.stepped(at, job, step),
            Kind::Outdated { .. } => tally.outdated_writes += 1,
            Kind::Rescued { hung: true, .. } => tally.rescues_hung += 1,
            Kind::Rescued { hung: false, .. } => tally.rescues_dead += 1,
            Kind::GivenBack { .. } => tally.given_back += 1,
            Kind::Created { job, account, outcome, answered } => {
                if let (Creation::Task { .. }, true) = (outcome, answered)
                    && let Some(live) = job.and_then(|job| self.live.get_mut(&job))
                {
                    live.taken_at = live.taken_at.or(Some(at));
                }
                self.created(at, job, account.map(|a| a.0), outcome);
            }
            Kind::Charged { .. } => {}
            Kind::Called { job, call, end, took_ms } => {
                tally.called(call, end, took_ms);
                if let Some(live) = job.and_then(|job| self.live.get_mut(&job)) {
                    live.called(call, end);
                }
            }
            Kind::VideoSent { end, .. } => tally.video_sent(end),
            Kind::TextSent { end, .. } => tally.text_sent(end),
            Kind::NoticeClosed { given_up, .. } => tally.notices_given_up += u64::from(given_up),
            Kind::Started { .. } => tally.starts += 1,
            Kind::Killed { in_call, .. } => {
                tally.kills += 1;
                tally.kills_in_call += u64::from(in_call);
                self.lines.killed(at);
            }
            Kind::Fault { site, fault, .. } => *tally.faults.entry((site, fault)).or_default() += 1,
            Kind::Outage { number, began } => self.lines.outage(at, number, began),
            Kind::Hastened { .. } => {}
            Kind::CalledBack { end, .. } => *tally.callbacks.entry(end).or_default() += 1,
            Kind::Healed => self.healed_at = Some(at),
            Kind::Settled => self.settled_at = Some(at),
        }
    }
}

/// Whether a job in this state waits for the provider.
const fn is_waiting(state: StateName) -> bool {
    matches!(state, StateName::Queued | StateName::Prompting | StateName::Submitting)
}

/// Milliseconds from one instant to another; zero if it lies before.
fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX)
}
