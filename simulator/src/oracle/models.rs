//! Which model a job is submitted with, and what a model that is refused leads to.

use std::collections::BTreeMap;

use domain::{
    failure::Reason,
    id::ModelId,
    job::{AttemptStatus, State},
    model::VideoModel,
    notice::{NoticeKind, RefundCause},
    time::Timestamp,
};

use super::{
    jobs::{Live, Told},
    tally::{Law, Scene, Tally},
    watch::Setup,
};

const LAW: Law = Law::ModelFallback;

/// A model that was refused and not accepted since.
#[derive(Debug, Clone, Copy)]
struct Refused {
    /// When that was first told.
    since: Timestamp,
    /// When the newest refusal was told.
    newest: Timestamp,
    is_told: bool,
    /// When it was last tried out, if it was.
    tried: Option<Timestamp>,
}

/// The models that are out, as far as steps have told.
#[derive(Debug, Default)]
pub(super) struct Models {
    refused: BTreeMap<ModelId, Refused>,
}

impl Models {
    /// Judges a step, then learns from it.
    pub(super) fn check(
        &mut self,
        tally: &mut Tally,
        scene: Scene,
        live: &Live,
        told: &Told<'_>,
        setup: &Setup,
    ) {
        if told.status() == Some(AttemptStatus::Sent) {
            self.sent(tally, scene, told, setup);
        }
        self.alerts(tally, scene, told);
        if let State::Refunded { cause: RefundCause::ModelUnavailable, .. } = told.step.job.state {
            let closed = allowed(setup, told).find(|model| !self.refused.contains_key(&model.id));
            tally.hold(scene, LAW, closed.is_none(), || {
                let model = closed.map(|model| model.id.as_str()).unwrap_or_default();
                format!(
                    "refunded because no model is offered, and nobody refused `{model}`, which costs no more"
                )
            });
            tally.hold(scene, LAW, live.attempt.is_some() || !self.refused.is_empty(), || {
                "refunded because no model is offered, and none was ever refused".to_owned()
            });
        }
        self.learn(told);
    }

    /// A submission goes to an allowed model, and to one that is out only to try it out, one at a time.
    fn sent(&mut self, tally: &mut Tally, scene: Scene, told: &Told<'_>, setup: &Setup) {
        let Some(model) = told.step.job.model.clone() else {
            tally.hold(scene, LAW, false, || "a submission that names no model".to_owned());
            return;
        };
        let is_allowed = allowed(setup, told).any(|allowed| allowed.id == model);
        tally.hold(scene, LAW, is_allowed, || {
            format!("submitted with `{model}`, which costs more than what was ordered, or does not fit")
        });
        let Some(refused) = self.refused.get_mut(&model) else { return };
        let (cooling, grace) = (setup.retry.model_cooling, setup.retry.lost_answer_grace);
        // The refusal may have been decided a little before it was told.
        let is_early = told.decided_from > refused.newest && told.at < refused.since.after(cooling);
        let is_second = refused.tried.is_some_and(|at| at > refused.newest && told.at < at.after(grace));
        tally.hold(scene, LAW, !is_early, || {
            format!("submitted with `{model}`, which was refused and is still cooling down")
        });
        if is_second {
            // Allowed after a trial that ended without a word about the model; worth knowing if it is often.
            tally.note("model_tried_again_within_a_trial");
        }
        refused.tried = Some(told.at);
    }

    /// The operator hears of a model once until it is accepted again.
    fn alerts(&mut self, tally: &mut Tally, scene: Scene, told: &Told<'_>) {
        for notice in &told.step.notices {
            let NoticeKind::ModelOut { model } = &notice.kind else { continue };
            let known = self.refused.get_mut(model);
            let is_right = known.as_ref().is_some_and(|refused| !refused.is_told);
            tally.hold(scene, LAW, is_right, || {
                format!(
                    "the operator is told that `{model}` is out: nobody refused it, or it was told before"
                )
            });
            if let Some(refused) = known {
                refused.is_told = true;
            }
        }
    }

    fn learn(&mut self, told: &Told<'_>) {
        let Some(model) = told.step.job.model.clone() else { return };
        match told.status() {
            Some(AttemptStatus::Refused | AttemptStatus::Failed)
                if told.failure().is_some_and(|failure| failure.reason == Reason::ModelUnavailable) =>
            {
                let now = told.at;
                let fresh = Refused { since: now, newest: now, is_told: false, tried: None };
                self.refused.entry(model).or_insert(fresh).newest = now;
            }
            // Only the trial's own yes brings the model back; an older submission may be answered late.
            Some(AttemptStatus::Running)
                if self.refused.get(&model).is_some_and(|refused| refused.tried.is_some()) =>
            {
                self.refused.remove(&model);
            }
            _ => {}
        }
    }
}

/// The models a job may be submitted with, by the oracle's own reading: the ordered one, and those that cost no more and
/// take the prompt. Photos of simulated users suit every model of a scenario.
fn allowed<'a>(setup: &'a Setup, told: &Told<'_>) -> impl Iterator<Item = &'a VideoModel> {
    let chars = told.step.job.prompt.as_ref().map_or(1, |prompt| prompt.as_str().chars().count());
    let limit = setup.models.first().map_or(0, |ordered| ordered.price_hundredths);
    setup.models.iter().enumerate().filter_map(move |(place, model)| {
        let fits =
            model.price_hundredths <= limit && (model.prompt_chars.0..=model.prompt_chars.1).contains(&chars);
        (place == 0 || fits).then_some(model)
    })
}
