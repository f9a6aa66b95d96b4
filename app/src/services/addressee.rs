//! Who reads a message about an order: in which language, and what may be added to it.

use domain::{
    id::OrderId,
    job::StateName,
    notice::{Audience, Notice, NoticeKind},
};
use ports::{PortError, bot::Keyboard};

use crate::{
    Policy, Ports,
    bot::screens,
    services::account,
    texts::{self, Language},
};

/// The language somebody reads: their own where the bot knows it.
pub(super) async fn language_of(ports: &Ports, policy: &Policy, reader: Audience) -> Language {
    let (Some(chats), Audience::User(user)) = (&ports.chats, reader) else { return policy.language };
    match chats.chat(user).await {
        Ok(chat) => chat.and_then(|chat| Language::parse(&chat.language)).unwrap_or(policy.language),
        Err(error) => {
            // A message in the usual language is better than none.
            tracing::debug!(error = &error as &dyn std::error::Error, "a user's language could not be read");
            policy.language
        }
    }
}

/// The text of a notice. A user of the bot also reads where the order stands in line, and what the balance is after credits
/// came back.
pub(super) async fn text_of(ports: &Ports, policy: &Policy, notice: &Notice) -> (Language, String) {
    let language = language_of(ports, policy, notice.audience).await;
    let mut text = texts::notice(language, notice);
    if ports.chats.is_some() {
        match addition(ports, policy, language, notice).await {
            Ok(None) => {}
            Ok(Some(addition)) => {
                text.push('\n');
                text.push_str(&addition);
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, order.id = %notice.order, "a message goes out without its figures");
            }
        }
    }
    (language, text)
}

async fn addition(
    ports: &Ports,
    policy: &Policy,
    language: Language,
    notice: &Notice,
) -> Result<Option<String>, PortError> {
    let Audience::User(user) = notice.audience else { return Ok(None) };
    Ok(match &notice.kind {
        NoticeKind::OrderAccepted { quantity, .. } => {
            let census = ports.jobs.census(ports.clock.now()).await?;
            let waiting = census.by_state.iter().filter(|(state, _)| is_before_the_provider(*state));
            let waiting: u64 = waiting.map(|(_, count)| count).sum();
            let ahead = waiting.saturating_sub(u64::from(quantity.videos()));
            let expected = policy.models.default_model().timing.typical;
            Some(texts::place_in_line(language, ahead, expected))
        }
        NoticeKind::Refunded { .. } | NoticeKind::Cancelled { .. } => {
            let balance = account::balance(ports, user).await?;
            Some(texts::balance_now(language, balance.available))
        }
        _ => None,
    })
}

const fn is_before_the_provider(state: StateName) -> bool {
    matches!(state, StateName::Queued | StateName::Prompting | StateName::Submitting)
}

/// The buttons below an order's last news, if that is this one.
pub(super) fn buttons_after(language: Language, kind: &NoticeKind, order: OrderId) -> Keyboard {
    match kind {
        NoticeKind::Refunded { .. } => screens::after_refund(language, order),
        NoticeKind::Cancelled { .. } => screens::after_video(language, order),
        _ => Keyboard::new(),
    }
}
