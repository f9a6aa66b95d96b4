//! What is written, read back and looked at.

use std::{path::PathBuf, sync::LazyLock, time::Duration};

use domain::{
    failure::Reason,
    job::{DeliveryFailure, Event as JobEvent},
    order::Quantity,
};

use super::{
    Campaign, CampaignReport, Cell, Collector, EventsJsonl, Facts, JobsCsv, Progress, ProviderBill,
    ReadError, RunReport, Setup, SweepTable, Verdict, WhatIfRow, WhatIfTable, campaign_page,
    campaign_summary, campaign_to_junit, compare, compare_campaigns, comparison_page,
    fixture::{Evening, Teller, at, evening, facts, setup, threshold},
    from_json, run_page, summary, sweep_page, to_json, to_junit, what_if_page, write_all, write_campaign,
    write_sweep, write_with_baseline,
};
use crate::{
    oracle::Broken,
    scenario::Threshold,
    trace::{Event, JobNo, Kind, Observer, OrderNo},
};

const DAY: Evening = Evening { seed: 7, orders_per_day: 1_000.0, running_max: 11, has_outage: true };

fn setup_of(day: Evening) -> Setup {
    let accounts = setup().accounts.into_iter().map(|(name, _)| (name, day.running_max)).collect();
    Setup { accounts, ..setup() }
}

fn thresholds() -> Vec<Threshold> {
    vec![
        threshold("wait_s{window=peak}", "p(95) < 600"),
        threshold("total_s", "p(99) < 3600"),
        threshold("refunded_ratio", "value < 0.05"),
        threshold("queue_depth", "max < 300"),
        threshold("delivered_ratio{window=peak}", "value > 0.9"),
    ]
}

fn facts_of(day: Evening) -> Facts {
    let mut facts = facts();
    facts.seed = day.seed;
    facts.thresholds = thresholds();
    facts.checks.extend([("no_step_after_the_end", 40_000), ("keys_stay_within_their_limits", 2_400)]);
    facts.goals.extend([("a_rate_limit_was_waited_for", 31), ("a_lease_expired_in_a_call", 0)]);
    facts.bill = ProviderBill { tasks: 2_500, charged_tasks: 2_050, charged_hundredths: 3_075_000 };
    facts.wall = Duration::from_millis(800 + day.seed * 13);
    facts
}

fn run(day: Evening) -> RunReport {
    let mut collector = Collector::new(setup_of(day));
    evening(day, &mut collector);
    collector.finish(facts_of(day))
}

/// The day above; several tests look at it.
static REPORT: LazyLock<RunReport> = LazyLock::new(|| run(DAY));

/// A run in which everything that can be wrong is.
fn broken_run() -> RunReport {
    let mut collector = Collector::new(setup_of(DAY));
    evening(DAY, &mut collector);
    let mut facts = facts_of(DAY);
    facts.broken = (0..3)
        .map(|n| Broken {
            invariant: "each_hold_ends_once",
            what: format!("job {n} was captured <b>twice</b> & its order held one credit"),
            at: at(75_000.25 + f64::from(n)),
            seq: 61_234 + u64::from(n),
            job: Some(JobNo(812 + n)),
            order: Some(OrderNo(402)),
        })
        .collect();
    facts.required_goals.push("a_lease_expired_in_a_call".to_owned());
    let what = "user 402: 4 credits are available and the entries add up to 5".to_owned();
    facts.audit.findings.push(ports::AuditFinding { user: None, what });
    let mut report = collector.finish(facts);
    if let Some(worst) = report.worst.first_mut() {
        worst.timeline = vec!["21:03:11.000  ordered".to_owned(), "21:03:15.000  prompt ready".to_owned()];
    }
    report
}

fn campaign(running_max: u32) -> CampaignReport {
    let mut campaign = Campaign::new(0.95);
    for seed in 1..=6 {
        let day = Evening { seed, orders_per_day: 150.0, running_max, has_outage: true };
        campaign.add(&run(day));
    }
    campaign.finish("cargo sim run evening-peak --seeds 6".to_owned()).unwrap()
}

