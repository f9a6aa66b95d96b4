//! The tables of a run.

use maud::{Markup, html};

use super::page::{
    Kind::{Extra, Number, Words},
    Rows, facts, figure, gauge, groups, mark, table, text,
};
use crate::report::{
    collector::Unit,
    compare::{Comparison, Moved},
    data::{Judged, Percentiles, RunReport, SampleGroup, WorstJob},
    format::{self, count, duration, number, words},
    instant,
};

/// What has to be reached.
pub(super) fn thresholds(report: &RunReport) -> Markup {
    if report.thresholds.is_empty() {
        return html! { p class="soft" { "The scenario has no thresholds." } };
    }
    let columns = [
        ("metric, and what it has to be", Words),
        ("", Words),
        ("is", Number),
        ("margin", Number),
        ("", Extra),
    ];
    let rows: Vec<_> = report.thresholds.iter().map(threshold).collect();
    table("Thresholds", &columns, &rows)
}

fn threshold(of: &Judged) -> Vec<Markup> {
    let unit = Unit::of(&of.metric);
    let told = |value: Option<f64>| value.map_or_else(|| "\u{2013}".to_owned(), |v| format::value(v, unit));
    let word = match (of.passed, of.value) {
        (true, _) => "met",
        (false, Some(_)) => "missed",
        (false, None) => "nothing to measure",
    };
    vec![
        subject(&of.metric, &of.expression),
        mark(of.passed, word),
        text(told(of.value)),
        text(of.margin.map_or_else(|| "\u{2013}".to_owned(), |margin| format::difference(margin, unit))),
        html! {
            div class="gauge" { @if let Some(value) = of.value { (gauge(value, of.limit, of.passed)) } }
        },
    ]
}

/// A metric and what it has to be, side by side or, where there is no room, one below the other.
pub(super) fn subject(metric: &str, expression: &str) -> Markup {
    html! { code class="half" { (metric) } " " code class="half" { (expression) } }
}

/// Every percentile by metric and group.
pub(super) fn percentiles(report: &RunReport) -> Markup {
    let meaning = [
        ("wait_s", "wait", "until the provider takes it"),
        ("render_s", "render", "from there to the finished video, retries included"),
        ("delivery_s", "delivery", "from there to the confirmed handing over"),
        ("total_s", "total", "from the order to the confirmed handing over"),
        ("settle_s", "settle", "from the order to any end, refunds included"),
    ];
    let columns = [
        ("", Words),
        ("videos", Extra),
        ("50 %", Number),
        ("90 %", Number),
        ("95 %", Number),
        ("99 %", Number),
        ("longest", Number),
        ("mean", Extra),
    ];
    let bodies = meaning.iter().map(|(metric, name, meaning)| {
        let samples = report.samples.iter().filter(|sample| sample.metric == *metric);
        let rows = samples.map(|sample| {
            let mut row = vec![text(sample.group.label())];
            row.extend(numbers(&sample.percentiles));
            row
        });
        let heading = html! { b { (name) } " " span class="soft" { (meaning) } };
        Rows { heading: Some(heading), rows: rows.collect() }
    });
    let bodies: Vec<_> = bodies.filter(|body| !body.rows.is_empty()).collect();
    html! {
        @if bodies.is_empty() { p class="soft" { "No video got far enough to be measured." } } @else {
        (groups("So many of a hundred videos took at most this long", &columns, &bodies)) }
        @if report.counts.never_rendered > 0 {
            p class="soft" {
                (count(report.counts.never_rendered, "video"))
                " ended without ever being taken by the provider and have no wait; they are in “settle”."
            }
        }
    }
}

fn numbers(of: &Percentiles) -> Vec<Markup> {
    let told = [of.p50_s, of.p90_s, of.p95_s, of.p99_s, of.max_s, of.mean_s].map(|s| text(duration(s)));
    std::iter::once(figure(of.count)).chain(told).collect()
}

