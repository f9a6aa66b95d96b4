//! Fingerprints: texts as 64 bits, cheap enough to take at every step.

use domain::notice::{NoticeKind, RefundCause};

/// An odd number with its bits well spread.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(SPREAD);
    mixed ^ (mixed >> 29)
}

/// A text's fingerprint; never 0. Different texts share one by accident once in 2^64.
pub(super) fn of_text(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(text.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let tail = rest.iter().fold(0, |tail, byte| (tail << 8) | u64::from(*byte));
    mix(mix(hash, tail), SPREAD).max(1)
}

/// The fingerprint of a number and a text.
pub(super) fn of_pair(number: i64, text: &str) -> u64 {
    mix(of_text(text), number.cast_unsigned()).max(1)
}

/// What the first message of an order of so many videos says.
pub(super) fn of_accepted(videos: u8) -> u64 {
    accepted(u64::from(videos), u64::from(videos))
}

fn accepted(videos: u64, held: u64) -> u64 {
    mix(1, (videos << 32) | held)
}

/// What a message says, in 64 bits: kinds and their details are told apart.
pub(super) fn of_notice(kind: &NoticeKind) -> u64 {
    match kind {
        NoticeKind::OrderAccepted { quantity, held } => {
            accepted(u64::from(quantity.videos()), held.value().unsigned_abs())
        }
        NoticeKind::WritingPrompt => 2,
        NoticeKind::Rendering { .. } => 3,
        NoticeKind::Retrying { retry, of, .. } => mix(4, (u64::from(*retry) << 8) | u64::from(*of)),
        NoticeKind::Refunded { cause, .. } => mix(5, of_cause(*cause)),
        NoticeKind::Cancelled { .. } => 6,
        NoticeKind::KeyOut { key, .. } => mix(7, of_text(key.as_str())),
        NoticeKind::NoKeyLeft => 8,
        NoticeKind::ModelOut { model } => mix(9, of_text(model.as_str())),
        NoticeKind::JobAbandoned => 10,
        NoticeKind::RequestRefused => 11,
        NoticeKind::ProviderDown => 12,
        NoticeKind::OutageBegan => 13,
        NoticeKind::OutageEnded => 14,
    }
}

fn of_cause(cause: RefundCause) -> u64 {
    match cause {
        RefundCause::Violation(reason) => mix(1, of_text(reason.code())),
        RefundCause::Input(reason) => mix(2, of_text(reason.code())),
        RefundCause::NoKey => 3,
        RefundCause::ModelUnavailable => 4,
        RefundCause::OurFault => 5,
        RefundCause::RetriesExhausted => 6,
        RefundCause::TooBusy => 7,
        RefundCause::Undeliverable => 8,
        RefundCause::RecipientGone => 9,
        RefundCause::ProviderDown => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_differs_anywhere_has_another_print() {
        let text = "A mug on a table, morning light, slow camera.".to_owned();
        for at in 0..text.len() {
            let mut other = text.clone();
            other.replace_range(at..=at, "#");
            assert_ne!(of_text(&text), of_text(&other), "at {at}");
        }
        assert_ne!(of_text(""), of_text("\0"));
        assert_ne!(of_pair(1, "a"), of_pair(2, "a"));
    }
}
