//! The two places where a job asks whether it may go to the provider, and with which model and key.
//!
//! Stores call these inside the transaction in which the facts were read, so that limits and the breaker hold across
//! hosts.

use super::{
    Event, Job, Refusal, Rules, Step,
    transition::{alert, apply},
};
use crate::{
    breaker::{self, Asking, Change, ProviderFacts, Ruling, Verdict},
    circuit::{self, CircuitChange, Circuits, Probe},
    id::AttemptId,
    key::{self, AccountLimits, Chosen, KeyChoice},
    notice::NoticeKind,
    time::Timestamp,
};

/// Asks the breaker, chooses a model and a key for the job's next submission, in this order, and applies what follows:
/// an open attempt, a wait, or a refund. Openings of circuits that the operator has not heard of are told on the way.
///
/// # Errors
/// [`Refusal`] when the job is not about to be submitted.
pub fn open_attempt(
    job: &Job,
    attempt: AttemptId,
    facts: &ProviderFacts,
    limits: &AccountLimits,
    circuits: &Circuits,
    rules: &Rules,
    now: Timestamp,
) -> Result<Step, Refusal> {
    let ruling = ask(job, facts, limits, rules, now);
    let waits = ruling.as_ref().and_then(|ruling| match ruling.verdict {
        Verdict::Go | Verdict::Probe => None,
        Verdict::Slowly(until) => Some((ruling, Event::KeysBusy { until })),
        Verdict::Hold(until) => Some((ruling, Event::ProviderDown { until })),
    });
    let step = match waits {
        Some((ruling, event)) => {
            let asking = Job { is_probe: false, ..job.clone() };
            ruled(apply(&asking, event, rules, now)?, facts, ruling)
        }
        None => submit(job, attempt, (facts, ruling.as_ref()), limits, circuits, rules, now)?,
    };
    Ok(with_alerts(step, circuits, rules))
}

/// The breaker lets the job go: a model, then a key. Without either the breaker's word is not taken, or a probe would
/// be out that nobody makes.
fn submit(
    job: &Job,
    attempt: AttemptId,
    (facts, ruling): (&ProviderFacts, Option<&Ruling>),
    limits: &AccountLimits,
    circuits: &Circuits,
    rules: &Rules,
    now: Timestamp,
) -> Result<Step, Refusal> {
    let Some(model) = circuit::choose(&rules.models, circuits, now) else {
        return apply(job, Event::NoModelLeft, rules, now);
    };
    let (policy, avoid) = (&rules.retry, job.avoid_key.as_ref());
    let Chosen { choice, on_trial, singled_out } =
        key::choose(&facts.keys, limits, &policy.cooling, policy.outage.as_ref(), avoid, now);
    let key = match choice {
        KeyChoice::Use(key) => key,
        KeyChoice::Wait(until) => {
            return Ok(Step { cooling: singled_out, ..apply(job, Event::KeysBusy { until }, rules, now)? });
        }
        KeyChoice::NoneLeft => return apply(job, Event::NoKeyLeft, rules, now),
    };
    let is_probe = ruling.is_some_and(|ruling| ruling.verdict == Verdict::Probe);
    let asking = if ruling.is_some() { Job { is_probe, ..job.clone() } } else { job.clone() };
    let opened = Event::AttemptOpened { attempt, key, model: model.model.clone() };
    let mut step = Step { cooling: on_trial.or(singled_out), ..apply(&asking, opened, rules, now)? };
    if model.is_probe {
        let probe = Probe { attempt, until: now.after(policy.lost_answer_grace) };
        step.circuits.push(CircuitChange::Probing { model: model.model.clone(), probe });
    }
    Ok(match ruling {
        Some(ruling) => ruled(step, facts, ruling),
        None => step,
    })
}

/// The step with what the operator hears of models that are out.
fn with_alerts(mut step: Step, circuits: &Circuits, rules: &Rules) -> Step {
    for model in rules.models.iter().filter(|model| circuits.get(*model).is_some_and(|c| !c.alerted)) {
        step.circuits.push(CircuitChange::Alerted { model: model.clone() });
        step.notices.push(alert(&step.job, NoticeKind::ModelOut { model: model.clone() }));
    }
    step
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
    step.notices.push(alert(&step.job, kind));
    step
}