/// How videos ended, by group, and why they were refunded.
pub(super) fn endings(report: &RunReport) -> Markup {
    let counts = &report.counts;
    let columns = [
        ("", Words),
        ("ordered", Number),
        ("delivered", Number),
        ("refunded", Number),
        ("cancelled", Number),
    ];
    let groups = counts.by_group.iter().filter(|of| of.videos > 0 || of.group == SampleGroup::Day);
    let rows: Vec<_> = groups
        .map(|of| {
            let numbers = [of.videos, of.delivered, of.refunded, of.cancelled].map(figure);
            std::iter::once(text(of.group.label())).chain(numbers).collect()
        })
        .collect();
    let causes = counts.refunded_by_cause.iter();
    let causes: Vec<_> = causes.map(|(cause, n)| vec![text(words(cause)), figure(*n)]).collect();
    html! {
        div class="two" {
            (table("Videos by how they ended", &columns, &rows))
            @if causes.is_empty() {
                p class="soft" { "No video was refunded." }
            } @else {
                (table("Refunds by cause", &[("cause", Words), ("videos", Number)], &causes))
            }
        }
    }
}

/// Failures, faults, calls and what else happened.
pub(super) fn troubles(report: &RunReport) -> Markup {
    let counts = &report.counts;
    let failures: Vec<_> = counts
        .failures
        .iter()
        .map(|of| {
            let numbers = [of.total, of.retried, of.sent_again, of.refunded].map(figure);
            std::iter::once(text(words(&of.class))).chain(numbers).collect()
        })
        .collect();
    let failure_columns = [
        ("class", Words),
        ("failures", Number),
        ("retried", Number),
        ("sent again", Number),
        ("refunded", Number),
    ];
    let faults: Vec<_> = counts
        .faults
        .iter()
        .map(|of| vec![text(words(&of.site)), text(meaning(&of.fault)), figure(of.count)])
        .collect();
    let calls: Vec<_> = counts
        .calls
        .iter()
        .map(|of| {
            let longest = text(duration(of.longest_s));
            let numbers = [of.yes, of.no, of.unknown].map(figure);
            std::iter::once(text(words(&of.call))).chain(numbers).chain([longest]).collect()
        })
        .collect();
    let call_columns =
        [("call", Words), ("yes", Number), ("no", Number), ("no answer", Number), ("longest", Number)];
    html! {
        div class="two flow" {
            (table("Failures by class, and what was done", &failure_columns, &failures))
            (table("Faults injected", &[("where", Words), ("what", Words), ("times", Number)], &faults))
            (table("Calls to outside services", &call_columns, &calls))
            (table("And also", &[("", Words), ("times", Number)], &others(report)))
        }
    }
}

/// What an injected fault means.
fn meaning(fault: &str) -> String {
    let known = [
        ("before", "failed before anything was done"),
        ("after", "done, and the answer was lost"),
        ("slow", "took long"),
        ("refusal", "refused, or the task fails"),
        ("nonsense", "answered with nonsense or nothing"),
        ("double_tap", "tapped twice"),
        ("repeated_order", "ordered again out of impatience"),
        ("no_credits", "tried without credits"),
    ];
    known.iter().find(|(word, _)| *word == fault).map_or_else(|| words(fault), |(_, text)| (*text).to_owned())
}

fn others(report: &RunReport) -> Vec<Vec<Markup>> {
    let counts = &report.counts;
    let retries = counts.retries.iter().map(|(retry, n)| (format!("retry no. {retry}"), *n));
    let sum = |of: &std::collections::BTreeMap<String, u64>, end: &str| of.get(end).copied().unwrap_or(0);
    let unsure = |of| of_all(of) - sum(of, "sent");
    let rows = [
        ("submissions".to_owned(), counts.submissions),
        ("submissions whose answer never came".to_owned(), counts.lost_submissions),
        ("second tasks for one video (double submissions)".to_owned(), counts.double_submissions),
        ("deliveries put off".to_owned(), counts.deliveries_put_off),
        ("steps stored".to_owned(), counts.steps),
        ("jobs claimed".to_owned(), counts.claims),
        ("jobs rescued from dead workers".to_owned(), counts.rescues_dead),
        ("jobs rescued from hung workers".to_owned(), counts.rescues_hung),
        ("worker processes killed".to_owned(), counts.kills),
        ("outdated writes turned away".to_owned(), counts.outdated_writes),
        ("texts sent".to_owned(), sum(&counts.texts, "sent")),
        ("texts not confirmed".to_owned(), unsure(&counts.texts)),
        ("messages given up".to_owned(), counts.notices_given_up),
        ("confirmations sent twice".to_owned(), counts.duplicates),
        ("orders refused for want of credits".to_owned(), counts.refused),
    ];
    rows.into_iter().chain(retries).map(|(name, n)| vec![text(name), figure(n)]).collect()
}

