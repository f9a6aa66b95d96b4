//! The event log's writer: numbers what happens, tells the observers, and knows when everything is settled.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    id::{JobId, OrderId, TaskId},
    job::Step,
    notice::Notice,
    order::Placement,
    time::Timestamp,
};
use ports::{AfterStep, Clock, Lease};
use rustc_hash::FxHashMap;
use tokio::{sync::Notify, task};

use crate::provider::kie_model::article_of;
use crate::trace::{Event, JobNo, Kind, Observer, OrderNo, ProcessNo};

/// How long a settled order is remembered: a second tap may still name it.
const REMEMBERED_FOR: Duration = Duration::from_secs(120);

/// An order that is settled and that nothing will name again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) order: OrderId,
    pub(crate) jobs: Vec<JobId>,
    pub(crate) tasks: Vec<TaskId>,
    pub(crate) article: Option<u64>,
}

/// Whoever is told which orders may be forgotten.
pub(crate) type Forgetting = Box<dyn Fn(&Forgotten) + Send + Sync>;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Orders placed.
    pub placed: u32,
    /// Of these, orders with every job finished and every message closed.
    pub settled: u32,
}

/// The log of one run. Clones write to the same one.
#[derive(Clone)]
pub(crate) struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    book: Mutex<Book>,
    changed: Notify,
    forgetting: Forgetting,
}

/// What the log knows of the orders that are not forgotten.
struct Book {
    observers: Vec<Box<dyn Observer>>,
    seq: u64,
    orders: FxHashMap<OrderId, OrderNo>,
    jobs: FxHashMap<JobId, (JobNo, OrderNo)>,
    tasks: FxHashMap<TaskId, JobNo>,
    /// Jobs whose steps a process is about to begin, by order, in the order they were claimed.
    about_to_begin: FxHashMap<(ProcessNo, OrderNo), VecDeque<JobNo>>,
    /// What the user whose task is running tapped on: a confirmation that is changed on its way shows.
    taps: FxHashMap<task::Id, String>,
    /// Which job a running step works on.
    at_work: FxHashMap<task::Id, JobNo>,
    live: BTreeMap<OrderNo, Live>,
    settled: VecDeque<(Timestamp, Forgotten)>,
    jobs_numbered: u32,
    tally: Tally,
}

/// An order that is not settled.
struct Live {
    order: OrderId,
    jobs: Vec<JobId>,
    tasks: Vec<TaskId>,
    article: Option<u64>,
    open_jobs: usize,
    open_notices: usize,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("tally", &self.tally()).finish_non_exhaustive()
    }
}

impl Book {
    fn tell(&mut self, at: Timestamp, kind: Kind<'_>) {
        let event = Event { at, seq: self.seq, kind };
        self.seq += 1;
        for observer in &mut self.observers {
            observer.see(&event);
        }
    }

    fn job(&self, id: JobId) -> Option<JobNo> {
        self.jobs.get(&id).map(|(number, _)| *number)
    }

    /// Moves an order that has nothing open any more to the settled ones, and returns those that are old enough to
    /// be forgotten.
    fn settle(&mut self, order: OrderNo, now: Timestamp) -> Vec<Forgotten> {
        let is_settled = |live: &Live| live.open_jobs == 0 && live.open_notices == 0;
        if !self.live.get(&order).is_some_and(is_settled) {
            return Vec::new();
        }
        if let Some(live) = self.live.remove(&order) {
            self.tally.settled += 1;
            let Live { order, jobs, tasks, article, .. } = live;
            self.settled.push_back((now, Forgotten { order, jobs, tasks, article }));
        }
        let mut old = Vec::new();
        while self.settled.front().is_some_and(|(at, _)| now.since(*at) >= REMEMBERED_FOR) {
            let Some((_, gone)) = self.settled.pop_front() else { break };
            self.orders.remove(&gone.order);
            for job in &gone.jobs {
                self.jobs.remove(job);
            }
            for task in &gone.tasks {
                self.tasks.remove(task);
            }
            old.push(gone);
        }
        old
    }
}

