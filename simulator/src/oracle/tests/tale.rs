//! A day's events told by hand: the domain's own functions for what is stored, a few lines for leases and the outbox.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use domain::{
    breaker::{Answers, ProviderFacts},
    circuit::{self, Circuits},
    decision::RetryPolicy,
    failure::{Failure, Reason},
    id::{AccountId, AttemptId, ConfirmationId, JobId, KeyId, ModelId, OrderId, PhotoId, TaskId, UserId},
    job::{self, Event as Happening, Job, Refusal, Rules, State, Step},
    key::{self, KeyFacts},
    ledger::{Entry, EntryKind},
    model::{RenderTiming, VideoModel},
    notice::{Audience, Notice, NoticeKind},
    order::{self, OrderRequest, Quantity},
    photo::PhotoFormat,
    prompt::{Brief, Prompt, Template},
    time::Timestamp,
};
use ports::{AuditReport, KeyRoster, LeaseTerms, RosterKey};

use crate::{
    oracle::{AccountLimits, Broken, End, Oracle, ProviderBill, Setup, goals::Goals},
    trace::{AccountNo, Creation, Event, JobNo, Kind, Observer, OrderNo, ProcessNo, SendEnd},
};

pub(super) const USER: UserId = UserId::new(7);

pub(super) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn failure(reason: Reason) -> Failure {
    reason.into()
}

pub(super) fn key(number: u32) -> KeyId {
    KeyId::new(format!("kie-{number}")).unwrap()
}

/// A job with what its store would know of it.
pub(super) struct Actor {
    pub(super) job: Job,
    pub(super) order: OrderNo,
    pub(super) due_at: Option<Timestamp>,
    pub(super) newest: i64,
    pub(super) held: Option<(ProcessNo, i64, Timestamp)>,
}

pub(super) struct Tale {
    pub(super) oracle: Oracle,
    pub(super) goals: Goals,
    pub(super) now: Timestamp,
    pub(super) rules: Rules,
    pub(super) jobs: Vec<Actor>,
    /// Of each order: messages to the user, and to the operator.
    pub(super) outbox: Vec<[VecDeque<Notice>; 2]>,
    pub(super) entries: Vec<Entry>,
    pub(super) bill: ProviderBill,
    /// The models that are out.
    pub(super) circuits: Circuits,
    /// The tasks made within ten seconds.
    pub(super) created: VecDeque<Timestamp>,
    attempts: u128,
    seq: u64,
}

/// The ordered model, and the one that may stand in for it.
const MODELS: [&str; 2] = ["sora-2", "hailuo-2.3"];

pub(super) fn model(timing: RenderTiming) -> VideoModel {
    VideoModel {
        id: ModelId::new("sora-2").unwrap(),
        enabled: true,
        off_reason: None,
        prompt_chars: (1, 2_000),
        photo_formats: vec![PhotoFormat::Jpeg],
        photo_bytes_max: 1_000,
        clip_seconds: 10,
        price_hundredths: 3_000,
        timing,
    }
}

pub(super) fn setup(rules: &Rules) -> Setup {
    Setup {
        retry: (*rules.retry).clone(),
        lease: LeaseTerms { lease: s(45), deadline: s(300) },
        accounts: vec![AccountLimits { running_max: 100, new_per_10s: 20 }],
        roster: roster(key::AccountLimits { running_max: 100, creates_max: 100, window: s(10) }),
        settle_within: s(6 * 60 * 60),
        fairness_bound: s(300),
        processes: 2,
        models: MODELS.map(|id| VideoModel { id: ModelId::new(id).unwrap(), ..model(rules.timing) }).to_vec(),
    }
}

pub(super) fn roster(limits: key::AccountLimits) -> KeyRoster {
    let account = AccountId::new("main").unwrap();
    let keys = [1, 2].map(|number| RosterKey { key: key(number), account: account.clone() });
    KeyRoster { keys: keys.into(), limits }
}

impl Tale {
    pub(super) fn new() -> Self {
        Self::under(RetryPolicy::default())
    }

