//! What is printed at the end of a run: plain text, at most 40 lines of 100 columns.

use std::path::Path;

use super::{
    campaign::CampaignReport,
    collector::Unit,
    data::{Judged, Percentiles, RunReport, SampleGroup, Verdict},
    format::{self, count, duration, number, percent, signed},
    instant,
};

/// The widest line, in columns.
const WIDTH: usize = 100;
/// Rows of one kind; the rest is in the files.
const ROWS: usize = 5;

/// Lines under headings.
#[derive(Default)]
struct Page(Vec<String>);

impl Page {
    fn say(&mut self, head: &str, text: &str) {
        self.0.push(cut(&format!("{head:<11}{text}"), WIDTH));
    }

    /// A command, which is of no use when it is cut.
    fn command(&mut self, head: &str, text: &str) {
        self.0.push(format!("{head:<11}{text}"));
    }

    /// Rows under one heading, cut to [`ROWS`].
    fn list(&mut self, head: &str, rows: &[String]) {
        for (place, row) in rows.iter().take(ROWS).enumerate() {
            self.say(if place == 0 { head } else { "" }, row);
        }
        if rows.len() > ROWS {
            self.say("", &format!("and {} more in report.html", rows.len() - ROWS));
        }
    }
}

/// A line that fits, with an ellipsis where it was cut.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.trim_end().to_owned();
    }
    let kept: String = line.chars().take(width - 1).collect();
    format!("{}\u{2026}", kept.trim_end())
}

/// The verdict in one line, with why.
#[must_use]
pub fn headline(report: &RunReport) -> String {
    let title = report.verdict.title().to_uppercase();
    let missed = report.thresholds.iter().filter(|threshold| !threshold.passed);
    let why = match report.verdict {
        Verdict::Pass => {
            let thresholds = u64::try_from(report.thresholds.len()).unwrap_or(u64::MAX);
            let checks = report.invariants.checks.values().sum();
            format!(
                "{} met, {} of invariants, none broken",
                count(thresholds, "threshold"),
                count(checks, "check")
            )
        }
        Verdict::ThresholdMissed => missed.map(in_short).collect::<Vec<_>>().join("; "),
        Verdict::InvariantBroken if report.invariants.broken_total == 0 => {
            format!("the store's audit found {}", count(report.audit.len() as u64, "difference"))
        }
        Verdict::InvariantBroken => {
            let names: Vec<_> = report.invariants.broken_names().into_iter().collect();
            format!("{}: {}", count(report.invariants.broken_total, "violation"), names.join(", "))
        }
        Verdict::GoalNotReached => unreached(report).join(", "),
    };
    format!("{title}  {why}")
}

fn in_short(threshold: &Judged) -> String {
    let unit = Unit::of(&threshold.metric);
    let value = threshold.value.map_or_else(|| "not measured".to_owned(), |value| format::value(value, unit));
    format!("{}: {value}", format::threshold(&threshold.metric, &threshold.expression))
}

fn unreached(report: &RunReport) -> Vec<String> {
    let goals = report.goals.iter().filter(|goal| goal.required && goal.reached == 0);
    goals.map(|goal| goal.name.clone()).collect()
}

