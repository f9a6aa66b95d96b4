//! The day in bins.

use domain::{failure::FailureClass, time::Timestamp};

use super::Setup;
use crate::report::data::Outage;

/// The most bins the time of arrivals is cut into.
const BINS_MAX: i64 = 288;
/// The most bins there can be at all, however long a run takes to settle; later ones are added to the last.
const BINS_EVER: usize = 4_032;
/// Lengths of a bin a reader can think in, in seconds.
const LENGTHS: [i64; 15] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600];

/// Where bins begin and how long they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) from: Timestamp,
    pub(super) bin_s: i64,
}

/// The shortest bins with which the time of arrivals has no more than [`BINS_MAX`] of them.
pub(super) fn grid(from: Timestamp, to: Timestamp) -> Grid {
    let seconds = i64::try_from(to.since(from).as_secs()).unwrap_or(i64::MAX);
    let fits = |length: &i64| seconds <= length * BINS_MAX;
    Grid { from, bin_s: LENGTHS.into_iter().find(fits).unwrap_or(86_400) }
}

impl Grid {
    /// The bin of an instant. What lies before the first one is in the first.
    pub(super) fn bin(&self, at: Timestamp) -> usize {
        let ms = at.as_millis().saturating_sub(self.from.as_millis());
        usize::try_from(ms / (self.bin_s * 1_000)).unwrap_or(0).min(BINS_EVER - 1)
    }
}

/// Adds to a bin, growing the list up to it.
pub(super) fn count(bins: &mut Vec<u32>, bin: usize, by: u32) {
    if bins.len() <= bin {
        bins.resize(bin + 1, 0);
    }
    bins[bin] = bins[bin].saturating_add(by);
}

/// A value that stays as it is until it changes.
#[derive(Debug, Clone)]
pub(super) struct Level {
    grid: Grid,
    value: i64,
    since: Timestamp,
    /// The value times its duration, summed up, in milliseconds.
    area: i128,
    pub(super) peak: i64,
    pub(super) last: Vec<i64>,
    pub(super) max: Vec<i64>,
}

impl Level {
    fn new(grid: Grid) -> Self {
        Self { grid, value: 0, since: grid.from, area: 0, peak: 0, last: Vec::new(), max: Vec::new() }
    }

    /// Moves on to an instant without a change.
    pub(super) fn pass(&mut self, at: Timestamp) {
        let bin = self.grid.bin(at);
        if self.last.len() <= bin {
            self.last.resize(bin + 1, self.value);
            self.max.resize(bin + 1, self.value);
        }
        if at > self.since {
            self.area += i128::from(self.value) * i128::from(at.as_millis() - self.since.as_millis());
            self.since = at;
        }
    }

    pub(super) fn set(&mut self, at: Timestamp, value: i64) {
        self.pass(at);
        self.value = value;
        if let Some(last) = self.last.last_mut() {
            *last = value;
        }
        self.touch(value);
    }

    pub(super) fn add(&mut self, at: Timestamp, by: i64) {
        self.set(at, (self.value + by).max(0));
    }

    /// Notes a value that somebody else saw at this instant.
    fn saw(&mut self, at: Timestamp, value: i64) {
        self.pass(at);
        self.touch(value);
    }

    fn touch(&mut self, value: i64) {
        self.peak = self.peak.max(value);
        if let Some(max) = self.max.last_mut() {
            *max = (*max).max(value);
        }
    }

    /// Its mean over time, up to the last instant it was told of.
    #[expect(clippy::cast_precision_loss, reason = "a mean for people; the sum is exact to 15 digits")]
    pub(super) fn mean(&self) -> Option<f64> {
        let time = self.since.as_millis() - self.grid.from.as_millis();
        (time > 0).then(|| self.area as f64 / time as f64)
    }
}

/// Every line of the day.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    pub(super) grid: Grid,
    utc_offset_s: i64,
    pub(super) orders: Vec<u32>,
    pub(super) videos: Vec<u32>,
    pub(super) queue: Level,
    pub(super) accounts: Vec<Level>,
    pub(super) failures: [Vec<u32>; FailureClass::ALL.len()],
    pub(super) held: Level,
    pub(super) captured: Level,
    pub(super) released: Level,
    pub(super) kills: Vec<u32>,
    pub(super) delivered_per_hour: Vec<u32>,
    pub(super) outages: Vec<Outage>,
}

