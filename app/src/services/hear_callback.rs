//! Hearing the provider say that a task has ended.
//!
//! A callback is a hint, whoever signed it: it may give a lost answer its task, or make the next look due at once. What
//! became of the render is read by that look, with the key that created the task, as ever.

use domain::id::{AttemptId, TaskId};
use ports::{Adoption, Hastening, PortError};

use crate::{Policy, Ports};

/// What a callback was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heard {
    /// The attempt had waited for its answer, and has its task now.
    Adopted,
    /// The next look is due now, earlier than it would have been.
    Hastened,
    /// The look was due already, or is under way.
    AlreadyDue,
    /// The job has gone on, the attempt is nobody's, or its task is another: nothing changed.
    Unmatched,
}

impl Heard {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Adopted, Self::Hastened, Self::AlreadyDue, Self::Unmatched];

    /// The word of metrics and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Hastened => "hastened",
            Self::AlreadyDue => "already_due",
            Self::Unmatched => "unmatched",
        }
    }
}

/// Acts on a verified callback about `task`, sent to the address that `attempt` was given. Hearing it again changes
/// nothing more.
///
/// # Errors
/// The store's; the caller may be told to send it again.
pub async fn hear_callback(
    ports: &Ports,
    policy: &Policy,
    attempt: AttemptId,
    task: &TaskId,
) -> Result<Heard, PortError> {
    let Some(job) = ports.jobs.job_of_attempt(attempt).await? else { return Ok(Heard::Unmatched) };
    if job.state.is_terminal() {
        return Ok(Heard::Unmatched);
    }
    let Some(order) = ports.orders.order(job.order).await? else { return Ok(Heard::Unmatched) };
    let (rules, now) = (policy.rules_of(&order, &job), ports.clock.now());
    if let Adoption::Adopted(step) = ports.jobs.adopt(attempt, task, &rules, now).await? {
        tracing::info!(
            order.id = %step.job.order,
            job.id = %step.job.id,
            attempt.id = %attempt,
            task = %task,
            "a lost answer's task has shown itself and is adopted"
        );
        return Ok(Heard::Adopted);
    }
    Ok(match ports.jobs.hasten(attempt, task, now).await? {
        Hastening::Hastened => Heard::Hastened,
        Hastening::AlreadyDue => Heard::AlreadyDue,
        Hastening::NotRendering => Heard::Unmatched,
    })
}

#[cfg(test)]
mod tests;
