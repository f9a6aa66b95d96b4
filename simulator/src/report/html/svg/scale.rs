//! Axes a reader can count along.

use domain::time::Timestamp;

use crate::report::{collector::Unit, format, instant};

/// A vertical axis from 0 up.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report::html) struct Scale {
    /// Its upper end.
    pub(in crate::report::html) top: f64,
    /// Where lines are drawn, with what they say.
    pub(in crate::report::html) ticks: Vec<(f64, String)>,
}

/// Steps of a clock, in seconds.
const CLOCK: [f64; 19] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
    7_200.0, 14_400.0, 28_800.0,
];

impl Scale {
    /// An axis that reaches at least to `most`, with three to six lines.
    pub(in crate::report::html) fn to(most: f64, unit: Unit) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let step = match unit {
            Unit::Seconds => CLOCK.into_iter().find(|step| most / step <= 5.0),
            Unit::Number | Unit::Ratio | Unit::ProviderCredits => None,
        };
        let step = step.unwrap_or_else(|| round(most / 5.0, unit));
        let mut ticks = vec![(0.0, "0".to_owned())];
        while ticks.last().is_some_and(|(value, _)| *value < most) {
            let value = f64::from(u32::try_from(ticks.len()).unwrap_or(u32::MAX)) * step;
            ticks.push((value, label(value, unit)));
        }
        Self { top: ticks.last().map_or(1.0, |(value, _)| *value), ticks }
    }

    /// Where a value lies, in hundredths of the height from the top.
    pub(in crate::report::html) fn y(&self, value: f64) -> f64 {
        100.0 - (value / self.top).clamp(0.0, 1.0) * 100.0
    }
}

/// The next of 1, 2, 5, 10, 20, ...; of whole things at least one.
fn round(step: f64, unit: Unit) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|nice| *nice >= step * 0.999);
    let nice = nice.unwrap_or(step);
    if unit == Unit::Number { nice.max(1.0) } else { nice }
}

fn label(value: f64, unit: Unit) -> String {
    if unit != Unit::Seconds {
        return format::value(value, unit);
    }
    let trimmed = |value: f64, unit: &str| {
        let text = format!("{value:.1}");
        format!("{} {unit}", text.trim_end_matches(".0"))
    };
    match value {
        s if s < 60.0 => trimmed(s, "s"),
        s if s < 3_600.0 => trimmed(s / 60.0, "min"),
        s => trimmed(s / 3_600.0, "h"),
    }
}

/// A label of the time axis.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report::html) struct Tick {
    /// Where, in hundredths of the width.
    pub(in crate::report::html) x: f64,
    /// What it says.
    pub(in crate::report::html) text: String,
    /// Whether a narrow chart leaves it out.
    pub(in crate::report::html) is_odd: bool,
}

/// A time axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report::html) struct Times {
    /// Its left end.
    pub(in crate::report::html) from: Timestamp,
    /// Its right end.
    pub(in crate::report::html) to: Timestamp,
    /// What local time is ahead of UTC, in seconds.
    pub(in crate::report::html) utc_offset_s: i32,
}

/// Steps of a day, in minutes.
const STEPS: [i64; 13] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880];
const LABELS_MAX: i64 = 9;

impl Times {
    /// Where an instant lies, in hundredths of the width.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run are far below 2^52")]
    pub(in crate::report::html) fn x(&self, at: Timestamp) -> f64 {
        let whole = (self.to.as_millis() - self.from.as_millis()).max(1);
        let part = at.as_millis() - self.from.as_millis();
        (part as f64 / whole as f64 * 100.0).clamp(0.0, 100.0)
    }

    /// Labels at round local times.
    pub(in crate::report::html) fn ticks(&self) -> Vec<Tick> {
        let offset = i64::from(self.utc_offset_s) * 1_000;
        let (from, to) = (self.from.as_millis() + offset, self.to.as_millis() + offset);
        let fits = |minutes: &i64| (to - from) / (minutes * 60_000) < LABELS_MAX;
        let step = STEPS.into_iter().find(fits).unwrap_or(7 * 1_440) * 60_000;
        let first = from.div_euclid(step) + i64::from(from.rem_euclid(step) != 0);
        let numbers = (first..).take_while(|number| number * step <= to);
        numbers
            .map(|number| {
                let at = Timestamp::from_millis(number * step - offset);
                let is_later_day =
                    number * step % 86_400_000 == 0 && to - from > 90_000_000 && number != first;
                let format = if is_later_day { "%-d %b" } else { "%H:%M" };
                Tick {
                    x: self.x(at),
                    text: instant::local(at, self.utc_offset_s, format),
                    is_odd: number % 2 != 0,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(most: f64, unit: Unit) -> Vec<String> {
        Scale::to(most, unit).ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn axes_have_round_steps() {
        assert_eq!(labels(143.0, Unit::Number), ["0", "50", "100", "150"]);
        assert_eq!(labels(2.0, Unit::Number), ["0", "1", "2"]);
        assert_eq!(labels(0.0, Unit::Number), ["0", "1"]);
        assert_eq!(labels(2_131.0, Unit::Number), ["0", "500", "1,000", "1,500", "2,000", "2,500"]);
        assert_eq!(labels(310.0, Unit::Seconds), ["0", "2 min", "4 min", "6 min"]);
        assert_eq!(labels(5_000.0, Unit::Seconds), ["0", "30 min", "1 h", "1.5 h"]);
        assert_eq!(labels(8.0, Unit::Seconds), ["0", "2 s", "4 s", "6 s", "8 s"]);
    }

    #[test]
    fn a_day_is_labelled_every_three_hours_of_local_time() {
        let from = Timestamp::from_millis(1_796_072_400_000);
        let to = Timestamp::from_millis(1_796_072_400_000 + 86_400_000);
        let ticks = Times { from, to, utc_offset_s: 10_800 }.ticks();
        let texts: Vec<_> = ticks.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(texts, ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "00:00"]);
        assert_eq!(ticks.iter().map(|tick| tick.is_odd).filter(|odd| *odd).count(), 4);
    }
}
