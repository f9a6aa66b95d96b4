//! The numbers by which runs are compared with each other.

use super::{
    collector::Unit,
    data::{RunReport, SampleGroup, short},
};

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Less is.
    Lower,
    /// More is.
    Higher,
    /// Neither: the number describes the run.
    Neither,
}

/// One number of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyMetric {
    /// Its name: metric, group and aggregate, such as `wait_s{window=peak} p95`.
    pub name: String,
    /// The number; nothing if there was nothing to measure.
    pub value: Option<f64>,
    /// Which way is better.
    pub better: Better,
}

impl KeyMetric {
    /// What it is measured in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        Unit::of(&self.name)
    }
}

/// The numbers by which a run is compared with others, always the same ones in the same order for one scenario.
#[must_use]
pub fn key_metrics(report: &RunReport) -> Vec<KeyMetric> {
    let counts = &report.counts;
    let mut all = durations(report);
    let mut add = |name: &str, value: Option<f64>, better: Better| {
        all.push(KeyMetric { name: name.to_owned(), value: value.map(short), better });
    };
    add("refunded_ratio", counts.refunded_ratio(), Better::Lower);
    add("provider_refunded_ratio", counts.provider_refunded_ratio(), Better::Lower);
    add("delivered_ratio", counts.delivered_ratio(), Better::Higher);
    add("lost_submission_ratio", counts.lost_submission_ratio(), Better::Lower);
    add("queue_depth max", most(&report.series.queue_max), Better::Lower);
    let running = report.series.accounts.iter().filter_map(|account| most(&account.running));
    add("in_flight max", running.reduce(f64::max), Better::Neither);
    add("videos_per_hour max", most(&report.series.delivered_per_hour), Better::Neither);
    let per_video = report.bill.credits_per_video(counts.delivered);
    add("provider_credits_per_video", per_video, Better::Lower);
    add("orders", number(counts.orders), Better::Neither);
    add("videos", number(counts.videos), Better::Neither);
    add("failures", number(counts.failures.iter().map(|f| f.total).sum()), Better::Lower);
    add("retries", number(counts.retries.values().sum()), Better::Lower);
    add("double_submissions", number(counts.double_submissions), Better::Lower);
    add("rescues", number(counts.rescues_dead + counts.rescues_hung), Better::Neither);
    add("notices_given_up", number(counts.notices_given_up), Better::Lower);
    all
}

fn durations(report: &RunReport) -> Vec<KeyMetric> {
    let windows = report.scenario.windows.iter().map(|window| SampleGroup::Window(window.name.clone()));
    let groups: Vec<_> = std::iter::once(SampleGroup::Day).chain(windows).collect();
    let mut all = Vec::new();
    for metric in ["wait_s", "render_s", "delivery_s", "total_s", "settle_s"] {
        for group in &groups {
            let subject = match group {
                SampleGroup::Window(name) => format!("{metric}{{window={name}}}"),
                SampleGroup::Day | SampleGroup::Size(_) => metric.to_owned(),
            };
            let of = report.percentiles(metric, group);
            let told = [of.map(|p| p.p50_s), of.map(|p| p.p95_s), of.map(|p| p.max_s)];
            for (aggregate, value) in ["p50", "p95", "max"].into_iter().zip(told) {
                let name = format!("{subject} {aggregate}");
                all.push(KeyMetric { name, value, better: Better::Lower });
            }
        }
    }
    all
}

fn most(values: &[u32]) -> Option<f64> {
    values.iter().max().copied().map(f64::from)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
#[expect(clippy::unnecessary_wraps, reason = "a count is always known; the other metrics may not be")]
const fn number(value: u64) -> Option<f64> {
    Some(value as f64)
}
