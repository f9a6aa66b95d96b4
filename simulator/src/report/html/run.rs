//! The page of one run.

use maud::{Markup, html};

use super::{
    charts, page,
    page::{banner, tile},
    tables,
};
use crate::report::{
    collector::Unit,
    compare::Comparison,
    data::{RunReport, SampleGroup, Verdict},
    format::{self, count, duration, number, percent, signed},
    instant, terminal,
};

/// `report.html`: one run on one page that fetches nothing, with what moved since a baseline if there is one.
#[must_use]
pub fn run_page(report: &RunReport, baseline: Option<&Comparison>) -> String {
    let title = format!("{}: {} \u{2013} Kadr simulation", report.verdict.title(), report.scenario.name);
    page::page(&title, &body(report, baseline))
}

fn body(report: &RunReport, baseline: Option<&Comparison>) -> Markup {
    let why = terminal::headline(report);
    let why = why.split_once("  ").map_or(why.as_str(), |(_, why)| why);
    html! {
        header {
            p class="over" { "Kadr simulation report" }
            h1 { (report.scenario.name) }
            p class="soft" { (report.scenario.about) }
        }
        (banner(report.verdict, report.verdict.title(), why))
        p class="lead" { (simulated(report)) }
        (tiles(report))
        (tables::thresholds(report))
        (tables::broken(report))
        nav aria-label="Sections" {
            @if baseline.is_some() { a href="#baseline" { "Baseline" } }
            a href="#day" { "The day" }
            a href="#times" { "Times" }
            a href="#troubles" { "Failures and faults" }
            a href="#oracles" { "Invariants and goals" }
            a href="#worst" { "Longest jobs" }
            @if !report.assumptions.is_empty() { a href="#assumptions" { "Assumptions" } }
            a href="#again" { "Run it again" }
        }
        h2 id="day" { "The day" }
        p class="soft" {
            "Times of day are those of the scenario (" (instant::offset(report.time.utc_offset_s))
            "). Point at a chart for its numbers."
        }
        (charts::charts(report))
        @if let Some(baseline) = baseline { (tables::baseline(baseline)) }
        h2 id="times" { "How long it took" }
        (tables::percentiles(report))
        h2 { "How it ended" }
        (tables::endings(report))
        h2 id="troubles" { "What went wrong, and what was done" }
        (tables::troubles(report))
        h2 id="oracles" { "What must hold, and what should happen" }
        (tables::oracles(report))
        h2 id="worst" { "The jobs that took longest" }
        p class="soft" { "The twenty that took longest, and the five refunds that did. Open one for its story." }
        (tables::worst(report))
        (page::assumptions(&report.assumptions))
        (tables::reproduce(report))
        footer {
            p {
                "All durations are simulated time unless they are called real. Percentiles are exact to three digits; \
                 counts, sums and extremes are exact. An invariant has no budget: one violation breaks the run, whatever \
                 the thresholds say."
            }
        }
    }
}

/// What was simulated, in a sentence.
fn simulated(report: &RunReport) -> String {
    let (time, scenario) = (&report.time, &report.scenario);
    let day = |format| instant::local(time.from, time.utc_offset_s, format);
    let to = instant::local(time.to, time.utc_offset_s, "%H:%M").replace("00:00", "24:00");
    let accounts = u64::try_from(scenario.accounts.len()).unwrap_or(0);
    let end = match (report.counts.unfinished, time.settled_at) {
        (0, Some(_)) => "until everything was settled".to_owned(),
        (0, None) => "without ever coming to rest".to_owned(),
        (unfinished, _) => format!("with {} that never ended", count(unfinished, "video")),
    };
    format!(
        "{}, {} to {to} and on {end}: {} of {}, {}, {}. {} of simulated time took {}.",
        day("%-d %B %Y"),
        day("%H:%M"),
        count(report.counts.orders, "order"),
        count(report.counts.videos, "video"),
        count(u64::from(scenario.workers), "worker"),
        count(accounts, "provider account"),
        duration(report.simulated_s()),
        duration(time.wall_s),
    )
}

fn tiles(report: &RunReport) -> Markup {
    let (counts, money) = (&report.counts, &report.money);
    let window = report.main_window();
    let wait = report.percentiles("wait_s", &window);
    let label = match &window {
        SampleGroup::Window(name) => format!("p95 wait, {name}"),
        SampleGroup::Day | SampleGroup::Size(_) => "p95 wait".to_owned(),
    };
    let share = |ratio: Option<f64>| ratio.map(|r| format!("{} of videos", percent(r))).unwrap_or_default();
    let invariants = &report.invariants;
    let broken = if invariants.broken_total == 0 && report.audit.is_empty() {
        "none broken".to_owned()
    } else {
        format!("{} broken", number(invariants.broken_total + u64::try_from(report.audit.len()).unwrap_or(0)))
    };
    let checks: u64 = invariants.checks.values().sum();
    let per_video = report.bill.credits_per_video(counts.delivered);
    let is_broken = report.verdict == Verdict::InvariantBroken;
    html! {
        dl class="tiles" {
            (tile("orders", &number(counts.orders), &count(counts.videos, "video")))
            (tile("videos delivered", &number(counts.delivered), &share(counts.delivered_ratio())))
            (tile("videos refunded", &number(counts.refunded), &share(counts.refunded_ratio())))
            (tile(
                &label,
                &wait.map_or_else(|| "\u{2013}".to_owned(), |wait| duration(wait.p95_s)),
                &wait.map(|wait| format!("half within {}", duration(wait.p50_s))).unwrap_or_default(),
            ))
            (tile(
                "longest queue",
                &number(u64::from(report.series.queue_max.iter().max().copied().unwrap_or(0))),
                "videos waiting for the provider",
            ))
            (tile(
                "credits captured",
                &signed(money.captured),
                &format!("{} released, {} open", signed(money.released), signed(money.open_holds)),
            ))
            (tile(
                "provider\u{2019}s credits a video",
                &per_video.map_or_else(|| "\u{2013}".to_owned(), |c| format::value(c, Unit::Number)),
                &format!("{} charged", count(report.bill.charged_tasks, "task")),
            ))
            div class="card" {
                dt { "invariant checks" }
                dd { (number(checks)) }
                dd class=[is_broken.then_some("broken mark")] { (broken) }
            }
        }
    }
}
