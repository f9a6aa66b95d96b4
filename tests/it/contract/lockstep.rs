//! Memory and PostgreSQL in lock-step: the same generated operations, the same answers, the same state.
//!
//! The rules decide what a step is; the stores only keep it. So the question here is whether the two keep the same
//! thing, whatever is done to them, late writers and double taps included.

use domain::{
    decision::RetryPolicy,
    failure::Reason,
    id::{AttemptId, ConfirmationId, JobId, PhotoId, TaskId},
    job::{DeliveryFailure, Event, Rules, State, apply},
    ledger::Entry,
    money::Credits,
    order::Quantity,
    prompt::Prompt,
    time::Timestamp,
};
use ports::{AfterStep, ErrorKind, JobFilter, LeasedJob, OutboxMessage, PortError};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tokio::runtime::Runtime;

use crate::{
    make::{self, TERMS, USER, WORKER, at, failure, photo, placement, roster, s},
    stores::{self, Stores},
};

/// Refused models come back within a run.
fn rules() -> Rules {
    let retry = RetryPolicy { model_cooling: s(90), ..RetryPolicy::default() };
    Rules { retry: retry.into(), ..make::rules() }
}

/// One operation. Numbers choose among what exists at that moment.
#[derive(Debug, Clone)]
enum Op {
    Grant { reference: u8, credits: u8 },
    Place { number: u8, confirmation: u8, quantity: Quantity },
    Claim { limit: u32 },
    Step { claim: usize, event: usize },
    OpenAttempt { claim: usize },
    AskBreaker { claim: usize },
    Extend,
    Rescue { hung: bool },
    GiveBack { claim: usize },
    Cancel { job: usize },
    Adopt { attempt: u128, task: usize },
    Hasten { attempt: u128, task: usize },
    ClaimMessages,
    MessageSent { message: usize },
    PostponeMessage { message: usize, seconds: u64 },
    Advance { seconds: u64 },
}

/// Only what generation needs: orders get fresh numbers.
#[derive(Debug, Clone)]
struct Orders(u8);

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Orders;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Orders> {
        Just(Orders(0)).boxed()
    }

    fn transitions(state: &Orders) -> BoxedStrategy<Op> {
        let number = state.0 + 1;
        let which = || 0_usize..64;
        prop_oneof![
            2 => (0_u8..6, 1_u8..6).prop_map(|(reference, credits)| Op::Grant { reference, credits }),
            3 => (0_u8..6, prop::sample::select(&Quantity::ALL[..]))
                .prop_map(move |(confirmation, quantity)| Op::Place { number, confirmation, quantity }),
            5 => (1_u32..5).prop_map(|limit| Op::Claim { limit }),
            14 => (which(), which()).prop_map(|(claim, event)| Op::Step { claim, event }),
            4 => which().prop_map(|claim| Op::OpenAttempt { claim }),
            2 => which().prop_map(|claim| Op::AskBreaker { claim }),
            1 => Just(Op::Extend),
            1 => any::<bool>().prop_map(|hung| Op::Rescue { hung }),
            1 => which().prop_map(|claim| Op::GiveBack { claim }),
            1 => which().prop_map(|job| Op::Cancel { job }),
            2 => (0_u128..12, 0_usize..3).prop_map(|(attempt, task)| Op::Adopt { attempt, task }),
            2 => (0_u128..12, 0_usize..3).prop_map(|(attempt, task)| Op::Hasten { attempt, task }),
            2 => Just(Op::ClaimMessages),
            2 => which().prop_map(|message| Op::MessageSent { message }),
            1 => (which(), 0_u64..60).prop_map(|(message, seconds)| Op::PostponeMessage { message, seconds }),
            4 => prop_oneof![0_u64..5, 5_u64..60, 60_u64..400].prop_map(|seconds| Op::Advance { seconds }),
        ]
        .boxed()
    }

    fn apply(mut state: Orders, op: &Op) -> Orders {
        if let Op::Place { number, .. } = op {
            state.0 = *number;
        }
        state
    }
}

