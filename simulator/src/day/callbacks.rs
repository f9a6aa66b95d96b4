//! The provider's callbacks on their way to Kadr.
//!
//! What is simulated is the way: when a callback comes, whether it comes, and what comes in its name. From the signature
//! on it is the product's own: the verifier of its server, and the use case that hears it. Only the HTTP between the
//! two is left out, in both modes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use adapters::kie::{CallbackFault, CallbackVerifier, Seal, signature};
use app::{
    Policy, Ports,
    services::hear_callback::{Heard, hear_callback},
};
use domain::{
    id::{AttemptId, TaskId},
    time::Timestamp,
};
use ports::CALLBACK_PATH;
use secrecy::SecretString;
use serde_json::json;
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    provider::kie_model::Announced,
    scenario::Callbacks,
    time::luck,
    trace::{CallbackEnd, Kind},
    world::log::Log,
};

/// KIE gives up after three repetitions, 15 s apart at least (KIE docs, the callback pages of its other APIs).
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(15);
/// How long after the first one a second copy comes.
const COPY_AFTER: Duration = Duration::from_secs(1);

/// One callback.
#[derive(Debug, Clone)]
struct Letter {
    attempt: AttemptId,
    task: String,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Genuine,
    Forged,
    Lost,
}

/// Carries callbacks.
pub(super) struct Postman {
    carrier: Arc<Carrier>,
    habits: Callbacks,
    seed: u64,
}

/// What is needed to hand one over.
struct Carrier {
    ports: Ports,
    policy: Arc<Policy>,
    log: Log,
    key: SecretString,
    verifier: CallbackVerifier,
}

impl Postman {
    pub(super) fn new(ports: Ports, policy: Arc<Policy>, log: Log, habits: Callbacks, seed: u64) -> Self {
        let key = SecretString::from("the simulated webhook key");
        let verifier = CallbackVerifier::new(vec![key.clone()]);
        Self { carrier: Arc::new(Carrier { ports, policy, log, key, verifier }), habits, seed }
    }

    /// Hands callbacks over as they fall due, for ever.
    pub(super) async fn deliver(self, mut posted: mpsc::UnboundedReceiver<Announced>) {
        let clock = Arc::clone(&self.carrier.ports.clock);
        let mut due: BTreeMap<(Timestamp, u64), Letter> = BTreeMap::new();
        let mut number = 0_u64;
        let mut under_way = JoinSet::new();
        loop {
            let next = due.first_key_value().map(|((at, _), _)| *at);
            let wait = async {
                match next {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                task = posted.recv() => {
                    let Some(task) = task else { return };
                    for (at, letter) in self.letters(&task) {
                        number += 1;
                        due.insert((at, number), letter);
                    }
                }
                () = wait => {
                    while under_way.try_join_next().is_some() {}
                    if let Some((_, letter)) = due.pop_first() {
                        let carrier = Arc::clone(&self.carrier);
                        under_way.spawn(async move { carrier.hand_over(&letter).await });
                    }
                }
            }
        }
    }

    /// What is sent about a task, and when. Drawn by the task's name, which is the same in every mode.
    fn letters(&self, announced: &Announced) -> Vec<(Timestamp, Letter)> {
        let attempt = announced.url.rsplit_once(CALLBACK_PATH).and_then(|(_, attempt)| attempt.parse().ok());
        let Some(attempt) = attempt else { return Vec::new() };
        let (habits, task) = (&self.habits, announced.task.clone());
        let draw = |what: &str| luck(self.seed, &format!("callback {what} {task}"), &[]);
        let late = Duration::from_secs_f64(habits.late_s);
        let way = draw("way");
        let (what, at) = if way < habits.lost {
            (What::Lost, announced.ends.after(late))
        } else if way < habits.lost + habits.early {
            (What::Genuine, announced.created.after(announced.ends.since(announced.created) / 2))
        } else {
            (What::Genuine, announced.ends.after(late))
        };
        let letter = |what| Letter { attempt, task: task.clone(), what };
        let mut letters = vec![(at, letter(what))];
        if what == What::Genuine && draw("copy") < habits.duplicate {
            letters.push((at.after(COPY_AFTER), letter(what)));
        }
        if draw("forgery") < habits.forged {
            let between = announced.ends.since(announced.created).mul_f64(draw("when"));
            letters.push((announced.created.after(between), letter(What::Forged)));
        }
        letters
    }
}

impl Carrier {
    async fn hand_over(&self, letter: &Letter) {
        if letter.what == What::Lost {
            self.tell(letter, CallbackEnd::Lost);
            return;
        }
        for attempt in 1..=TRIES {
            let end = match self.verified(letter) {
                Err(_) => CallbackEnd::Refused,
                Ok(task) => match hear_callback(&self.ports, &self.policy, letter.attempt, &task).await {
                    Ok(Heard::Adopted) => CallbackEnd::Adopted,
                    Ok(Heard::Hastened) => CallbackEnd::Hastened,
                    Ok(Heard::AlreadyDue) => CallbackEnd::AlreadyDue,
                    Ok(Heard::Unmatched) => CallbackEnd::Unmatched,
                    Err(_) => CallbackEnd::Failed,
                },
            };
            self.tell(letter, end);
            if end != CallbackEnd::Failed || attempt == TRIES {
                return;
            }
            let clock = &self.ports.clock;
            clock.sleep_until(clock.now().after(PAUSE)).await;
        }
    }

    /// Signs as the provider does, and verifies as Kadr's server does. A forger has a key of his own, and names a task
    /// that is not the attempt's.
    fn verified(&self, letter: &Letter) -> Result<TaskId, CallbackFault> {
        let now = self.ports.clock.now();
        let seconds = now.as_millis().div_euclid(1_000);
        let (key, task) = match letter.what {
            What::Forged => (&SecretString::from("a guess"), format!("not-{}", letter.task)),
            What::Genuine | What::Lost => (&self.key, letter.task.clone()),
        };
        let tag = signature(key, &task, seconds);
        let seal = Seal::read(Some(&seconds.to_string()), Some(&tag), now)?;
        let body = json!({ "code": 200, "msg": "success", "data": { "taskId": task } });
        self.verifier.verify(&seal, body.to_string().as_bytes())
    }

    fn tell(&self, letter: &Letter, end: CallbackEnd) {
        let job = TaskId::new(letter.task.clone()).ok().and_then(|task| self.log.job_of_task(&task));
        self.log.tell(Kind::CalledBack { job, end });
    }
}
