//! Looking at a render.

use domain::job::{Event, State};
use ports::{PortError, ProviderRefusal, RenderStatus, Reply};

use super::{Finding, Turn};

impl Turn<'_> {
    /// A look that fails says nothing about the render, which goes on without us: look again later.
    pub(super) async fn look(&self) -> Result<Finding, PortError> {
        let State::Rendering { attempt, key, task, .. } = &self.leased.job.state else {
            return Err(self.out_of_place("look at its render"));
        };
        let attempt = *attempt;
        Ok(match self.ports.video.status(key, self.rendered_with(&self.leased.job), task).await {
            Reply::Yes(RenderStatus::Running) => Event::NotReady { attempt }.into(),
            Reply::Yes(RenderStatus::Finished { url }) => Event::Rendered { attempt, url }.into(),
            Reply::Yes(RenderStatus::Failed(refusal)) => {
                self.log_refusal("render", &refusal);
                let ProviderRefusal { failure, evidence, .. } = refusal;
                Finding::seen(Event::RenderFailed { attempt, failure }, evidence)
            }
            Reply::Yes(RenderStatus::UnknownTask) => {
                tracing::warn!(job.id = %self.leased.lease.job, task = %task, "the provider does not know the task");
                Event::TaskUnknown { attempt }.into()
            }
            Reply::No(refusal) => {
                self.log_refusal("look", &refusal);
                Event::NotReady { attempt }.into()
            }
            Reply::Unknown(seen) => {
                tracing::warn!(job.id = %self.leased.lease.job, task = %task, %seen, "a look at the render was not answered");
                Event::NotReady { attempt }.into()
            }
        })
    }
}
