//! Circuits of models the provider stopped offering. Their rows are locked after the job's and before the user's.

use chrono::{DateTime, Utc};
use domain::{
    circuit::{Circuit, CircuitChange, Circuits, Probe},
    id::{AttemptId, ModelId},
};
use ports::PortError;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    error::{failed, inconsistent},
    time::{from_db, to_db},
};

#[derive(FromRow)]
struct CircuitRow {
    model: String,
    since: DateTime<Utc>,
    open_until: DateTime<Utc>,
    alerted: bool,
    probe_attempt: Option<Uuid>,
    probe_until: Option<DateTime<Utc>>,
}

impl CircuitRow {
    fn circuit(&self) -> Result<(ModelId, Circuit), PortError> {
        let model = ModelId::new(self.model.as_str())
            .map_err(|_| inconsistent("provider_models", "model", &self.model))?;
        let probe = self.probe_attempt.zip(self.probe_until);
        let probe = probe.map(|(attempt, until)| Probe {
            attempt: AttemptId::new(attempt.as_u128()),
            until: from_db(until),
        });
        let (since, open_until) = (from_db(self.since), from_db(self.open_until));
        Ok((model, Circuit { since, open_until, alerted: self.alerted, probe }))
    }
}

/// The open circuits, kept from everybody else until the transaction ends: one probe and one alert at a time.
pub(super) async fn lock_open(tx: &mut PgConnection) -> Result<Circuits, PortError> {
    let rows: Vec<CircuitRow> = sqlx::query_as(
        "SELECT model, since, open_until, alerted, probe_attempt, probe_until FROM provider_models
         WHERE open_until IS NOT NULL ORDER BY model FOR UPDATE",
    )
    .fetch_all(tx)
    .await
    .map_err(failed("read which models are out"))?;
    rows.iter().map(CircuitRow::circuit).collect()
}

/// Writes what choosing a model changes, under the locks of [`lock_open`]. What answers change is part of the
/// statement that stores them.
pub(super) async fn write_choice(tx: &mut PgConnection, changes: &[CircuitChange]) -> Result<(), PortError> {
    for change in changes {
        let statement = match change {
            CircuitChange::Alerted { model } => {
                sqlx::query("UPDATE provider_models SET alerted = true WHERE model = $1").bind(model.as_str())
            }
            CircuitChange::Probing { model, probe } => sqlx::query(
                "UPDATE provider_models SET probe_attempt = $2, probe_until = $3 WHERE model = $1",
            )
            .bind(model.as_str())
            .bind(Uuid::from_u128(probe.attempt.value()))
            .bind(to_db(probe.until)),
            CircuitChange::Refused { .. }
            | CircuitChange::Answered { .. }
            | CircuitChange::Unclear { .. } => continue,
        };
        statement.execute(&mut *tx).await.map_err(failed("write down which model is tried"))?;
    }
    Ok(())
}

/// What an answer changes about circuits, as the parameters of the statement that stores it.
#[derive(Debug, Default)]
pub(super) struct CircuitCells {
    /// The refused model, and when it may be probed.
    pub(super) refused: Option<(String, DateTime<Utc>)>,
    /// The accepted submission.
    pub(super) answered: Option<Uuid>,
    /// The submission that says nothing about its model.
    pub(super) unclear: Option<Uuid>,
}

impl CircuitCells {
    pub(super) fn of(changes: &[CircuitChange]) -> Self {
        let mut cells = Self::default();
        for change in changes {
            match change {
                CircuitChange::Refused { model, until } => {
                    cells.refused = Some((model.as_str().to_owned(), to_db(*until)));
                }
                CircuitChange::Answered { attempt } => {
                    cells.answered = Some(Uuid::from_u128(attempt.value()));
                }
                CircuitChange::Unclear { attempt } => cells.unclear = Some(Uuid::from_u128(attempt.value())),
                CircuitChange::Alerted { .. } | CircuitChange::Probing { .. } => {}
            }
        }
        cells
    }
}

/// The end of a statement that writes [`CircuitCells`] at `$33`, as parameters 51 to 54, for each row of `stored`.
macro_rules! write_circuits {
    () => {
        ", refused AS (
             INSERT INTO provider_models (model, since, open_until)
             SELECT $51, $33, $52 FROM stored WHERE $51 IS NOT NULL
             ON CONFLICT (model) DO UPDATE SET
                 since = coalesce(provider_models.since, excluded.since),
                 open_until = greatest(provider_models.open_until, excluded.open_until),
                 probe_attempt = NULL, probe_until = NULL),
         tried_out AS (
             UPDATE provider_models SET since = NULL, open_until = NULL, alerted = false, probe_attempt = NULL,
                    probe_until = NULL
             FROM stored WHERE probe_attempt = $53),
         unclear AS (
             UPDATE provider_models SET probe_attempt = NULL, probe_until = NULL
             FROM stored WHERE probe_attempt = $54)"
    };
}
pub(super) use write_circuits;
