//! Handing the photo to the provider.

use domain::{
    failure::Reason,
    job::Event,
    key::{self, KeyChoice},
};
use ports::{PortError, ProviderRefusal, Reply};

use super::{Finding, Turn};
use crate::ids;

impl Turn<'_> {
    /// Uploads with the key that would take the submission. A second upload harms nobody, so an unanswered one is
    /// simply a failure that is tried again.
    pub(super) async fn upload_photo(&self) -> Result<Finding, PortError> {
        let (ports, roster) = (self.ports, &self.policy.roster);
        let now = ports.clock.now();
        let facts = ports.jobs.key_facts(roster, now).await?;
        let avoid = self.leased.job.avoid_key.as_ref();
        let key = match key::choose(&facts, &roster.limits, avoid, now) {
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
                let ProviderRefusal { failure, evidence } = refusal;
                Finding::seen(Event::UploadFailed { key, failure }, evidence)
            }
            Reply::Unknown(seen) => {
                tracing::warn!(job.id = %self.leased.lease.job, %seen, "the photo's upload was not answered");
                Finding::seen(Event::UploadFailed { key, failure: Reason::ProviderFault.into() }, seen)
            }
        })
    }
}
