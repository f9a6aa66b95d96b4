//! `jobs.csv`: a row a video, written at its end.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use domain::{
    job::{AttemptStatus, State, StateName},
    time::Timestamp,
};

use super::instant::iso;
use crate::trace::{Creation, Event, JobNo, Kind, Observer};

/// The first row.
const HEADER: &str =
    "job,order,size,video,placed_at,wait_s,render_s,total_s,state,cause,retries,attempts,lost_answers";

#[derive(Debug, Clone)]
struct Open {
    order: u32,
    size: u8,
    video: u8,
    placed_at: Timestamp,
    /// When the provider took it: told by the provider itself, or else when Kadr wrote it down.
    taken_at: Option<Timestamp>,
    delivering_at: Option<Timestamp>,
    state: StateName,
    retries: u8,
    attempts: u32,
    lost_answers: u8,
}

/// Writes a row for each video when it ends: its numbers, when it was ordered (RFC 3339, UTC), how long it waited for the
/// provider, rendered and took until its end (seconds; empty for a stage it never reached), and how it ended. Give it a
/// buffered writer.
#[derive(Debug)]
pub struct JobsCsv<W> {
    out: W,
    open: BTreeMap<JobNo, Open>,
    failed: Option<io::Error>,
}

impl<W: Write> JobsCsv<W> {
    /// Begins with the header.
    pub fn new(mut out: W) -> Self {
        let failed = writeln!(out, "{HEADER}").err();
        Self { out, open: BTreeMap::new(), failed }
    }

    /// Adds a row, without an end, for each video that has not ended, and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        let open = std::mem::take(&mut self.open);
        open.iter().for_each(|(job, of)| self.row(*job, of, None, None));
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.out.flush()?;
        Ok(self.out)
    }

    fn row(&mut self, job: JobNo, of: &Open, ended_at: Option<Timestamp>, cause: Option<String>) {
        if self.failed.is_some() {
            return;
        }
        let seconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
            from.zip(to).map_or_else(String::new, |(from, to)| format!("{:.3}", to.since(from).as_secs_f64()))
        };
        let written = writeln!(
            self.out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{}",
            job.0,
            of.order,
            of.size,
            of.video,
            iso(of.placed_at),
            seconds(Some(of.placed_at), of.taken_at),
            seconds(of.taken_at, of.delivering_at),
            seconds(Some(of.placed_at), ended_at),
            of.state.as_str(),
            cause.unwrap_or_default(),
            of.retries,
            of.attempts,
            of.lost_answers,
        );
        self.failed = written.err();
    }

    fn stepped(&mut self, at: Timestamp, job: JobNo, step: &domain::job::Step) {
        let Some(of) = self.open.get_mut(&job) else { return };
        of.state = step.job.state.name();
        of.retries = step.job.retries;
        of.lost_answers = step.job.lost_answers;
        let is_new = |change: &domain::job::AttemptChange| change.status == AttemptStatus::Sent;
        of.attempts += u32::from(step.attempt.as_ref().is_some_and(is_new));
        match &step.job.state {
            State::Rendering { .. } => of.taken_at = of.taken_at.or(Some(at)),
            State::Delivering { .. } => of.delivering_at = of.delivering_at.or(Some(at)),
            _ => {}
        }
        if step.job.state.is_terminal()
            && let Some(of) = self.open.remove(&job)
        {
            let cause = match step.job.state {
                State::Refunded { cause, .. } => Some(cause.code()),
                _ => None,
            };
            self.row(job, &of, Some(at), cause);
        }
    }
}

impl<W: Write + Send> Observer for JobsCsv<W> {
    fn see(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Placed { order, first_job, videos, .. } => {
                for number in 0..videos {
                    let of = Open {
                        order: order.0,
                        size: videos,
                        video: number + 1,
                        placed_at: event.at,
                        taken_at: None,
                        delivering_at: None,
                        state: StateName::Queued,
                        retries: 0,
                        attempts: 0,
                        lost_answers: 0,
                    };
                    self.open.insert(JobNo(first_job.0.saturating_add(u32::from(number))), of);
                }
            }
            Kind::Created { job: Some(job), outcome: Creation::Task { .. }, answered: true, .. } => {
                if let Some(of) = self.open.get_mut(&job) {
                    of.taken_at = of.taken_at.or(Some(event.at));
                }
            }
            Kind::Stepped { job, step, .. } => self.stepped(event.at, job, step),
            _ => {}
        }
    }
}