impl Lines {
    pub(super) fn new(grid: Grid, setup: &Setup) -> Self {
        let level = Level::new(grid);
        Self {
            grid,
            utc_offset_s: i64::from(setup.utc_offset_s),
            orders: Vec::new(),
            videos: Vec::new(),
            queue: level.clone(),
            accounts: vec![level.clone(); setup.accounts.len()],
            failures: Default::default(),
            held: level.clone(),
            captured: level.clone(),
            released: level,
            kills: Vec::new(),
            delivered_per_hour: Vec::new(),
            outages: Vec::new(),
        }
    }

    /// Notes an order and returns its bin.
    pub(super) fn placed(&mut self, at: Timestamp, videos: u8, held: i64) -> usize {
        let bin = self.grid.bin(at);
        count(&mut self.orders, bin, 1);
        count(&mut self.videos, bin, u32::from(videos));
        self.held.set(at, held);
        bin
    }

    /// The provider said how many tasks an account runs.
    pub(super) fn saw_running(&mut self, at: Timestamp, account: u16, running: u32) {
        if let Some(level) = self.accounts.get_mut(usize::from(account)) {
            level.saw(at, i64::from(running));
        }
    }

    /// One of our jobs began or stopped rendering on an account.
    pub(super) fn running(&mut self, at: Timestamp, account: u16, by: i64) {
        if let Some(level) = self.accounts.get_mut(usize::from(account)) {
            level.add(at, by);
        }
    }

    pub(super) fn failed(&mut self, at: Timestamp, class: FailureClass) {
        let bin = self.grid.bin(at);
        count(&mut self.failures[class as usize], bin, 1);
    }

    pub(super) fn killed(&mut self, at: Timestamp) {
        let bin = self.grid.bin(at);
        count(&mut self.kills, bin, 1);
    }

    pub(super) fn delivered(&mut self, at: Timestamp) {
        let hour = self.hour(at) - self.hour(self.grid.from);
        count(&mut self.delivered_per_hour, usize::try_from(hour).unwrap_or(0).min(BINS_EVER - 1), 1);
    }

    /// The clock hour of an instant in local time, counted from the epoch.
    const fn hour(&self, at: Timestamp) -> i64 {
        (at.as_millis() + self.utc_offset_s * 1_000).div_euclid(3_600_000)
    }

    pub(super) const fn hours_from(&self) -> Timestamp {
        Timestamp::from_millis(self.hour(self.grid.from) * 3_600_000 - self.utc_offset_s * 1_000)
    }

    pub(super) fn outage(&mut self, at: Timestamp, number: usize, began: bool) {
        if began {
            self.outages.push(Outage { number, from: at, to: None });
        } else if let Some(open) = self.outages.iter_mut().find(|o| o.number == number && o.to.is_none()) {
            open.to = Some(at);
        }
    }

    /// Brings every line to the same length, that of the whole run, and returns it.
    pub(super) fn close(&mut self, to: Timestamp, ended: Timestamp) -> usize {
        let before_to = Timestamp::from_millis(to.as_millis().saturating_sub(1));
        let bins = self.grid.bin(ended).max(self.grid.bin(before_to)) + 1;
        for counts in
            [&mut self.orders, &mut self.videos, &mut self.kills].into_iter().chain(&mut self.failures)
        {
            counts.resize(bins, 0);
        }
        let levels = [&mut self.queue, &mut self.held, &mut self.captured, &mut self.released];
        for level in levels.into_iter().chain(&mut self.accounts) {
            level.pass(ended);
            level.last.resize(bins, level.value);
            level.max.resize(bins, level.value);
        }
        let hour = u64::try_from(self.hour(before_to.max(ended)) - self.hour(self.grid.from)).unwrap_or(0);
        let hours = usize::try_from(hour).unwrap_or(0).min(BINS_EVER - 1) + 1;
        if self.delivered_per_hour.len() < hours {
            self.delivered_per_hour.resize(hours, 0);
        }
        bins
    }
}
