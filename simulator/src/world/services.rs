//! The outside services as a simulated process sees them: each call takes its simulated time, may meet what the
//! scenario plans for it, and is told to the log.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    id::{AttemptId, KeyId, ModelId, TaskId, UserId},
    notice::Audience,
    prompt::WritingTask,
};
use ports::{
    ErrorKind, Messenger, OrderText, Photo, PortError, PromptWriter, RenderStatus, Reply, VideoApi,
    VideoMessage, VideoRequest,
};

use tokio::sync::mpsc;

use super::faults::Surroundings;
use crate::{
    provider::kie_model::{Announced, KieModel, Oddity},
    scenario::{Latency, Llm, MessengerFaults},
    time::luck,
    trace::{AccountNo, CallEnd, Creation, Injected, JobNo, Kind, OutsideCall, SendEnd, Site},
};

/// The provider's own state, shared by whoever serves it and whoever looks behind it.
pub(crate) type SharedKie = Arc<Mutex<KieModel>>;

fn provider(kie: &SharedKie) -> MutexGuard<'_, KieModel> {
    kie.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The video provider.
pub(crate) struct SimVideo {
    pub(crate) real: Arc<dyn VideoApi>,
    pub(crate) kie: SharedKie,
    pub(crate) around: Arc<Surroundings>,
    pub(crate) latency: Latency,
    /// The old way: create comes back when the render is over, or after so long.
    pub(crate) holds_for: Option<Duration>,
    /// Who carries the provider's callbacks.
    pub(crate) post: Option<mpsc::UnboundedSender<Announced>>,
}

impl SimVideo {
    async fn call<T>(
        &self,
        call: OutsideCall,
        takes_s: f64,
        job: Option<JobNo>,
        exchange: impl Future<Output = Reply<T>> + Send,
        fails: impl FnOnce(&T) -> Option<domain::failure::Failure>,
    ) -> Reply<T> {
        let began = self.around.clock.now();
        let exchange = async {
            let reply = exchange.await;
            (reply, job.or_else(|| self.around.log.job_at_work()))
        };
        let (reply, job) = self.around.outside_call(self.told(call, exchange), takes_s).await;
        let end = match &reply {
            Reply::Yes(said) => fails(said).map_or(CallEnd::Yes, CallEnd::No),
            Reply::No(refusal) => CallEnd::No(refusal.failure),
            Reply::Unknown(_) => CallEnd::Unknown,
        };
        let took = self.around.clock.now().since(began).as_millis();
        self.around.log.tell(Kind::Called {
            job,
            call,
            end,
            took_ms: u64::try_from(took).unwrap_or(u64::MAX),
        });
        reply
    }

    /// Runs an exchange and tells the log what the provider itself did meanwhile.
    async fn told<T>(
        &self,
        call: OutsideCall,
        exchange: impl Future<Output = (Reply<T>, Option<JobNo>)>,
    ) -> (Reply<T>, Option<JobNo>) {
        let (reply, job) = exchange.await;
        let (creations, charges, oddities, announced) = {
            let mut kie = provider(&self.kie);
            (kie.take_creations(), kie.take_charges(), kie.take_oddities(), kie.take_announced())
        };
        for task in announced {
            if let Some(post) = &self.post {
                // Nobody takes it only when the day is over.
                post.send(task).ok();
            }
        }
        let log = &self.around.log;
        for odd in oddities {
            let fault = match odd {
                Oddity::Refused => Injected::Refusal,
                Oddity::GatewayPage => Injected::GatewayPage,
                Oddity::AnswerLost => Injected::After,
                Oddity::AnswerCut => Injected::Nonsense,
                Oddity::StrangeState => Injected::StrangeState,
            };
            log.tell(Kind::Fault { site: Site::Provider, fault, job });
        }
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let account = |n: usize| AccountNo(u16::try_from(n).unwrap_or(u16::MAX));
        for charge in charges {
            let hundredths = charge.price.hundredths();
            log.tell(Kind::Charged { account: account(charge.account), hundredths });
        }
        if call == OutsideCall::Create && creations.is_empty() {
            let (outcome, answered) = (Creation::NeverSeen, false);
            log.tell(Kind::Created { job, account: None, outcome, answered });
        }
        for made in &creations {
            let outcome = match &made.came_of_it {
                Ok(task) => Creation::Task {
                    task,
                    running: number(made.running),
                    created_in_window: number(made.created_in_window),
                },
                Err(code) => Creation::Refused { code: *code },
            };
            log.tell(Kind::Created {
                job,
                account: made.account.map(account),
                outcome,
                answered: made.answered,
            });
        }
        (reply, job)
    }

