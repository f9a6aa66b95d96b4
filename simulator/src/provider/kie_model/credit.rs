//! The provider's own money.

use std::fmt;

use serde_json::Value;

/// KIE credits in hundredths: balances are fractions (recorded: 5916.25) and must add up exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct KieCredits(i64);

impl KieCredits {
    /// Whole credits.
    #[must_use]
    pub const fn whole(credits: i64) -> Self {
        Self(credits * 100)
    }

    pub(super) const fn of_hundredths(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// The nearest hundredth to a number of credits.
    #[must_use]
    pub fn nearest(credits: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end")]
        let hundredths = (credits * 100.0).round() as i64;
        Self(hundredths)
    }

    /// Hundredths of a credit.
    #[must_use]
    pub const fn hundredths(self) -> i64 {
        self.0
    }

    /// The number as the provider writes it.
    #[must_use]
    pub fn as_json(self) -> Value {
        // At most 2^53 hundredths: far above any balance, so the fraction is exact enough to print.
        #[expect(clippy::cast_precision_loss, reason = "balances are far below 2^53 hundredths")]
        let credits = self.0 as f64 / 100.0;
        Value::from(credits)
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(super) const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for KieCredits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, (self.0 % 100).abs());
        if rest == 0 { write!(f, "{whole}") } else { write!(f, "{whole}.{rest:02}") }
    }
}

/// A model's price list: the first rate whose condition holds.
#[derive(Debug)]
pub(super) struct Price(pub(super) &'static [Rate]);

/// One line of a price list, in hundredths of a credit.
#[derive(Debug)]
pub(super) struct Rate {
    /// The field and value it is for, or nothing for the rest.
    pub(super) when: Option<(&'static str, &'static str)>,
    pub(super) per: Per,
}

/// What a rate counts.
#[derive(Debug)]
pub(super) enum Per {
    /// Each second.
    Second(i64),
    /// A clip of any length.
    Clip(i64),
    /// A clip of at most so many seconds.
    ClipUpTo(&'static [(u32, i64)]),
}

impl Price {
    pub(super) fn of(&self, input: &Value, seconds: u32) -> KieCredits {
        let holds = |rate: &&Rate| {
            rate.when.is_none_or(|(field, value)| input.get(field).and_then(Value::as_str) == Some(value))
        };
        let hundredths = self.0.iter().find(holds).map_or(0, |rate| match rate.per {
            Per::Second(price) => price * i64::from(seconds),
            Per::Clip(price) => price,
            Per::ClipUpTo(steps) => steps
                .iter()
                .find(|(upto, _)| seconds <= *upto)
                .or(steps.last())
                .map_or(0, |(_, price)| *price),
        });
        KieCredits(hundredths)
    }
}
