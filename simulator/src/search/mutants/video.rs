//! Bugs between the steps and the video provider.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use domain::{
    failure::Reason,
    id::{AttemptId, KeyId, ModelId, TaskId},
};
use ports::{KeyRoster, Photo, ProviderRefusal, RenderStatus, Reply, RosterKey, VideoApi, VideoRequest};

use super::Mutant;

/// A video provider's client with a bug.
pub(super) struct WrongVideo {
    real: Arc<dyn VideoApi>,
    mutant: Mutant,
    keys: Vec<RosterKey>,
}

impl WrongVideo {
    pub(super) fn new(real: Arc<dyn VideoApi>, mutant: Mutant, roster: &KeyRoster) -> Self {
        Self { real, mutant, keys: roster.keys.clone() }
    }

    /// A key of another account than `key`'s; the same one when there is none.
    fn another<'a>(&'a self, key: &'a KeyId) -> &'a KeyId {
        let account = self.keys.iter().find(|known| known.key == *key).map(|known| &known.account);
        self.keys.iter().find(|other| Some(&other.account) != account).map_or(key, |other| &other.key)
    }

    fn judged(&self, refusal: ProviderRefusal) -> ProviderRefusal {
        if self.mutant != Mutant::ClassBySubstring {
            return refusal;
        }
        ProviderRefusal { failure: by_substring(&refusal.evidence).into(), ..refusal }
    }
}

/// The first familiar word decides, wherever it stands: `Content-Type` in a complaint about a key is content.
pub(super) fn by_substring(evidence: &str) -> Reason {
    const WORDS: [(&[&str], Reason); 4] = [
        (&["content", "people", "violat"], Reason::Moderation),
        (&["account", "balance", "credit"], Reason::AccountCredits),
        (&["429", "frequency", "limit"], Reason::RateLimit),
        (&["500", "error", "try again"], Reason::ProviderFault),
    ];
    let evidence = evidence.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| evidence.contains(word));
    let first = WORDS.iter().find(|(words, _)| has(words));
    first.map_or(Reason::Unrecognised, |(_, reason)| *reason)
}

#[async_trait]
impl VideoApi for WrongVideo {
    async fn upload(&self, key: &KeyId, name: AttemptId, photo: &Photo) -> Reply<String> {
        self.real.upload(key, name, photo).await
    }

    async fn create<'a>(&self, key: &KeyId, request: VideoRequest<'a>) -> Reply<TaskId> {
        match self.real.create(key, request).await {
            Reply::Unknown(evidence) if self.mutant == Mutant::LostAnswerIsFailure => {
                Reply::No(ProviderRefusal {
                    failure: Reason::ProviderFault.into(),
                    evidence,
                    retry_after: None,
                })
            }
            Reply::No(refusal) => Reply::No(self.judged(refusal)),
            reply => reply,
        }
    }

    async fn status(&self, key: &KeyId, model: &ModelId, task: &TaskId) -> Reply<RenderStatus> {
        let key = if self.mutant == Mutant::PollsWithAnotherKey { self.another(key) } else { key };
        match self.real.status(key, model, task).await {
            Reply::Yes(RenderStatus::Failed(refusal)) => {
                Reply::Yes(RenderStatus::Failed(self.judged(refusal)))
            }
            reply => reply,
        }
    }

    async fn fresh_link(&self, key: &KeyId, url: &str) -> Reply<String> {
        self.real.fresh_link(key, url).await
    }

    async fn download(&self, url: &str, file: &Path, bytes_max: u64) -> Reply<u64> {
        self.real.download(url, file, bytes_max).await
    }

    async fn balance(&self, key: &KeyId) -> Reply<f64> {
        self.real.balance(key).await
    }
}
