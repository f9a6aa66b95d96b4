//! The charts of a run: what each shows, and what there is to see in it.

use domain::{failure::FailureClass, time::Timestamp};
use maud::{Markup, html};

use super::svg::{Band, Chart, Limit, Row, Shape, Times};
use crate::report::{
    collector::Unit,
    data::{RunReport, Series},
    format::{self, count, duration, number},
    instant,
};

/// Bars narrower than this many a chart would be hairlines on a phone.
const BARS_MAX: usize = 100;
/// Lines that can be told apart in one chart.
const LINES_MAX: usize = 6;

/// All charts of a run.
pub(super) fn charts(report: &RunReport) -> Markup {
    let day = Day::of(report);
    html! {
        div class="charts" {
            (day.waits().figure())
            (day.arrivals().figure())
            (day.queue().figure())
            (day.in_flight().figure())
            (day.per_hour().figure())
            (day.failures().figure())
            (day.credits().figure())
        }
    }
}

struct Day<'a> {
    report: &'a RunReport,
    series: &'a Series,
    times: Times,
    bands: Vec<Band>,
}

impl<'a> Day<'a> {
    fn of(report: &'a RunReport) -> Self {
        let series = &report.series;
        let to = series.bin_start(series.bins());
        let times = Times { from: series.from, to, utc_offset_s: report.time.utc_offset_s };
        let windows = report.scenario.windows.iter().map(|window| Band {
            name: window.name.clone(),
            from: times.x(window.from),
            to: times.x(window.to),
            is_trouble: false,
        });
        let outages = series.outages.iter().map(|outage| Band {
            name: "outage".to_owned(),
            from: times.x(outage.from),
            to: times.x(outage.to.unwrap_or(to)),
            is_trouble: true,
        });
        Self { report, series, times, bands: windows.chain(outages).collect() }
    }

    fn chart(&self, id: &'static str, title: &str, finding: String, unit: Unit, rows: Vec<Row>) -> Chart {
        Chart {
            id,
            title: title.to_owned(),
            finding,
            is_wide: false,
            unit,
            times: self.times,
            rows,
            bands: self.bands.clone(),
            limits: Vec::new(),
        }
    }

    fn clock(&self, at: Timestamp) -> String {
        instant::local(at, self.times.utc_offset_s, "%H:%M")
    }

    fn bin_clock(&self, bin: usize) -> String {
        self.clock(self.series.bin_start(bin))
    }

    /// How many bins make up one bar.
    fn merged(&self) -> usize {
        self.series.bins().div_ceil(BARS_MAX).max(1)
    }

    fn bar_words(&self) -> String {
        let seconds = u64::from(self.series.bin_s) * u64::try_from(self.merged()).unwrap_or(1);
        match seconds {
            s if s % 3_600 == 0 => count(s / 3_600, "hour"),
            s if s % 60 == 0 => count(s / 60, "minute"),
            s => count(s, "second"),
        }
    }

    fn waits(&self) -> Chart {
        let longest = highest(&self.series.wait_p95_s);
        let finding = longest.map_or_else(
            || "No video was taken by the provider.".to_owned(),
            |(bin, wait)| {
                format!(
                    "Those ordered around {} waited longest: 95 of 100 were taken within {}.",
                    self.bin_clock(bin),
                    duration(wait)
                )
            },
        );
        let rows = vec![
            row("95th percentile", 2, Shape::Line, self.series.wait_p95_s.clone()),
            row("median", 1, Shape::Line, self.series.wait_p50_s.clone()),
        ];
        let title = "Wait until the provider takes a video, by when it was ordered";
        Chart { is_wide: true, ..self.chart("wait", title, finding, Unit::Seconds, rows) }
    }

    fn arrivals(&self) -> Chart {
        let (orders, videos) = (self.sums(&self.series.orders), self.sums(&self.series.videos));
        let counts = &self.report.counts;
        let busiest =
            highest(&videos).filter(|(_, most)| *most > 0.0).map_or_else(String::new, |(bar, most)| {
                let (length, clock) = (self.bar_words(), self.bin_clock(bar * self.merged()));
                format!(" Busiest: {} in the {length} from {clock}.", count(whole(most), "video"))
            });
        let finding =
            format!("{}, {}.{busiest}", count(counts.orders, "order"), count(counts.videos, "video"));
        let further = videos.iter().zip(&orders).map(|(v, o)| v.zip(*o).map(|(v, o)| v - o)).collect();
        let rows = vec![
            row("orders (their first video)", 1, Shape::Bars, orders),
            row("further videos of the same orders", 6, Shape::Bars, further),
        ];
        let title =
            format!("Orders and videos coming in, each {}", self.bar_words().replace("1 hour", "hour"));
        self.chart("arrivals", &title, finding, Unit::Number, rows)
    }

    fn queue(&self) -> Chart {
        let values: Vec<_> = self.series.queue_max.iter().map(|n| Some(f64::from(*n))).collect();
        let finding = highest(&values).filter(|(_, most)| *most > 0.0).map_or_else(
            || "Nothing ever waited.".to_owned(),
            |(bin, most)| {
                format!("At most {} at once, around {}.", count(whole(most), "video"), self.bin_clock(bin))
            },
        );
        let rows = vec![row("most at once", 3, Shape::Level, values)];
        self.chart("queue", "Videos waiting for the provider", finding, Unit::Number, rows)
    }

