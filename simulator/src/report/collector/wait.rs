//! How long videos waited, by the bin they were ordered in.

/// One bin: what is known of the waits of its videos.
#[derive(Debug, Clone, Default)]
struct Bin {
    /// Videos of which nothing is known yet.
    open: u32,
    /// Waits in milliseconds, until the bin is closed.
    waits: Vec<u32>,
    /// Median and 95th percentile, once it is.
    closed: Option<(u32, u32)>,
}

impl Bin {
    /// Keeps two numbers and forgets the rest.
    fn close(&mut self) {
        if self.closed.is_none() && !self.waits.is_empty() {
            self.waits.sort_unstable();
            self.closed = rank(&self.waits, 50).zip(rank(&self.waits, 95));
            self.waits = Vec::new();
        }
    }
}

/// The smallest value that so many of a hundred do not exceed.
fn rank(sorted: &[u32], percent: usize) -> Option<u32> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// Waits by bin. A bin is closed when it is over and nothing more can come, so that only bins with waiting videos keep
/// single values.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits {
    bins: Vec<Bin>,
    latest: usize,
}

impl Waits {
    /// So many videos were ordered in a bin.
    pub(super) fn ordered(&mut self, bin: usize, videos: u32) {
        if self.bins.len() <= bin {
            self.bins.resize_with(bin + 1, Bin::default);
        }
        if bin > self.latest {
            let before = std::mem::replace(&mut self.latest, bin);
            self.close_if_complete(before);
        }
        self.bins[bin].open += videos;
    }

    /// One of them was taken by the provider after so long, or will never be.
    pub(super) fn known(&mut self, bin: usize, wait_ms: Option<u64>) {
        if let Some(of) = self.bins.get_mut(bin) {
            of.open = of.open.saturating_sub(1);
            of.waits.extend(wait_ms.map(|ms| u32::try_from(ms).unwrap_or(u32::MAX)));
            self.close_if_complete(bin);
        }
    }

    fn close_if_complete(&mut self, bin: usize) {
        let is_over = bin < self.latest;
        if let Some(of) = self.bins.get_mut(bin).filter(|of| is_over && of.open == 0) {
            of.close();
        }
    }

    /// Median and 95th percentile of each bin in milliseconds, for so many bins.
    pub(super) fn finish(mut self, bins: usize) -> Vec<Option<(u32, u32)>> {
        self.bins.iter_mut().for_each(Bin::close);
        self.bins.resize_with(bins, Bin::default);
        self.bins.into_iter().map(|bin| bin.closed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_keeps_two_numbers_once_it_is_over_and_complete() {
        let mut waits = Waits::default();
        waits.ordered(0, 20);
        (1..=19).for_each(|n| waits.known(0, Some(n * 100)));
        waits.ordered(2, 1);
        assert_eq!(waits.bins[0].waits.len(), 19, "one is still open");
        waits.known(0, None);
        assert!(waits.bins[0].waits.is_empty(), "complete, over, forgotten");
        assert_eq!(waits.finish(4), [Some((1_000, 1_900)), None, None, None]);
    }
}
