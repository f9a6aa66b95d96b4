//! Cancelling a video that is not with the provider yet.

use domain::{id::JobId, job::Step};
use ports::PortError;

use crate::{Policy, Ports};

/// Cancels a job and gives its credit back.
///
/// # Errors
/// [`ports::ErrorKind::Rejected`] when there is no such job or the provider is already at work.
pub async fn cancel_job(ports: &Ports, policy: &Policy, job: JobId) -> Result<Step, PortError> {
    // Cancelling never looks at a render, so the model's times do not matter.
    let rules = policy.rules(&policy.models.default_model().id);
    let step = ports.jobs.cancel(job, &rules, ports.clock.now()).await?;
    tracing::info!(job.id = %job, "job cancelled");
    Ok(step)
}
