//! Jobs as rows.

use chrono::{DateTime, Utc};
use domain::{
    id::{AttemptId, JobId, KeyId, ModelId, OrderId, TaskId, UserId},
    job::{Job, OpenAttempt, State, StateName, UploadedPhoto},
    notice::RefundCause,
    prompt::Prompt,
    time::Timestamp,
};
use ports::{AfterStep, JobRecord, Lease, PortError};
use serde::Serialize;
use sqlx::{FromRow, Postgres, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{
    error::inconsistent,
    time::{from_db, to_db},
};

/// A row of `jobs`.
#[derive(FromRow)]
pub(super) struct JobRow {
    pub(super) id: Uuid,
    order_id: Uuid,
    tg_user_id: i64,
    video_number: i16,
    video_count: i16,
    created_at: DateTime<Utc>,
    state: String,
    retries: i16,
    lost_answers: i16,
    delivery_failures: i16,
    rescues: i16,
    prompt: Option<String>,
    photo_url: Option<String>,
    photo_uploaded_at: Option<DateTime<Utc>>,
    avoid_key: Option<String>,
    held_since: Option<DateTime<Utc>>,
    is_probe: bool,
    attempt_id: Option<Uuid>,
    attempt_key: Option<String>,
    attempt_since: Option<DateTime<Utc>>,
    task_id: Option<String>,
    video_url: Option<String>,
    refund_cause: Option<String>,
    finished_at: Option<DateTime<Utc>>,
    next_run_at: Option<DateTime<Utc>>,
    pub(super) lease_no: i64,
    lease_until: Option<DateTime<Utc>>,
    model: Option<String>,
}

impl JobRow {
    /// The job in the row.
    pub(super) fn job(&self) -> Result<Job, PortError> {
        let byte = |value: i16, column| u8::try_from(value).map_err(|_| self.wrong(column));
        let photo = match (&self.photo_url, self.photo_uploaded_at) {
            (Some(url), Some(at)) => Some(UploadedPhoto { url: url.clone(), at: from_db(at) }),
            _ => None,
        };
        Ok(Job {
            id: JobId::new(self.id.as_u128()),
            order: OrderId::new(self.order_id.as_u128()),
            user: UserId::new(self.tg_user_id),
            video: (byte(self.video_number, "video_number")?, byte(self.video_count, "video_count")?),
            created_at: from_db(self.created_at),
            state: self.state()?,
            retries: byte(self.retries, "retries")?,
            lost_answers: byte(self.lost_answers, "lost_answers")?,
            delivery_failures: byte(self.delivery_failures, "delivery_failures")?,
            rescues: byte(self.rescues, "rescues")?,
            prompt: self.prompt.clone().map(Prompt::stored),
            photo,
            avoid_key: self.avoid_key.as_deref().map(|key| self.key(key, "avoid_key")).transpose()?,
            model: self.model.as_deref().map(ModelId::new).transpose().map_err(|_| self.wrong("model"))?,
            held_since: self.held_since.map(from_db),
            is_probe: self.is_probe,
        })
    }

    /// Whether a worker holds the job under this lease.
    pub(super) const fn is_held_under(&self, lease: Lease) -> bool {
        self.lease_no == lease.number && self.lease_until.is_some()
    }

    /// The job as operators see it.
    pub(super) fn record(&self) -> Result<JobRecord, PortError> {
        Ok(JobRecord {
            job: self.job()?,
            next_run_at: self.next_run_at.map(from_db),
            leased_until: self.lease_until.map(from_db),
        })
    }

    fn state(&self) -> Result<State, PortError> {
        let name = StateName::parse(&self.state).ok_or_else(|| self.wrong("state"))?;
        Ok(match name {
            StateName::Queued => State::Queued,
            StateName::Prompting => State::Prompting,
            StateName::Submitting => State::Submitting {
                open: match self.attempt_id {
                    None => None,
                    Some(_) => Some(OpenAttempt {
                        id: self.attempt()?,
                        key: self.attempt_key()?,
                        sent_at: self.since()?,
                    }),
                },
            },
            StateName::Rendering => State::Rendering {
                attempt: self.attempt()?,
                key: self.attempt_key()?,
                task: self.task()?,
                since: self.since()?,
            },
            StateName::Delivering => State::Delivering {
                attempt: self.attempt()?,
                key: self.attempt_key()?,
                task: self.task()?,
                url: self.video_url.clone().ok_or_else(|| self.wrong("video_url"))?,
            },
            StateName::Done => State::Done { at: self.finished()? },
            StateName::Refunded => State::Refunded {
                cause: self
                    .refund_cause
                    .as_deref()
                    .and_then(RefundCause::from_code)
                    .ok_or_else(|| self.wrong("refund_cause"))?,
                at: self.finished()?,
            },
            StateName::Cancelled => State::Cancelled { at: self.finished()? },
        })
    }

    fn attempt(&self) -> Result<AttemptId, PortError> {
        self.attempt_id.map(|id| AttemptId::new(id.as_u128())).ok_or_else(|| self.wrong("attempt_id"))
    }

    fn attempt_key(&self) -> Result<KeyId, PortError> {
        let key = self.attempt_key.as_deref().ok_or_else(|| self.wrong("attempt_key"))?;
        self.key(key, "attempt_key")
    }

    fn key(&self, text: &str, column: &str) -> Result<KeyId, PortError> {
        KeyId::new(text).map_err(|_| self.wrong(column))
    }

    fn task(&self) -> Result<TaskId, PortError> {
        let task = self.task_id.clone().ok_or_else(|| self.wrong("task_id"))?;
        TaskId::new(task).map_err(|_| self.wrong("task_id"))
    }

    fn since(&self) -> Result<Timestamp, PortError> {
        self.attempt_since.map(from_db).ok_or_else(|| self.wrong("attempt_since"))
    }

    fn finished(&self) -> Result<Timestamp, PortError> {
        self.finished_at.map(from_db).ok_or_else(|| self.wrong("finished_at"))
    }

    fn wrong(&self, column: &str) -> PortError {
        inconsistent("jobs", column, self.id)
    }
}

/// What a state writes beside its name.
#[derive(Default)]
struct StateColumns<'a> {
    attempt: Option<AttemptId>,
    key: Option<&'a KeyId>,
    since: Option<Timestamp>,
    task: Option<&'a TaskId>,
    url: Option<&'a str>,
    cause: Option<String>,
    finished: Option<Timestamp>,
}