    pub(super) fn under(retry: RetryPolicy) -> Self {
        let timing =
            RenderTiming { first_poll: s(30), poll_every: s(10), typical: s(180), give_up: s(1_800) };
        let rules = Rules {
            retry: retry.into(),
            models: MODELS.map(|id| ModelId::new(id).unwrap()).to_vec(),
            timing,
        };
        let mut tale = Self {
            oracle: Oracle::new(setup(&rules)),
            goals: Goals::new(),
            now: Timestamp::from_millis(1_796_144_400_000),
            rules,
            jobs: Vec::new(),
            outbox: Vec::new(),
            entries: Vec::new(),
            bill: ProviderBill::default(),
            circuits: Circuits::new(),
            created: VecDeque::new(),
            attempts: 0,
            seq: 0,
        };
        tale.grant(USER, 100);
        tale
    }

    pub(super) fn tell(&mut self, kind: Kind<'_>) {
        let event = Event { at: self.now, seq: self.seq, kind };
        self.seq += 1;
        self.oracle.see(&event);
        self.goals.see(&event);
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    pub(super) fn grant(&mut self, user: UserId, credits: u8) {
        let amount = domain::money::Credits::of(credits);
        self.entries.push(Entry::grant(user, amount, "start", self.now));
        self.tell(Kind::Granted { user, credits: i64::from(credits) });
    }

    /// Places an order; returns its first job.
    pub(super) fn order(&mut self, user: UserId, quantity: Quantity) -> JobNo {
        self.order_as(user, quantity, |kind| kind)
    }

    pub(super) fn order_as(
        &mut self,
        user: UserId,
        quantity: Quantity,
        bend: impl for<'a> FnOnce(Kind<'a>) -> Kind<'a>,
    ) -> JobNo {
        let number = self.outbox.len();
        let request = OrderRequest {
            user,
            confirmation: ConfirmationId::new(format!("tap-{number}")).unwrap(),
            photo: PhotoId::new(1),
            photo_format: PhotoFormat::Jpeg,
            template: Template::AdVideo,
            brief: Brief::new("a mug").unwrap(),
            wishes: None,
            quantity,
        };
        let model = model(self.rules.timing);
        let first = self.jobs.len();
        let mut id = u128::try_from(first).unwrap();
        let next_id = || {
            id += 1;
            JobId::new(id)
        };
        let order_id = OrderId::new(u128::try_from(number).unwrap());
        let placement = order::place(request, &model, order_id, next_id, self.now).unwrap();
        let order = OrderNo(u32::try_from(number).unwrap());
        let first_job = JobNo(u32::try_from(first).unwrap());
        let confirmation = placement.order.request.confirmation.clone();
        let (videos, held) = (quantity.videos(), placement.hold.held);
        self.entries.push(placement.hold);
        self.jobs.extend(placement.jobs.into_iter().map(|job| Actor {
            due_at: Some(job.created_at),
            job,
            order,
            newest: 0,
            held: None,
        }));
        self.outbox.push([placement.notices.into(), VecDeque::new()]);
        let confirmation = confirmation.as_str();
        self.tell(bend(Kind::Placed { order, user, first_job, videos, held, confirmation }));
        first_job
    }

    pub(super) fn actor(&mut self, job: JobNo) -> &mut Actor {
        &mut self.jobs[job.0 as usize]
    }

    pub(super) fn job(&self, job: JobNo) -> &Job {
        &self.jobs[job.0 as usize].job
    }

    /// The step the machine answers with, not stored.
    pub(super) fn draw(&self, job: JobNo, happening: Happening) -> Result<Step, Refusal> {
        job::apply(self.job(job), happening, &self.rules, self.now)
    }

    /// A worker takes the job, as soon as it is due.
    pub(super) fn claim(&mut self, job: JobNo) {
        self.claim_by(job, ProcessNo(0));
    }

    pub(super) fn claim_by(&mut self, job: JobNo, process: ProcessNo) {
        let due_at = self.actor(job).due_at;
        self.now = self.now.max(due_at.unwrap_or(self.now));
        let now = self.now;
        let actor = self.actor(job);
        actor.newest += 1;
        let lease = actor.newest;
        actor.held = Some((process, lease, now));
        self.tell(Kind::Claimed { job, process, lease, due_at });
    }

    /// The holder's step is stored as the machine says.
    pub(super) fn step(&mut self, job: JobNo, happening: Happening) {
        self.bent(job, happening, |_| {});
    }

