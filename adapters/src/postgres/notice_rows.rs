//! Notices as rows: the kind as a word, its data as JSON.

use std::time::Duration;

use domain::{
    failure::{Failure, Reason},
    id::{KeyId, ModelId, OrderId, UserId},
    money::Credits,
    notice::{Audience, Notice, NoticeKind, RefundCause},
    order::Quantity,
};
use ports::PortError;
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::error::inconsistent;

/// A row of the outbox.
#[derive(FromRow)]
pub(super) struct NoticeRow {
    pub(super) id: i64,
    order_id: Uuid,
    tg_user_id: Option<i64>,
    video_number: Option<i16>,
    video_count: Option<i16>,
    kind: String,
    details: Value,
    pub(super) failures: i32,
    pub(super) lease_no: i64,
    pub(super) is_followed: bool,
}

impl NoticeRow {
    pub(super) fn notice(&self) -> Result<Notice, PortError> {
        let byte =
            |value: i16| u8::try_from(value).map_err(|_| inconsistent("outbox", "video_number", self.id));
        let video = match (self.video_number, self.video_count) {
            (Some(number), Some(of)) => Some((byte(number)?, byte(of)?)),
            _ => None,
        };
        let kind = from_columns(&self.kind, &self.details)
            .ok_or_else(|| inconsistent("outbox", "kind or details", self.id))?;
        Ok(Notice {
            audience: self.tg_user_id.map_or(Audience::Operator, |id| Audience::User(UserId::new(id))),
            order: OrderId::new(self.order_id.as_u128()),
            video,
            kind,
        })
    }
}

/// The kind as a word, and its data.
pub(super) fn to_columns(kind: &NoticeKind) -> (&'static str, Value) {
    match kind {
        NoticeKind::OrderAccepted { quantity, held } => {
            ("order_accepted", json!({ "quantity": quantity.videos(), "held": held.value() }))
        }
        NoticeKind::WritingPrompt => ("writing_prompt", json!({})),
        NoticeKind::Rendering { expected } => ("rendering", json!({ "expected_ms": millis(*expected) })),
        NoticeKind::Retrying { retry, of, delay } => {
            ("retrying", json!({ "retry": retry, "of": of, "delay_ms": millis(*delay) }))
        }
        NoticeKind::Refunded { cause, credits } => {
            ("refunded", json!({ "cause": cause.code(), "credits": credits.value() }))
        }
        NoticeKind::Cancelled { credits } => ("cancelled", json!({ "credits": credits.value() })),
        NoticeKind::KeyOut { key, failure } => {
            ("key_out", json!({ "key": key.as_str(), "reason": failure.reason.code() }))
        }
        NoticeKind::NoKeyLeft => ("no_key_left", json!({})),
        NoticeKind::ProviderDown => ("provider_down", json!({})),
        NoticeKind::OutageBegan => ("outage_began", json!({})),
        NoticeKind::OutageEnded => ("outage_ended", json!({})),
        NoticeKind::ModelOut { model } => ("model_out", json!({ "model": model.as_str() })),
        NoticeKind::RequestRefused => ("request_refused", json!({})),
        NoticeKind::JobAbandoned => ("job_abandoned", json!({})),
    }
}

fn from_columns(kind: &str, details: &Value) -> Option<NoticeKind> {
    let byte = |name: &str| details[name].as_u64().and_then(|value| u8::try_from(value).ok());
    let duration = |name: &str| details[name].as_u64().map(Duration::from_millis);
    let credits = |name: &str| details[name].as_i64().and_then(|value| Credits::new(value).ok());
    Some(match kind {
        "order_accepted" => NoticeKind::OrderAccepted {
            quantity: Quantity::try_from(byte("quantity")?).ok()?,
            held: credits("held")?,
        },
        "writing_prompt" => NoticeKind::WritingPrompt,
        "rendering" => NoticeKind::Rendering { expected: duration("expected_ms")? },
        "retrying" => {
            NoticeKind::Retrying { retry: byte("retry")?, of: byte("of")?, delay: duration("delay_ms")? }
        }
        "refunded" => NoticeKind::Refunded {
            cause: RefundCause::from_code(details["cause"].as_str()?)?,
            credits: credits("credits")?,
        },
        "cancelled" => NoticeKind::Cancelled { credits: credits("credits")? },
        "key_out" => {
            let reason = Reason::from_code(details["reason"].as_str()?)?;
            NoticeKind::KeyOut {
                key: KeyId::new(details["key"].as_str()?).ok()?,
                failure: Failure { class: reason.class(), reason },
            }
        }
        "no_key_left" => NoticeKind::NoKeyLeft,
        "provider_down" => NoticeKind::ProviderDown,
        "outage_began" => NoticeKind::OutageBegan,
        "outage_ended" => NoticeKind::OutageEnded,
        "model_out" => {
            // Those written before models had circuits name none.
            let model = details["model"].as_str().unwrap_or("unknown");
            NoticeKind::ModelOut { model: ModelId::new(model).ok()? }
        }
        "request_refused" => NoticeKind::RequestRefused,
        "job_abandoned" => NoticeKind::JobAbandoned,
        _ => return None,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_notice_survives_the_round_trip() {
        let reason = Reason::Nudity;
        let credits = Credits::of(1);
        let kinds = [
            NoticeKind::OrderAccepted { quantity: Quantity::Three, held: Credits::of(3) },
            NoticeKind::WritingPrompt,
            NoticeKind::Rendering { expected: Duration::from_secs(180) },
            NoticeKind::Retrying { retry: 1, of: 3, delay: Duration::from_secs(10) },
            NoticeKind::Refunded { cause: RefundCause::Violation(reason), credits },
            NoticeKind::Refunded { cause: RefundCause::TooBusy, credits },
            NoticeKind::Cancelled { credits },
            NoticeKind::KeyOut {
                key: KeyId::new("kie-1").unwrap(),
                failure: Failure { class: reason.class(), reason },
            },
            NoticeKind::NoKeyLeft,
            NoticeKind::ProviderDown,
            NoticeKind::OutageBegan,
            NoticeKind::OutageEnded,
            NoticeKind::ModelOut { model: ModelId::new("sora-2").unwrap() },
            NoticeKind::RequestRefused,
            NoticeKind::JobAbandoned,
        ];
        for kind in kinds {
            let (word, details) = to_columns(&kind);
            assert_eq!(from_columns(word, &details), Some(kind));
        }
    }
}