impl<'a> StateColumns<'a> {
    fn of(state: &'a State) -> Self {
        match state {
            State::Queued | State::Prompting | State::Submitting { open: None } => Self::default(),
            State::Submitting { open: Some(open) } => Self {
                attempt: Some(open.id),
                key: Some(&open.key),
                since: Some(open.sent_at),
                ..Self::default()
            },
            State::Rendering { attempt, key, task, since } => Self {
                attempt: Some(*attempt),
                key: Some(key),
                since: Some(*since),
                task: Some(task),
                ..Self::default()
            },
            State::Delivering { attempt, key, task, url } => Self {
                attempt: Some(*attempt),
                key: Some(key),
                task: Some(task),
                url: Some(url),
                ..Self::default()
            },
            State::Refunded { cause, at } => {
                Self { cause: Some(cause.code()), finished: Some(*at), ..Self::default() }
            }
            State::Done { at } | State::Cancelled { at } => Self { finished: Some(*at), ..Self::default() },
        }
    }
}

/// The columns of a job that nobody has worked on, due at once.
#[derive(Debug, Serialize)]
pub(super) struct NewJobCells {
    id: Uuid,
    video_number: u8,
    video_count: u8,
    created_at: DateTime<Utc>,
    state: &'static str,
    sort_at: DateTime<Utc>,
}

impl NewJobCells {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            id: Uuid::from_u128(job.id.value()),
            video_number: job.video.0,
            video_count: job.video.1,
            created_at: to_db(job.created_at),
            state: job.state.name().as_str(),
            sort_at: to_db(job.sort_at()),
        }
    }
}

/// Writes a job under its lease: parameters 1 to 24 are those of [`bind_job`].
macro_rules! update_job {
    () => {
        "UPDATE jobs SET state = $3, retries = $4, lost_answers = $5, delivery_failures = $6, prompt = $7,
                photo_url = $8, photo_uploaded_at = $9, avoid_key = $10, attempt_id = $11, attempt_key = $12,
                attempt_since = $13, task_id = $14, video_url = $15, refund_cause = $16, finished_at = $17,
                next_run_at = $18, sort_at = $19, rescues = $20, model = $22, held_since = $23, is_probe = $24,
                lease_owner = CASE WHEN $21 THEN lease_owner END, lease_until = CASE WHEN $21 THEN lease_until END,
                lease_deadline = CASE WHEN $21 THEN lease_deadline END
         WHERE id = $1 AND lease_no = $2 AND lease_owner IS NOT NULL"
    };
}
pub(super) use update_job;

/// Binds parameters 1 to 24.
pub(super) fn bind_job<'q>(
    statement: Query<'q, Postgres, PgArguments>,
    lease: Lease,
    job: &Job,
    next_run_at: Option<Timestamp>,
    after: AfterStep,
) -> Query<'q, Postgres, PgArguments> {
    let columns = StateColumns::of(&job.state);
    statement
        .bind(Uuid::from_u128(lease.job.value()))
        .bind(lease.number)
        .bind(job.state.name().as_str())
        .bind(i16::from(job.retries))
        .bind(i16::from(job.lost_answers))
        .bind(i16::from(job.delivery_failures))
        .bind(job.prompt.as_ref().map(|prompt| prompt.as_str().to_owned()))
        .bind(job.photo.as_ref().map(|photo| photo.url.clone()))
        .bind(job.photo.as_ref().map(|photo| to_db(photo.at)))
        .bind(job.avoid_key.as_ref().map(|key| key.as_str().to_owned()))
        .bind(columns.attempt.map(|id| Uuid::from_u128(id.value())))
        .bind(columns.key.map(|key| key.as_str().to_owned()))
        .bind(columns.since.map(to_db))
        .bind(columns.task.map(|task| task.as_str().to_owned()))
        .bind(columns.url.map(str::to_owned))
        .bind(columns.cause)
        .bind(columns.finished.map(to_db))
        .bind(next_run_at.map(to_db))
        .bind(next_run_at.map(|_| to_db(job.sort_at())))
        .bind(i16::from(job.rescues))
        .bind(after == AfterStep::Keep)
        .bind(job.model.as_ref().map(|model| model.as_str().to_owned()))
        .bind(job.held_since.map(to_db))
        .bind(job.is_probe)
}
