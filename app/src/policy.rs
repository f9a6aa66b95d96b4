//! What the operator decided: limits, models, keys and times, shared by every service and loop.

use std::{path::PathBuf, sync::Arc, time::Duration};

use domain::{
    decision::RetryPolicy,
    id::{AttemptId, ModelId, PackageId, UserId},
    job::{Job, Rules},
    model::{self, VideoModel},
    money::Credits,
    order::Order,
};
use ports::{KeyRoster, LeaseTerms};

use crate::texts::Language;

/// The decisions that services and loops run under.
#[derive(Debug, Clone)]
pub struct Policy {
    /// When and how often a job is tried again.
    pub retry: Arc<RetryPolicy>,
    /// What can be ordered.
    pub models: Models,
    /// Provider keys and what their accounts may do.
    pub roster: KeyRoster,
    /// How long a claim lasts.
    pub lease: LeaseTerms,
    /// How the loops work.
    pub worker: WorkerTerms,
    /// How messages are sent.
    pub sending: SendingTerms,
    /// How videos are handed over.
    pub delivery: DeliveryTerms,
    /// The language of messages.
    pub language: Language,
    /// What the bot offers and names.
    pub bot: BotTerms,
    /// Where the provider tells that a task has ended: the address an attempt's id is added to. `None` when it cannot
    /// reach us.
    pub callback_base: Option<String>,
}

/// How long a lost answer is waited for when callbacks are heard, unless the operator says otherwise: the callback
/// comes at the render's end, and most renders have ended by then. Without callbacks nothing is won by waiting longer.
pub const LOST_ANSWER_GRACE_WITH_CALLBACKS: Duration = Duration::from_secs(300);

impl Policy {
    /// Where the provider tells that this attempt's task has ended.
    #[must_use]
    pub fn callback_url(&self, attempt: AttemptId) -> Option<String> {
        self.callback_base.as_ref().map(|base| format!("{base}{attempt}"))
    }

    /// The rules jobs of a model run under. A model that left the catalogue runs under the default model's times
    /// until the provider's answer ends the job.
    #[must_use]
    pub fn rules(&self, model: &ModelId) -> Rules {
        Rules {
            retry: Arc::clone(&self.retry),
            models: vec![model.clone()],
            timing: self.models.get_or_default(model).timing,
        }
    }

    /// The rules a job runs under now: the times of the model it is rendered with, and every model it may be rendered
    /// with.
    #[must_use]
    pub fn rules_of(&self, order: &Order, job: &Job) -> Rules {
        let present = job.model.as_ref().unwrap_or(&order.model);
        Rules { models: self.models.allowed(order, job), ..self.rules(present) }
    }
}

/// How the worker loops work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerTerms {
    /// Jobs worked on at once.
    pub job_slots: u32,
    /// Messages sent at once.
    pub message_slots: u32,
    /// How long running steps may go on after a stop was asked for.
    pub grace: Duration,
    /// How often to look for work although nothing is due and no hint came: hints may be missing.
    pub safety_poll: Duration,
}

impl Default for WorkerTerms {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { job_slots: 20, message_slots: 8, grace: s(100), safety_poll: s(30) }
    }
}

/// How often a message is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendingTerms {
    /// The delay after the first failure; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest delay.
    pub longest_delay: Duration,
    /// A message that failed this often is given up.
    pub failures_max: u32,
}

impl Default for SendingTerms {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { first_delay: s(2), longest_delay: s(300), failures_max: 12 }
    }
}

impl SendingTerms {
    /// How long to wait after failure number `failures`, from 1; `None` when the message is to be given up.
    #[must_use]
    pub fn delay_after(&self, failures: u32) -> Option<Duration> {
        if failures >= self.failures_max {
            return None;
        }
        let factor = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        Some(self.first_delay.saturating_mul(factor).min(self.longest_delay))
    }
}

/// What the bot offers and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotTerms {
    /// What everybody gets once, for accepting the terms.
    pub starter: Credits,
    /// What somebody gets once for each user they invited who accepts the terms. Accounts cost nothing, so it is an
    /// invitation to make many; nothing unless the operator decides otherwise.
    pub referral: Credits,
    /// The bot's name at Telegram, without `@`, for invitations.
    pub username: Option<String>,
    /// Whom users write to: a name at Telegram, an address, a link.
    pub support: Option<String>,
    /// Where the full terms are.
    pub terms_url: Option<String>,
    /// Where the full privacy policy is (Telegram's terms for bots, 4).
    pub privacy_url: Option<String>,
    /// Where sample clips are.
    pub samples_url: Option<String>,
    /// Who runs the bot: they are told what went wrong and may use the commands for operators.
    pub admins: Vec<UserId>,
    /// What is on sale; nothing when it is empty.
    pub packages: Vec<Package>,
    /// How often an update is tried while Telegram or a store is away, before the user is told so.
    pub patience: u32,
}

