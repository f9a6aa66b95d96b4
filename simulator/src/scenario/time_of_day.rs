//! Times of day in scenarios.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Seconds after midnight, from `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u32);

/// The text is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time of day: write HH:MM or HH:MM:SS, from 00:00 to 24:00")]
pub struct TimeOfDayError(String);

impl TimeOfDay {
    /// `00:00`.
    pub const MIDNIGHT: Self = Self(0);
    /// `24:00`.
    pub const END: Self = Self(24 * 3_600);

    /// The time so many seconds after midnight, at most 86,400.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Option<Self> {
        if seconds <= Self::END.0 { Some(Self(seconds)) } else { None }
    }

    /// Seconds after midnight.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || TimeOfDayError(text.chars().take(40).collect());
        let mut parts = text.split(':');
        let mut part = |max: u32| {
            let digits = parts.next().filter(|d| d.len() == 2 && d.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|d| d.parse::<u32>().ok()).filter(|n| *n <= max)
        };
        let (hours, minutes) = (part(24).ok_or_else(wrong)?, part(59).ok_or_else(wrong)?);
        let seconds = if text.len() > 5 { part(59).ok_or_else(wrong)? } else { 0 };
        let total = hours * 3_600 + minutes * 60 + seconds;
        let is_whole = parts.next().is_none() && total <= Self::END.0;
        is_whole.then_some(Self(total)).ok_or_else(wrong)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3_600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hours:02}:{minutes:02}")?;
        if seconds == 0 { Ok(()) } else { write!(f, ":{seconds:02}") }
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From one time of day to a later one of the same day, written `20:00-22:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayWindow {
    /// From this time on.
    pub from: TimeOfDay,
    /// Before this time.
    pub to: TimeOfDay,
}

/// The text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayWindowError {
    /// Not two times with a hyphen between them.
    #[error("`{0}` is no window: write HH:MM-HH:MM")]
    Form(String),
    /// One of them is none.
    #[error(transparent)]
    Time(#[from] TimeOfDayError),
    /// It ends before it begins.
    #[error("the window {from}-{to} ends before it begins: windows lie within one day")]
    Impossible {
        /// Its beginning.
        from: TimeOfDay,
        /// Its end.
        to: TimeOfDay,
    },
}

impl DayWindow {
    /// The evening peak, `20:00-22:00`.
    pub const PEAK: Self = Self { from: TimeOfDay(20 * 3_600), to: TimeOfDay(22 * 3_600) };
}

impl FromStr for DayWindow {
    type Err = DayWindowError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || DayWindowError::Form(text.chars().take(40).collect());
        let (from, to) = text.split_once('-').ok_or_else(form)?;
        let (from, to) = (from.trim().parse()?, to.trim().parse()?);
        if from < to { Ok(Self { from, to }) } else { Err(DayWindowError::Impossible { from, to }) }
    }
}

impl fmt::Display for DayWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

impl<'de> Deserialize<'de> for DayWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for DayWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
