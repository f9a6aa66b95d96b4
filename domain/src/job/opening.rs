//! The two places where a job asks whether it may go to the provider, and with which key.
//!
//! Stores call these inside the transaction in which the facts were read, so that limits and the breaker hold across
//! hosts.

use super::{Event, Job, Refusal, Rules, Step, transition::apply};
use crate::{
    breaker::{self, Asking, Change, ProviderFacts, Ruling, Verdict},
    id::AttemptId,
    key::{self, AccountLimits, Chosen, KeyChoice},
    notice::{Audience, Notice, NoticeKind},
    time::Timestamp,
};

/// Chooses a key for the job's next submission, asks the breaker, and applies what follows: an open attempt, a wait,
/// or a refund.
///
/// # Errors
/// [`Refusal`] when the job is not about to be submitted.
pub fn open_attempt(
    job: &Job,
    attempt: AttemptId,
    facts: &ProviderFacts,
    limits: &AccountLimits,
    rules: &Rules,
    now: Timestamp,
) -> Result<Step, Refusal> {
    let policy = &rules.retry;
    let avoid = job.avoid_key.as_ref();
    let Chosen { choice, on_trial, singled_out } =
        key::choose(&facts.keys, limits, &policy.cooling, policy.outage.as_ref(), avoid, now);
    let key = match choice {
        KeyChoice::Use(key) => key,
        KeyChoice::Wait(until) => {
            return Ok(Step { cooling: singled_out, ..apply(job, Event::KeysBusy { until }, rules, now)? });
        }
        KeyChoice::NoneLeft => return apply(job, Event::NoKeyLeft, rules, now),
    };
    let opened = Event::AttemptOpened { attempt, key };
    let Some(ruling) = ask(job, facts, limits, rules, now) else {
        return Ok(Step { cooling: on_trial.or(singled_out), ..apply(job, opened, rules, now)? });
    };
    let event = match ruling.verdict {
        Verdict::Go | Verdict::Probe => opened,
        Verdict::Slowly(until) => Event::KeysBusy { until },
        Verdict::Hold(until) => Event::ProviderDown { until },
    };
    let goes = matches!(event, Event::AttemptOpened { .. });
    let asking = Job { is_probe: ruling.verdict == Verdict::Probe, ..job.clone() };
    let step = apply(&asking, event, rules, now)?;
    let cooling = on_trial.filter(|_| goes).or(singled_out);
    Ok(ruled(Step { cooling, ..step }, facts, &ruling))
}

/// Asks the breaker before a photo is uploaded: the provider takes none while it is down, and each refusal would count
/// as a failure. `None` when the upload may go ahead; a job that is to probe keeps its lease and goes on.
///
/// # Errors
/// [`Refusal`] when the job is not about to be submitted.
pub fn before_upload(
    job: &Job,
    facts: &ProviderFacts,
    limits: &AccountLimits,
    rules: &Rules,
    now: Timestamp,
) -> Result<Option<Step>, Refusal> {
    let Some(ruling) = ask(job, facts, limits, rules, now) else { return Ok(None) };
    let event = match ruling.verdict {
        // A pace is kept where tasks are created.
        Verdict::Go | Verdict::Slowly(_) => return Ok(None),
        Verdict::Probe => Event::ProbeTaken,
        Verdict::Hold(until) => Event::ProviderDown { until },
    };
    Ok(Some(ruled(apply(job, event, rules, now)?, facts, &ruling)))
}

fn ask(
    job: &Job,
    facts: &ProviderFacts,
    limits: &AccountLimits,
    rules: &Rules,
    now: Timestamp,
) -> Option<Ruling> {
    let policy = rules.retry.outage.as_ref()?;
    let asking = Asking { job: job.id, is_careful: job.lost_answers >= rules.retry.lost_answers_max };
    Some(breaker::ask(facts, asking, limits, policy, now))
}

/// The step with the breaker as it is afterwards, and what the operator hears of it.
fn ruled(mut step: Step, facts: &ProviderFacts, ruling: &Ruling) -> Step {
    step.breaker = (ruling.breaker != facts.breaker).then_some(ruling.breaker);
    let kind = match ruling.change {
        Some(Change::Opened) => NoticeKind::OutageBegan,
        Some(Change::Closed) => NoticeKind::OutageEnded,
        None => return step,
    };
    let (order, video) = (step.job.order, Some(step.job.video));
    step.notices.push(Notice { audience: Audience::Operator, order, video, kind });
    step
}
