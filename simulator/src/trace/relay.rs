//! Watching on a thread of its own.
//!
//! A day runs on one thread; what it tells is judged and counted without a word back. So where a second core is free,
//! the judging moves there: events are kept whole, handed over in batches, and told in the same order.

use std::{
    io,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use domain::{
    id::UserId,
    job::Step,
    notice::{Audience, NoticeKind},
    time::Timestamp,
};

use super::{AccountNo, Creation, Event, JobNo, Kind, Observer, OrderNo, ProcessNo};

/// Events handed over at once.
const BATCH: usize = 1_024;
/// Batches that may wait; the day waits when there are more.
const WAITING_MAX: usize = 8;

/// What tells an observer on another thread.
#[derive(Debug)]
pub struct Relay {
    batch: Vec<Kept>,
    /// Gone once the other thread is.
    wire: Option<SyncSender<Vec<Kept>>>,
}

/// An observer on a thread of its own, until it is taken back.
#[derive(Debug)]
pub struct Away<T>(JoinHandle<T>);

impl<T: Observer + 'static> Away<T> {
    /// Sends an observer to a new thread; the relay tells it.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn send(observer: T) -> io::Result<(Relay, Self)> {
        let (wire, other_end) = sync_channel(WAITING_MAX);
        let thread = thread::Builder::new().name("watchers".to_owned());
        let at_work = thread.spawn(move || watch(observer, &other_end))?;
        Ok((Relay { batch: Vec::with_capacity(BATCH), wire: Some(wire) }, Self(at_work)))
    }

    /// The observer, once it has seen everything; the relay must have been dropped, or this waits for it. `None` when
    /// it panicked.
    #[must_use]
    pub fn back(self) -> Option<T> {
        self.0.join().ok()
    }
}

fn watch<T: Observer>(mut observer: T, wire: &Receiver<Vec<Kept>>) -> T {
    for batch in wire {
        for kept in &batch {
            observer.see(&kept.event());
        }
    }
    observer
}

impl Observer for Relay {
    fn see(&mut self, event: &Event<'_>) {
        self.batch.push(Kept::of(event));
        if self.batch.len() == BATCH {
            self.hand_over();
        }
    }
}

impl Relay {
    fn hand_over(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        // A thread that has panicked is found out when the observer is taken back.
        if self.wire.as_ref().is_some_and(|wire| wire.send(batch).is_err()) {
            self.wire = None;
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.hand_over();
    }
}

/// An event that lives on its own.
#[derive(Debug)]
struct Kept {
    at: Timestamp,
    seq: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Nothing in it is borrowed.
    Plain(Kind<'static>),
    Placed(Placed),
    Stepped(Box<Stepped>),
    Task(Task),
    NoticeClosed(NoticeClosed),
}

#[derive(Debug)]
struct Placed {
    order: OrderNo,
    user: UserId,
    first_job: JobNo,
    videos: u8,
    held: i64,
    confirmation: String,
}

#[derive(Debug)]
struct Stepped {
    job: JobNo,
    process: Option<ProcessNo>,
    lease: Option<i64>,
    keeps: bool,
    step: Step,
    evidence: Option<String>,
}

#[derive(Debug)]
struct Task {
    job: Option<JobNo>,
    account: Option<AccountNo>,
    task: String,
    running: u32,
    created_in_window: u32,
    answered: bool,
}

#[derive(Debug)]
struct NoticeClosed {
    order: OrderNo,
    job: Option<JobNo>,
    audience: Audience,
    notice: NoticeKind,
    given_up: bool,
}

impl Kept {
    fn of(event: &Event<'_>) -> Self {
        Self { at: event.at, seq: event.seq, what: What::of(event.kind) }
    }

    fn event(&self) -> Event<'_> {
        Event { at: self.at, seq: self.seq, kind: self.what.kind() }
    }
}

impl What {
    fn of(kind: Kind<'_>) -> Self {
        Self::Plain(match kind {
            Kind::Placed { order, user, first_job, videos, held, confirmation } => {
                let confirmation = confirmation.to_owned();
                return Self::Placed(Placed { order, user, first_job, videos, held, confirmation });
            }
            Kind::Stepped { job, process, lease, keeps, step, evidence } => {
                let (step, evidence) = (step.clone(), evidence.map(str::to_owned));
                return Self::Stepped(Box::new(Stepped { job, process, lease, keeps, step, evidence }));
            }
            Kind::Created { job, account, outcome, answered } => {
                let outcome = match outcome {
                    Creation::Task { task, running, created_in_window } => {
                        let task = task.to_owned();
                        return Self::Task(Task { job, account, task, running, created_in_window, answered });
                    }
                    Creation::Refused { code } => Creation::Refused { code },
                    Creation::NeverSeen => Creation::NeverSeen,
                };
                Kind::Created { job, account, outcome, answered }
            }
            Kind::NoticeClosed { order, job, audience, notice, given_up } => {
                let notice = notice.clone();
                return Self::NoticeClosed(NoticeClosed { order, job, audience, notice, given_up });
            }
            Kind::Granted { user, credits } => Kind::Granted { user, credits },
            Kind::PlacedAgain { order } => Kind::PlacedAgain { order },
            Kind::Refused { user, needed, available } => Kind::Refused { user, needed, available },
            Kind::CancelAsked { job, granted } => Kind::CancelAsked { job, granted },
            Kind::Claimed { job, process, lease, due_at } => Kind::Claimed { job, process, lease, due_at },
            Kind::Outdated { job, process, lease } => Kind::Outdated { job, process, lease },
            Kind::Rescued { job, hung } => Kind::Rescued { job, hung },
            Kind::GivenBack { job, lease } => Kind::GivenBack { job, lease },
            Kind::Hastened { job, asked_at } => Kind::Hastened { job, asked_at },
            Kind::CalledBack { job, end } => Kind::CalledBack { job, end },
            Kind::Charged { account, hundredths } => Kind::Charged { account, hundredths },
            Kind::Called { job, call, end, took_ms } => Kind::Called { job, call, end, took_ms },
            Kind::VideoSent { job, end, arrived } => Kind::VideoSent { job, end, arrived },
            Kind::TextSent { order, audience, end, arrived } => {
                Kind::TextSent { order, audience, end, arrived }
            }
            Kind::Started { process } => Kind::Started { process },
            Kind::Killed { process, in_call } => Kind::Killed { process, in_call },
            Kind::Fault { site, fault, job } => Kind::Fault { site, fault, job },
            Kind::Outage { number, began } => Kind::Outage { number, began },
            Kind::Healed => Kind::Healed,
            Kind::Settled => Kind::Settled,
        })
    }

    fn kind(&self) -> Kind<'_> {
        match self {
            Self::Plain(kind) => *kind,
            Self::Placed(of) => Kind::Placed {
                order: of.order,
                user: of.user,
                first_job: of.first_job,
                videos: of.videos,
                held: of.held,
                confirmation: &of.confirmation,
            },
            Self::Stepped(of) => Kind::Stepped {
                job: of.job,
                process: of.process,
                lease: of.lease,
                keeps: of.keeps,
                step: &of.step,
                evidence: of.evidence.as_deref(),
            },
            Self::Task(of) => Kind::Created {
                job: of.job,
                account: of.account,
                outcome: Creation::Task {
                    task: &of.task,
                    running: of.running,
                    created_in_window: of.created_in_window,
                },
                answered: of.answered,
            },
            Self::NoticeClosed(of) => Kind::NoticeClosed {
                order: of.order,
                job: of.job,
                audience: of.audience,
                notice: &of.notice,
                given_up: of.given_up,
            },
        }
    }
}
