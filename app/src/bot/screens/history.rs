//! Movements of credits as lines.

use chrono::{DateTime, FixedOffset};
use domain::{
    ledger::{Entry, EntryKind},
    notice::RefundCause,
    time::Timestamp,
};
use fluent_bundle::FluentArgs;

use crate::texts::{Language, numbered, worded};

/// Why a credit came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The video failed.
    Refunded(RefundCause),
    /// It was cancelled.
    Cancelled,
}

/// One movement of credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The entry.
    pub entry: Entry,
    /// For a credit that came back, why, where it is known.
    pub why: Option<Why>,
}

/// Moscow's distance from UTC, all year: where the users are.
const MOSCOW_SECONDS_EAST: i32 = 3 * 3_600;

pub(super) fn text(language: Language, movements: &[Movement]) -> String {
    if movements.is_empty() {
        return numbered(language, "page-history-empty", &[]);
    }
    let mut lines = vec![numbered(language, "page-history", &[]), String::new()];
    lines.extend(movements.iter().map(|movement| line(language, movement)));
    lines.join("\n")
}

fn line(language: Language, Movement { entry, why }: &Movement) -> String {
    let what = match entry.kind {
        EntryKind::Grant => numbered(language, "history-grant", &[]),
        EntryKind::Purchase => numbered(language, "history-purchase", &[]),
        EntryKind::PurchaseRefund => numbered(language, "history-purchase-refund", &[]),
        EntryKind::Adjustment => numbered(language, "history-adjustment", &[]),
        EntryKind::Hold => numbered(language, "history-hold", &[]),
        EntryKind::Capture => numbered(language, "history-capture", &[]),
        EntryKind::Release => {
            let mut args = FluentArgs::new();
            args.set("why", numbered(language, why_key(*why), &[]));
            worded(language, "history-release", &args)
        }
    };
    let moved = match entry.available {
        0 => String::new(),
        // A true minus, as wide as the plus.
        down @ ..0 => format!("\u{2212}{} ", down.unsigned_abs()),
        up => format!("+{up} "),
    };
    format!("{} · {moved}{what}", moscow(entry.at))
}

const fn why_key(why: Option<Why>) -> &'static str {
    match why {
        None => "why-unknown",
        Some(Why::Cancelled) => "why-cancelled",
        Some(Why::Refunded(cause)) => match cause {
            RefundCause::Violation(_) => "why-violation",
            RefundCause::Input(_) => "why-input",
            RefundCause::NoKey => "why-no-key",
            RefundCause::ModelUnavailable => "why-model-unavailable",
            RefundCause::OurFault => "why-our-fault",
            RefundCause::RetriesExhausted => "why-retries-exhausted",
            RefundCause::TooBusy => "why-too-busy",
            RefundCause::ProviderDown => "why-provider-down",
            RefundCause::Undeliverable => "why-undeliverable",
            RefundCause::RecipientGone => "why-recipient-gone",
        },
    }
}

fn moscow(at: Timestamp) -> String {
    let east = FixedOffset::east_opt(MOSCOW_SECONDS_EAST);
    match (DateTime::from_timestamp_millis(at.as_millis()), east) {
        (Some(at), Some(east)) => at.with_timezone(&east).format("%d.%m %H:%M").to_string(),
        _ => String::new(),
    }
}