/// Credits for Telegram Stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name, written into the books and carried by its button.
    pub name: PackageId,
    /// What it buys.
    pub credits: Credits,
    /// What it costs, in Stars.
    pub stars: u32,
}

impl Default for BotTerms {
    fn default() -> Self {
        Self {
            starter: Credits::of(1),
            referral: Credits::ZERO,
            username: None,
            support: None,
            terms_url: None,
            privacy_url: None,
            samples_url: None,
            admins: Vec::new(),
            packages: Vec::new(),
            patience: 3,
        }
    }
}

/// How videos are handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryTerms {
    /// Where a video lies between its download and its sending.
    pub work_dir: PathBuf,
    /// The largest video taken from the provider, in bytes.
    pub video_bytes_max: u64,
}

/// The video models that can be ordered. There is always a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    all: Vec<VideoModel>,
    default: VideoModel,
    fallback: Vec<VideoModel>,
}

/// No such model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no video model `{model}`: choose one of {known}")]
pub struct UnknownModel {
    /// What was asked for.
    pub model: ModelId,
    /// What there is, comma-separated.
    pub known: String,
}

/// A list of models to fall back on that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FallbackError {
    /// The catalogue has no such model.
    #[error(transparent)]
    Unknown(#[from] UnknownModel),
    /// It takes no orders.
    #[error("`{model}` takes no orders ({reason}): choose one that `kadr models` shows without OFF")]
    Off {
        /// The model.
        model: ModelId,
        /// Why.
        reason: String,
    },
    /// It would be tried twice.
    #[error("`{model}` is listed twice: once is enough")]
    Twice {
        /// The model.
        model: ModelId,
    },
}

impl Models {
    /// The catalogue with one of its entries as the default.
    ///
    /// # Errors
    /// [`UnknownModel`] when the default is not in the catalogue.
    pub fn new(all: Vec<VideoModel>, default: &ModelId) -> Result<Self, UnknownModel> {
        let default = find(&all, default)?.clone();
        Ok(Self { all, default, fallback: Vec::new() })
    }

    /// The same models, with those that may stand in for an ordered one the provider does not offer, in the order
    /// they are tried.
    ///
    /// # Errors
    /// [`FallbackError`] naming the entry that cannot be one.
    pub fn with_fallback(mut self, ids: &[ModelId]) -> Result<Self, FallbackError> {
        for id in ids {
            let model = self.get(id)?;
            if !model.enabled {
                let reason = model.off_reason.clone().unwrap_or_else(|| "switched off".to_owned());
                return Err(FallbackError::Off { model: id.clone(), reason });
            }
            if self.fallback.contains(model) {
                return Err(FallbackError::Twice { model: id.clone() });
            }
            self.fallback.push(model.clone());
        }
        Ok(self)
    }

    /// The models a job of an order may be rendered with, the ordered one first. One that left the catalogue has no
    /// price to compare with, so nothing stands in for it.
    fn allowed(&self, order: &Order, job: &Job) -> Vec<ModelId> {
        match self.get(&order.model) {
            Ok(ordered) => {
                model::allowed(ordered, &self.fallback, order.request.photo_format, job.prompt.as_ref())
            }
            Err(_) => vec![order.model.clone()],
        }
    }

    /// Those that may stand in for others, in the order they are tried.
    #[must_use]
    pub fn fallback(&self) -> &[VideoModel] {
        &self.fallback
    }

    /// Every model, in the catalogue's order.
    #[must_use]
    pub fn all(&self) -> &[VideoModel] {
        &self.all
    }

    /// What is used when an order names no model.
    #[must_use]
    pub const fn default_model(&self) -> &VideoModel {
        &self.default
    }

    /// A model by id.
    ///
    /// # Errors
    /// [`UnknownModel`] naming what there is.
    pub fn get(&self, id: &ModelId) -> Result<&VideoModel, UnknownModel> {
        find(&self.all, id)
    }

    /// A model by id, or the default for one that left the catalogue after it was ordered.
    #[must_use]
    pub fn get_or_default(&self, id: &ModelId) -> &VideoModel {
        self.all.iter().find(|model| model.id == *id).unwrap_or(&self.default)
    }
}

fn find<'a>(all: &'a [VideoModel], id: &ModelId) -> Result<&'a VideoModel, UnknownModel> {
    all.iter().find(|model| model.id == *id).ok_or_else(|| UnknownModel {
        model: id.clone(),
        known: all.iter().map(|model| model.id.as_str()).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_of_messages_grow_to_a_limit_and_end() {
        let terms = SendingTerms {
            first_delay: Duration::from_secs(2),
            longest_delay: Duration::from_secs(10),
            failures_max: 5,
        };
        let delays: Vec<_> = (1..=6).map(|n| terms.delay_after(n).map(|d| d.as_secs())).collect();
        assert_eq!(delays, [Some(2), Some(4), Some(8), Some(10), None, None]);
    }
}
