//! `flood`: what strangers at the callbacks' door cost the workers.

use std::{error::Error, time::Duration};

use adapters::postgres::server::{PostgresServer, ServerError, ServerOptions};
use clap::Args;
use serde_json::{Value, json};

use super::screen::print;
use crate::flood::{self, FloodPlan, FloodReport, Phase, Spread};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Orders of one video, once in quiet and once in the flood
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    orders: u32,

    /// The time over which they are placed; the two simulated accounts take four new tasks a second
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,

    /// Requests of strangers a second: forged, replayed, stale, oversized, deep, slow, unsigned, noise
    #[arg(long, value_name = "N", default_value_t = 170, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    rate: u32,

    /// Write one JSON document instead of lines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the throwaway PostgreSQL did not start")]
struct NoDatabase(#[source] ServerError);

/// Measures; `Ok(true)` when all videos were delivered and the strangers cost the store nothing.
pub(super) fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let plan = FloodPlan {
        orders: arguments.orders,
        over: Duration::from_secs(arguments.seconds),
        per_second: arguments.rate,
    };
    let server = PostgresServer::start(&ServerOptions::throwaway()).map_err(NoDatabase)?;
    let report = flood::run(&plan, &server.database_url());
    let stopped = server.stop();
    let report = report?;
    if arguments.json {
        print(&serde_json::to_string_pretty(&document(&report, &plan))?);
    } else {
        lines(&report, &plan).iter().for_each(|line| print(line));
    }
    stopped?;
    Ok(report.is_right(&plan))
}

fn lines(report: &FloodReport, plan: &FloodPlan) -> Vec<String> {
    let (quiet, flooded) = (&report.quiet, &report.flooded);
    let row = |name: &str, quiet: Duration, flooded: Duration| {
        let ratio = ratio(quiet, flooded).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        format!("{name:<22}{:>10}{:>10}{ratio:>8}", millis(quiet), millis(flooded))
    };
    let garbage = &report.garbage;
    let statuses: Vec<_> =
        garbage.statuses.iter().map(|(status, count)| format!("{status} {count}")).collect();
    let ends = |phase: &Phase| {
        let ends: Vec<_> = phase.ends.iter().map(|(state, count)| format!("{count} {state}")).collect();
        ends.join(", ")
    };
    vec![
        format!("{:<22}{:>10}{:>10}{:>8}", "", "quiet", "flood", "ratio"),
        format!("{:<22}{:>10}{:>10}", "videos", ends(quiet), ends(flooded)),
        format!("{:<22}{:>10}{:>10}", "steps", quiet.steps.count, flooded.steps.count),
        row("a step, median", quiet.steps.median, flooded.steps.median),
        row("a step, mean", quiet.steps.mean, flooded.steps.mean),
        row("a step, p95", quiet.steps.p95, flooded.steps.p95),
        row("a video, median", quiet.videos.median, flooded.videos.median),
        row("a video, p95", quiet.videos.p95, flooded.videos.p95),
        String::new(),
        format!("garbage: {} requests sent at {} a second", garbage.sent, plan.per_second),
        format!("  answered {}", statuses.join(", ")),
        format!(
            "  {} cut off, {} not answered within 3 s, {} left out for want of room",
            garbage.cut_off, garbage.given_up, garbage.left_out
        ),
        format!(
            "  {} calls of the store on its behalf, {} findings of the audit",
            report.store_calls, report.findings
        ),
    ]
}

fn document(report: &FloodReport, plan: &FloodPlan) -> Value {
    let spread = |times: &Spread| {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        json!({ "count": times.count, "median_ms": ms(times.median), "mean_ms": ms(times.mean), "p95_ms": ms(times.p95) })
    };
    let phase = |phase: &Phase| json!({ "ends": phase.ends, "steps": spread(&phase.steps), "videos": spread(&phase.videos) });
    let garbage = &report.garbage;
    json!({
        "right": report.is_right(plan),
        "quiet": phase(&report.quiet),
        "flooded": phase(&report.flooded),
        "step_median_ratio": ratio(report.quiet.steps.median, report.flooded.steps.median),
        "step_mean_ratio": ratio(report.quiet.steps.mean, report.flooded.steps.mean),
        "garbage": {
            "sent": garbage.sent,
            "statuses": garbage.statuses,
            "cut_off": garbage.cut_off,
            "given_up": garbage.given_up,
            "left_out": garbage.left_out,
        },
        "store_calls": report.store_calls,
        "findings": report.findings,
    })
}

fn ratio(quiet: Duration, flooded: Duration) -> Option<f64> {
    (!quiet.is_zero()).then(|| flooded.as_secs_f64() / quiet.as_secs_f64())
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
