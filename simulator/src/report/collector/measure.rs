//! Metrics by name: what thresholds are about.

use std::collections::BTreeMap;

use super::{
    Collector,
    distribution::{Distribution, GroupSamples, Metric, seconds},
};
use crate::{
    report::data::{ProviderBill, SampleGroup, ratio},
    scenario::{Aggregate, Threshold},
};

/// What a metric is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A share, from 0 to 1.
    Ratio,
    /// Things.
    Number,
    /// Credits at the provider.
    ProviderCredits,
}

impl Unit {
    /// The unit of a metric, with or without labels, and with or without an aggregate after it.
    #[must_use]
    pub fn of(metric: &str) -> Self {
        let name = metric.split(['{', ' ', ':']).next().unwrap_or(metric);
        if name.ends_with("_s") {
            Self::Seconds
        } else if name.ends_with("_ratio") {
            Self::Ratio
        } else if name == "provider_credits_per_video" {
            Self::ProviderCredits
        } else {
            Self::Number
        }
    }
}

impl Collector {
    /// What a threshold is about, as it stands. Every metric of [`METRICS`](crate::scenario::METRICS) is measured with
    /// every aggregate its kind allows and every label it has. Nothing where nothing was measured.
    #[must_use]
    pub fn measure(&self, threshold: &Threshold, bill: &ProviderBill) -> Option<f64> {
        let Threshold { metric, labels, aggregate, .. } = threshold;
        let (metric, aggregate) = (metric.as_str(), *aggregate);
        if metric == "in_flight" {
            return self.in_flight(labels, aggregate);
        }
        let of = self.group(labels)?;
        if let Some(metric) = Metric::parse(metric) {
            return of.metrics[metric as usize].aggregate(aggregate);
        }
        match (metric, aggregate) {
            ("refunded_ratio", Aggregate::Value) => ratio(of.refunded, of.videos),
            ("delivered_ratio", Aggregate::Value) => ratio(of.delivered, of.videos),
            _ if !labels.is_empty() => None,
            ("provider_refunded_ratio", Aggregate::Value) => self.tally.counts(0).provider_refunded_ratio(),
            ("lost_submission_ratio", Aggregate::Value) => self.tally.counts(0).lost_submission_ratio(),
            ("queue_depth", Aggregate::Max) => Some(whole(self.lines.queue.peak)),
            ("queue_depth", Aggregate::Average) => self.lines.queue.mean(),
            ("videos_per_hour", Aggregate::Max) => {
                Some(f64::from(self.lines.delivered_per_hour.iter().max().copied().unwrap_or(0)))
            }
            ("provider_credits_per_video", Aggregate::Value) => bill.credits_per_video(self.tally.delivered),
            _ => None,
        }
    }

    fn in_flight(&self, labels: &BTreeMap<String, String>, aggregate: Aggregate) -> Option<f64> {
        let is_known = labels.keys().all(|label| label == "account") && aggregate == Aggregate::Max;
        let wanted = labels.get("account");
        let named = self.setup.accounts.iter().zip(&self.lines.accounts);
        let of = named.filter(|((name, _), _)| wanted.is_none_or(|wanted| wanted == name));
        of.map(|(_, level)| level.peak).max().filter(|_| is_known).map(whole)
    }

    /// The group that labels choose; nothing if there is no such group.
    fn group(&self, labels: &BTreeMap<String, String>) -> Option<&GroupSamples> {
        let mut labels = labels.iter();
        let wanted = match labels.next() {
            None => SampleGroup::Day,
            Some((label, name)) if label == "window" => SampleGroup::Window(name.clone()),
            Some((label, size)) if label == "size" => SampleGroup::Size(size.parse().ok()?),
            Some(_) => return None,
        };
        let is_last = labels.next().is_none();
        let mut groups = self.groups.named(&self.setup.windows);
        groups.find(|(group, _)| *group == wanted && is_last).map(|(_, samples)| samples)
    }
}

impl Distribution {
    fn aggregate(&self, aggregate: Aggregate) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
        let count = self.count as f64;
        if self.count == 0 && aggregate != Aggregate::Count {
            return None;
        }
        match aggregate {
            Aggregate::Percentile(percent) => self.quantile(percent / 100.0).map(seconds),
            Aggregate::Median => self.quantile(0.5).map(seconds),
            Aggregate::Average => self.mean_s(),
            Aggregate::Min => Some(seconds(self.min_ms)),
            Aggregate::Max => Some(seconds(self.max_ms)),
            Aggregate::Count => Some(count),
            Aggregate::Value => None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
const fn whole(value: i64) -> f64 {
    value as f64
}
