//! Submitting a job to the provider.

use domain::job::{Event, State};
use ports::{ErrorKind, PortError, ProviderRefusal, Reply, VideoRequest};

use super::{Finding, Next, Turn};
use crate::ids;

impl Turn<'_> {
    /// Records the attempt with its key, then creates the task, then writes down the answer. A worker that dies in
    /// between leaves an open attempt behind, which the next one treats as an answer that never came: the call is
    /// not repeated before its grace is over, because the task may exist and be paid for.
    pub(super) async fn submit(&self) -> Result<Next, PortError> {
        let (ports, job) = (self.ports, &self.leased.job);
        let (Some(prompt), Some(photo)) = (&job.prompt, &job.photo) else {
            return Err(self.out_of_place("submit"));
        };
        let attempt = ids::attempt(ports);
        let opened = ports
            .jobs
            .open_attempt(&self.leased, attempt, &self.policy.roster, &self.rules, ports.clock.now())
            .await?;
        let key = match &opened.job.state {
            State::Submitting { open: Some(open) } if open.id == attempt => open.key.clone(),
            // No key was free: a wait or a refund is stored already.
            _ => return Ok(Next::End(self.moved(job, &opened))),
        };
        let request =
            VideoRequest { model: &self.order.model, prompt: prompt.as_str(), photo_url: &photo.url };
        let finding = match ports.video.create(&key, request).await {
            Reply::Yes(task) => {
                tracing::info!(job.id = %job.id, attempt.id = %attempt, key = %key, task = %task, "task created");
                Event::Accepted { attempt, task }.into()
            }
            Reply::No(refusal) => {
                self.log_refusal("create", &refusal);
                let ProviderRefusal { failure, evidence, retry_after } = refusal;
                Finding { retry_after, ..Finding::seen(Event::Refused { attempt, failure }, evidence) }
            }
            Reply::Unknown(seen) => {
                tracing::warn!(job.id = %job.id, attempt.id = %attempt, key = %key, %seen, "the submission was not answered");
                Finding::seen(Event::AnswerMissing { attempt }, seen)
            }
        };
        let ended = self.record(&opened.job, finding).await;
        if let Err(error) = &ended
            && error.kind() != ErrorKind::Conflict
        {
            tracing::error!(
                job.id = %job.id,
                attempt.id = %attempt,
                key = %key,
                "the provider answered and the answer could not be stored: a second submission may follow"
            );
        }
        ended
    }

    /// An attempt was opened and whoever opened it never wrote down its answer.
    pub(super) fn await_answer(&self) -> Result<Finding, PortError> {
        match &self.leased.job.state {
            State::Submitting { open: Some(open) } => Ok(Event::AnswerMissing { attempt: open.id }.into()),
            _ => Err(self.out_of_place("await an answer")),
        }
    }
}