    /// The holder's step is stored otherwise than the machine says.
    pub(super) fn bent(&mut self, job: JobNo, happening: Happening, bend: impl FnOnce(&mut Step)) {
        let mut step = self.draw(job, happening).unwrap();
        bend(&mut step);
        self.store(job, step, None);
    }

    pub(super) fn try_step(&mut self, job: JobNo, happening: Happening) -> Result<(), Refusal> {
        let step = self.draw(job, happening)?;
        self.store(job, step, None);
        Ok(())
    }

    pub(super) fn store(&mut self, job: JobNo, step: Step, evidence: Option<&str>) {
        let (process, lease) = match self.actor(job).held {
            Some((process, lease, _)) if !matches!(step.job.state, State::Cancelled { .. }) => {
                (Some(process), Some(lease))
            }
            _ => (None, None),
        };
        for change in &step.circuits {
            circuit::apply(&mut self.circuits, change, self.now);
        }
        self.store_by(job, step, process, lease, evidence);
    }

    pub(super) fn store_by(
        &mut self,
        job: JobNo,
        step: Step,
        process: Option<ProcessNo>,
        lease: Option<i64>,
        evidence: Option<&str>,
    ) {
        let keeps = step.attempt.as_ref().is_some_and(|change| change.status == job::AttemptStatus::Sent);
        self.tell(Kind::Stepped { job, process, lease, keeps, step: &step, evidence });
        self.entries.extend(step.entries);
        let actor = &mut self.jobs[job.0 as usize];
        for notice in step.notices {
            let to = usize::from(notice.audience == Audience::Operator);
            self.outbox[actor.order.0 as usize][to].push_back(notice);
        }
        if !keeps {
            actor.held = None;
        }
        actor.newest += i64::from(lease.is_none());
        actor.job = step.job;
        actor.due_at = step.next_run_at;
    }

    /// Claims it and stores what happened.
    pub(super) fn act(&mut self, job: JobNo, happening: Happening) {
        self.claim(job);
        self.step(job, happening);
    }

    /// Until it can be submitted.
    pub(super) fn prepared(&mut self, job: JobNo) {
        self.act(job, Happening::Started);
        self.act(job, Happening::PromptReady { prompt: Prompt::stored("a mug, slowly".to_owned()) });
        self.act(job, Happening::PhotoUploaded { url: "https://h/p.jpg".to_owned() });
    }

    /// Records an attempt, with a key that is free.
    pub(super) fn opened(&mut self, job: JobNo) -> AttemptId {
        self.attempts += 1;
        let attempt = AttemptId::new(self.attempts);
        let facts = [1, 2].map(|number| KeyFacts {
            key: key(number),
            account: AccountId::new("main").unwrap(),
            cooling: None,
            account_running: 0,
            account_created: 0,
            window_frees_at: None,
            key_running: 0,
            answers: Answers::default(),
        });
        let limits = key::AccountLimits::default();
        let facts = ProviderFacts { keys: facts.into(), ..ProviderFacts::default() };
        let before = &self.jobs[job.0 as usize].job;
        let step = job::open_attempt(before, attempt, &facts, &limits, &self.circuits, &self.rules, self.now);
        let step = step.unwrap();
        self.store(job, step, None);
        attempt
    }

    /// The provider takes the present attempt.
    pub(super) fn created(&mut self, job: JobNo, answered: bool) -> TaskId {
        self.bill.tasks += 1;
        self.created.push_back(self.now);
        while self.created.front().is_some_and(|at| self.now.since(*at) >= s(10)) {
            self.created.pop_front();
        }
        let task = format!("task-{}", self.bill.tasks);
        let created_in_window = u32::try_from(self.created.len()).unwrap();
        let outcome = Creation::Task { task: &task, running: 1, created_in_window };
        self.tell(Kind::Created { job: Some(job), account: Some(AccountNo(0)), outcome, answered });
        TaskId::new(task).unwrap()
    }

    /// Until the provider works on it.
    pub(super) fn rendering(&mut self, job: JobNo) -> AttemptId {
        self.claim(job);
        let attempt = self.opened(job);
        let task = self.created(job, true);
        self.step(job, Happening::Accepted { attempt, task });
        attempt
    }