fn of_all(of: &std::collections::BTreeMap<String, u64>) -> u64 {
    of.values().sum()
}

/// What has to hold, and what should happen.
pub(super) fn oracles(report: &RunReport) -> Markup {
    let invariants = &report.invariants;
    let broken = invariants.broken_names();
    let names: std::collections::BTreeSet<_> =
        invariants.checks.keys().map(String::as_str).chain(broken.iter().copied()).collect();
    let rows: Vec<_> = names
        .into_iter()
        .map(|name| {
            let checks = invariants.checks.get(name).copied().unwrap_or(0);
            let holds = !broken.contains(name);
            let state = match (holds, checks) {
                (true, 0) => html! { span class="soft" { "never checked" } },
                _ => mark(holds, if holds { "holds" } else { "broken" }),
            };
            vec![text(words(name)), figure(checks), state]
        })
        .collect();
    let goals: Vec<_> = report
        .goals
        .iter()
        .map(|goal| {
            let state = match (goal.reached > 0, goal.required) {
                (true, _) => mark(true, "reached"),
                (false, true) => mark(false, "never reached"),
                (false, false) => html! { span class="soft" { "never reached, not required" } },
            };
            vec![text(words(&goal.name)), figure(goal.reached), state]
        })
        .collect();
    html! {
        div class="two" {
            (table("Invariants: what must hold in every run", &[("invariant", Words), ("checks", Number), ("", Words)], &rows))
            @if goals.is_empty() {
                p class="soft" { "The scenario names no goals." }
            } @else {
                (table("Goals: what should happen at least once", &[("goal", Words), ("times", Number), ("", Words)], &goals))
            }
        }
    }
}

/// What was found broken, at the top of everything.
pub(super) fn broken(report: &RunReport) -> Markup {
    let invariants = &report.invariants;
    let rows: Vec<_> = invariants
        .broken
        .iter()
        .map(|row| {
            let at = instant::local(row.at, report.time.utc_offset_s, "%d %b %H:%M:%S%.3f");
            let job = row.job.map_or_else(String::new, |job| job.to_string());
            let order = row.order.map_or_else(String::new, |order| order.to_string());
            vec![
                text(words(&row.invariant)),
                text(&row.what),
                text(at),
                text(job),
                text(order),
                html! { code { (row.replay) } },
            ]
        })
        .collect();
    let columns = [
        ("invariant", Words),
        ("what was found", Words),
        ("when", Words),
        ("job", Number),
        ("order", Number),
        ("see it again", Words),
    ];
    html! {
        @if !rows.is_empty() {
            h2 id="broken" { "What is broken" }
            (table(&format!("{} found", count(invariants.broken_total, "violation")), &columns, &rows))
        }
        @if !report.audit.is_empty() {
            h2 { "What the store’s own audit found" }
            ul { @for finding in &report.audit { li { (finding) } } }
        }
    }
}

/// The jobs that took longest.
pub(super) fn worst(report: &RunReport) -> Markup {
    if report.worst.is_empty() {
        return html! { p class="soft" { "There were no jobs." } };
    }
    html! {
        div class="card" {
            @for job in &report.worst { (worst_job(job, report.time.utc_offset_s)) }
        }
    }
}