fn sweep() -> SweepTable {
    let cells = [5_u32, 10, 20, 40, 80].into_iter().flat_map(|workers| {
        (1..=4_u32).map(move |accounts| {
            let wait = 9_000.0 / f64::from(accounts * accounts * workers.min(20)) - 4.0;
            let passed = if wait < 60.0 { 20 } else { u64::from(workers.min(19)) };
            let worst = Some(wait * 2.5);
            Cell { workers, accounts, seeds: 20, passed, p95_wait_s_median: Some(wait), worst }
        })
    });
    let again = "cargo sim sweep evening-peak --workers 5..80 --accounts 1..4".to_owned();
    SweepTable::new("evening-peak".to_owned(), cells.collect(), 0.95, again)
}

fn what_if() -> WhatIfTable {
    let row = |what: &str, passed, wait, refunded| WhatIfRow {
        what: what.to_owned(),
        seeds: 20,
        passed,
        p95_wait_s: Some(wait),
        refunded_ratio: Some(refunded),
        provider_refunded_ratio: Some(refunded / 2.0),
        provider_credits_per_video: Some(15.4),
        queue_max: Some(wait / 3.0),
    };
    WhatIfTable {
        scenario: "evening-peak".to_owned(),
        rows: vec![row("as it is", 20, 42.0, 0.031), row("half as many orders again", 3, 1_900.0, 0.06)],
        reproduce: "cargo sim what-if evening-peak".to_owned(),
    }
}

/// Tags that HTML never closes.
const VOID: [&str; 3] = ["meta", "br", "hr"];

/// Every tag that is opened is closed, in order; ids are used once; nothing is fetched from anywhere.
fn check_page(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{}", &page[..60]);
    for word in ["http://", "https://", "<script", "<link", "<img", "@import", "src=", "url(\"", "<iframe"] {
        assert!(!page.contains(word), "a page fetches nothing, and this one has `{word}`");
    }
    assert!(!page.contains("NaN") && !page.contains("inf "), "every number is one");
    let mut open: Vec<&str> = Vec::new();
    let style_free =
        page.split("<style>").next().unwrap().to_owned() + page.split("</style>").nth(1).unwrap();
    for tag in style_free.split('<').skip(1) {
        let name = tag.split(['>', ' ']).next().unwrap();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "before `<{}`", &tag[..tag.len().min(60)]);
        } else if !name.starts_with('!') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "every tag is closed");
    let mut ids: Vec<_> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids are used once: {ids:?}");
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&target), "`#{target}` leads nowhere");
    }
    assert_eq!(page.matches("role=\"img\"").count(), page.matches("role=\"img\" aria-label=\"").count());
    assert_eq!(page.matches("<h1>").count(), 1);
}

#[test]
fn pages_are_sound_and_fetch_nothing() {
    let (report, broken) = (&*REPORT, broken_run());
    let difference = compare(report, &run(Evening { running_max: 30, ..DAY }));
    check_page(&run_page(report, None));
    check_page(&run_page(&broken, Some(&difference)));
    check_page(&run_page(&Collector::new(setup()).finish(facts()), None));
    let (narrow, wider) = (campaign(4), campaign(6));
    check_page(&campaign_page(&wider, Some(&compare_campaigns(&narrow, &wider))));
    check_page(&sweep_page(&sweep()));
    check_page(&what_if_page(&what_if()));
    check_page(&comparison_page(&difference));
}

#[test]
fn what_a_run_says_is_text_and_never_markup() {
    let page = run_page(&broken_run(), None);
    assert!(page.contains("captured &lt;b&gt;twice&lt;/b&gt; &amp; its order"));
    assert!(!page.contains("<b>twice"));
}

#[test]
fn the_page_of_a_busy_day_can_be_mailed() {
    let page = run_page(&REPORT, None);
    assert!(page.len() < 600_000, "{} bytes", page.len());
}

#[test]
fn json_survives_the_way_there_and_back() {
    for report in [REPORT.clone(), broken_run(), Collector::new(setup()).finish(facts())] {
        let text = to_json(&report).unwrap();
        assert_eq!(from_json::<RunReport>(&text).unwrap(), report);
        assert!(text.contains("\"schema\": 1"));
    }
    let campaign = campaign(6);
    assert_eq!(from_json::<CampaignReport>(&to_json(&campaign).unwrap()).unwrap(), campaign);
    let table = sweep();
    let read = from_json::<SweepTable>(&to_json(&table).unwrap()).unwrap();
    assert_eq!((read.cells.len(), read.smallest), (table.cells.len(), table.smallest));
}

