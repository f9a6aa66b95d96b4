//! A render task.

use std::{sync::Arc, time::Duration};

use domain::time::Timestamp;
use serde_json::Value;

use super::{Fate, KieCredits};

/// Which of the two task endpoints a task belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `/api/v1/jobs/…`.
    Market,
    /// `/api/v1/veo/…`.
    Veo,
}

/// A task as the provider keeps it.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) account: usize,
    pub(super) api: Api,
    pub(super) model: String,
    pub(super) input: Arc<Value>,
    pub(super) created: Timestamp,
    /// When it would be finished if all went well.
    pub(super) due: Timestamp,
    pub(super) fate: Option<Fate>,
    pub(super) price: KieCredits,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not started, as far as the lookup says; most tasks go from here straight to the end.
    Waiting,
    /// Being made.
    Generating,
    /// In a state with this undocumented name.
    Strange(String),
    /// Finished.
    Succeeded {
        /// When.
        at: Timestamp,
        /// Paths of the results below the result host.
        results: Vec<String>,
    },
    /// Failed.
    Failed {
        /// When.
        at: Timestamp,
        /// `failCode`.
        code: String,
        /// `failMsg`.
        msg: String,
    },
}

/// A task as the lookup shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskView {
    /// Its name.
    pub id: String,
    /// Its model's slug.
    pub model: String,
    /// What was asked for.
    pub input: Arc<Value>,
    /// When it was created.
    pub created: Timestamp,
    /// Where it stands.
    pub progress: Progress,
    /// What it costs.
    pub price: KieCredits,
}

impl Task {
    pub(super) fn view(&self, id: &str, now: Timestamp) -> TaskView {
        TaskView {
            id: id.to_owned(),
            model: self.model.clone(),
            input: Arc::clone(&self.input),
            created: self.created,
            progress: self.progress(id, now),
            price: self.price,
        }
    }

    pub(super) fn progress(&self, id: &str, now: Timestamp) -> Progress {
        if let Some(Fate::Fails { after, code, msg }) = &self.fate {
            let at = after.map_or(self.due, |after| self.created.after(after).min(self.due));
            if now >= at {
                return Progress::Failed { at, code: code.clone(), msg: msg.clone() };
            }
        }
        let is_over = now >= self.due && self.fate != Some(Fate::NeverEnds);
        if !is_over {
            return match &self.fate {
                Some(Fate::StrangeState(name)) => Progress::Strange(name.clone()),
                _ if now.since(self.created) >= self.generating_after() => Progress::Generating,
                _ => Progress::Waiting,
            };
        }
        let results = match self.fate {
            Some(Fate::NoResult) => Vec::new(),
            _ => vec![format!("f/{id}/0.mp4")],
        };
        Progress::Succeeded { at: self.due, results }
    }

    /// Of the recorded looks at unfinished tasks, 500 said `waiting` and 71 `generating`: the second word comes late.
    fn generating_after(&self) -> Duration {
        self.due.since(self.created).mul_f64(0.85)
    }

    /// When it ends, well or badly; far in the future for one that never does.
    pub(super) fn ends(&self) -> Timestamp {
        match &self.fate {
            Some(Fate::NeverEnds) => super::NEVER,
            Some(Fate::Fails { after: Some(after), .. }) => self.created.after(*after).min(self.due),
            _ => self.due,
        }
    }

    /// Whether it ends without a charge.
    pub(super) const fn fails(&self) -> bool {
        matches!(self.fate, Some(Fate::Fails { .. }))
    }

    pub(super) fn is_unseen(&self, now: Timestamp) -> bool {
        matches!(self.fate, Some(Fate::UnseenFor(time)) if now.since(self.created) < time)
    }
}
