//! One job's life in one readable column.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    failure::Failure,
    job::{AttemptStatus, State, Step},
    ledger::EntryKind,
    notice::{Audience, NoticeKind},
    time::Timestamp,
};

use super::{CallEnd, Creation, Event, JobNo, Kind, Observer, OrderNo, SendEnd};

/// Which jobs' lives are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// This one's.
    Only(JobNo),
    /// Those of so many jobs that took longest from their order to their end.
    Longest(usize),
}

/// Writes down the lives of jobs while they run.
#[derive(Debug)]
pub struct Timelines {
    keep: Keep,
    /// The scenario's local time ahead of UTC.
    offset_ms: i64,
    live: BTreeMap<JobNo, Life>,
    jobs_of: BTreeMap<OrderNo, (u32, u8)>,
    /// By how long they took.
    ended: BTreeSet<(Duration, JobNo)>,
    told: BTreeMap<JobNo, Vec<String>>,
}

#[derive(Debug)]
struct Life {
    placed_at: Timestamp,
    lines: Vec<String>,
}

impl Timelines {
    /// Keeps those lives; times are written in local time, so many seconds ahead of UTC.
    #[must_use]
    pub const fn new(keep: Keep, utc_offset_s: i32) -> Self {
        Self {
            keep,
            offset_ms: utc_offset_s as i64 * 1_000,
            live: BTreeMap::new(),
            jobs_of: BTreeMap::new(),
            ended: BTreeSet::new(),
            told: BTreeMap::new(),
        }
    }

    /// The life of a job that was kept, a line an event.
    #[must_use]
    pub fn of(&self, job: JobNo) -> Option<Vec<String>> {
        self.told.get(&job).cloned().or_else(|| self.live.get(&job).map(|life| life.lines.clone()))
    }

    fn wants(&self, job: JobNo) -> bool {
        match self.keep {
            Keep::Only(only) => only == job,
            Keep::Longest(_) => true,
        }
    }

    fn write(&mut self, at: Timestamp, job: JobNo, who: &str, what: &str) {
        let clock = clock(at, self.offset_ms);
        let line = format!("{clock}  {who:<10}  {what}");
        if let Some(life) = self.live.get_mut(&job) {
            life.lines.push(line);
        } else if let Some(lines) = self.told.get_mut(&job) {
            lines.push(line);
        }
    }

    fn place(&mut self, at: Timestamp, order: OrderNo, first: JobNo, videos: u8, user: i64) {
        self.jobs_of.insert(order, (first.0, videos));
        for number in 0..videos {
            let job = JobNo(first.0 + u32::from(number));
            if self.wants(job) {
                self.live.insert(job, Life { placed_at: at, lines: Vec::new() });
                let what = format!(
                    "orders: video {} of {videos}, order {}, user {user}; {videos} credits held",
                    number + 1,
                    order.0
                );
                self.write(at, job, "user", &what);
            }
        }
    }

    /// Sorts a job that ended among the longest.
    fn end(&mut self, at: Timestamp, job: JobNo) {
        let Some(life) = self.live.remove(&job) else { return };
        self.ended.insert((at.since(life.placed_at), job));
        self.told.insert(job, life.lines);
        if let Keep::Longest(most) = self.keep {
            while self.ended.len() > most {
                if let Some((_, shortest)) = self.ended.pop_first() {
                    self.told.remove(&shortest);
                }
            }
        }
    }
}

impl Observer for Timelines {
    fn see(&mut self, event: &Event<'_>) {
        let at = event.at;
        match event.kind {
            Kind::Placed { order, user, first_job, videos, .. } => {
                self.place(at, order, first_job, videos, user.value());
            }
            Kind::PlacedAgain { order } => {
                let (first, videos) = self.jobs_of.get(&order).copied().unwrap_or_default();
                for job in first..first + u32::from(videos) {
                    self.write(
                        at,
                        JobNo(job),
                        "user",
                        "the same confirmation again: nothing is charged twice",
                    );
                }
            }
            Kind::CancelAsked { job, granted } => {
                let what = if granted { "asked to cancel: granted" } else { "asked to cancel: too late" };
                self.write(at, job, "user", what);
            }
            Kind::Claimed { job, process, lease, .. } if self.is_kept(job) => {
                self.write(at, job, &format!("process {}", process.0), &format!("takes it, lease {lease}"));
            }
            Kind::Stepped { job, step, evidence, .. } if self.is_kept(job) => {
                for (who, what) in told(step, evidence, at) {
                    self.write(at, job, who, &what);
                }
                if step.job.state.is_terminal() {
                    self.end(at, job);
                }
            }
            Kind::Outdated { job, process, lease } => {
                let what = format!("comes too late: lease {lease} is lost, nothing was stored");
                self.write(at, job, &format!("process {}", process.0), &what);
            }
            Kind::Rescued { job, hung } => {
                let why = if hung { "its step passed the deadline" } else { "its worker stopped answering" };
                self.write(at, job, "reaper", &format!("frees it: {why}"));
            }
            Kind::GivenBack { job, .. } => self.write(at, job, "queue", "given back unworked"),
            Kind::Created { job: Some(job), account, outcome, answered } if self.is_kept(job) => {
                let mut what = match outcome {
                    Creation::Task { task, running, .. } => {
                        format!("makes task {} ({running} running)", &task[..task.len().min(8)])
                    }
                    Creation::Refused { code } => format!("refuses the task, code {code}"),
                    Creation::NeverSeen => "never sees the call: a gateway answers".to_owned(),
                };
                if let Some(account) = account {
                    what.push_str(&format!(" on account {}", account.0));
                }
                if !answered {
                    what.push_str("; the answer is lost");
                }
                self.write(at, job, "provider", &what);
            }
            Kind::Called { job: Some(job), call, end, took_ms } if self.is_kept(job) => {
                let how = match end {
                    CallEnd::Yes => "yes".to_owned(),
                    CallEnd::No(failure) => format!("no: {}", failure_words(failure)),
                    CallEnd::Unknown => "no answer".to_owned(),
                };
                self.write(at, job, "call", &format!("{} {how} ({took_ms} ms)", call.as_str()));
            }
            Kind::CalledBack { job: Some(job), end } if self.is_kept(job) => {
                self.write(at, job, "provider", &format!("calls back: {}", end.as_str().replace('_', " ")));
            }
            Kind::VideoSent { job, end, arrived } => {
                self.write(at, job, "messenger", &format!("video {}", sending(end, arrived)));
            }
            Kind::NoticeClosed { job: Some(job), audience, notice, given_up, .. } if self.is_kept(job) => {
                let to = if audience == Audience::Operator { "operator" } else { "user" };
                let how = if given_up { "given up" } else { "told" };
                self.write(at, job, "messenger", &format!("{to} {how}: {}", notice_words(notice)));
            }
            Kind::Fault { site, fault, job: Some(job) } if self.is_kept(job) => {
                self.write(at, job, "FAULT", &format!("{}: {}", site.as_str(), fault.as_str()));
            }
            _ => {}
        }
    }
}

