//! A bar over simulated time, for whoever watches a run.

use std::io::{IsTerminal, stderr};

use domain::{job::StateName, time::Timestamp};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Setup, format, instant};
use crate::trace::{Event, Kind, Observer};

/// Redraws over a whole day: often enough to look alive, seldom enough to cost nothing.
const REDRAWS: u64 = 400;

/// Shows how far a run is, on a terminal only.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    from: Timestamp,
    redraw_every_s: u64,
    redrawn_at_s: u64,
    utc_offset_s: i32,
    orders: u64,
    videos: u64,
    ended: u64,
}

impl Progress {
    /// A bar on standard error if that is a terminal, and nothing at all otherwise.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        Self::on(setup, stderr().is_terminal())
    }

    fn on(setup: &Setup, is_watched: bool) -> Self {
        let seconds = setup.day_to.since(setup.day_from).as_secs();
        let bar = if is_watched { ProgressBar::new(seconds) } else { ProgressBar::hidden() };
        let template = "{prefix} {bar:32} {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(setup.scenario_name.clone());
        Self {
            bar,
            from: setup.day_from,
            redraw_every_s: (seconds / REDRAWS).max(1),
            redrawn_at_s: 0,
            utc_offset_s: setup.utc_offset_s,
            orders: 0,
            videos: 0,
            ended: 0,
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn redraw(&self, at: Timestamp, second: u64) {
        let clock = instant::local(at, self.utc_offset_s, "%H:%M");
        let (orders, ended, videos) = (format::count(self.orders, "order"), self.ended, self.videos);
        self.bar.set_position(second);
        self.bar.set_message(format!(
            "{clock}  {orders}, {} of {} settled",
            format::number(ended),
            format::count(videos, "video")
        ));
    }
}

impl Observer for Progress {
    fn see(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Placed { videos, .. } => {
                self.orders += 1;
                self.videos += u64::from(videos);
            }
            Kind::Stepped { step, .. } => {
                self.ended += u64::from(StateName::is_terminal(step.job.state.name()));
            }
            _ => {}
        }
        let second = event.at.since(self.from).as_secs();
        if second >= self.redrawn_at_s + self.redraw_every_s {
            self.redrawn_at_s = second;
            self.redraw(event.at, second);
        }
    }
}
