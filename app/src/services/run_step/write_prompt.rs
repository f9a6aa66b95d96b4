//! Having the prompt written, or using the template's own words.

use domain::{
    job::Event,
    prompt::{self, Prompt, PromptSource},
};
use ports::{PortError, PromptWriter};

use super::{Finding, Turn};

impl Turn<'_> {
    /// Never fails for want of a language model: without a usable answer the template's own prompt is taken.
    pub(super) async fn write_prompt(&self) -> Result<Finding, PortError> {
        let request = &self.order.request;
        let limit = self.model.prompt_chars.1;
        let written = match &self.ports.writer {
            Some(writer) => self.ask(&**writer).await?,
            None => None,
        };
        let (prompt, source) = match written {
            Some(prompt) => (prompt, PromptSource::Written),
            None => {
                let prompt =
                    prompt::without_writer(request.template, &request.brief, request.wishes.as_ref(), limit);
                let is_own = request.template == prompt::Template::OwnPrompt;
                (prompt, if is_own { PromptSource::User } else { PromptSource::Template })
            }
        };
        tracing::info!(
            job.id = %self.leased.lease.job,
            source = source.as_str(),
            chars = prompt.as_str().chars().count(),
            "prompt ready"
        );
        Ok(Event::PromptReady { prompt }.into())
    }

    /// The language model's prompt; `None` when the user directs, or when nothing usable came back.
    async fn ask(&self, writer: &dyn PromptWriter) -> Result<Option<Prompt>, PortError> {
        let request = &self.order.request;
        let limit = self.model.prompt_chars.1;
        let task = prompt::writing_task(
            request.template,
            &request.brief,
            request.wishes.as_ref(),
            self.model.clip_seconds,
            limit,
            self.leased.job.video,
        );
        let Some(task) = task else { return Ok(None) };
        let job = self.leased.lease.job;
        let Some(photo) = self.ports.photos.get(request.photo).await? else {
            tracing::warn!(job.id = %job, photo.id = %request.photo, "the photo is missing, the template's prompt is used");
            return Ok(None);
        };
        match writer.write(&task, &photo).await {
            Ok(answer) => {
                let prompt = prompt::from_answer(&answer, limit);
                if prompt.is_none() {
                    let chars = answer.chars().count();
                    tracing::warn!(job.id = %job, chars, "the language model's answer is not a prompt, the template's is used");
                }
                Ok(prompt)
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(job.id = %job, error, "the language model failed, the template's prompt is used");
                Ok(None)
            }
        }
    }
}