/// The two stores, and what the "workers" hold.
struct Pair {
    runtime: Runtime,
    memory: Stores,
    postgres: Stores,
    now: Timestamp,
    photo: PhotoId,
    claims: Vec<LeasedJob>,
    messages: Vec<OutboxMessage>,
    jobs: Vec<JobId>,
    attempts: u128,
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

/// What may happen to a job that stands where this one does, and a few things that may not.
fn events(job: &domain::job::Job) -> Vec<Event> {
    let present = match &job.state {
        State::Submitting { open: Some(open) } => open.id,
        State::Rendering { attempt, .. } | State::Delivering { attempt, .. } => *attempt,
        _ => AttemptId::new(0),
    };
    let mut events = vec![
        Event::Started,
        Event::PromptReady { prompt: Prompt::stored("a mug".to_owned()) },
        Event::PhotoUploaded { url: "https://h/p.jpg".to_owned() },
        Event::NoKeyLeft,
        Event::NoModelLeft,
        Event::ProviderDown { until: at(1) },
        Event::UploadFailed { key: roster().keys[0].key.clone(), failure: failure(Reason::ProviderFault) },
        Event::Accepted { attempt: present, task: TaskId::new("t").unwrap() },
        Event::AnswerMissing { attempt: present },
        Event::NotReady { attempt: present },
        Event::Rendered { attempt: present, url: "https://h/v.mp4".to_owned() },
        Event::Delivered { attempt: present },
        Event::DeliveryFailed { attempt: present, failure: DeliveryFailure::Passing },
    ];
    for reason in [
        Reason::Nudity,
        Reason::AccountCredits,
        Reason::RateLimit,
        Reason::ProviderFault,
        Reason::ModelUnavailable,
    ] {
        events.push(Event::Refused { attempt: present, failure: failure(reason) });
        events.push(Event::RenderFailed { attempt: present, failure: failure(reason) });
    }
    events.retain(|event| apply(job, event.clone(), &rules(), at(0)).is_ok());
    events
}

/// What the provider may call a task; the first is what it calls those whose answer arrives.
const TASKS: [&str; 3] = ["t", "u", "v"];

fn pick<T>(items: &[T], choice: usize) -> Option<&T> {
    (!items.is_empty()).then(|| &items[choice % items.len()])
}

impl Pair {
    async fn run(&mut self, op: Op) {
        let (memory, postgres, now) = (self.memory.clone(), self.postgres.clone(), self.now);
        match op {
            Op::Grant { reference, credits } => {
                let entry = Entry::grant(USER, Credits::of(credits), &reference.to_string(), now);
                let _ = same(memory.ledger.post(&entry).await, postgres.ledger.post(&entry).await);
            }
            Op::Place { number, confirmation, quantity } => {
                let mut order = placement(number, quantity, self.photo, now);
                order.order.request.confirmation = ConfirmationId::new(format!("c{confirmation}")).unwrap();
                let placed = same(memory.orders.place(&order).await, postgres.orders.place(&order).await);
                if let Ok(ports::Placed::Placed { .. }) = placed {
                    self.jobs.extend(order.jobs.iter().map(|job| job.id));
                }
            }
            Op::Claim { limit } => {
                let claim = same(
                    memory.jobs.claim_due(WORKER, limit, TERMS, now).await,
                    postgres.jobs.claim_due(WORKER, limit, TERMS, now).await,
                );
                self.claims.extend(claim.unwrap().jobs);
            }
            Op::Step { claim, event } => {
                let Some(leased) = pick(&self.claims, claim) else { return };
                let Some(event) = pick(&events(&leased.job), event).cloned() else { return };
                let Ok(step) = apply(&leased.job, event, &rules(), now) else { return };
                let (lease, after) = (leased.lease, AfterStep::Release);
                let _ = same(
                    memory.jobs.store_step(lease, &step, after, Some("said so"), now).await,
                    postgres.jobs.store_step(lease, &step, after, Some("said so"), now).await,
                );
            }
            Op::OpenAttempt { claim } => {
                let Some(leased) = pick(&self.claims, claim).cloned() else { return };
                self.attempts += 1;
                let (attempt, keys, rules) = (AttemptId::new(self.attempts), roster(), rules());
                let step = same(
                    memory.jobs.open_attempt(&leased, attempt, &keys, &rules, now).await,
                    postgres.jobs.open_attempt(&leased, attempt, &keys, &rules, now).await,
                );
                if let Ok(step) = step {
                    self.claims.push(LeasedJob { job: step.job, lease: leased.lease });
                }
            }
            Op::AskBreaker { claim } => {
                let Some(leased) = pick(&self.claims, claim).cloned() else { return };
                let (keys, rules) = (roster(), rules());
                let step = same(
                    memory.jobs.ask_breaker(&leased, &keys, &rules, now).await,
                    postgres.jobs.ask_breaker(&leased, &keys, &rules, now).await,
                );
                if let Ok(Some(step)) = step {
                    self.claims.push(LeasedJob { job: step.job, lease: leased.lease });
                }
            }
            Op::Extend => {
                let leases: Vec<_> = self.claims.iter().map(|leased| leased.lease).collect();
                let _ = same(
                    memory.jobs.extend_leases(&leases, TERMS, now).await,
                    postgres.jobs.extend_leases(&leases, TERMS, now).await,
                );
            }
            Op::Rescue { hung } => {
                let sorted = |ids: Result<Vec<JobId>, PortError>| ids.map(|mut ids| (ids.sort(), ids).1);
                let (memory, postgres) = if hung {
                    (memory.jobs.rescue_hung(now).await, postgres.jobs.rescue_hung(now).await)
                } else {
                    (memory.jobs.rescue_dead(now).await, postgres.jobs.rescue_dead(now).await)
                };
                let _ = same(sorted(memory), sorted(postgres));
            }
            Op::GiveBack { claim } => {
                let Some(leased) = pick(&self.claims, claim) else { return };
                let leases = [leased.lease];
                let _ = same(
                    memory.jobs.give_back(&leases, now).await,
                    postgres.jobs.give_back(&leases, now).await,
                );
            }
            Op::Cancel { job } => {
                let Some(job) = pick(&self.jobs, job) else { return };
                let _ = same(
                    memory.jobs.cancel(*job, &rules(), now).await,
                    postgres.jobs.cancel(*job, &rules(), now).await,
                );
            }
            Op::Adopt { attempt, task } => {
                let (attempt, task) = (AttemptId::new(attempt), TaskId::new(TASKS[task]).unwrap());
                let _ = same(
                    memory.jobs.adopt(attempt, &task, &rules(), now).await,
                    postgres.jobs.adopt(attempt, &task, &rules(), now).await,
                );
            }
            Op::Hasten { attempt, task } => {
                let (attempt, task) = (AttemptId::new(attempt), TaskId::new(TASKS[task]).unwrap());
                let _ = same(
                    memory.jobs.hasten(attempt, &task, now).await,
                    postgres.jobs.hasten(attempt, &task, now).await,
                );
                let _ = same(
                    memory.jobs.job_of_attempt(attempt).await,
                    postgres.jobs.job_of_attempt(attempt).await,
                );
            }
            Op::ClaimMessages => {
                let until = now.after(s(30));
                let claim = same(
                    memory.outbox.claim_due(WORKER, 3, until, now).await,
                    postgres.outbox.claim_due(WORKER, 3, until, now).await,
                );
                self.messages.extend(claim.unwrap().messages);
            }
            Op::MessageSent { message } => {
                let Some(message) = pick(&self.messages, message) else { return };
                let _ =
                    same(memory.outbox.sent(message, now).await, postgres.outbox.sent(message, now).await);
            }
            Op::PostponeMessage { message, seconds } => {
                let Some(message) = pick(&self.messages, message) else { return };
                let later = now.after(s(seconds));
                let _ = same(
                    memory.outbox.postpone(message, later, "429").await,
                    postgres.outbox.postpone(message, later, "429").await,
                );
            }
            Op::Advance { seconds } => self.now = now.after(s(seconds)),
        }
    }

