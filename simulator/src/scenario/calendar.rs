//! The simulated day as instants.

use chrono::{NaiveDate, NaiveTime};
use domain::time::Timestamp;

use super::{
    schema::Day,
    time_of_day::{DayWindow, TimeOfDay},
};

/// The most windows of a day that are reported apart.
pub const WINDOWS_MAX: usize = 64;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// The day names no instants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The time zone is not one of those known here.
    #[error("`{0}` is no time zone known here: write Europe/Moscow, UTC, or an offset such as +03:00")]
    Timezone(String),
    /// The date is none.
    #[error("`{0}` is no date: write YYYY-MM-DD, from 2000-01-01 to 2099-12-31")]
    Date(String),
}

/// A day's times of day as instants and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    offset_ms: i64,
    midnight_ms: i64,
    from: TimeOfDay,
    to: TimeOfDay,
    windows: Vec<NamedWindow>,
}

/// A window of the day that is reported apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedWindow {
    /// Its name in the scenario.
    pub name: String,
    /// Its times of day.
    pub hours: DayWindow,
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl Calendar {
    /// Reads a day's date and time zone.
    ///
    /// # Errors
    /// [`CalendarError`] naming the value that cannot be read and the forms that can.
    pub fn of(day: &Day) -> Result<Self, CalendarError> {
        let offset_ms = offset_of(&day.timezone)?;
        let midnight_ms =
            date_of(&day.date)?.and_time(NaiveTime::MIN).and_utc().timestamp_millis() - offset_ms;
        let mut calendar = Self { offset_ms, midnight_ms, from: day.from, to: day.to, windows: Vec::new() };
        calendar.windows = day
            .windows
            .iter()
            .map(|(name, hours)| NamedWindow {
                name: name.clone(),
                hours: *hours,
                from: calendar.at(hours.from),
                to: calendar.at(hours.to),
            })
            .collect();
        Ok(calendar)
    }

    /// The instant of a time of day on the scenario's date.
    #[must_use]
    pub fn at(&self, time: TimeOfDay) -> Timestamp {
        Timestamp::from_millis(self.midnight_ms + i64::from(time.seconds()) * 1_000)
    }

    /// The day's first instant, `00:00`.
    #[must_use]
    pub fn midnight(&self) -> Timestamp {
        self.at(TimeOfDay::MIDNIGHT)
    }

    /// When arrivals begin.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.at(self.from)
    }

    /// When arrivals have ended: no order is placed at this instant or later.
    #[must_use]
    pub fn to(&self) -> Timestamp {
        self.at(self.to)
    }

    /// What the clock on the wall says, whole seconds, on whatever date: a run may go on past midnight.
    #[must_use]
    pub fn time_of_day(&self, at: Timestamp) -> TimeOfDay {
        let within = (at.as_millis().saturating_add(self.offset_ms)).rem_euclid(DAY_MS) / 1_000;
        u32::try_from(within).ok().and_then(TimeOfDay::from_seconds).unwrap_or(TimeOfDay::MIDNIGHT)
    }

    /// The windows that are reported apart, by name.
    #[must_use]
    pub fn windows(&self) -> &[NamedWindow] {
        &self.windows
    }

    /// Whether an instant lies in the window of this name, on the scenario's date. No instant lies in a window
    /// that does not exist.
    #[must_use]
    pub fn is_in(&self, window: &str, at: Timestamp) -> bool {
        self.windows.iter().any(|w| w.name == window && w.from <= at && at < w.to)
    }
}

/// Milliseconds east of UTC. Moscow has kept UTC+3 without daylight saving since 2014.
fn offset_of(zone: &str) -> Result<i64, CalendarError> {
    let wrong = || CalendarError::Timezone(zone.chars().take(40).collect());
    match zone {
        "Europe/Moscow" => return Ok(3 * 3_600_000),
        "UTC" => return Ok(0),
        _ => {}
    }
    let (sign, rest) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (None, Some(rest)) => (-1, rest),
        (None, None) => return Err(wrong()),
    };
    // No zone on earth is further away.
    let farthest = 14 * 3_600;
    match rest.parse::<TimeOfDay>() {
        Ok(time) if rest.len() == 5 && time.seconds() <= farthest => {
            Ok(sign * i64::from(time.seconds()) * 1_000)
        }
        _ => Err(wrong()),
    }
}

fn date_of(text: &str) -> Result<NaiveDate, CalendarError> {
    let wrong = || CalendarError::Date(text.chars().take(40).collect());
    let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong())?;
    if is_plain && text.starts_with("20") { Ok(date) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(timezone: &str, date: &str) -> Day {
        Day { timezone: timezone.to_owned(), date: date.to_owned(), ..Day::default() }
    }

    fn time(text: &str) -> TimeOfDay {
        text.parse().unwrap()
    }

    #[test]
    fn moscow_is_three_hours_before_utc() {
        let moscow = Calendar::of(&day("Europe/Moscow", "2026-12-01")).unwrap();
        let utc = Calendar::of(&day("UTC", "2026-12-01")).unwrap();
        assert_eq!(moscow.at(time("20:00")), utc.at(time("17:00")));
        assert_eq!(moscow.at(time("20:00")).as_millis(), 1_796_144_400_000);
        assert_eq!(moscow, Calendar::of(&day("+03:00", "2026-12-01")).unwrap());
        let west = Calendar::of(&day("-05:30", "2026-12-01")).unwrap();
        assert_eq!(west.at(time("10:00")), utc.at(time("15:30")));
    }

    #[test]
    fn times_of_day_come_back_also_after_midnight() {
        let calendar = Calendar::of(&day("Europe/Moscow", "2026-12-01")).unwrap();
        assert_eq!(calendar.time_of_day(calendar.at(time("20:15:07"))), time("20:15:07"));
        assert_eq!(calendar.time_of_day(calendar.at(TimeOfDay::END)), TimeOfDay::MIDNIGHT);
        let later = Timestamp::from_millis(calendar.to().as_millis() + 90 * 60_000);
        assert_eq!(calendar.time_of_day(later), time("01:30"));
    }

    #[test]
    fn a_window_begins_with_its_first_instant_and_ends_before_its_last() {
        let calendar = Calendar::of(&Day::default()).unwrap();
        let peak = &calendar.windows()[0];
        let before = |at: Timestamp| Timestamp::from_millis(at.as_millis() - 1);
        assert_eq!((peak.name.as_str(), peak.hours), ("peak", DayWindow::PEAK));
        assert!(calendar.is_in("peak", peak.from) && calendar.is_in("peak", before(peak.to)));
        assert!(!calendar.is_in("peak", before(peak.from)) && !calendar.is_in("peak", peak.to));
        assert!(!calendar.is_in("morning", peak.from));
    }

    #[test]
    fn what_is_no_zone_or_date_is_refused() {
        for zone in ["Europe/Berlin", "", "+3", "+03:0", "03:00", "+25:00", "+03:00:00", "+-3:00", "utc"] {
            assert_eq!(
                Calendar::of(&day(zone, "2026-12-01")),
                Err(CalendarError::Timezone(zone.to_owned())),
                "{zone}"
            );
        }
        for date in ["2026-02-30", "2026-2-3", "01.12.2026", "", "1999-01-01", "+202-01-01"] {
            assert_eq!(Calendar::of(&day("UTC", date)), Err(CalendarError::Date(date.to_owned())), "{date}");
        }
    }
}