#[test]
fn a_report_of_another_form_is_refused() {
    let text = to_json(&*REPORT).unwrap().replace("\"schema\": 1", "\"schema\": 2");
    assert!(matches!(from_json::<RunReport>(&text), Err(ReadError::Schema { found: 2 })));
    assert!(matches!(from_json::<RunReport>("{}"), Err(ReadError::Form(_))));
}

#[test]
fn junit_has_a_case_for_each_threshold_invariant_and_goal() {
    let report = broken_run();
    let xml = to_junit(&report).unwrap();
    let cases = report.thresholds.len() + report.invariants.checks.len() + 1 + report.goals.len();
    assert_eq!(xml.matches("<testcase ").count(), cases);
    let missed = report.thresholds.iter().filter(|threshold| !threshold.passed).count();
    assert_eq!(xml.matches("<failure ").count(), missed + 3, "one invariant, the audit, one goal");
    assert!(xml.contains("twice&lt;/b&gt;"));
    assert!(xml.contains("name=\"wait_s{window=peak}  p(95) &lt; 600\""), "{xml}");
    let mut report = report.clone();
    report.invariants.checks.insert("nobody_looked".to_owned(), 0);
    let skipped = to_junit(&report).unwrap().matches("<skipped").count();
    assert_eq!(skipped, 1, "what was never checked is no success");
    let seeds = campaign_to_junit(&campaign(6)).unwrap();
    assert_eq!(seeds.matches("name=\"seed ").count(), 6);
}

#[test]
fn the_summary_fits_a_terminal() {
    for report in [REPORT.clone(), broken_run(), Collector::new(setup()).finish(facts())] {
        let files = ["out/report.html", "out/report.json", "out/junit.xml"].map(PathBuf::from);
        let lines = summary(&report, &files.each_ref().map(PathBuf::as_path));
        assert!(lines.len() <= 40, "{} lines:\n{}", lines.len(), lines.join("\n"));
        for line in &lines {
            assert!(line.chars().count() <= 100 && !line.contains('\u{1b}'), "{line}");
        }
        assert!(lines[0].starts_with(&report.verdict.title().to_uppercase()));
    }
    let told = summary(&REPORT, &[]).join("\n");
    assert!(told.contains(" wait_s{window=peak}  p(95) < 600: "), "{told}");
    let html = run_page(&REPORT, None);
    assert!(html.contains(">wait_s{window=peak}</code> <code class=\"half\">p(95) &lt; 600</code>"));
    let campaign = campaign(6);
    let lines = campaign_summary(&campaign, &[]);
    assert!(lines.len() <= 40 && lines.iter().all(|line| line.chars().count() <= 100));
}

#[test]
fn jobs_become_a_row_each_when_they_end() {
    let mut csv = JobsCsv::new(Vec::new());
    let mut teller = Teller::new(&mut csv);
    let job = teller.order(at(0.0), Quantity::Three);
    teller.prepare(at(1.0), job + 1);
    let attempt = teller.submit(at(2.5), job + 1, 0, 1);
    teller.render_failed(at(40.0), job + 1, attempt, Reason::ProviderFault);
    let attempt = teller.submit(at(50.0), job + 1, 0, 1);
    teller.rendered(at(90.0), job + 1, attempt);
    let failure = DeliveryFailure::RecipientGone;
    teller.step(at(91.0), job + 1, JobEvent::DeliveryFailed { attempt, failure });
    teller.step(at(95.0), job, JobEvent::CancelRequested);
    let text = String::from_utf8(csv.finish().unwrap()).unwrap();
    let rows: Vec<_> = text.lines().collect();
    assert_eq!(
        rows,
        [
            "job,order,size,video,placed_at,wait_s,render_s,total_s,state,cause,retries,attempts,lost_answers",
            "1,0,3,2,2026-11-30T21:00:00.000Z,2.500,87.500,91.000,refunded,recipient_gone,1,2,0",
            "0,0,3,1,2026-11-30T21:00:00.000Z,,,95.000,cancelled,,0,0,0",
            "2,0,3,3,2026-11-30T21:00:00.000Z,,,,queued,,0,0,0",
        ]
    );
}

