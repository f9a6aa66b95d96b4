//! How long things took: histograms of fixed size, for the day, each window and each order size.

use hdrhistogram::Histogram;

use crate::{
    report::data::{Percentiles, Sample, SampleGroup, short},
    scenario::WINDOWS_MAX,
};

/// What is measured of a job, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    /// From the order to the provider's first acceptance.
    Wait,
    /// From there to the finished video.
    Render,
    /// From there to the confirmed handing over.
    Delivery,
    /// From the order to there.
    Total,
    /// From the order to whatever end.
    Settle,
}

impl Metric {
    pub(super) const ALL: [Self; 5] = [Self::Wait, Self::Render, Self::Delivery, Self::Total, Self::Settle];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait_s",
            Self::Render => "render_s",
            Self::Delivery => "delivery_s",
            Self::Total => "total_s",
            Self::Settle => "settle_s",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == word)
    }
}

/// A distribution of durations. Nothing is allocated before the first one.
#[derive(Debug, Clone, Default)]
pub(super) struct Distribution {
    histogram: Option<Histogram<u32>>,
    pub(super) count: u64,
    pub(super) sum_ms: u64,
    pub(super) min_ms: u64,
    pub(super) max_ms: u64,
}

/// Significant digits of a percentile.
const DIGITS: u8 = 3;

impl Distribution {
    pub(super) fn record(&mut self, ms: u64) {
        if self.histogram.is_none() {
            // It fails only for more digits than it can keep, and these are few.
            self.histogram = Histogram::new(DIGITS).ok();
            self.min_ms = ms;
        }
        if let Some(histogram) = &mut self.histogram {
            // It grows with what it is given; `saturating_record` would not.
            histogram.record(ms).ok();
        }
        self.count += 1;
        self.sum_ms = self.sum_ms.saturating_add(ms);
        self.min_ms = self.min_ms.min(ms);
        self.max_ms = self.max_ms.max(ms);
    }

    /// A quantile (0 to 1) in milliseconds; nothing of nothing.
    pub(super) fn quantile(&self, quantile: f64) -> Option<u64> {
        let histogram = self.histogram.as_ref()?;
        // A bucket answers with its upper edge, which may lie beyond the longest there was.
        Some(histogram.value_at_quantile(quantile).clamp(self.min_ms, self.max_ms))
    }

    #[expect(clippy::cast_precision_loss, reason = "counts and durations of a run are far below 2^52")]
    pub(super) fn mean_s(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ms as f64 / self.count as f64 / 1_000.0)
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        let at = |quantile| self.quantile(quantile).map_or(0.0, seconds);
        Percentiles {
            count: self.count,
            min_s: seconds(self.min_ms),
            mean_s: short(self.mean_s().unwrap_or_default()),
            p50_s: at(0.50),
            p90_s: at(0.90),
            p95_s: at(0.95),
            p99_s: at(0.99),
            max_s: seconds(self.max_ms),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "durations of a run are far below 2^52 milliseconds")]
pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// Which groups a job belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Group {
    /// A bit for each window its order was placed in.
    pub(super) windows: u64,
    /// Videos of its order.
    pub(super) size: u8,
}

/// What is known of one group.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupSamples {
    pub(super) metrics: [Distribution; 5],
    pub(super) videos: u64,
    pub(super) delivered: u64,
    pub(super) refunded: u64,
    pub(super) cancelled: u64,
}

/// How a video ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Delivered,
    Refunded,
    Cancelled,
}

impl GroupSamples {
    fn ended(&mut self, ending: Ending) {
        match ending {
            Ending::Delivered => self.delivered += 1,
            Ending::Refunded => self.refunded += 1,
            Ending::Cancelled => self.cancelled += 1,
        }
    }
}

const SIZES: [u8; 3] = [1, 3, 5];

/// All groups.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    day: GroupSamples,
    windows: Vec<GroupSamples>,
    sizes: [GroupSamples; 3],
}

impl Groups {
    pub(super) fn new(windows: usize) -> Self {
        let windows = vec![GroupSamples::default(); windows.min(WINDOWS_MAX)];
        Self { day: GroupSamples::default(), windows, sizes: Default::default() }
    }

    fn each(&mut self, group: Group, mut tell: impl FnMut(&mut GroupSamples)) {
        tell(&mut self.day);
        let inside = self.windows.iter_mut().enumerate().filter(|(n, _)| group.windows >> n & 1 == 1);
        inside.for_each(|(_, samples)| tell(samples));
        if let Some(place) = SIZES.iter().position(|size| *size == group.size) {
            tell(&mut self.sizes[place]);
        }
    }

    pub(super) fn ordered(&mut self, group: Group, videos: u64) {
        self.each(group, |samples| samples.videos += videos);
    }

    pub(super) fn ended(&mut self, group: Group, ending: Ending) {
        self.each(group, |samples| samples.ended(ending));
    }

    pub(super) fn record(&mut self, group: Group, metric: Metric, ms: u64) {
        self.each(group, |samples| samples.metrics[metric as usize].record(ms));
    }

    /// Every group with its name, the day first.
    pub(super) fn named<'a>(
        &'a self,
        windows: &'a [(String, domain::time::Timestamp, domain::time::Timestamp)],
    ) -> impl Iterator<Item = (SampleGroup, &'a GroupSamples)> {
        let windows = windows.iter().map(|window| SampleGroup::Window(window.0.clone())).zip(&self.windows);
        let sizes = SIZES.into_iter().map(SampleGroup::Size).zip(&self.sizes);
        std::iter::once((SampleGroup::Day, &self.day)).chain(windows).chain(sizes)
    }
}

/// The samples of a group that has any. Sizes are told apart where a user feels them: waiting and the whole.
pub(super) fn samples(group: &SampleGroup, of: &GroupSamples) -> Vec<Sample> {
    let told = Metric::ALL.into_iter().filter(|metric| {
        !matches!(group, SampleGroup::Size(_)) || matches!(metric, Metric::Wait | Metric::Total)
    });
    let samples = told.map(|metric| (metric, &of.metrics[metric as usize]));
    let samples = samples.filter(|(_, distribution)| distribution.count > 0);
    samples
        .map(|(metric, distribution)| Sample {
            metric: metric.as_str().to_owned(),
            group: group.clone(),
            percentiles: distribution.percentiles(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list_to_three_digits() {
        let mut distribution = Distribution::default();
        (1..=1_000).rev().for_each(|n| distribution.record(n * 100));
        let Percentiles { count, min_s, mean_s, p50_s, p90_s, p95_s, p99_s, max_s } =
            distribution.percentiles();
        assert_eq!((count, min_s, mean_s, max_s), (1_000, 0.1, 50.05, 100.0));
        for (found, right) in [(p50_s, 50.0), (p90_s, 90.0), (p95_s, 95.0), (p99_s, 99.0)] {
            assert!((found - right).abs() <= right / 1_000.0, "{found} instead of {right}");
        }
    }

    #[test]
    fn a_day_and_a_millisecond_fit_the_same_distribution() {
        let mut distribution = Distribution::default();
        [1, 0, 86_400_000 * 30].into_iter().for_each(|ms| distribution.record(ms));
        assert_eq!(distribution.quantile(0.5), Some(1));
        assert_eq!(
            (distribution.quantile(0.0), distribution.quantile(1.0)),
            (Some(0), Some(86_400_000 * 30))
        );
        assert_eq!(Distribution::default().quantile(0.5), None);
    }
}