/// The summary of a run, with the files that were written.
#[must_use]
pub fn summary(report: &RunReport, files: &[&Path]) -> Vec<String> {
    let mut page = Page(vec![cut(&headline(report), WIDTH), String::new()]);
    let (counts, money, time) = (&report.counts, &report.money, &report.time);
    let commit = report.versions.commit.as_ref().map(|c| format!(", {c}")).unwrap_or_default();
    let (name, seed, mode) = (&report.scenario.name, report.seed, &report.mode);
    page.say(
        "scenario",
        &format!("{name} (hash {}), seed {seed}, mode {mode}{commit}", report.scenario.hash),
    );
    let speed = report.simulated_s() / time.wall_s.max(0.001);
    page.say(
        "time",
        &format!(
            "{} simulated in {} ({}x), {} real calls, settled {}",
            duration(report.simulated_s()),
            duration(time.wall_s),
            format::value(speed.round(), Unit::Number),
            number(report.real_calls),
            time.settled_at.map_or_else(
                || "NEVER".to_owned(),
                |at| instant::local(at, time.utc_offset_s, "%d %b %H:%M:%S")
            ),
        ),
    );
    page.say(
        "orders",
        &format!(
            "{} placed, {} confirmed twice, {} refused for want of credits",
            number(counts.orders),
            number(counts.duplicates),
            number(counts.refused)
        ),
    );
    let share = |ratio: Option<f64>| ratio.map(|r| format!(" ({})", percent(r))).unwrap_or_default();
    let unfinished = match counts.unfinished {
        0 => String::new(),
        open => format!(", {} UNFINISHED", number(open)),
    };
    page.say(
        "videos",
        &format!(
            "{} ordered, {} delivered{}, {} refunded{}, {} cancelled{unfinished}",
            number(counts.videos),
            number(counts.delivered),
            share(counts.delivered_ratio()),
            number(counts.refunded),
            share(counts.refunded_ratio()),
            number(counts.cancelled)
        ),
    );
    page.say(
        "credits",
        &format!(
            "{} held, {} captured, {} released, {} still held",
            signed(money.held_ever),
            signed(money.captured),
            signed(money.released),
            signed(money.open_holds)
        ),
    );
    let per_video = report.bill.credits_per_video(counts.delivered);
    page.say(
        "provider",
        &format!(
            "{}, {} charged{}, {} lost, {} submitted twice",
            count(report.bill.tasks, "task"),
            number(report.bill.charged_tasks),
            per_video
                .map(|c| format!(", {} a video", format::value(c, Unit::ProviderCredits)))
                .unwrap_or_default(),
            count(counts.lost_submissions, "answer"),
            number(counts.double_submissions),
        ),
    );
    let faults: u64 = counts.faults.iter().map(|fault| fault.count).sum();
    page.say(
        "faults",
        &format!(
            "{} injected into calls, {} of submissions and renders, {}, {}",
            number(faults),
            count(counts.failures.iter().map(|f| f.total).sum(), "failure"),
            count(counts.kills, "kill"),
            count(counts.rescues_dead + counts.rescues_hung, "rescue"),
        ),
    );
    percentiles(&mut page, report);
    verdicts(&mut page, report);
    page.0.push(String::new());
    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    page.list("files", &files);
    page.command("again", &report.reproduce);
    page.0
}

fn percentiles(page: &mut Page, report: &RunReport) {
    page.0.push(String::new());
    let cells = |cells: [&str; 6]| {
        let [name, rest @ ..] = cells;
        format!("{name:<22}{}", rest.map(|cell| format!("{cell:>13}")).concat())
    };
    page.say("seconds", &cells(["", "p50", "p90", "p95", "p99", "max"]));
    let window = report.main_window();
    let mut groups = vec![("wait_s", SampleGroup::Day), ("wait_s", window.clone())];
    groups.extend([
        ("render_s", SampleGroup::Day),
        ("total_s", SampleGroup::Day),
        ("total_s", window.clone()),
    ]);
    // Videos that the provider never took have no wait, but they end too.
    groups.push(("settle_s", window));
    groups.dedup();
    for (metric, group) in groups {
        let Some(of) = report.percentiles(metric, &group) else { continue };
        let Percentiles { p50_s, p90_s, p95_s, p99_s, max_s, .. } = *of;
        let told = [p50_s, p90_s, p95_s, p99_s, max_s].map(duration);
        let [p50, p90, p95, p99, max] = &told;
        let name = format!("{} {}", metric.trim_end_matches("_s"), group.label());
        page.say("", &cells([&name, p50, p90, p95, p99, max]));
    }
    page.0.push(String::new());
}

