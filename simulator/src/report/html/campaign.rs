//! Pages about many runs: campaigns, sweeps, what-if tables, comparisons.

use maud::{Markup, html};

use super::{
    page::{
        self,
        Kind::{Extra, Number, Words},
        banner, facts, figure, mark, table, text, tile,
    },
    svg, tables,
};
use crate::report::{
    campaign::{CampaignReport, Spread},
    collector::Unit,
    compare::Comparison,
    data::{Verdict, ratio},
    format::{self, count, duration, number, percent},
    sweep::{SweepTable, WhatIfTable},
};

fn size(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

fn or_dash(value: Option<f64>, unit: Unit) -> Markup {
    text(value.map_or_else(dash, |value| format::value(value, unit)))
}

/// What stands where nothing was measured.
fn dash() -> String {
    "\u{2013}".to_owned()
}

/// A share in a sentence, where `95 %` reads better than `95.0 %`.
fn whole_percent(share: f64) -> String {
    percent(share).replace(".0 %", "\u{00a0}%")
}

/// `campaign.html`: many seeds of one scenario.
#[must_use]
pub fn campaign_page(report: &CampaignReport, baseline: Option<&Comparison>) -> String {
    let title = format!("{}: {} \u{2013} Kadr campaign", report.verdict.title(), report.scenario.name);
    page::page(&title, &campaign(report, baseline))
}

fn campaign(report: &CampaignReport, baseline: Option<&Comparison>) -> Markup {
    let seeds = size(report.seeds.len());
    let passed = size(report.seeds.iter().filter(|row| row.verdict == Verdict::Pass).count());
    let why = format!(
        "{} of {} passed; each threshold has to be met in {} of them",
        number(passed),
        count(seeds, "seed"),
        whole_percent(report.required_share)
    );
    let unreached = report.goals.iter().filter(|goal| goal.required && goal.seeds == 0).count();
    let violations = report.broken.iter().map(|broken| broken.total).sum();
    html! {
        header {
            p class="over" { "Kadr simulation campaign" }
            h1 { (report.scenario.name) }
            p class="soft" { (report.scenario.about) }
        }
        (banner(report.verdict, report.verdict.title(), &why))
        dl class="tiles" {
            (tile("seeds", &number(seeds), &format!("{} passed; longest waits in seed {}", number(passed), report.worst_seed)))
            (tile("with a broken invariant", &number(size(report.broken.len())), &count(violations, "violation")))
            (tile("goals never reached", &number(size(unreached)), &format!("of {}", report.goals.len())))
            (tile("real time", &duration(report.wall_s), &format!("slowest: seed {}", report.slowest_seed)))
        }
        (shares(report))
        (broken(report))
        @if let Some(baseline) = baseline { (tables::baseline(baseline)) }
        h2 { "How far the seeds lie apart" }
        (spreads(&report.metrics))
        h2 { "Goals" }
        (goals(report))
        h2 { "Every seed" }
        (seed_rows(report))
        (page::assumptions(&report.assumptions))
        h2 { "Run it again" }
        pre { (report.reproduce) }
        (facts(&[
            ("scenario hash", report.scenario.hash.clone()),
            ("mode", report.mode.clone()),
            ("Kadr", report.versions.kadr.clone()),
            ("commit", report.versions.commit.clone().unwrap_or_else(|| "unknown".to_owned())),
        ]))
    }
}

fn shares(report: &CampaignReport) -> Markup {
    let rows: Vec<_> = report
        .thresholds
        .iter()
        .map(|share| {
            let met = ratio(share.met, share.seeds).unwrap_or(0.0);
            let seed = share.worst_seed.map_or_else(String::new, |seed| format!("seed\u{00a0}{seed}"));
            vec![
                tables::subject(&share.metric, &share.expression),
                mark(share.passed, if share.passed { "met" } else { "missed" }),
                text(format!("{} of {}", share.met, share.seeds)),
                html! { div class="gauge" { (page::gauge(met, report.required_share, share.passed)) } },
                text(
                    share.worst_margin.map_or_else(dash, |m| format::difference(m, Unit::of(&share.metric))),
                ),
                text(seed),
            ]
        })
        .collect();
    let columns = [
        ("metric, and what it has to be", Words),
        ("", Words),
        ("met in", Number),
        ("", Extra),
        ("smallest margin", Number),
        ("in", Words),
    ];
    table("Thresholds over all seeds", &columns, &rows)
}

fn broken(report: &CampaignReport) -> Markup {
    let rows: Vec<_> = report
        .broken
        .iter()
        .flat_map(|broken| {
            let rows = broken.first.iter().map(|row| {
                let (what, replay) = (text(&row.what), html! { code { (row.replay) } });
                vec![text(broken.seed.to_string()), text(format::words(&row.invariant)), what, replay]
            });
            let audit = broken.audit.iter().map(|finding| {
                vec![text(broken.seed.to_string()), text("audit of the store"), text(finding), html! {}]
            });
            rows.chain(audit).collect::<Vec<_>>()
        })
        .collect();
    let columns =
        [("seed", Number), ("invariant", Words), ("what was found", Words), ("see it again", Words)];
    html! {
        @if !rows.is_empty() {
            h2 { "What is broken" }
            (table("The first violation of each invariant, by seed", &columns, &rows))
        }
    }
}

fn spreads(metrics: &[Spread]) -> Markup {
    let rows: Vec<_> = metrics
        .iter()
        .map(|spread| {
            let unit = Unit::of(&spread.name);
            let [min, median, max] = [spread.min, spread.median, spread.max].map(|v| or_dash(Some(v), unit));
            vec![html! { code { (spread.name) } }, min, median, max, range(spread)]
        })
        .collect();
    let columns =
        [("metric", Words), ("smallest", Number), ("median", Number), ("largest", Number), ("from 0", Extra)];
    table("Smallest, median and largest over the seeds", &columns, &rows)
}

/// A bar from the smallest to the largest with a stroke at the median, on an axis from 0.
fn range(of: &Spread) -> Markup {
    let share =
        |value: f64| format!("{:.1}%", (value / of.max.max(f64::MIN_POSITIVE) * 100.0).clamp(0.0, 100.0));
    html! {
        div class="gauge" {
            svg aria-hidden="true" {
                rect class="mute" y="6" width="100%" height="2" {}
                rect class="f1" x=(share(of.min)) y="4" width=(share(of.max - of.min)) height="6" rx="2" {}
                line class="ink" x1=(share(of.median)) x2=(share(of.median)) y1="1" y2="13" {}
            }
        }
    }
}

fn goals(report: &CampaignReport) -> Markup {
    let rows: Vec<_> = report
        .goals
        .iter()
        .map(|goal| {
            let state = match (goal.seeds > 0, goal.required) {
                (true, _) => mark(true, "reached"),
                (false, true) => mark(false, "never reached"),
                (false, false) => html! { span class="soft" { "never reached, not required" } },
            };
            vec![text(format::words(&goal.name)), figure(goal.seeds), figure(goal.reached), state]
        })
        .collect();
    let columns = [("goal", Words), ("seeds", Number), ("times", Number), ("", Words)];
    table("What should happen in at least one seed", &columns, &rows)
}

fn seed_rows(report: &CampaignReport) -> Markup {
    let rows: Vec<_> = report
        .seeds
        .iter()
        .map(|row| {
            vec![
                text(row.seed.to_string()),
                mark(row.verdict == Verdict::Pass, row.verdict.title()),
                figure(row.orders),
                figure(row.videos),
                or_dash(row.refunded_ratio, Unit::Ratio),
                or_dash(row.wait_p95_s, Unit::Seconds),
                text(duration(row.wall_s)),
                html! { code { (row.digests.outcome) } },
            ]
        })
        .collect();
    let columns = [
        ("seed", Number),
        ("verdict", Words),
        ("orders", Number),
        ("videos", Number),
        ("refunded", Number),
        ("p95 wait", Number),
        ("real time", Number),
        ("outcome digest", Extra),
    ];
    table("Every seed; waits are those of the main window", &columns, &rows)
}

/// `sweep.html`: many numbers of workers and accounts.
#[must_use]
pub fn sweep_page(of: &SweepTable) -> String {
    let share = whole_percent(of.required_share);
    let (verdict, title, why) = match of.smallest {
        Some((workers, accounts)) => (
            Verdict::Pass,
            format!("{} and {}", count(u64::from(workers), "worker"), count(u64::from(accounts), "account")),
            format!(
                "is the smallest fleet that passes in at least {share} of its seeds: the fewest accounts first, then \
                     the fewest workers"
            ),
        ),
        None => (
            Verdict::ThresholdMissed,
            "No fleet is enough".to_owned(),
            format!(
                "none of {} passes in at least {share} of its seeds",
                count(size(of.cells.len()), "pair")
            ),
        ),
    };
    let rows: Vec<_> = of
        .cells
        .iter()
        .map(|cell| {
            let is_enough = cell.is_enough(of.required_share);
            vec![
                text(cell.workers.to_string()),
                text(cell.accounts.to_string()),
                text(format!("{} of {}", cell.passed, cell.seeds)),
                or_dash(cell.p95_wait_s_median, Unit::Seconds),
                or_dash(cell.worst, Unit::Seconds),
                mark(is_enough, if is_enough { "enough" } else { "too small" }),
            ]
        })
        .collect();
    let columns = [
        ("workers", Number),
        ("accounts", Number),
        ("seeds that pass", Number),
        ("p95 wait, median", Number),
        ("p95 wait, worst", Number),
        ("", Words),
    ];
    let body = html! {
        header {
            p class="over" { "Kadr simulation sweep" }
            h1 { (of.scenario) }
        }
        (banner(verdict, &title, &why))
        h2 { "95th percentile of the wait, by workers (across) and accounts (down)" }
        p class="soft" {
            "Median over the seeds, in the main window. The darker, the longer. \u{2713} enough seeds pass; framed: the \
             smallest of those."
        }
        (svg::heat_map(of))
        h2 { "The same in numbers" }
        (table("Every pair", &columns, &rows))
        h2 { "Run it again" }
        pre { (of.reproduce) }
    };
    page::page(&format!("{}: {} \u{2013} Kadr sweep", title, of.scenario), &body)
}

/// `what-if.html`: a scenario beside variants of it.
#[must_use]
pub fn what_if_page(of: &WhatIfTable) -> String {
    let rows: Vec<_> = of
        .rows
        .iter()
        .map(|row| {
            vec![
                text(&row.what),
                text(format!("{} of {}", row.passed, row.seeds)),
                or_dash(row.p95_wait_s, Unit::Seconds),
                or_dash(row.refunded_ratio, Unit::Ratio),
                or_dash(row.provider_refunded_ratio, Unit::Ratio),
                or_dash(row.queue_max, Unit::Number),
                or_dash(row.provider_credits_per_video, Unit::Number),
            ]
        })
        .collect();
    let columns = [
        ("what is different", Words),
        ("seeds that pass", Number),
        ("p95 wait", Number),
        ("refunded", Number),
        ("because of the provider", Number),
        ("longest queue", Number),
        ("provider credits a video", Number),
    ];
    let body = html! {
        header {
            p class="over" { "Kadr simulation: what if" }
            h1 { (of.scenario) }
        }
        p { "Medians over the seeds; waits are those of the main window." }
        (table("The scenario and its variants", &columns, &rows))
        h2 { "Run it again" }
        pre { (of.reproduce) }
    };
    page::page(&format!("What if: {} \u{2013} Kadr simulation", of.scenario), &body)
}

/// `compare.html`: two runs or campaigns beside each other.
#[must_use]
pub fn comparison_page(of: &Comparison) -> String {
    let body = html! {
        header {
            p class="over" { "Kadr simulation comparison" }
            h1 { (of.after) }
        }
        (tables::baseline(of))
    };
    page::page(&format!("{} \u{2013} Kadr comparison", of.after), &body)
}
