//! `events.jsonl`: one JSON object an event.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use domain::{
    failure::Failure,
    job::{StateName, Step},
    notice::{Audience, NoticeKind},
    time::Timestamp,
};
use serde::Serialize;

use super::{collector::sending, instant::iso};
use crate::trace::{CallEnd, Creation, Event, JobNo, Kind, Observer};

/// Writes each event as one line of JSON: `seq`, `at` (RFC 3339, UTC), `event`, and what belongs to it, always in the
/// same order; what is not known is left out. Orders, jobs, processes and accounts are numbers from 0. Give it a buffered
/// writer.
#[derive(Debug)]
pub struct EventsJsonl<W> {
    out: W,
    states: BTreeMap<JobNo, StateName>,
    failed: Option<io::Error>,
}

/// One line. Fields are written in this order, those that are missing not at all.
#[derive(Debug, Default, Serialize)]
struct Line<'a> {
    seq: u64,
    at: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    videos: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    #[serde(flatten)]
    step: Option<StepLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    running: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_in_window: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    granted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hung: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_up: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_call: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a str>,
}

/// What a step stored.
#[derive(Debug, Serialize)]
struct StepLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    state: &'static str,
    retries: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entries: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run_in_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<&'static str>,
}

/// The word for a message.
#[must_use]
pub const fn notice_word(notice: &NoticeKind) -> &'static str {
    match notice {
        NoticeKind::OrderAccepted { .. } => "order_accepted",
        NoticeKind::WritingPrompt => "writing_prompt",
        NoticeKind::Rendering { .. } => "rendering",
        NoticeKind::Retrying { .. } => "retrying",
        NoticeKind::Refunded { .. } => "refunded",
        NoticeKind::Cancelled { .. } => "cancelled",
        NoticeKind::KeyOut { .. } => "key_out",
        NoticeKind::NoKeyLeft => "no_key_left",
        NoticeKind::ProviderDown => "provider_down",
        NoticeKind::OutageBegan => "outage_began",
        NoticeKind::OutageEnded => "outage_ended",
        NoticeKind::ModelOut { .. } => "model_out",
        NoticeKind::JobAbandoned => "job_abandoned",
        NoticeKind::RequestRefused => "request_refused",
    }
}

const fn audience(of: Audience) -> &'static str {
    match of {
        Audience::User(_) => "user",
        Audience::Operator => "operator",
    }
}

impl<'a> Line<'a> {
    fn failed(mut self, failure: Option<Failure>) -> Self {
        self.failure = failure.map(|failure| failure.class.as_str());
        self.reason = failure.map(|failure| failure.reason.code());
        self
    }

    fn stepped(mut self, at: Timestamp, from: Option<StateName>, step: &Step) -> Self {
        self.step = Some(StepLine {
            from: from.map(StateName::as_str),
            state: step.job.state.name().as_str(),
            retries: step.job.retries,
            entries: step.entries.iter().map(|entry| entry.kind.as_str()).collect(),
            notices: step.notices.iter().map(|notice| notice_word(&notice.kind)).collect(),
            next_run_in_s: step.next_run_at.map(|due| due.since(at).as_secs_f64()),
            attempt: step.attempt.as_ref().map(|change| change.status.as_str()),
        });
        self.failed(step.attempt.as_ref().and_then(|change| change.failure))
    }

    fn created(mut self, outcome: Creation<'a>, answered: bool) -> Self {
        self.answered = Some(answered);
        match outcome {
            Creation::Task { task, running, created_in_window } => {
                self.end = Some("task");
                self.task = Some(task);
                self.running = Some(running);
                self.created_in_window = Some(created_in_window);
            }
            Creation::Refused { code } => {
                self.end = Some("refused");
                self.code = Some(code);
            }
            Creation::NeverSeen => self.end = Some("never_seen"),
        }
        self
    }
}