    /// Until its video exists.
    pub(super) fn rendered(&mut self, job: JobNo) -> AttemptId {
        let attempt = self.rendering(job);
        self.bill.charged_tasks += 1;
        self.act(job, Happening::Rendered { attempt, url: "https://h/v.mp4".to_owned() });
        attempt
    }

    pub(super) fn video(&mut self, job: JobNo, end: SendEnd, arrived: bool) {
        self.tell(Kind::VideoSent { job, end, arrived });
    }

    /// The whole way.
    pub(super) fn delivered(&mut self, job: JobNo) {
        self.prepared(job);
        let attempt = self.rendered(job);
        self.claim(job);
        self.video(job, SendEnd::Sent, true);
        self.step(job, Happening::Delivered { attempt });
    }

    pub(super) fn rescued(&mut self, job: JobNo) {
        self.wait(s(45));
        let actor = self.actor(job);
        (actor.held, actor.newest) = (None, actor.newest + 1);
        actor.job.rescues += 1;
        self.tell(Kind::Rescued { job, hung: false });
    }

    pub(super) fn text(&mut self, order: OrderNo, audience: Audience, end: SendEnd) {
        self.tell(Kind::TextSent { order, audience, end, arrived: end == SendEnd::Sent });
    }

    /// Closes the first message of a line; `false` when there is none.
    pub(super) fn close(&mut self, order: OrderNo, to_operator: bool) -> bool {
        let Some(notice) = self.outbox[order.0 as usize][usize::from(to_operator)].pop_front() else {
            return false;
        };
        self.closed(order, &notice);
        true
    }

    pub(super) fn closed(&mut self, order: OrderNo, notice: &Notice) {
        let first = self.jobs.iter().position(|actor| actor.order == order).unwrap();
        let job =
            notice.video.map(|(number, _)| JobNo(u32::try_from(first).unwrap() + u32::from(number) - 1));
        let (audience, kind): (_, &NoticeKind) = (notice.audience, &notice.kind);
        self.tell(Kind::NoticeClosed { order, job, audience, notice: kind, given_up: false });
    }

    /// Sends and closes every message.
    pub(super) fn messages(&mut self) {
        for number in 0..self.outbox.len() {
            let order = OrderNo(u32::try_from(number).unwrap());
            for to_operator in [false, true] {
                while let Some(notice) = self.outbox[number][usize::from(to_operator)].front() {
                    let audience = notice.audience;
                    self.text(order, audience, SendEnd::Sent);
                    self.close(order, to_operator);
                }
            }
        }
    }

    pub(super) fn audit(&self) -> AuditReport {
        let of = |kind| self.entries.iter().filter(move |entry| entry.kind == kind);
        AuditReport {
            users: 1,
            entries: self.entries.len() as u64,
            available: self.entries.iter().map(|entry| entry.available).sum(),
            held: self.entries.iter().map(|entry| entry.held).sum(),
            held_ever: of(EntryKind::Hold).map(|entry| entry.held).sum(),
            captured: i64::try_from(of(EntryKind::Capture).count()).unwrap(),
            released: i64::try_from(of(EntryKind::Release).count()).unwrap(),
            findings: Vec::new(),
        }
    }

    /// The last messages, and the end of the run.
    pub(super) fn end(&mut self) {
        self.messages();
        self.tell(Kind::Healed);
        self.tell(Kind::Settled);
        let end = End { audit: self.audit(), bill: self.bill, now: self.now };
        self.oracle.end(&end);
    }

    /// Ends the run and asserts that nothing was found broken.
    pub(super) fn ends_well(mut self) -> Self {
        self.end();
        assert_eq!(self.oracle.broken(), [] as [Broken; 0]);
        assert_eq!((self.oracle.live_jobs(), self.oracle.broken_beyond()), (0, 0));
        self
    }

    /// Asserts that this invariant was found broken and no other.
    pub(super) fn breaks(mut self, invariant: &str) {
        // Doubts are judged when the instant is over.
        self.wait(s(1));
        self.tell(Kind::PlacedAgain { order: OrderNo(0) });
        let found: BTreeSet<_> = self.oracle.broken().iter().map(|broken| broken.invariant).collect();
        assert_eq!(found, BTreeSet::from([invariant]), "{:#?}", self.oracle.broken());
    }
}