    /// Sleeps through a render, as workers once did.
    async fn hold(&self, task: &TaskId, limit: Duration) {
        let clock = &self.around.clock;
        let latest = clock.now().after(limit);
        let ends = provider(&self.kie).ends(task.as_str());
        clock.sleep_until(ends.map_or(latest, |ends| ends.min(latest))).await;
    }
}

#[async_trait]
impl VideoApi for SimVideo {
    async fn upload(&self, key: &KeyId, name: AttemptId, photo: &Photo) -> Reply<String> {
        let exchange = self.real.upload(key, name, photo);
        self.call(OutsideCall::Upload, self.latency.upload_s, None, exchange, |_| None).await
    }

    async fn create<'a>(&self, key: &KeyId, request: VideoRequest<'a>) -> Reply<TaskId> {
        let exchange = self.real.create(key, request);
        let reply = self.call(OutsideCall::Create, self.latency.create_s, None, exchange, |_| None).await;
        if let (Some(limit), Reply::Yes(task)) = (self.holds_for, &reply) {
            self.hold(task, limit).await;
        }
        reply
    }

    async fn status(&self, key: &KeyId, model: &ModelId, task: &TaskId) -> Reply<RenderStatus> {
        let job = self.around.log.job_of_task(task);
        let fails = |status: &RenderStatus| match status {
            RenderStatus::Failed(refusal) => Some(refusal.failure),
            RenderStatus::UnknownTask => Some(domain::failure::Reason::UnknownTask.into()),
            RenderStatus::Running | RenderStatus::Finished { .. } => None,
        };
        let exchange = self.real.status(key, model, task);
        self.call(OutsideCall::Look, self.latency.look_s, job, exchange, fails).await
    }

    async fn fresh_link(&self, key: &KeyId, url: &str) -> Reply<String> {
        let exchange = self.real.fresh_link(key, url);
        self.call(OutsideCall::FreshLink, self.latency.look_s, self.job_of_url(url), exchange, |_| None).await
    }

    async fn download(&self, url: &str, file: &Path, bytes_max: u64) -> Reply<u64> {
        let exchange = self.real.download(url, file, bytes_max);
        let job = self.job_of_url(url);
        self.call(OutsideCall::Download, self.latency.download_s, job, exchange, |_| None).await
    }

    async fn balance(&self, key: &KeyId) -> Reply<f64> {
        self.around.passage.through(self.real.balance(key)).await
    }
}

impl SimVideo {
    /// The job whose result an address of the simulated provider names.
    fn job_of_url(&self, url: &str) -> Option<JobNo> {
        let task = url.split("/f/").nth(1)?.split('/').next()?;
        self.around.log.job_of_task(&TaskId::new(task).ok()?)
    }
}

/// The language model.
pub(crate) struct SimWriter {
    pub(crate) real: Arc<dyn PromptWriter>,
    pub(crate) around: Arc<Surroundings>,
    pub(crate) latency: Latency,
    pub(crate) llm: Llm,
    pub(crate) seed: u64,
}