impl Log {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        observers: Vec<Box<dyn Observer>>,
        forgetting: Forgetting,
    ) -> Self {
        let book = Book {
            observers,
            seq: 0,
            orders: FxHashMap::default(),
            jobs: FxHashMap::default(),
            tasks: FxHashMap::default(),
            about_to_begin: FxHashMap::default(),
            taps: FxHashMap::default(),
            at_work: FxHashMap::default(),
            live: BTreeMap::new(),
            settled: VecDeque::new(),
            jobs_numbered: 0,
            tally: Tally::default(),
        };
        Self { inner: Arc::new(Inner { clock, book: Mutex::new(book), changed: Notify::new(), forgetting }) }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.inner.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Tells of something that needs no numbers looked up.
    pub(crate) fn tell(&self, kind: Kind<'_>) {
        let now = self.now();
        self.book().tell(now, kind);
    }

    /// Takes the observers out: the run is over.
    pub(crate) fn close(&self) -> Vec<Box<dyn Observer>> {
        std::mem::take(&mut self.book().observers)
    }

    pub(crate) fn tally(&self) -> Tally {
        self.book().tally
    }

    /// Returns when every order placed so far is settled.
    pub(crate) async fn settled(&self) {
        loop {
            {
                let book = self.book();
                if book.live.is_empty() {
                    return;
                }
            }
            self.inner.changed.notified().await;
        }
    }

    /// The number of a job that is not forgotten.
    pub(crate) fn job(&self, id: JobId) -> Option<JobNo> {
        self.book().job(id)
    }

    /// The number of an order that is not forgotten.
    pub(crate) fn order(&self, id: OrderId) -> Option<OrderNo> {
        self.book().orders.get(&id).copied()
    }

    /// The job whose task this is.
    pub(crate) fn job_of_task(&self, task: &TaskId) -> Option<JobNo> {
        self.book().tasks.get(task).copied()
    }

    /// A process has heard that it claimed a job, and begins its step.
    pub(crate) fn expect(&self, process: ProcessNo, id: JobId) {
        let mut book = self.book();
        let Some((job, order)) = book.jobs.get(&id).copied() else { return };
        let waiting = book.about_to_begin.entry((process, order)).or_default();
        // A step that never came to its order, such as one that gives a job up, is still waited for.
        waiting.retain(|other| *other != job);
        waiting.push_back(job);
    }

    /// The calling step reads its order, which is the first thing it does: steps begin in the order of their claims, so
    /// it is the step of the job of this order that was claimed first.
    pub(crate) fn begins(&self, process: ProcessNo, order: OrderId) {
        let Some(step) = task::try_id() else { return };
        let mut book = self.book();
        let Some(order) = book.orders.get(&order).copied() else { return };
        let Some(waiting) = book.about_to_begin.get_mut(&(process, order)) else { return };
        let job = waiting.pop_front();
        if waiting.is_empty() {
            book.about_to_begin.remove(&(process, order));
        }
        if let Some(job) = job {
            book.at_work.insert(step, job);
        }
    }

    /// A process was killed, and whatever it was about to begin with it.
    pub(crate) fn killed(&self, process: ProcessNo, in_call: bool) {
        let now = self.now();
        let mut book = self.book();
        book.about_to_begin.retain(|(of, _), _| *of != process);
        book.tell(now, Kind::Killed { process, in_call });
    }

    /// The job that the calling step works on.
    pub(crate) fn job_at_work(&self) -> Option<JobNo> {
        let step = task::try_id()?;
        self.book().at_work.get(&step).copied()
    }

    /// The calling task's user taps on the button with this confirmation, until the returned guard goes.
    pub(crate) fn tapping(&self, confirmation: &str) -> Tapping {
        let task = task::try_id();
        if let Some(task) = task {
            self.book().taps.insert(task, confirmation.to_owned());
        }
        Tapping { log: self.clone(), task }
    }

    /// An order was stored.
    pub(crate) fn placed(&self, placement: &Placement) {
        let now = self.now();
        let mut book = self.book();
        let order = OrderNo(book.tally.placed);
        let first_job = JobNo(book.jobs_numbered);
        book.tally.placed += 1;
        book.orders.insert(placement.order.id, order);
        for job in &placement.jobs {
            let number = JobNo(book.jobs_numbered);
            book.jobs_numbered += 1;
            book.jobs.insert(job.id, (number, order));
        }
        let live = Live {
            order: placement.order.id,
            jobs: placement.jobs.iter().map(|job| job.id).collect(),
            tasks: Vec::new(),
            article: article_of(placement.order.request.brief.as_str()),
            open_jobs: placement.jobs.len(),
            open_notices: placement.notices.len(),
        };
        book.live.insert(order, live);
        let request = &placement.order.request;
        let tapped = task::try_id().and_then(|task| book.taps.get(&task).cloned());
        book.tell(
            now,
            Kind::Placed {
                order,
                user: request.user,
                first_job,
                videos: request.quantity.videos(),
                held: placement.hold.held,
                confirmation: tapped.as_deref().unwrap_or(request.confirmation.as_str()),
            },
        );
    }

    /// A step was stored.
    pub(crate) fn stepped(
        &self,
        process: Option<ProcessNo>,
        lease: Option<(Lease, AfterStep)>,
        step: &Step,
        evidence: Option<&str>,
    ) {
        let now = self.now();
        let mut forgotten = Vec::new();
        {
            let mut book = self.book();
            let Some((job, order)) = book.jobs.get(&step.job.id).copied() else { return };
            let keeps = lease.is_some_and(|(_, after)| after == AfterStep::Keep);
            if let Some(running) = task::try_id()
                && !keeps
            {
                book.at_work.remove(&running);
            }
            if let Some(task) = step.attempt.as_ref().and_then(|attempt| attempt.task.as_ref()) {
                book.tasks.insert(task.clone(), job);
            }
            book.tell(
                now,
                Kind::Stepped {
                    job,
                    process,
                    lease: lease.map(|(lease, _)| lease.number),
                    keeps,
                    step,
                    evidence,
                },
            );
            if let Some(live) = book.live.get_mut(&order) {
                live.tasks.extend(step.attempt.as_ref().and_then(|attempt| attempt.task.clone()));
                live.open_notices += step.notices.len();
                live.open_jobs -= usize::from(step.job.state.is_terminal());
                forgotten = book.settle(order, now);
            }
        }
        self.after(&forgotten);
    }

    /// A message left the outbox.
    pub(crate) fn notice_closed(&self, notice: &Notice, given_up: bool) {
        let now = self.now();
        let mut forgotten = Vec::new();
        {
            let mut book = self.book();
            let Some(order) = book.orders.get(&notice.order).copied() else { return };
            let number = usize::from(notice.video.map_or(0, |(number, _)| number));
            let job = number.checked_sub(1).and_then(|place| {
                let id = *book.live.get(&order)?.jobs.get(place)?;
                book.job(id)
            });
            let kind =
                Kind::NoticeClosed { order, job, audience: notice.audience, notice: &notice.kind, given_up };
            book.tell(now, kind);
            if let Some(live) = book.live.get_mut(&order) {
                live.open_notices = live.open_notices.saturating_sub(1);
                forgotten = book.settle(order, now);
            }
        }
        self.after(&forgotten);
    }

    fn after(&self, forgotten: &[Forgotten]) {
        self.inner.changed.notify_one();
        for gone in forgotten {
            (self.inner.forgetting)(gone);
        }
    }
}

/// A tap that is being worked on.
pub(crate) struct Tapping {
    log: Log,
    task: Option<task::Id>,
}

impl Drop for Tapping {
    fn drop(&mut self) {
        if let Some(task) = self.task {
            self.log.book().taps.remove(&task);
        }
    }
}