fn verdicts(page: &mut Page, report: &RunReport) {
    let (missed, met): (Vec<_>, Vec<_>) = report.thresholds.iter().partition(|threshold| !threshold.passed);
    let missed: Vec<_> =
        missed.into_iter().map(|t| format!("MISSED  {}{}", in_short(t), margin(t))).collect();
    let met: Vec<_> = met.into_iter().map(|t| format!("ok      {}{}", in_short(t), margin(t))).collect();
    page.list("thresholds", &[missed, met].concat());
    let checks = report.invariants.checks.values().sum();
    let names = u64::try_from(report.invariants.checks.len()).unwrap_or(u64::MAX);
    page.say("invariants", &format!("{} checked {}", number(names), count(checks, "time")));
    for row in report.invariants.broken.iter().take(2) {
        let whose = row.job.map(|job| format!(", job {job}")).unwrap_or_default();
        let at = instant::local(row.at, report.time.utc_offset_s, "%H:%M:%S");
        page.say("BROKEN", &format!("{} at {at}{whose}: {}", row.invariant, row.what));
        if let Some(job) = row.job {
            let command = report.reproduce.replacen("sim run", "sim timeline", 1);
            page.command("  its life", &format!("{command} --job {job}"));
        }
    }
    if report.invariants.broken_total > 2 {
        page.say("", &format!("and {} more in report.html", number(report.invariants.broken_total - 2)));
    }
    page.list("AUDIT", &report.audit.iter().take(2).cloned().collect::<Vec<_>>());
    page.list("UNREACHED", &unreached(report));
}

fn margin(threshold: &Judged) -> String {
    let unit = Unit::of(&threshold.metric);
    threshold.margin.map_or_else(String::new, |margin| {
        let size = format::difference(margin.abs(), unit);
        if threshold.passed { format!(" ({size} to spare)") } else { format!(" (missed by {size})") }
    })
}

/// The summary of a campaign, with the files that were written.
#[must_use]
pub fn campaign_summary(report: &CampaignReport, files: &[&Path]) -> Vec<String> {
    let seeds = u64::try_from(report.seeds.len()).unwrap_or(u64::MAX);
    let passed = report.seeds.iter().filter(|row| row.verdict == Verdict::Pass).count();
    let title = report.verdict.title().to_uppercase();
    let mut page = Page(vec![
        cut(&format!("{title}  {passed} of {} passed", count(seeds, "seed")), WIDTH),
        String::new(),
    ]);
    page.say(
        "campaign",
        &format!(
            "{}, mode {}, {}, slowest seed {}, longest waits in seed {}",
            report.scenario.name,
            report.mode,
            duration(report.wall_s),
            report.slowest_seed,
            report.worst_seed
        ),
    );
    page.0.push(String::new());
    let cells = |name: &str, cells: [&str; 3]| {
        format!("{name:<36}{}", cells.map(|cell| format!("{cell:>14}")).concat())
    };
    page.say("metrics", &cells("", ["min", "median", "max"]));
    let wanted = ["p95", "_ratio", "queue_depth", "videos_per_hour", "provider_credits"];
    let shown = report.metrics.iter().filter(|spread| wanted.iter().any(|part| spread.name.contains(part)));
    for spread in shown.take(12) {
        let unit = Unit::of(&spread.name);
        let told = [spread.min, spread.median, spread.max].map(|value| format::value(value, unit));
        page.say("", &cells(&spread.name, [&told[0], &told[1], &told[2]]));
    }
    page.0.push(String::new());
    let thresholds: Vec<_> = report
        .thresholds
        .iter()
        .map(|share| {
            let word = if share.passed { "ok    " } else { "MISSED" };
            let threshold = format::threshold(&share.metric, &share.expression);
            format!("{word}  {threshold}: met in {} of {}", share.met, share.seeds)
        })
        .collect();
    page.list("thresholds", &thresholds);
    for broken in report.broken.iter().take(ROWS) {
        let first = broken.first.first();
        let audit = broken.audit.first().cloned().unwrap_or_default();
        let what = first.map_or(audit, |row| format!("{}: {}", row.invariant, row.what));
        page.say("BROKEN", &format!("seed {}: {what}", broken.seed));
        if let Some(row) = first {
            page.command("  replay", &row.replay);
        }
    }
    if report.broken.len() > ROWS {
        page.say("", &format!("and {} more seeds in campaign.html", report.broken.len() - ROWS));
    }
    let unreached = report.goals.iter().filter(|goal| goal.required && goal.seeds == 0);
    page.list("UNREACHED", &unreached.map(|goal| goal.name.clone()).collect::<Vec<_>>());
    page.0.push(String::new());
    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    page.list("files", &files);
    page.command("again", &report.reproduce);
    page.0
}