    async fn compare(&self) {
        let (memory, postgres, now) = (&self.memory, &self.postgres, self.now);
        let all = JobFilter { limit: 1_000, ..JobFilter::default() };
        let _ = same(memory.jobs.list(&all).await, postgres.jobs.list(&all).await);
        let _ = same(memory.ledger.balance(USER).await, postgres.ledger.balance(USER).await);
        let _ = same(memory.ledger.history(USER, 1_000).await, postgres.ledger.history(USER, 1_000).await);
        for job in &self.jobs {
            let _ = same(memory.jobs.attempts(*job).await, postgres.jobs.attempts(*job).await);
        }
        let _ = same(memory.jobs.census(now).await, postgres.jobs.census(now).await);
        let _ = same(memory.jobs.next_expiry().await, postgres.jobs.next_expiry().await);
        let keys = roster();
        let _ = same(
            memory.jobs.provider_facts(&keys, now).await,
            postgres.jobs.provider_facts(&keys, now).await,
        );
        let report = same(memory.ledger.audit().await, postgres.ledger.audit().await).unwrap();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

impl StateMachineTest for Machine {
    type SystemUnderTest = Pair;
    type Reference = Self;

    fn init_test(_: &Orders) -> Pair {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (memory, postgres, photo) = runtime.block_on(async {
            let (memory, postgres) = (stores::memory().await, stores::postgres().await);
            let id = memory.photos.put(&photo(), at(0)).await.unwrap();
            assert_eq!(postgres.photos.put(&photo(), at(0)).await.unwrap(), id);
            (memory, postgres, id)
        });
        Pair {
            runtime,
            memory,
            postgres,
            now: at(0),
            photo,
            claims: Vec::new(),
            messages: Vec::new(),
            jobs: Vec::new(),
            attempts: 0,
        }
    }

    fn apply(mut pair: Pair, _: &Orders, op: Op) -> Pair {
        let runtime = std::mem::replace(
            &mut pair.runtime,
            tokio::runtime::Builder::new_current_thread().build().unwrap(),
        );
        runtime.block_on(async {
            pair.run(op).await;
            pair.compare().await;
        });
        pair.runtime = runtime;
        pair
    }
}

/// Fewer cases than usual, for each has a database of its own; `PROPTEST_CASES` still wins.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_postgresql_keep_the_same_things(sequential 20..90 => Machine);
}
