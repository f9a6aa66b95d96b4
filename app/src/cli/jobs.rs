//! `kadr jobs`.

use domain::id::JobId;
use ports::{AttemptRecord, ErrorKind, JobFilter, JobRecord};
use serde_json::json;

use super::{Ended, args::JobsCommand, failure::Failure, output::Output, shown};
use crate::{compose::House, services::cancel_job::cancel_job};

pub(super) async fn run(command: JobsCommand, house: &House, out: &mut Output) -> Ended {
    match command {
        JobsCommand::List { user, order, state, limit } => {
            let jobs = house.ports.jobs.list(&JobFilter { user, order, state, limit }).await?;
            let mut lines: Vec<_> = jobs.iter().map(shown::job_line).collect();
            if lines.is_empty() {
                lines.push("no such jobs".to_owned());
            }
            let jobs: Vec<_> = jobs.iter().map(shown::job).collect();
            out.show(&json!({ "jobs": jobs }), &lines)?;
        }
        JobsCommand::Show { job } => {
            let record = find(job, house).await?;
            let attempts = house.ports.jobs.attempts(job).await?;
            show(&record, &attempts, out)?;
        }
        JobsCommand::Cancel { job } => {
            find(job, house).await?;
            cancel_job(&house.ports, &house.policy, job).await.map_err(|error| match error.kind() {
                ErrorKind::Rejected => {
                    let why = std::error::Error::source(&error)
                        .map_or_else(|| error.to_string(), ToString::to_string);
                    Failure::usage(format!("job {job} cannot be cancelled: {why}"))
                }
                _ => Failure::from(error),
            })?;
            let record = find(job, house).await?;
            out.show(&shown::job(&record), &[format!("job {job} is cancelled, its credit is back")])?;
        }
    }
    Ok(0)
}

async fn find(job: JobId, house: &House) -> Result<JobRecord, Failure> {
    let found = house.ports.jobs.job(job).await?;
    found.ok_or_else(|| {
        Failure::usage(format!("there is no job {job}: `kadr jobs list` shows which there are"))
    })
}

fn show(record: &JobRecord, attempts: &[AttemptRecord], out: &mut Output) -> Result<(), Failure> {
    let mut value = shown::job(record);
    let mut lines = vec![shown::job_line(record)];
    if let Some(fields) = value.as_object() {
        let told = ["id", "order", "user", "number", "of", "state", "cause"];
        let rest = fields.iter().filter(|(name, value)| !told.contains(&name.as_str()) && !value.is_null());
        lines.extend(rest.map(|(name, value)| match value.as_str() {
            Some(text) => format!("  {name}: {text}"),
            None => format!("  {name}: {value}"),
        }));
    }
    if !attempts.is_empty() {
        lines.push("submissions:".to_owned());
        lines.extend(attempts.iter().flat_map(shown::attempt_lines));
    }
    value["attempts"] = attempts.iter().map(shown::attempt).collect();
    out.show(&value, &lines)
}