#[test]
fn events_become_a_line_each_with_fields_in_a_stable_order() {
    let mut events = EventsJsonl::new(Vec::new());
    let mut teller = Teller::new(&mut events);
    let job = teller.order(at(0.0), Quantity::One);
    teller.step(at(1.0), job, JobEvent::Started);
    teller.tell(at(2.0), Kind::CancelAsked { job: JobNo(0), granted: true });
    teller.step(at(2.0), job, JobEvent::CancelRequested);
    teller.tell(at(3.0), Kind::Settled);
    let text = String::from_utf8(events.finish().unwrap()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"seq":0,"at":"2026-11-30T21:00:00.000Z","event":"placed","order":0,"job":0,"user":1,"videos":1,"credits":1,"confirmation":"c0"}"#,
            r#"{"seq":1,"at":"2026-11-30T21:00:01.000Z","event":"stepped","job":0,"process":0,"lease":1,"from":"queued","state":"prompting","retries":0,"notices":["writing_prompt"],"next_run_in_s":0.0}"#,
            r#"{"seq":2,"at":"2026-11-30T21:00:02.000Z","event":"cancel_asked","job":0,"granted":true}"#,
            r#"{"seq":3,"at":"2026-11-30T21:00:02.000Z","event":"stepped","job":0,"process":0,"lease":1,"from":"prompting","state":"cancelled","retries":0,"entries":["release"],"notices":["cancelled"]}"#,
            r#"{"seq":4,"at":"2026-11-30T21:00:03.000Z","event":"settled"}"#,
        ]
    );
}

#[test]
fn a_full_disk_is_told_at_the_end_and_not_in_the_midst() {
    let mut room = [0_u8; 20];
    let mut events = EventsJsonl::new(&mut room[..]);
    evening(Evening { orders_per_day: 20.0, ..DAY }, &mut events);
    assert!(events.finish().is_err());
    let mut room = [0_u8; 200];
    let mut jobs = JobsCsv::new(&mut room[..]);
    evening(Evening { orders_per_day: 20.0, ..DAY }, &mut jobs);
    assert!(jobs.finish().is_err());
}

#[test]
fn equal_runs_differ_in_nothing_and_more_room_shortens_the_wait() {
    let before = &*REPORT;
    let same = compare(before, before);
    assert!(same.moved.is_empty() && same.unmoved > 20 && same.doubts.is_empty());
    let after = compare(before, &run(Evening { running_max: 30, ..DAY }));
    let wait = after.moved.iter().find(|row| row.name == "wait_s{window=peak} p95").unwrap();
    assert_eq!((wait.is_better, wait.beyond_noise), (Some(true), None));
    assert!(wait.absolute < Some(0.0) && wait.relative > Some(-1.0) && wait.relative < Some(0.0));
    let lines = after.lines();
    assert!(
        lines.iter().any(|line| line.starts_with("wait_s{window=peak} p95 ") && line.ends_with("better"))
    );
}

#[test]
fn campaigns_tell_what_moved_beyond_their_noise() {
    let (before, after) = (campaign(3), campaign(40));
    let difference = compare_campaigns(&before, &after);
    let moved = |name: &str| difference.moved.iter().find(|row| row.name == name).unwrap();
    assert_eq!(moved("wait_s{window=peak} p95").beyond_noise, Some(true));
    assert_eq!(moved("refunded_ratio").beyond_noise, Some(false));
}

#[test]
fn a_campaign_sums_up_its_seeds() {
    let report = campaign(6);
    assert_eq!(report.seeds.len(), 6);
    let share = &report.thresholds[0];
    assert_eq!((share.seeds, share.metric.as_str()), (6, "wait_s{window=peak}"));
    let passed = report.seeds.iter().filter(|row| row.verdict == Verdict::Pass).count();
    assert!(report.thresholds.iter().all(|share| share.met >= u64::try_from(passed).unwrap()));
    for spread in &report.metrics {
        assert!(spread.min <= spread.median && spread.median <= spread.max, "{spread:?}");
    }
    assert_eq!(report.goals.iter().map(|goal| goal.seeds).max(), Some(6));
    let waits = report.seeds.iter().map(|row| row.wait_p95_s.unwrap());
    let worst = report.seeds.iter().find(|row| row.seed == report.worst_seed).unwrap();
    assert_eq!(worst.wait_p95_s, waits.reduce(f64::max));
    assert_eq!(report.slowest_seed, 6);
    assert_eq!(Campaign::new(0.95).finish(String::new()), None);
}

