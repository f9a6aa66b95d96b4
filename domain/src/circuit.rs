//! Which video model takes a job's next submission, and how a model the provider stopped offering comes back.
//!
//! A refusal of the model itself opens its circuit: nobody submits to it any more. After a long cool-down one job may
//! try it again, the probe; an accepted probe closes the circuit, a refused one keeps it open. The operator is told
//! once an opening, however many jobs meet it.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    id::{AttemptId, ModelId},
    time::Timestamp,
};

/// An open circuit. A model without one is usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circuit {
    /// When it opened; refusals of the same opening do not move it.
    pub since: Timestamp,
    /// When the model may be probed; only moves later while the circuit is open.
    pub open_until: Timestamp,
    /// Whether the operator was told of this opening.
    pub alerted: bool,
    /// The job trying the model out, if one is.
    pub probe: Option<Probe>,
}

/// One submission that tries out a model whose circuit is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The submission.
    pub attempt: AttemptId,
    /// When it counts as gone, should nobody write down its answer.
    pub until: Timestamp,
}

/// The open circuits, by model.
pub type Circuits = BTreeMap<ModelId, Circuit>;

/// What a step changes about circuits. Stores apply it in the step's own transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CircuitChange {
    /// The provider does not offer the model: its circuit opens, or stays open longer, and a probe is over.
    Refused {
        /// The model.
        model: ModelId,
        /// When it may be probed.
        until: Timestamp,
    },
    /// The operator is being told of this opening.
    Alerted {
        /// The model.
        model: ModelId,
    },
    /// A submission tries the model out.
    Probing {
        /// The model.
        model: ModelId,
        /// The submission.
        probe: Probe,
    },
    /// The provider accepted a submission: if it was a probe, its model's circuit closes.
    Answered {
        /// The submission.
        attempt: AttemptId,
    },
    /// A submission was refused for another cause, which says nothing about the model: if it was a probe, the next one
    /// may be made.
    Unclear {
        /// The submission.
        attempt: AttemptId,
    },
}

/// The model [`choose`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The model.
    pub model: &'a ModelId,
    /// Whether its circuit is open and this submission tries it out.
    pub is_probe: bool,
}

/// The first of `models` whose circuit is closed, or open and due for a probe that nobody is making. `None` when
/// there is none: waiting would take as long as the longest cool-down.
#[must_use]
pub fn choose<'a>(models: &'a [ModelId], circuits: &Circuits, now: Timestamp) -> Option<Choice<'a>> {
    models.iter().find_map(|model| match circuits.get(model) {
        None => Some(Choice { model, is_probe: false }),
        Some(circuit) => circuit.may_be_probed(now).then_some(Choice { model, is_probe: true }),
    })
}

impl Circuit {
    /// Whether one submission may try the model out.
    #[must_use]
    pub fn may_be_probed(&self, now: Timestamp) -> bool {
        self.open_until <= now && self.probe.is_none_or(|probe| probe.until <= now)
    }

    fn is_probed_by(&self, attempt: AttemptId) -> bool {
        self.probe.is_some_and(|probe| probe.attempt == attempt)
    }
}

/// Applies one change that happened at `now`.
pub fn apply(circuits: &mut Circuits, change: &CircuitChange, now: Timestamp) {
    match change {
        CircuitChange::Refused { model, until } => {
            let fresh = Circuit { since: now, open_until: *until, alerted: false, probe: None };
            let circuit = circuits.entry(model.clone()).or_insert(fresh);
            circuit.open_until = circuit.open_until.max(*until);
            circuit.probe = None;
        }
        CircuitChange::Alerted { model } => {
            if let Some(circuit) = circuits.get_mut(model) {
                circuit.alerted = true;
            }
        }
        CircuitChange::Probing { model, probe } => {
            if let Some(circuit) = circuits.get_mut(model) {
                circuit.probe = Some(*probe);
            }
        }
        CircuitChange::Answered { attempt } => {
            circuits.retain(|_, circuit| !circuit.is_probed_by(*attempt));
        }
        CircuitChange::Unclear { attempt } => {
            for circuit in circuits.values_mut().filter(|circuit| circuit.is_probed_by(*attempt)) {
                circuit.probe = None;
            }
        }
    }
}

/// How long a refused model's circuit stays open before a probe, unless the operator says otherwise.
pub const COOLING: Duration = Duration::from_secs(30 * 60);
