//! How fast orders come at each time of day.

use super::{schema::Arrivals, time_of_day::TimeOfDay};

const DAY_S: f64 = 24.0 * 3_600.0;

/// A stretch of the day with one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    /// Seconds after midnight.
    from_s: f64,
    /// Seconds after midnight.
    to_s: f64,
    /// Orders a second.
    rate: f64,
    /// Orders expected from midnight to its beginning.
    before: f64,
}

/// The expected number of orders over the day, piece by piece. Times are seconds after midnight.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRate {
    stretches: Vec<Stretch>,
}

impl OrderRate {
    /// Spreads a scenario's expected orders over 24 hours along its curve. What comes before the curve's first time
    /// of day has the weight of its last: the curve goes round midnight. An impossible curve gives no orders.
    #[must_use]
    pub fn of(arrivals: &Arrivals) -> Self {
        let mut points: Vec<(f64, f64)> =
            arrivals.curve.iter().map(|(from, weight)| (f64::from(from.seconds()), *weight)).collect();
        match (points.first().copied(), points.last().copied()) {
            (Some((first_s, _)), Some((_, last))) if first_s > 0.0 => points.insert(0, (0.0, last)),
            (None, _) => points.push((0.0, 1.0)),
            _ => {}
        }
        let ends = points.iter().skip(1).map(|(from_s, _)| *from_s).chain([DAY_S]);
        let pieces: Vec<_> = points.iter().zip(ends).map(|((from_s, w), to_s)| (*from_s, to_s, *w)).collect();
        let area: f64 = pieces.iter().map(|(from_s, to_s, weight)| (to_s - from_s) * weight).sum();
        let scale = if area > 0.0 { arrivals.orders_per_day / area } else { 0.0 };
        let mut before = 0.0;
        let mut stretches = Vec::with_capacity(pieces.len());
        for (from_s, to_s, weight) in pieces {
            let rate = weight * scale;
            stretches.push(Stretch { from_s, to_s, rate, before });
            before += rate * (to_s - from_s);
        }
        Self { stretches }
    }

    /// Orders expected from midnight to this second.
    #[must_use]
    pub fn orders_until(&self, seconds: f64) -> f64 {
        let within = self.stretches.iter().rfind(|stretch| stretch.from_s <= seconds);
        within.map_or(0.0, |s| s.before + s.rate * (seconds.min(s.to_s) - s.from_s))
    }

    /// Orders expected between two times of day.
    #[must_use]
    pub fn orders_between(&self, from: TimeOfDay, to: TimeOfDay) -> f64 {
        let until = |time: TimeOfDay| self.orders_until(f64::from(time.seconds()));
        (until(to) - until(from)).max(0.0)
    }

    /// The busiest hour that begins on the hour and touches `from..to`, and the orders expected in that part of it.
    #[must_use]
    pub fn busiest_hour(&self, from: TimeOfDay, to: TimeOfDay) -> (TimeOfDay, f64) {
        let hour = |h: u32| TimeOfDay::from_seconds(h * 3_600).unwrap_or(TimeOfDay::END);
        let in_hour = |h: u32| self.orders_between(hour(h).max(from), hour(h + 1).min(to).max(from));
        (0..24).fold((from, 0.0), |best, h| {
            let orders = in_hour(h);
            // Of hours that differ by rounding alone the first.
            if orders > best.1 * (1.0 + 1e-9) { (hour(h), orders) } else { best }
        })
    }

    /// The second by which so many orders are expected, counted from midnight; `None` beyond the day's end.
    pub(super) fn second_of(&self, orders: f64) -> Option<f64> {
        if orders >= self.orders_until(DAY_S) {
            return None;
        }
        let within = self.stretches.iter().rfind(|stretch| stretch.rate > 0.0 && stretch.before <= orders)?;
        Some((within.from_s + (orders - within.before) / within.rate).min(within.to_s))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::scenario::schema::ArrivalProcess;

    fn time(text: &str) -> TimeOfDay {
        text.parse().unwrap()
    }

    fn rate(curve: &[(&str, f64)]) -> OrderRate {
        OrderRate::of(&Arrivals {
            orders_per_day: 1_200.0,
            process: ArrivalProcess::Poisson,
            curve: curve.iter().map(|(at, weight)| (time(at), *weight)).collect(),
            size: BTreeMap::new(),
            template: BTreeMap::new(),
        })
    }

    #[test]
    fn without_a_curve_every_hour_is_the_same() {
        let rate = rate(&[]);
        assert_eq!(rate.orders_between(time("03:00"), time("04:00")).round(), 50.0);
        assert_eq!(rate.busiest_hour(time("10:00"), TimeOfDay::END).0, time("10:00"));
        assert_eq!(rate.second_of(600.0), Some(43_200.0));
        assert_eq!(rate.second_of(1_200.0), None);
    }

    #[test]
    fn the_whole_day_has_the_orders_it_was_given_and_hours_follow_the_curve() {
        let rate = rate(&[("00:00", 0.5), ("09:00", 1.0), ("20:00", 4.0), ("22:00", 0.0)]);
        assert!((rate.orders_until(86_400.0) - 1_200.0).abs() < 1e-9);
        let (hour, orders) = rate.busiest_hour(TimeOfDay::MIDNIGHT, TimeOfDay::END);
        let morning = rate.orders_between(time("09:00"), time("10:00"));
        assert_eq!(hour, time("20:00"));
        assert!((orders / morning - 4.0).abs() < 1e-9);
        assert!(rate.orders_between(time("22:00"), TimeOfDay::END).abs() < 1e-9);
    }

    #[test]
    fn a_curve_that_begins_later_goes_round_midnight() {
        let rate = rate(&[("08:00", 2.0), ("22:00", 1.0)]);
        let night = rate.orders_between(time("02:00"), time("03:00"));
        let late = rate.orders_between(time("22:00"), time("23:00"));
        assert!((night - late).abs() < 1e-9 && night > 0.0);
    }

    #[test]
    fn a_part_of_an_hour_counts_as_that_part() {
        let rate = rate(&[("00:00", 1.0), ("20:00", 4.0), ("22:00", 1.0)]);
        let (hour, orders) = rate.busiest_hour(time("21:30"), time("23:00"));
        assert_eq!(hour, time("21:00"));
        assert!((orders - rate.orders_between(time("21:30"), time("22:00"))).abs() < 1e-9);
    }
}