#[test]
fn one_broken_seed_breaks_a_campaign() {
    let mut campaign = Campaign::new(0.5);
    campaign.add(&run(Evening { orders_per_day: 50.0, ..DAY }));
    campaign.add(&broken_run());
    let report = campaign.finish(String::new()).unwrap();
    assert_eq!(report.verdict, Verdict::InvariantBroken);
    assert_eq!((report.broken.len(), report.broken[0].first.len(), report.broken[0].total), (1, 1, 3));
}

#[test]
fn the_smallest_fleet_has_the_fewest_accounts_first() {
    let table = sweep();
    let (workers, accounts) = table.smallest.unwrap();
    for cell in table.cells.iter().filter(|cell| cell.is_enough(0.95)) {
        assert!((cell.accounts, cell.workers) >= (accounts, workers));
    }
}

#[test]
fn a_bar_that_nobody_sees_costs_no_wall_clock() {
    let mut progress = Progress::new(&setup());
    evening(Evening { orders_per_day: 50.0, ..DAY }, &mut progress);
    progress.finish();
}

/// Counts what it sees.
struct Counting(u64);

impl Observer for Counting {
    fn see(&mut self, _: &Event<'_>) {
        self.0 += 1;
    }
}

#[test]
fn every_event_of_a_day_is_a_line_and_every_video_a_row() {
    let day = Evening { orders_per_day: 100.0, ..DAY };
    let (mut count, mut events, mut jobs) =
        (Counting(0), EventsJsonl::new(Vec::new()), JobsCsv::new(Vec::new()));
    evening(day, &mut count);
    evening(day, &mut events);
    evening(day, &mut jobs);
    let lines = String::from_utf8(events.finish().unwrap()).unwrap();
    assert_eq!(lines.lines().count(), usize::try_from(count.0).unwrap());
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    let rows = String::from_utf8(jobs.finish().unwrap()).unwrap();
    assert_eq!(rows.lines().count() - 1, usize::try_from(run(day).counts.videos).unwrap());
}

/// Writes every file there is, into a folder that is thrown away, or into `KADR_REPORT_EXAMPLES` for whoever wants to
/// look at them.
#[test]
fn every_file_is_written_where_it_was_asked_for() {
    let thrown_away = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("KADR_REPORT_EXAMPLES").map_or(thrown_away.path().to_owned(), PathBuf::from);
    let report = &*REPORT;
    let names = |paths: Vec<PathBuf>| {
        assert!(paths.iter().all(|path| path.metadata().is_ok_and(|file| file.len() > 100)));
        let names = paths.iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
        names.collect::<Vec<_>>()
    };
    let wide = run(Evening { running_max: 30, has_outage: false, ..DAY });
    let better = compare(report, &wide);
    assert_eq!(
        names(write_all(&dir.join("missed"), report).unwrap()),
        ["report.html", "report.json", "junit.xml"]
    );
    names(write_with_baseline(&dir.join("passed"), &wide, Some(&better)).unwrap());
    names(write_all(&dir.join("broken"), &broken_run()).unwrap());
    names(write_all(&dir.join("empty"), &Collector::new(setup()).finish(facts())).unwrap());
    let (narrow, wider) = (campaign(4), campaign(6));
    let campaigns = compare_campaigns(&narrow, &wider);
    let written = write_campaign(&dir.join("campaign"), &wider, Some(&campaigns)).unwrap();
    assert_eq!(names(written), ["campaign.html", "campaign.json", "junit.xml"]);
    assert_eq!(names(write_sweep(&dir.join("sweep"), &sweep()).unwrap()), ["sweep.html", "sweep.json"]);
    std::fs::write(dir.join("what-if.html"), what_if_page(&what_if())).unwrap();
    std::fs::write(dir.join("comparison.html"), comparison_page(&better)).unwrap();
    let told = [
        summary(report, &[]),
        summary(&broken_run(), &[]),
        better.lines(),
        campaign_summary(&campaign(6), &[]),
    ];
    std::fs::write(dir.join("terminal.txt"), told.map(|lines| lines.join("\n")).join("\n\n----\n\n"))
        .unwrap();
    assert!(write_all(&dir.join("missed/report.html"), report).is_err());
}
