//! What happens in a run, as one stream of events.

use domain::{
    failure::Failure,
    id::UserId,
    job::Step,
    notice::{Audience, NoticeKind},
    time::Timestamp,
};

/// An order's number: the how many-th that was placed, from 0. The same in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNo(pub u32);

/// A job's number: the how many-th video that was ordered, from 0. The same in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobNo(pub u32);

/// A worker process of the fleet, from 0. It keeps its number over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessNo(pub u16);

/// A provider account by its place in the scenario, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountNo(pub u16);

/// One thing that happened. Events of one instant are told apart by `seq`, which grows by one with each event.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// When, in simulated time.
    pub at: Timestamp,
    /// The how many-th event of the run, from 0.
    pub seq: u64,
    /// What.
    pub kind: Kind<'a>,
}

/// What happened. Events about stores are told after the store confirmed them, except where they say otherwise.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// A user got credits, by gift or purchase.
    Granted {
        /// Who.
        user: UserId,
        /// How many.
        credits: i64,
    },
    /// An order was stored: hold, jobs and first notice together.
    Placed {
        /// Its number.
        order: OrderNo,
        /// Who pays.
        user: UserId,
        /// The number of its first job; its jobs are numbered on from there.
        first_job: JobNo,
        /// Videos ordered; equals the credits held.
        videos: u8,
        /// Credits the hold really set aside, as stored.
        held: i64,
        /// The confirmation it was placed with.
        confirmation: &'a str,
    },
    /// A confirmation was sent again, and the store answered with the order it had placed before.
    PlacedAgain {
        /// That order.
        order: OrderNo,
    },
    /// An order was refused for want of credits.
    Refused {
        /// Who could not pay.
        user: UserId,
        /// The price.
        needed: i64,
        /// What there was.
        available: i64,
    },
    /// Somebody asked to cancel a job.
    CancelAsked {
        /// Which.
        job: JobNo,
        /// Whether it was cancelled; the step itself is told before, as [`Kind::Stepped`].
        granted: bool,
    },
    /// A worker process took a job.
    Claimed {
        /// Which.
        job: JobNo,
        /// Who.
        process: ProcessNo,
        /// The lease's number.
        lease: i64,
        /// When the job had been due.
        due_at: Option<Timestamp>,
    },
    /// A step was stored.
    Stepped {
        /// Whose.
        job: JobNo,
        /// Who stored it; `None` for a cancellation and for a callback.
        process: Option<ProcessNo>,
        /// The lease it was stored under; `None` for a cancellation and for a task that was adopted.
        lease: Option<i64>,
        /// Whether whoever stored it keeps the lease and goes on.
        keeps: bool,
        /// Everything that was stored.
        step: &'a Step,
        /// What the provider literally said, where it was kept.
        evidence: Option<&'a str>,
    },
    /// A worker's write was refused because its lease is lost; nothing was stored.
    Outdated {
        /// Whose.
        job: JobNo,
        /// Who came too late.
        process: ProcessNo,
        /// The lost lease's number.
        lease: i64,
    },
    /// A callback made the next look at a render due now.
    Hastened {
        /// Which job's.
        job: JobNo,
        /// What the callback took for now: a slow database does what it is asked some time later.
        asked_at: Timestamp,
    },
    /// A callback of the provider was sent, and this came of it. What it changed is told by itself.
    CalledBack {
        /// For which job, if known.
        job: Option<JobNo>,
        /// What came of it.
        end: CallbackEnd,
    },
    /// A job was freed from a dead or hung worker.
    Rescued {
        /// Which.
        job: JobNo,
        /// Whether its step had passed the deadline, although its worker still beat.
        hung: bool,
    },
    /// A stopping worker gave a job back unworked.
    GivenBack {
        /// Which.
        job: JobNo,
        /// The lease it gave back. The store passes over one that is no longer the job's.
        lease: i64,
    },
    /// The provider worked on a createTask call. This is the provider's own truth, told when it happens, whatever
    /// becomes of the answer.
    Created {
        /// For which job, if known.
        job: Option<JobNo>,
        /// By whose key; `None` for a key it does not accept.
        account: Option<AccountNo>,
        /// What came of it.
        outcome: Creation<'a>,
        /// Whether the answer reaches the caller whole.
        answered: bool,
    },
    /// A render that will be charged was finished at the provider, told when the provider books it.
    Charged {
        /// Whose account.
        account: AccountNo,
        /// What it cost, in hundredths of a provider credit.
        hundredths: i64,
    },
    /// A call to an outside service came back to the worker.
    Called {
        /// For which job, if known.
        job: Option<JobNo>,
        /// Which service and call.
        call: OutsideCall,
        /// How it ended.
        end: CallEnd,
        /// How long it took, in simulated milliseconds.
        took_ms: u64,
    },
    /// The messenger confirmed a video, or did not.
    VideoSent {
        /// Which job's.
        job: JobNo,
        /// How it ended.
        end: SendEnd,
        /// Whether the user has it, whatever the caller was told.
        arrived: bool,
    },
    /// The messenger confirmed a text, or did not.
    TextSent {
        /// About which order.
        order: OrderNo,
        /// To whom.
        audience: Audience,
        /// How it ended.
        end: SendEnd,
        /// Whether it arrived, whatever the caller was told.
        arrived: bool,
    },
    /// A message left the outbox: the store wrote down that it is out, or that it never will be.
    NoticeClosed {
        /// About which order.
        order: OrderNo,
        /// About which job, if about one.
        job: Option<JobNo>,
        /// To whom.
        audience: Audience,
        /// What it said.
        notice: &'a NoticeKind,
        /// Given up instead of sent.
        given_up: bool,
    },
    /// A worker process started.
    Started {
        /// Which.
        process: ProcessNo,
    },
    /// A worker process was killed without warning.
    Killed {
        /// Which.
        process: ProcessNo,
        /// Whether the plan killed it within a port call.
        in_call: bool,
    },
    /// The plan made something go wrong.
    Fault {
        /// Where.
        site: Site,
        /// What.
        fault: Injected,
        /// Whom it hit, if known.
        job: Option<JobNo>,
    },
    /// An outage began or ended.
    Outage {
        /// The how many-th of the scenario, from 0.
        number: usize,
        /// Whether it began.
        began: bool,
    },
    /// The last order has been placed and every fault of the scenario is over: from here on all has to end well.
    Healed,
    /// Everything is settled: every job finished, every message out or given up.
    Settled,
}