/// The event's word, and what belongs to it.
fn line<'a>(event: &Event<'a>, from: Option<StateName>) -> Line<'a> {
    let blank = Line { seq: event.seq, at: iso(event.at), ..Line::default() };
    let named = |name: &'static str| Line { event: name, ..blank };
    match event.kind {
        Kind::Granted { user, credits } => {
            Line { user: Some(user.value()), credits: Some(credits), ..named("granted") }
        }
        Kind::Placed { order, user, first_job, videos, held, confirmation } => Line {
            order: Some(order.0),
            job: Some(first_job.0),
            user: Some(user.value()),
            videos: Some(videos),
            credits: Some(held),
            confirmation: Some(confirmation),
            ..named("placed")
        },
        Kind::PlacedAgain { order } => Line { order: Some(order.0), ..named("placed_again") },
        Kind::Refused { user, needed, available } => Line {
            user: Some(user.value()),
            credits: Some(needed),
            available: Some(available),
            ..named("refused")
        },
        Kind::CancelAsked { job, granted } => {
            Line { job: Some(job.0), granted: Some(granted), ..named("cancel_asked") }
        }
        Kind::Claimed { job, process, lease, due_at } => Line {
            job: Some(job.0),
            process: Some(process.0),
            lease: Some(lease),
            due_at: due_at.map(iso),
            ..named("claimed")
        },
        Kind::Stepped { job, process, lease, step, evidence, keeps: _ } => {
            let process = process.map(|process| process.0);
            let line = Line { job: Some(job.0), process, lease, evidence, ..named("stepped") };
            line.stepped(event.at, from, step)
        }
        Kind::Outdated { job, process, lease } => {
            Line { job: Some(job.0), process: Some(process.0), lease: Some(lease), ..named("outdated") }
        }
        Kind::Rescued { job, hung } => Line { job: Some(job.0), hung: Some(hung), ..named("rescued") },
        Kind::GivenBack { job, lease } => {
            Line { job: Some(job.0), lease: Some(lease), ..named("given_back") }
        }
        Kind::Created { job, account, outcome, answered } => {
            let (job, account) = (job.map(|job| job.0), account.map(|account| account.0));
            Line { job, account, ..named("created") }.created(outcome, answered)
        }
        Kind::Charged { account, hundredths } => {
            Line { account: Some(account.0), credits: Some(hundredths), ..named("charged") }
        }
        Kind::Called { job, call, end, took_ms } => {
            let (end, failure) = match end {
                CallEnd::Yes => ("yes", None),
                CallEnd::No(failure) => ("no", Some(failure)),
                CallEnd::Unknown => ("unknown", None),
            };
            let (job, call) = (job.map(|job| job.0), Some(call.as_str()));
            let line = Line { job, call, end: Some(end), took_ms: Some(took_ms), ..named("called") };
            line.failed(failure)
        }
        Kind::VideoSent { job, end, arrived } => {
            Line { job: Some(job.0), end: Some(sending(end)), arrived: Some(arrived), ..named("video_sent") }
        }
        Kind::TextSent { order, audience: of, end, arrived } => Line {
            order: Some(order.0),
            to: Some(audience(of)),
            end: Some(sending(end)),
            arrived: Some(arrived),
            ..named("text_sent")
        },
        Kind::NoticeClosed { order, job, audience: of, notice, given_up } => Line {
            order: Some(order.0),
            job: job.map(|job| job.0),
            to: Some(audience(of)),
            notice: Some(notice_word(notice)),
            given_up: Some(given_up),
            ..named("notice_closed")
        },
        Kind::Started { process } => Line { process: Some(process.0), ..named("started") },
        Kind::Killed { process, in_call } => {
            Line { process: Some(process.0), in_call: Some(in_call), ..named("killed") }
        }
        Kind::Fault { site, fault, job } => Line {
            job: job.map(|job| job.0),
            site: Some(site.as_str()),
            fault: Some(fault.as_str()),
            ..named("fault")
        },
        Kind::Outage { number, began } => {
            Line { number: Some(number), began: Some(began), ..named("outage") }
        }
        Kind::Hastened { job, .. } => Line { job: Some(job.0), ..named("hastened") },
        Kind::CalledBack { job, end } => {
            Line { job: job.map(|job| job.0), end: Some(end.as_str()), ..named("called_back") }
        }
        Kind::Healed => named("healed"),
        Kind::Settled => named("settled"),
    }
}

impl<W: Write> EventsJsonl<W> {
    /// Writes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, states: BTreeMap::new(), failed: None }
    }

    /// Gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.out.flush()?;
        Ok(self.out)
    }

    /// The state a step starts from; nothing before a job's first one was seen.
    fn from(&mut self, event: &Event<'_>) -> Option<StateName> {
        match event.kind {
            Kind::Placed { first_job, videos, .. } => {
                let jobs = (0..u32::from(videos)).map(|n| JobNo(first_job.0.saturating_add(n)));
                self.states.extend(jobs.map(|job| (job, StateName::Queued)));
                None
            }
            Kind::Stepped { job, step, .. } if step.job.state.is_terminal() => self.states.remove(&job),
            Kind::Stepped { job, step, .. } => self.states.insert(job, step.job.state.name()),
            _ => None,
        }
    }
}

impl<W: Write + Send> Observer for EventsJsonl<W> {
    fn see(&mut self, event: &Event<'_>) {
        let from = self.from(event);
        if self.failed.is_some() {
            return;
        }
        let written = serde_json::to_writer(&mut self.out, &line(event, from)).map_err(io::Error::from);
        self.failed = written.and_then(|()| self.out.write_all(b"\n")).err();
    }
}
