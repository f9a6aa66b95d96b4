//! Handing the photo to the provider.

use domain::{
    breaker::ProviderFacts,
    failure::Reason,
    job::{self, Event, Job},
    key::{self, KeyChoice},
    time::Timestamp,
};
use ports::{PortError, ProviderRefusal, Reply};

use super::{Finding, Next, Turn};
use crate::ids;

impl Turn<'_> {
    /// Asks the breaker, then uploads. Only when the breaker has more to say than "go on" is it asked under the lock that
    /// makes its word count.
    pub(super) async fn upload_photo(&self) -> Result<Next, PortError> {
        let (ports, roster, job) = (self.ports, &self.policy.roster, &self.leased.job);
        let (now, rules) = (ports.clock.now(), self.rules(job));
        let facts = ports.jobs.provider_facts(roster, now).await?;
        let word = job::before_upload(job, &facts, &roster.limits, &rules, now);
        let step = match word {
            Ok(None) => None,
            Ok(Some(_)) | Err(_) => ports.jobs.ask_breaker(&self.leased, roster, &rules, now).await?,
        };
        let job = match &step {
            None => job,
            Some(step) if step.job.is_probe => &step.job,
            Some(step) => return Ok(Next::End(self.moved(job, step))),
        };
        let finding = self.upload(job, &facts, now).await?;
        self.record(job, finding).await
    }

    /// Uploads with the key that would take the submission. A second upload harms nobody, so an unanswered one is
    /// simply a failure that is tried again.
    async fn upload(&self, job: &Job, facts: &ProviderFacts, now: Timestamp) -> Result<Finding, PortError> {
        let (ports, limits) = (self.ports, &self.policy.roster.limits);
        let (retry, avoid) = (&self.policy.retry, job.avoid_key.as_ref());
        let chosen = key::choose(&facts.keys, limits, &retry.cooling, retry.outage.as_ref(), avoid, now);
        let key = match chosen.choice {
            KeyChoice::Use(key) => key,
            KeyChoice::Wait(until) => return Ok(Event::KeysBusy { until }.into()),
            KeyChoice::NoneLeft => return Ok(Event::NoKeyLeft.into()),
        };
        let id = self.order.request.photo;
        let Some(photo) = ports.photos.get(id).await? else {
            // Nothing brings the photo back, so the user must not wait for it.
            tracing::error!(job.id = %self.leased.lease.job, photo.id = %id, "the photo is missing from the store");
            let event = Event::UploadFailed { key, failure: Reason::BadRequest.into() };
            return Ok(Finding::seen(event, format!("photo {id} is missing from our own store")));
        };
        Ok(match ports.video.upload(&key, ids::attempt(ports), &photo).await {
            Reply::Yes(url) => Event::PhotoUploaded { url }.into(),
            Reply::No(refusal) => {
                self.log_refusal("upload", &refusal);
                let ProviderRefusal { failure, evidence, retry_after } = refusal;
                Finding { retry_after, ..Finding::seen(Event::UploadFailed { key, failure }, evidence) }
            }
            Reply::Unknown(seen) => {
                tracing::warn!(job.id = %self.leased.lease.job, %seen, "the photo's upload was not answered");
                Finding::seen(Event::UploadFailed { key, failure: Reason::ProviderFault.into() }, seen)
            }
        })
    }
}
