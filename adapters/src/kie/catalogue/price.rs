//! Prices in the provider's own money.

use std::fmt;

/// An amount in KIE's credits, exact to a hundredth. Not to be confused with Kadr's own credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KieCredits {
    hundredths: u64,
}

/// Far above any price, far below overflow.
const WHOLE_MAX: u64 = 1_000_000;

impl KieCredits {
    /// Reads decimal text such as `30` or `209.5`: digits, and at most two behind a point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return None;
        }
        let whole: u64 = whole.parse().ok().filter(|whole| *whole <= WHOLE_MAX)?;
        let part: u64 = format!("{part:0<2}").parse().ok()?;
        Some(Self { hundredths: whole * 100 + part })
    }

    /// The amount in hundredths of a credit.
    #[must_use]
    pub const fn hundredths(self) -> u64 {
        self.hundredths
    }

    /// `count` times the amount.
    #[must_use]
    pub const fn times(self, count: u32) -> Self {
        Self { hundredths: self.hundredths.saturating_mul(count as u64) }
    }

    /// The amount in US dollars as decimal text without a sign, at KIE's $0.005 a credit (KIE's price page).
    #[must_use]
    pub fn usd(self) -> String {
        // A hundredth of a credit is 5 hundred-thousandths of a dollar, so the amount is exact.
        let units = self.hundredths.saturating_mul(5);
        let fraction = format!("{:05}", units % 100_000);
        let fraction = fraction.trim_end_matches('0');
        format!("{}.{fraction:0<2}", units / 100_000)
    }
}

impl fmt::Display for KieCredits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.hundredths / 100, self.hundredths % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact_decimals() {
        for (text, hundredths, usd) in [
            ("30", 3_000, "0.15"),
            ("209.5", 20_950, "1.0475"),
            ("1.75", 175, "0.00875"),
            ("0", 0, "0.00"),
            ("22.05", 2_205, "0.11025"),
            ("200", 20_000, "1.00"),
        ] {
            let price = KieCredits::parse(text).unwrap();
            assert_eq!((price.hundredths(), price.to_string().as_str()), (hundredths, text));
            assert_eq!(price.usd(), usd, "{text}");
        }
        assert_eq!(KieCredits::parse("3.5").unwrap().times(4).to_string(), "14");
    }

    #[test]
    fn anything_else_is_not_a_price() {
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.234", " 1", "99999999999999999999", "1000001"]
        {
            assert_eq!(KieCredits::parse(text), None, "{text}");
        }
    }
}