fn worst_job(job: &WorstJob, offset: i32) -> Markup {
    let clock = |at| instant::local(at, offset, "%H:%M:%S");
    let ended = job.ended_at.map_or_else(|| "the run’s end".to_owned(), clock);
    let cause = job.cause.as_ref().map(|cause| format!(" ({})", words(cause))).unwrap_or_default();
    let state = if job.ended_at.is_none() { format!("still {}", job.state) } else { job.state.clone() };
    let retries =
        count(u64::from(job.retries), "retr").replace("retrs", "retries").replace("1 retr", "1 retry");
    html! {
        details {
            summary {
                b { "job " (job.job) }
                span { (clock(job.placed_at)) " \u{2013} " (ended) " \u{00b7} " (state) (cause) }
                span class="n" { (duration(job.settle_s)) }
            }
            div {
                p {
                    "Video " (job.video) " of " (job.size) " of order " (job.order) ". "
                    @match job.wait_s {
                        Some(wait) => { "Taken by the provider after " (duration(wait)) ". " }
                        None => "Never taken by the provider. ",
                    }
                    (count(u64::from(job.attempts), "submission")) ", " (retries) "."
                }
                @if !job.timeline.is_empty() {
                    ol { @for line in &job.timeline { li { (line) } } }
                }
            }
        }
    }
}

/// What moved since the baseline. Between campaigns, what moved beyond the seeds' own noise comes first.
pub(super) fn baseline(of: &Comparison) -> Markup {
    let row = |moved: &Moved| {
        let [before, after, absolute, relative] = moved.told().map(text);
        let judgement = match (moved.is_better, moved.beyond_noise) {
            (Some(is_better), noise) if noise != Some(false) => mark(is_better, moved.judgement()),
            _ => html! { span class="soft nowrap" { (moved.judgement()) } },
        };
        vec![html! { code { (moved.name) } }, before, after, absolute, relative, judgement]
    };
    let group = |beyond: Option<bool>, heading: Option<&str>| Rows {
        heading: heading.map(text),
        rows: of.moved.iter().filter(|moved| moved.beyond_noise == beyond).map(row).collect(),
    };
    let bodies = [
        group(Some(true), Some("Further than the seeds of either lie apart")),
        group(None, None),
        group(Some(false), Some("No further than the seeds lie apart: this may be chance")),
    ];
    let bodies: Vec<_> = bodies.into_iter().filter(|body| !body.rows.is_empty()).collect();
    let columns =
        [("metric", Words), ("before", Number), ("now", Number), ("by", Number), ("", Number), ("", Words)];
    html! {
        h2 id="baseline" { "What moved since the baseline" }
        p { "Baseline: " (of.before) ". " (number(of.unmoved)) " other numbers are the same." }
        @for doubt in &of.doubts { p class="missed" { "Mind that " (doubt) "." } }
        @if !bodies.is_empty() { (groups("Numbers that moved", &columns, &bodies)) }
    }
}

/// Everything needed to run it again.
pub(super) fn reproduce(report: &RunReport) -> Markup {
    let time = &report.time;
    let settled = time
        .settled_at
        .map_or_else(|| "never".to_owned(), |at| instant::local(at, time.utc_offset_s, "%d %b %Y %H:%M:%S"));
    let rows = [
        ("scenario", format!("{} (hash {})", report.scenario.name, report.scenario.hash)),
        ("seed", report.seed.to_string()),
        ("mode", report.mode.clone()),
        ("outcome digest", report.digests.outcome.clone()),
        ("timeline digest", report.digests.timeline.clone()),
        ("Kadr", report.versions.kadr.clone()),
        ("commit", report.versions.commit.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("events", number(time.events)),
        ("real time", duration(time.wall_s)),
        ("real calls", number(report.real_calls)),
        ("settled", settled),
    ];
    html! {
        h2 id="again" { "Run it again" }
        pre { (report.reproduce) }
        (facts(&rows))
        p class="soft" { "Equal digests mean equal runs: the same seed and scenario give them on any machine." }
    }
}
