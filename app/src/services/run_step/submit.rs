//! Submitting a job to the provider.

use domain::{
    id::{AttemptId, TaskId},
    job::{Event, Job, State},
};
use ports::{Adoption, ErrorKind, PortError, ProviderRefusal, Reply, VideoRequest};

use super::{Finding, Next, StepEnd, Turn};
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
            .open_attempt(&self.leased, attempt, &self.policy.roster, &self.rules(job), ports.clock.now())
            .await?;
        let key = match &opened.job.state {
            State::Submitting { open: Some(open) } if open.id == attempt => open.key.clone(),
            // No model or key was free: a wait or a refund is stored already.
            _ => return Ok(Next::End(self.moved(job, &opened))),
        };
        let model = self.rendered_with(&opened.job);
        if *model != self.order.model {
            tracing::info!(job.id = %job.id, ordered = %self.order.model, %model, "another model stands in");
        }
        let callback_url = self.policy.callback_url(attempt);
        let request = VideoRequest {
            model,
            prompt: prompt.as_str(),
            photo_url: &photo.url,
            callback_url: callback_url.as_deref(),
        };
        let mut created = None;
        let finding = match ports.video.create(&key, request).await {
            Reply::Yes(task) => {
                tracing::info!(job.id = %job.id, attempt.id = %attempt, key = %key, task = %task, "task created");
                created = Some(task.clone());
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
        let Err(error) = &ended else { return ended };
        if error.kind() == ErrorKind::Conflict {
            if let Some(task) = created {
                return self.adopt(&opened.job, attempt, &task).await.map(Next::End);
            }
        } else {
            tracing::error!(
                job.id = %job.id,
                attempt.id = %attempt,
                key = %key,
                "the provider answered and the answer could not be stored: a second submission may follow"
            );
        }
        ended
    }

    /// The lease was lost while the task was created. The task is paid for, so it is given to its attempt all the same,
    /// if that still waits for an answer: a callback may have come before, or the grace may be over.
    async fn adopt(&self, opened: &Job, attempt: AttemptId, task: &TaskId) -> Result<StepEnd, PortError> {
        let (ports, job) = (self.ports, opened.id);
        match ports.jobs.adopt(attempt, task, &self.rules(opened), ports.clock.now()).await {
            Ok(Adoption::Adopted(_)) => {
                tracing::info!(job.id = %job, attempt.id = %attempt, task = %task, "the lease is lost, its task is adopted");
            }
            Ok(Adoption::Already) => {}
            Ok(Adoption::Refused) => tracing::error!(
                job.id = %job,
                attempt.id = %attempt,
                task = %task,
                "the task was created after its attempt was given up: it may be paid twice"
            ),
            Err(error) => tracing::error!(
                job.id = %job,
                attempt.id = %attempt,
                task = %task,
                error = &error as &dyn std::error::Error,
                "the lease is lost and its task could not be adopted: a second submission may follow"
            ),
        }
        Ok(StepEnd::LeaseLost)
    }

    /// An attempt was opened and whoever opened it never wrote down its answer.
    pub(super) fn await_answer(&self) -> Result<Finding, PortError> {
        match &self.leased.job.state {
            State::Submitting { open: Some(open) } => Ok(Event::AnswerMissing { attempt: open.id }.into()),
            _ => Err(self.out_of_place("await an answer")),
        }
    }
}