    fn in_flight(&self) -> Chart {
        let mut accounts: Vec<_> = self.series.accounts.iter().collect();
        let most = |running: &[u32]| running.iter().max().copied().unwrap_or(0);
        accounts.sort_by_key(|account| std::cmp::Reverse(most(&account.running)));
        let left = accounts.len().saturating_sub(LINES_MAX);
        accounts.truncate(LINES_MAX);
        let told = accounts.iter().map(|account| {
            format!("{}: at most {} of {}", account.name, most(&account.running), account.running_max)
        });
        let mut finding = told.collect::<Vec<_>>().join("; ");
        if left > 0 {
            finding.push_str(&format!("; and {left} less busy"));
        }
        finding.push('.');
        let shapes = [Shape::Line, Shape::Dashed, Shape::Dotted];
        let rows = accounts.iter().enumerate().map(|(place, account)| {
            let values = account.running.iter().map(|n| Some(f64::from(*n))).collect();
            row(&account.name, [1, 2, 3, 4, 5, 6][place % 6], shapes[place % 3], values)
        });
        let mut chart =
            self.chart("running", "Tasks running at the provider", finding, Unit::Number, rows.collect());
        let limits: std::collections::BTreeSet<_> =
            accounts.iter().map(|account| account.running_max).collect();
        for limit in limits {
            let are_alike = accounts.iter().all(|account| account.running_max == limit);
            let name = if are_alike { "limit of each account".to_owned() } else { format!("limit {limit}") };
            chart.limits.push(Limit { name, value: f64::from(limit), color: None });
        }
        chart
    }

    fn per_hour(&self) -> Chart {
        let hours = &self.series.delivered_per_hour;
        let values: Vec<_> = hours.iter().map(|n| Some(f64::from(*n))).collect();
        let from = self.series.hours_from;
        let hour =
            |n: usize| from.after(std::time::Duration::from_secs(3_600 * u64::try_from(n).unwrap_or(0)));
        let busiest = highest(&values).filter(|(_, most)| *most > 0.0);
        let finding = busiest.map_or_else(
            || "Nothing was delivered.".to_owned(),
            |(n, most)| format!("At most {} in the hour from {}.", number(whole(most)), self.clock(hour(n))),
        );
        let times = Times { from, to: hour(hours.len()), ..self.times };
        let rows = vec![row("videos delivered", 3, Shape::Bars, values)];
        let chart = self.chart("hours", "Videos delivered, each clock hour", finding, Unit::Number, rows);
        // The hours may reach further than the bins, and the bands with them.
        Chart { bands: Day { times, ..Day::of(self.report) }.bands_again(), times, ..chart }
    }

    /// The bands on another time axis.
    fn bands_again(&self) -> Vec<Band> {
        let bin_times = Day::of(self.report).times;
        let whole = |times: Times| times.to.as_millis() - times.from.as_millis();
        let moved = |x: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "milliseconds of a day"
            )]
            let ms = (x / 100.0 * whole(bin_times) as f64) as i64;
            self.times.x(Timestamp::from_millis(bin_times.from.as_millis() + ms))
        };
        let bands =
            self.bands.iter().map(|band| Band { from: moved(band.from), to: moved(band.to), ..band.clone() });
        bands.collect()
    }

    fn failures(&self) -> Chart {
        let classes = FailureClass::ALL.iter().map(|class| class.as_str()).zip(1..=FailureClass::ALL.len());
        let rows: Vec<_> = classes
            .filter_map(|(class, color)| {
                let counts = self.series.failures.get(class)?;
                Some(row(&format::words(class), color, Shape::Bars, self.sums(counts)))
            })
            .collect();
        let total: u64 = self.report.counts.failures.iter().map(|failure| failure.total).sum();
        let refunded: u64 = self.report.counts.failures.iter().map(|failure| failure.refunded).sum();
        let finding = match total {
            0 => "Nothing failed.".to_owned(),
            _ => format!(
                "{} of uploads, submissions and renders; after {} of them the credit went back.",
                count(total, "failure"),
                number(refunded)
            ),
        };
        self.chart("failures", "Failures by class", finding, Unit::Number, rows)
    }

    fn credits(&self) -> Chart {
        let series = self.series;
        let money = &self.report.money;
        #[expect(clippy::cast_precision_loss, reason = "credits of a run are far below 2^52")]
        let some = |value: i64| Some(value as f64);
        let open = series.held.iter().zip(&series.captured).zip(&series.released);
        let open = open.map(|((held, captured), released)| some((held - captured - released).max(0)));
        let rows = vec![
            row("captured", 3, Shape::Area, series.captured.iter().map(|n| some(*n)).collect()),
            row("released", 7, Shape::Area, series.released.iter().map(|n| some(*n)).collect()),
            row("still held", 2, Shape::Area, open.collect()),
        ];
        let finding = format!(
            "{} held in all: {} captured for delivered videos, {} released, {} still held at the end.",
            format::signed(money.held_ever),
            format::signed(money.captured),
            format::signed(money.released),
            format::signed(money.open_holds)
        );
        self.chart("credits", "What became of the credits held", finding, Unit::Number, rows)
    }

    /// Counts of several bins added up to one bar.
    fn sums(&self, counts: &[u32]) -> Vec<Option<f64>> {
        let bars = counts.chunks(self.merged());
        bars.map(|bar| Some(bar.iter().map(|n| f64::from(*n)).sum())).collect()
    }
}

fn row(name: &str, color: usize, shape: Shape, values: Vec<Option<f64>>) -> Row {
    Row { name: name.to_owned(), color, shape, values }
}

/// The first of the highest values, with its place.
fn highest(values: &[Option<f64>]) -> Option<(usize, f64)> {
    let some = values.iter().enumerate().filter_map(|(place, value)| value.map(|value| (place, value)));
    some.rev().max_by(|a, b| a.1.total_cmp(&b.1))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, never negative")]
const fn whole(value: f64) -> u64 {
    value as u64
}
