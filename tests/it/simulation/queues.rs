//! The simulator against queues whose waits a formula gives.
//!
//! The waits of one day are far from their mean: one busy hour is felt for the next one, and so a mean over days enough
//! for a narrow interval would take minutes. So the way is in two steps. Each order of a simulated day waits exactly as
//! long as the recursion of Kiefer and Wolfowitz says, which is what first come, first served means; and that recursion,
//! over hundreds of days of the scenario's own arrivals and renders, comes to the formula's mean.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Mutex},
};

use domain::{job::AttemptStatus, time::Timestamp};
use simulator::{
    day::{WatchedOptions, watch},
    queueing::{erlang_c, mean_wait_md1, mean_wait_mmc},
    report::SampleGroup,
    scenario::{ArrivalStream, Calendar, RenderTimes, Scenario},
    trace::{Creation, Event, Kind, Observer},
};

use super::scenario;

/// One order's way, in milliseconds: when it came, when the provider took it, when its worker was free again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Passage {
    came: i64,
    taken: i64,
    freed: i64,
}

/// The passages of a day's orders of one video each.
#[derive(Debug, Clone, Default)]
struct Book(Arc<Mutex<Vec<Passage>>>);

impl Observer for Book {
    fn see(&mut self, event: &Event<'_>) {
        let mut book = self.0.lock().unwrap();
        let at = event.at.as_millis();
        match event.kind {
            Kind::Placed { .. } => book.push(Passage { came: at, ..Passage::default() }),
            Kind::Created { job: Some(job), outcome: Creation::Task { .. }, .. } => {
                book[job.0 as usize].taken = at;
            }
            Kind::Stepped { job, step, .. }
                if step.attempt.as_ref().is_some_and(|change| change.status == AttemptStatus::Running) =>
            {
                book[job.0 as usize].freed = at;
            }
            _ => {}
        }
    }
}

/// The waits of arrivals with these services, first come, first served: each is taken by the server that is free first.
fn first_come_first_served(servers: u32, came: &[i64], services: &[i64]) -> Vec<i64> {
    let mut free: BinaryHeap<_> = (0..servers).map(|_| Reverse(i64::MIN)).collect();
    came.iter()
        .zip(services)
        .map(|(came, service)| {
            let Reverse(free_at) = free.pop().unwrap();
            let taken = free_at.max(*came);
            free.push(Reverse(taken + service));
            taken - came
        })
        .collect()
}

/// Simulates a day and asserts that each of its orders waits as long as it has to, and that the report says so.
fn serves_first_come_first_served(day: &Scenario, seed: u64) {
    let book = Book::default();
    let watched = watch(
        day,
        WatchedOptions {
            seed,
            database: None,
            mutant: None,
            observers: vec![Box::new(book.clone())],
            hash: String::new(),
            reproduce: String::new(),
            beside: false,
        },
    )
    .unwrap();
    assert!(watched.broken.is_empty(), "{:#?}", watched.broken);
    let passages = book.0.lock().unwrap();
    let came: Vec<_> = passages.iter().map(|passage| passage.came).collect();
    let services: Vec<_> = passages.iter().map(|passage| passage.freed - passage.taken).collect();
    let drawn: Vec<_> = ArrivalStream::new(day, seed).unwrap().map(|a| a.at.as_millis()).collect();
    assert_eq!(came, drawn, "orders come when they are drawn");
    let right = first_come_first_served(day.fleet.workers, &came, &services);
    for (passage, right) in passages.iter().zip(&right) {
        assert_eq!(passage.taken - passage.came, *right, "{passage:?}");
    }
    let told = watched.report.percentiles("wait_s", &SampleGroup::Day).unwrap();
    assert_eq!(usize::try_from(told.count).unwrap(), right.len());
    assert!((told.mean_s - mean(&seconds(&right))).abs() < 0.001, "{told:?}");
}

#[test]
fn an_order_waits_for_the_first_free_worker_and_no_longer() {
    let mut many = scenario("mm-c");
    many.day.to = "08:00".parse().unwrap();
    many.day.windows.clear();
    serves_first_come_first_served(&many, 1);
    let one = scenario("md-1");
    serves_first_come_first_served(&one, 1);
}

/// The mean wait and the share of those who wait in each of so many days, once the day's empty beginning is forgotten.
fn days(scenario: &Scenario, seeds: u64) -> (Vec<f64>, Vec<f64>) {
    let renders = RenderTimes::of(&scenario.render);
    let calendar = Calendar::of(&scenario.day).unwrap();
    let steady = calendar.windows().iter().find(|window| window.name == "steady").unwrap();
    let of_day = |seed| {
        let came: Vec<_> =
            ArrivalStream::new(scenario, seed).unwrap().map(|arrival| arrival.at.as_millis()).collect();
        let services: Vec<_> = (0..came.len())
            .map(|n| i64::try_from(renders.sample(seed, &n.to_string()).as_millis()).unwrap())
            .collect();
        let waits = first_come_first_served(scenario.fleet.workers, &came, &services);
        let is_steady = |came: i64| (steady.from..steady.to).contains(&Timestamp::from_millis(came));
        let waits: Vec<_> =
            came.iter().zip(waits).filter(|(came, _)| is_steady(**came)).map(|(_, wait)| wait).collect();
        let waiting: Vec<_> = waits.iter().map(|wait| f64::from(u8::from(*wait > 0))).collect();
        (mean(&seconds(&waits)), mean(&waiting))
    };
    (0..seeds).map(of_day).unzip()
}

/// Student's t of a two-sided interval of 99 % with 30 degrees of freedom; with more it is smaller.
const T_99: f64 = 2.750;

/// Asserts that the mean of replications is what a formula says: within its 99 % interval, which is narrow enough to
/// mean something.
fn agrees(what: &str, replications: &[f64], formula: f64, half_width_max: f64) {
    let (n, mean) = (replications.len(), mean(replications));
    assert!(n > 30, "{n} replications");
    let count = f64::from(u32::try_from(n).unwrap());
    let variance = replications.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half_width = T_99 * (variance / count).sqrt();
    let said = format!("{what}: {mean:.4} +- {half_width:.4} over {n} days, {formula:.4} by the formula");
    assert!(half_width < half_width_max * formula, "too wide: {said}");
    assert!((mean - formula).abs() <= half_width, "{said}");
}

fn seconds(waits: &[i64]) -> Vec<f64> {
    waits.iter().map(|ms| f64::from(u32::try_from(*ms).unwrap()) / 1_000.0).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
}

#[test]
fn waits_for_many_workers_are_those_of_erlang_c() {
    let scenario = scenario("mm-c");
    let (rate, render) =
        (scenario.arrivals.orders_per_day / 86_400.0, RenderTimes::of(&scenario.render).mean());
    let (waits, waiting) = days(&scenario, 100);
    let workers = scenario.fleet.workers;
    agrees("mean wait", &waits, mean_wait_mmc(workers, rate, render), 0.15);
    agrees("share that waits", &waiting, erlang_c(workers, rate * render), 0.10);
}

#[test]
fn waits_for_one_worker_are_those_of_pollaczek_and_khinchine() {
    let scenario = scenario("md-1");
    let (rate, render) =
        (scenario.arrivals.orders_per_day / 86_400.0, RenderTimes::of(&scenario.render).mean());
    let (waits, _) = days(&scenario, 200);
    agrees("mean wait", &waits, mean_wait_md1(rate, render), 0.10);
}
