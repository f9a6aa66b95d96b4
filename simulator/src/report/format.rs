//! Numbers as people read them.

use super::collector::Unit;

/// `7`, `2,131`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same with a sign, if it is negative.
pub(super) fn signed(value: i64) -> String {
    let sign = if value < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}", number(value.unsigned_abs()))
}

/// `wait_s{window=peak}  p(95) < 60`.
pub(super) fn threshold(metric: &str, expression: &str) -> String {
    format!("{metric}  {expression}")
}

/// `1 video`, `2,131 videos`.
pub(super) fn count(value: u64, word: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {word}{plural}", number(value))
}

/// `0.48 s`, `8.0 s`, `43 s`, `2 min 05 s`, `1 h 12 min`, `3 d 4 h`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "durations of a run are far below 2^52 seconds, and the sign is written apart"
)]
pub(super) fn duration(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "\u{2212}" } else { "" };
    let size = seconds.abs();
    let whole = size.round() as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600, whole / 60);
    let text = match size {
        s if s < 0.000_5 => "0 s".to_owned(),
        s if s < 0.995 => format!("{s:.2} s"),
        s if s < 9.95 => format!("{s:.1} s"),
        _ if whole < 100 => format!("{whole} s"),
        _ if hours == 0 => format!("{minutes} min {:02} s", whole % 60),
        _ if hours < 48 => format!("{hours} h {:02} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    };
    format!("{sign}{text}")
}

/// `4.2 %`, `0.03 %`.
pub(super) fn percent(ratio: f64) -> String {
    let value = ratio * 100.0;
    match value.abs() {
        size if size < 0.005 => "0 %".to_owned(),
        size if size < 1.0 => format!("{value:.2} %").replace('-', "\u{2212}"),
        size if size > 99.95 => format!("{value:.0} %").replace('-', "\u{2212}"),
        _ => format!("{value:.1} %").replace('-', "\u{2212}"),
    }
}

/// A measured value in its unit.
pub(super) fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => duration(value),
        Unit::Ratio => percent(value),
        Unit::Number => plain(value),
        Unit::ProviderCredits => format!("{} credits", plain(value)),
    }
}

/// A difference of two values: that of shares is told in points of a hundred, so that nobody takes it for a share.
pub(super) fn difference(by: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{} pts", percent(by).trim_end_matches(" %")),
        Unit::Seconds | Unit::Number | Unit::ProviderCredits => value(by, unit),
    }
}

/// A number without needless decimals.
fn plain(value: f64) -> String {
    let sign = if value < 0.0 { "\u{2212}" } else { "" };
    let size = value.abs();
    if size.fract() < 1e-9 || size >= 1_000.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative")]
        let whole = size.round() as u64;
        return format!("{sign}{}", number(whole));
    }
    let digits = if size < 10.0 { 2 } else { 1 };
    let text = format!("{size:.digits$}");
    format!("{sign}{}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A code word as people read it: `user_violation` becomes `user violation`.
pub(super) fn words(code: &str) -> String {
    code.replace('_', " ").replacen(':', ": ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_the_unit_one_thinks_in() {
        let told = [0.0, 0.0004, 0.482, 0.999, 8.04, 43.4, 99.4, 125.0, 4_321.0, 175_000.0, 273_600.0, -75.0];
        let words = [
            "0 s",
            "0 s",
            "0.48 s",
            "1.0 s",
            "8.0 s",
            "43 s",
            "99 s",
            "2 min 05 s",
            "1 h 12 min",
            "2 d 0 h",
            "3 d 4 h",
            "\u{2212}75 s",
        ];
        assert_eq!(told.map(duration), words);
    }

    #[test]
    fn numbers_are_grouped_and_shares_are_percentages() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.000_3, 0.042, 0.9991, 1.0].map(percent),
            ["0 %", "0.03 %", "4.2 %", "99.9 %", "100 %"]
        );
        assert_eq!(value(15.50, Unit::ProviderCredits), "15.5 credits");
        assert_eq!(value(2_131.0, Unit::Number), "2,131");
        assert_eq!(difference(-0.039, Unit::Ratio), "\u{2212}3.9 pts");
        assert_eq!(count(1, "video"), "1 video");
    }
}