impl Timelines {
    fn is_kept(&self, job: JobNo) -> bool {
        self.live.contains_key(&job) || self.told.contains_key(&job)
    }
}

/// `HH:MM:SS.mmm` in local time.
fn clock(at: Timestamp, offset_ms: i64) -> String {
    let ms = (at.as_millis() + offset_ms).rem_euclid(24 * 3_600_000);
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{h:02}:{m:02}:{s:02}.{:03}", ms % 1_000)
}

fn failure_words(failure: Failure) -> String {
    format!("{} ({})", failure.class, failure.reason.code())
}

fn sending(end: SendEnd, arrived: bool) -> &'static str {
    match (end, arrived) {
        (SendEnd::Sent, _) => "sent",
        (SendEnd::Failed, _) => "not sent",
        (SendEnd::Unanswered, true) => "arrived, and the confirmation is lost",
        (SendEnd::Unanswered, false) => "unanswered",
        (SendEnd::Gone, _) => "refused: the user blocked the bot",
    }
}

/// What a step stored: state, attempt, credits.
fn told(step: &Step, evidence: Option<&str>, at: Timestamp) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let job = &step.job;
    let mut what = format!("is {}", job.state.name().as_str());
    if let State::Refunded { cause, .. } = job.state {
        what.push_str(&format!(" ({})", cause.code()));
    }
    if job.retries > 0 {
        what.push_str(&format!(", {} of 3 retries used", job.retries));
    }
    if let Some(attempt) = &step.attempt {
        what.push_str(&format!(", attempt {} with {}", attempt.status.as_str(), attempt.key));
        if let Some(failure) = attempt.failure {
            what.push_str(&format!(": {}", failure_words(failure)));
        }
        if attempt.status == AttemptStatus::Unanswered {
            what.push_str(", waits its grace period");
        }
    }
    match step.next_run_at.map(|due| due.since(at)) {
        Some(wait) if !wait.is_zero() => {
            what.push_str(&format!(", next step in {:.1} s", wait.as_secs_f64()));
        }
        Some(_) | None => {}
    }
    lines.push(("job", what));
    if let Some(evidence) = evidence {
        lines.push(("evidence", evidence.chars().take(100).collect()));
    }
    if let Some((key, cooling)) = &step.cooling {
        let seconds = cooling.until.since(at).as_secs();
        lines.push(("key", format!("{key} is out of use for {seconds} s: {}", cooling.cause.as_str())));
    }
    for entry in &step.entries {
        lines.push((
            "ledger",
            match entry.kind {
                EntryKind::Capture => "captures 1 credit".to_owned(),
                EntryKind::Release => "releases 1 credit".to_owned(),
                kind => format!("{} {}", kind.as_str(), entry.available),
            },
        ));
    }
    lines
}

fn notice_words(notice: &NoticeKind) -> String {
    match notice {
        NoticeKind::OrderAccepted { .. } => "order accepted".to_owned(),
        NoticeKind::WritingPrompt => "the prompt is being written".to_owned(),
        NoticeKind::Rendering { .. } => "the render has begun".to_owned(),
        NoticeKind::Retrying { retry, of, delay } => {
            format!("retry {retry} of {of} in {} s", delay.as_secs())
        }
        NoticeKind::Refunded { cause, .. } => format!("refunded, {}", cause.code()),
        NoticeKind::Cancelled { .. } => "cancelled".to_owned(),
        NoticeKind::KeyOut { key, .. } => format!("key {key} is out of use"),
        NoticeKind::NoKeyLeft => "no key is left".to_owned(),
        NoticeKind::ProviderDown => "the provider is down, the video waits".to_owned(),
        NoticeKind::OutageBegan => "the provider fails broadly".to_owned(),
        NoticeKind::OutageEnded => "the provider works again".to_owned(),
        NoticeKind::ModelOut { model } => format!("model {model} is not offered"),
        NoticeKind::JobAbandoned => "a job was given up".to_owned(),
        NoticeKind::RequestRefused => "our request was refused".to_owned(),
    }
}