/// What came of a createTask call at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation<'a> {
    /// A task exists now.
    Task {
        /// Its name.
        task: &'a str,
        /// Tasks its account now runs, this one included.
        running: u32,
        /// Tasks its account created within the last ten seconds, this one included.
        created_in_window: u32,
    },
    /// Refused with this code; no task exists.
    Refused {
        /// The body's code.
        code: i64,
    },
    /// The provider never saw it: a gateway in front of it answered.
    NeverSeen,
}

/// A call to an outside service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutsideCall {
    /// The language model.
    Write,
    /// The photo's upload.
    Upload,
    /// createTask.
    Create,
    /// A look at a task.
    Look,
    /// A fresh link.
    FreshLink,
    /// The result's download.
    Download,
}

impl OutsideCall {
    /// Every call.
    pub const ALL: [Self; 6] =
        [Self::Write, Self::Upload, Self::Create, Self::Look, Self::FreshLink, Self::Download];

    /// The word reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Upload => "upload",
            Self::Create => "create",
            Self::Look => "look",
            Self::FreshLink => "fresh_link",
            Self::Download => "download",
        }
    }
}

/// How an outside call ended, as the worker saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// Yes. For a look: the task is known and did not fail.
    Yes,
    /// No, or a render that failed, with the judgement.
    No(Failure),
    /// No answer, or none that can be read.
    Unknown,
}

/// What came of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallbackEnd {
    /// It never came.
    Lost,
    /// It was not believed.
    Refused,
    /// It could not be acted on.
    Failed,
    /// A lost answer's task was adopted.
    Adopted,
    /// A look is due earlier.
    Hastened,
    /// The look was due or under way.
    AlreadyDue,
    /// It was about nothing under way.
    Unmatched,
}

impl CallbackEnd {
    /// The word reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Adopted => "adopted",
            Self::Hastened => "hastened",
            Self::AlreadyDue => "already_due",
            Self::Unmatched => "unmatched",
        }
    }
}

/// How a sending ended, as the worker saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SendEnd {
    /// Confirmed.
    Sent,
    /// Not sent; may work later.
    Failed,
    /// No answer: it may have arrived.
    Unanswered,
    /// The recipient blocked the bot.
    Gone,
}

/// Where a fault was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    /// The database.
    Store,
    /// The video provider.
    Provider,
    /// The language model.
    Writer,
    /// The messenger.
    Messenger,
    /// A worker process.
    Process,
    /// A user.
    User,
}

impl Site {
    /// The word reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Provider => "provider",
            Self::Writer => "writer",
            Self::Messenger => "messenger",
            Self::Process => "process",
            Self::User => "user",
        }
    }
}

/// What kind of fault was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Injected {
    /// The call failed before anything was done.
    Before,
    /// It was done, and the answer is lost.
    After,
    /// It took long.
    Slow,
    /// It was refused, or the task it made will fail.
    Refusal,
    /// It was answered with nonsense, or with nothing usable.
    Nonsense,
    /// A gateway's page came instead of the provider's words.
    GatewayPage,
    /// The provider named a state nobody has documented.
    StrangeState,
    /// A user's second tap.
    DoubleTap,
    /// A user's second order out of impatience.
    RepeatedOrder,
    /// A user who tries without credits.
    NoCredits,
}

impl Injected {
    /// The word reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Slow => "slow",
            Self::Refusal => "refusal",
            Self::Nonsense => "nonsense",
            Self::GatewayPage => "gateway_page",
            Self::StrangeState => "strange_state",
            Self::DoubleTap => "double_tap",
            Self::RepeatedOrder => "repeated_order",
            Self::NoCredits => "no_credits",
        }
    }
}

/// Whoever watches a run. Called for every event, in order, on the run's own thread.
pub trait Observer: Send {
    /// Takes one event in.
    fn see(&mut self, event: &Event<'_>);
}
