use std::collections::BTreeMap;

use domain::{
    failure::{Failure, Reason},
    job::{DeliveryFailure, Event as JobEvent},
    order::Quantity,
    time::Timestamp,
};

use super::Collector;
use crate::{
    oracle::Broken,
    report::{
        FailureCount, Money, ProviderBill, RunReport, SampleGroup, Verdict,
        fixture::{Evening, Teller, at, evening, facts, job_no, setup, threshold},
    },
    scenario::{METRICS, Threshold},
    trace::{CallEnd, Event, Kind, Observer, OutsideCall},
};

/// 20:00, when the peak begins.
const PEAK: f64 = 20.0 * 3_600.0;

fn report(tell: impl FnOnce(&mut Teller<'_>)) -> RunReport {
    let mut collector = Collector::new(setup());
    tell(&mut Teller::new(&mut collector));
    collector.finish(facts())
}

/// An order of one video that waits 10 s, renders 100 s and is handed over in 2 s.
fn smooth(teller: &mut Teller<'_>, from: f64) {
    let job = teller.order(at(from), Quantity::One);
    teller.prepare(at(from + 4.0), job);
    let attempt = teller.submit(at(from + 10.0), job, 0, 3);
    teller.rendered(at(from + 110.0), job, attempt);
    teller.step(at(from + 112.0), job, JobEvent::Delivered { attempt });
}

#[test]
fn each_duration_runs_from_its_step_to_the_next() {
    let report = report(|teller| smooth(teller, PEAK));
    let p50 =
        |metric: &str| report.percentiles(metric, &SampleGroup::Day).map(|p| (p.count, p.p50_s, p.max_s));
    assert_eq!(p50("wait_s"), Some((1, 10.0, 10.0)));
    assert_eq!(p50("render_s"), Some((1, 100.0, 100.0)));
    assert_eq!(p50("delivery_s"), Some((1, 2.0, 2.0)));
    assert_eq!(p50("total_s"), Some((1, 112.0, 112.0)));
    assert_eq!(p50("settle_s"), Some((1, 112.0, 112.0)));
    assert_eq!(report.verdict, Verdict::Pass);
    let peak = SampleGroup::Window("peak".to_owned());
    assert_eq!(report.percentiles("wait_s", &peak).map(|p| p.count), Some(1));
    assert_eq!(report.percentiles("wait_s", &SampleGroup::Size(1)).map(|p| p.count), Some(1));
    assert_eq!(report.percentiles("wait_s", &SampleGroup::Size(3)), None);
}

#[test]
fn an_order_counts_for_the_window_it_was_placed_in() {
    let report = report(|teller| {
        smooth(teller, PEAK - 1.0);
        smooth(teller, PEAK + 7_199.0);
        smooth(teller, PEAK + 7_200.0);
    });
    let peak = report.counts.by_group.iter().find(|g| g.group == SampleGroup::Window("peak".to_owned()));
    assert_eq!(peak.map(|g| (g.videos, g.delivered)), Some((1, 1)));
}

#[test]
fn a_retried_video_waits_once_and_is_one_failure() {
    let report = report(|teller| {
        let job = teller.order(at(0.0), Quantity::Three);
        teller.prepare(at(1.0), job);
        let attempt = teller.submit(at(2.0), job, 0, 1);
        teller.render_failed(at(40.0), job, attempt, Reason::ProviderFault);
        let attempt = teller.submit(at(50.0), job, 1, 1);
        teller.rendered(at(102.0), job, attempt);
        teller.step(at(104.0), job, JobEvent::Delivered { attempt });
    });
    let day = |metric: &str| report.percentiles(metric, &SampleGroup::Day).map(|p| (p.count, p.p50_s));
    assert_eq!(day("wait_s"), Some((1, 2.0)));
    assert_eq!(day("render_s"), Some((1, 100.0)), "from the first acceptance to the video");
    assert_eq!(report.counts.retries, BTreeMap::from([(1, 1)]));
    assert_eq!(report.counts.double_submissions, 0, "the first task is known to have failed");
    let temporary =
        FailureCount { class: "temporary".to_owned(), total: 1, retried: 1, sent_again: 0, refunded: 0 };
    assert_eq!(report.counts.failures, [temporary]);
    assert_eq!(report.counts.unfinished, 2);
    assert_eq!(report.worst.iter().filter(|job| job.ended_at.is_none()).count(), 2);
}

#[test]
fn a_lost_answer_is_a_lost_submission_and_the_second_task_a_double_one() {
    let report = report(|teller| {
        let job = teller.order(at(0.0), Quantity::One);
        teller.prepare(at(1.0), job);
        let attempt = teller.open(at(2.0), job, 0);
        teller.created(at(2.0), job, 0, 1);
        teller.step(at(32.0), job, JobEvent::AnswerMissing { attempt });
        teller.step(at(122.0), job, JobEvent::AnswerMissing { attempt });
        teller.submit(at(123.0), job, 0, 2);
    });
    assert_eq!(report.counts.lost_submissions, 1);
    assert_eq!(report.counts.double_submissions, 1);
    assert_eq!(report.counts.submissions, 2);
    assert_eq!(report.counts.lost_submission_ratio(), Some(0.5));
}

#[test]
fn a_refused_upload_counts_with_what_was_done_about_it() {
    let failure = Failure::from(Reason::PhotoUnusable);
    let report = report(|teller| {
        let job = teller.order(at(0.0), Quantity::One);
        teller.step(at(1.0), job, JobEvent::Started);
        let prompt = domain::prompt::Prompt::stored("a mug".to_owned());
        teller.step(at(2.0), job, JobEvent::PromptReady { prompt });
        let (call, end) = (OutsideCall::Upload, CallEnd::No(failure));
        teller.tell(at(3.0), Kind::Called { job: Some(job_no(job)), call, end, took_ms: 1_000 });
        let key = crate::report::fixture::key(0);
        teller.step(at(3.0), job, JobEvent::UploadFailed { key, failure });
    });
    assert_eq!(report.counts.failures.iter().map(|f| (f.total, f.refunded)).collect::<Vec<_>>(), [(1, 1)]);
    assert_eq!(report.counts.refunded_by_cause, BTreeMap::from([("input:photo_unusable".to_owned(), 1)]));
    assert_eq!(report.counts.never_rendered, 1);
    assert_eq!(report.percentiles("wait_s", &SampleGroup::Day), None);
}

#[test]
fn credits_held_end_captured_released_or_open() {
    let report = report(|teller| {
        teller.tell(at(0.0), Kind::Granted { user: domain::id::UserId::new(1), credits: 10 });
        smooth(teller, 1.0);
        let job = teller.order(at(2.0), Quantity::Three);
        teller.step(at(700.0), job, JobEvent::CancelRequested);
    });
    let money = Money { granted: 10, held_ever: 4, captured: 1, released: 1, open_holds: 2, available: 7 };
    assert_eq!(report.money, money);
    assert_eq!((report.counts.cancelled, report.counts.delivered), (1, 1));
    let at_bin =
        |bin: usize| (report.series.held[bin], report.series.captured[bin], report.series.released[bin]);
    assert_eq!((at_bin(0), at_bin(1), at_bin(2), at_bin(287)), ((4, 1, 0), (4, 1, 0), (4, 1, 1), (4, 1, 1)));
}

#[test]
fn the_queue_is_what_waits_for_the_provider() {
    let report = report(|teller| {
        let job = teller.order(at(0.0), Quantity::Five);
        teller.prepare(at(10.0), job);
        teller.submit(at(20.0), job, 0, 1);
        smooth(teller, 600.0);
    });
    assert_eq!(report.series.queue_max[..4], [5, 4, 5, 4]);
    assert_eq!(report.series.queue_last[..4], [4, 4, 4, 4]);
    assert_eq!(
        report.series.accounts[0].running[..4],
        [1, 1, 3, 1],
        "the provider's own number, when it is higher"
    );
    assert_eq!(report.series.bins(), 288);
    assert_eq!((report.series.orders[0], report.series.orders[2]), (1, 1));
    assert_eq!(report.series.wait_p50_s[0], Some(20.0));
    assert_eq!(report.series.wait_p95_s[2], Some(10.0));
}

#[test]
fn delivered_videos_are_counted_by_the_local_clocks_hours() {
    let report = report(|teller| {
        smooth(teller, 3_600.0 - 100.0);
        smooth(teller, 3_600.0);
        smooth(teller, 7_000.0);
    });
    assert_eq!(report.series.delivered_per_hour[..4], [0, 3, 0, 0]);
    assert_eq!(report.series.hours_from, at(0.0));
}

#[test]
fn a_delivery_that_is_put_off_is_counted_and_the_job_stays() {
    let report = report(|teller| {
        let job = teller.order(at(0.0), Quantity::One);
        teller.prepare(at(1.0), job);
        let attempt = teller.submit(at(2.0), job, 0, 1);
        teller.rendered(at(60.0), job, attempt);
        let failure = DeliveryFailure::Passing;
        teller.step(at(61.0), job, JobEvent::DeliveryFailed { attempt, failure });
        teller.step(at(72.0), job, JobEvent::Delivered { attempt });
    });
    assert_eq!((report.counts.deliveries_put_off, report.counts.delivered), (1, 1));
    assert_eq!(report.percentiles("delivery_s", &SampleGroup::Day).map(|p| p.max_s), Some(12.0));
}

#[test]
fn metrics_are_measured_by_name_label_and_aggregate() {
    let mut collector = Collector::new(setup());
    let mut teller = Teller::new(&mut collector);
    smooth(&mut teller, 100.0);
    smooth(&mut teller, PEAK);
    let bill = ProviderBill { tasks: 2, charged_tasks: 2, charged_hundredths: 3_000 };
    let measure =
        |metric, aggregate| collector.measure(&threshold(metric, &format!("{aggregate} < 1")), &bill);
    for (metric, aggregate, expected) in [
        ("wait_s", "p(95)", Some(10.0)),
        ("wait_s{window=peak}", "count", Some(1.0)),
        ("wait_s{size=1}", "avg", Some(10.0)),
        ("wait_s{size=3}", "max", None),
        ("wait_s{window=lunch}", "max", None),
        ("refunded_ratio", "value", Some(0.0)),
        ("provider_refunded_ratio", "value", Some(0.0)),
        ("delivered_ratio{window=peak}", "value", Some(1.0)),
        ("lost_submission_ratio", "value", Some(0.0)),
        ("queue_depth", "max", Some(1.0)),
        ("in_flight", "max", Some(3.0)),
        ("in_flight{account=second}", "max", Some(0.0)),
        ("in_flight{account=third}", "max", None),
        ("videos_per_hour", "max", Some(1.0)),
        ("provider_credits_per_video", "value", Some(15.0)),
    ] {
        assert_eq!(measure(metric, aggregate), expected, "{aggregate} of {metric}");
    }
}

#[test]
fn everything_a_scenario_can_ask_for_is_measured() {
    let labels = [("window", "peak"), ("size", "1"), ("account", "second")];
    let aggregates = ["p(95)", "min", "med", "avg", "max", "count", "value"];
    let mut facts = facts();
    facts.thresholds.clear();
    facts.bill = ProviderBill { tasks: 1, charged_tasks: 1, charged_hundredths: 1_500 };
    for metric in METRICS {
        let known = labels.iter().filter(|(label, _)| metric.labels.contains(label));
        assert_eq!(known.clone().count(), metric.labels.len(), "a label of {} is new", metric.name);
        let narrowed = known.map(|(label, value)| format!("{}{{{label}={value}}}", metric.name));
        for subject in narrowed.chain([metric.name.to_owned()]) {
            let asked = aggregates.map(|aggregate| Threshold::parse(&subject, &format!("{aggregate} >= 0")));
            let before = facts.thresholds.len();
            facts.thresholds.extend(asked.into_iter().flatten());
            assert!(facts.thresholds.len() > before, "nothing can be asked of {subject}");
        }
    }
    let mut collector = Collector::new(setup());
    smooth(&mut Teller::new(&mut collector), PEAK);
    for judged in collector.finish(facts).thresholds {
        assert!(judged.value.is_some(), "{}  {}", judged.metric, judged.expression);
    }
}

#[test]
fn a_threshold_that_cannot_be_measured_is_missed() {
    let mut facts = facts();
    facts.thresholds = vec![threshold("wait_s{window=lunch}", "p(95) < 60")];
    let report = Collector::new(setup()).finish(facts);
    assert_eq!(report.verdict, Verdict::ThresholdMissed);
    assert_eq!((report.thresholds[0].value, report.thresholds[0].passed), (None, false));
}

#[test]
fn the_worst_that_applies_is_the_verdict() {
    let mut facts = facts();
    facts.goals.clear();
    let verdict = |facts: &crate::report::Facts| Collector::new(setup()).finish(facts.clone()).verdict;
    facts.thresholds.clear();
    assert_eq!(verdict(&facts), Verdict::GoalNotReached);
    facts.thresholds = vec![threshold("wait_s", "max < 1")];
    assert_eq!(verdict(&facts), Verdict::ThresholdMissed);
    let what = "user 3: the balance is not the sum of its entries".to_owned();
    facts.audit.findings.push(ports::AuditFinding { user: None, what });
    assert_eq!(verdict(&facts), Verdict::InvariantBroken);
    assert_eq!(Verdict::InvariantBroken.exit_code(), 2);
}

#[test]
fn a_flood_of_one_violation_does_not_hide_another() {
    let mut facts = facts();
    let broken = |invariant, n: u32| Broken {
        invariant,
        what: "it is".to_owned(),
        at: at(f64::from(n)),
        seq: u64::from(n),
        job: None,
        order: None,
    };
    facts.broken = (0..500).map(|n| broken("credits_add_up", n)).collect();
    facts.broken.push(broken("each_hold_ends_once", 500));
    let invariants = Collector::new(setup()).finish(facts).invariants;
    assert_eq!((invariants.broken_total, invariants.broken.len()), (501, 21));
    assert_eq!(invariants.broken_names().len(), 2);
}

#[test]
fn a_day_adds_up() {
    let mut collector = Collector::new(setup());
    let day = Evening { seed: 3, orders_per_day: 300.0, running_max: 20, has_outage: true };
    evening(day, &mut collector);
    assert!(collector.live.is_empty(), "nothing is kept of jobs that ended");
    let report = collector.finish(facts());
    let counts = &report.counts;
    assert_eq!(counts.videos, counts.delivered + counts.refunded + counts.cancelled);
    assert_eq!(counts.refunded, counts.refunded_by_cause.values().sum::<u64>());
    assert_eq!(report.money.open_holds, 0);
    assert_eq!(report.money.captured, i64::try_from(counts.delivered).unwrap());
    let orders: u32 = report.series.orders.iter().sum();
    assert_eq!(u64::from(orders), counts.orders);
    let delivered: u32 = report.series.delivered_per_hour.iter().sum();
    assert_eq!(u64::from(delivered), counts.delivered);
    let bins = report.series.bins();
    assert!(bins >= 288);
    let lengths = [
        report.series.queue_max.len(),
        report.series.wait_p95_s.len(),
        report.series.held.len(),
        report.series.accounts[1].running.len(),
    ];
    assert_eq!(lengths, [bins; 4]);
    assert_eq!(report.series.queue_last.last(), Some(&0));
    assert!(report.worst.len() >= 20 && report.worst.len() <= 25);
    assert!(report.worst.iter().take(20).is_sorted_by(|a, b| a.settle_s >= b.settle_s));
    assert_eq!(report.series.outages.len(), 1);
}

#[test]
fn what_happens_before_the_day_belongs_to_its_first_bin() {
    let mut collector = Collector::new(setup());
    let credits = 3;
    let kind = Kind::Granted { user: domain::id::UserId::new(1), credits };
    collector.see(&Event { at: Timestamp::from_millis(0), seq: 0, kind });
    let report = collector.finish(facts());
    assert_eq!((report.money.granted, report.series.bins()), (3, 288));
}