#[async_trait]
impl PromptWriter for SimWriter {
    async fn write(&self, task: &WritingTask, photo: &Photo) -> Result<String, PortError> {
        let (clock, log, llm) = (&self.around.clock, &self.around.log, &self.llm);
        let began = clock.now();
        let job = log.job_at_work();
        let fault = |fault| Kind::Fault { site: Site::Writer, fault, job };
        let (draw, slow) = if llm.may_fail() {
            (luck(self.seed, &task.user, &[]), luck(self.seed, &task.user, &[1]))
        } else {
            (1.0, 1.0)
        };
        let mut takes_s = self.latency.write_s;
        if slow < llm.slow {
            log.tell(fault(Injected::Slow));
            takes_s += llm.slow_s;
        }
        let exchange = async {
            if draw < llm.fails {
                log.tell(fault(Injected::Before));
                return Err(PortError::new(ErrorKind::Transient, "the simulated language model is down"));
            }
            let written = self.real.write(task, photo).await?;
            if draw < llm.fails + llm.empty {
                log.tell(fault(Injected::Nonsense));
                return Ok(String::new());
            }
            if draw < llm.fails + llm.empty + llm.refuses {
                log.tell(fault(Injected::Refusal));
                return Ok("I'm sorry, but I can't help with that.".to_owned());
            }
            Ok(written)
        };
        let answer = self.around.outside_call(exchange, takes_s).await;
        let end = match &answer {
            Ok(_) if draw < llm.fails + llm.empty + llm.refuses => CallEnd::Unknown,
            Ok(_) => CallEnd::Yes,
            Err(_) => CallEnd::Unknown,
        };
        let took_ms = u64::try_from(clock.now().since(began).as_millis()).unwrap_or(u64::MAX);
        log.tell(Kind::Called { job, call: OutsideCall::Write, end, took_ms });
        answer
    }
}

/// The way to people: nobody is there, but what would have reached them is told to the log.
pub(crate) struct SimMessenger {
    pub(crate) around: Arc<Surroundings>,
    pub(crate) latency: Latency,
    pub(crate) faults: MessengerFaults,
    pub(crate) seed: u64,
}

impl SimMessenger {
    /// How a sending ends, and whether it arrives. `name` and `number` are the same at each try.
    fn fate(&self, to: Audience, name: &str, number: u64) -> (SendEnd, bool) {
        if let Audience::User(user) = to
            && self.is_blocked(user)
        {
            return (SendEnd::Gone, false);
        }
        let now = u64::try_from(self.around.clock.now().as_millis()).unwrap_or_default();
        let draw = luck(self.seed, name, &[number, now]);
        let MessengerFaults { fails, answer_lost, blocked: _ } = self.faults;
        if draw < fails {
            (SendEnd::Failed, false)
        } else if draw < fails + answer_lost {
            (SendEnd::Unanswered, true)
        } else {
            (SendEnd::Sent, true)
        }
    }

    fn is_blocked(&self, user: UserId) -> bool {
        let number = u64::try_from(user.value()).unwrap_or_default();
        self.faults.blocked > 0.0 && luck(self.seed, "blocked", &[number]) < self.faults.blocked
    }

    fn answer(&self, end: SendEnd, job: Option<JobNo>) -> Result<(), PortError> {
        let (kind, say, fault) = match end {
            SendEnd::Sent => return Ok(()),
            SendEnd::Failed => (ErrorKind::Transient, "the simulated messenger failed", Injected::Before),
            SendEnd::Unanswered => {
                (ErrorKind::AnswerLost, "the simulated messenger did not answer", Injected::After)
            }
            SendEnd::Gone => {
                (ErrorKind::Unreachable, "the simulated user blocked the bot", Injected::Refusal)
            }
        };
        self.around.log.tell(Kind::Fault { site: Site::Messenger, fault, job });
        Err(PortError::new(kind, say))
    }
}

#[async_trait]
impl Messenger for SimMessenger {
    async fn send_text<'a>(&self, to: Audience, text: OrderText<'a>) -> Result<(), PortError> {
        let number = self.around.log.order(text.order);
        let (end, arrived) = self.fate(to, text.text, number.map_or(0, |order| u64::from(order.0)));
        self.around.outside_call(std::future::ready(()), self.latency.text_s).await;
        if let Some(order) = number {
            self.around.log.tell(Kind::TextSent { order, audience: to, end, arrived });
        }
        self.answer(end, None)
    }

    async fn send_video<'a>(&self, to: Audience, video: VideoMessage<'a>) -> Result<(), PortError> {
        let job: Option<JobNo> = self.around.log.job(video.job);
        let (end, arrived) = self.fate(to, "video", job.map_or(0, |job| u64::from(job.0)));
        self.around.outside_call(std::future::ready(()), self.latency.video_s).await;
        if let Some(job) = job {
            self.around.log.tell(Kind::VideoSent { job, end, arrived });
        }
        self.answer(end, job)
    }
}
