//! Payments in Telegram Stars: the last question before the money is taken, the money, and the money given back.
//!
//! What is credited was offered to this user for this amount, under a payload of ours; money for anything else goes back
//! at once.

use domain::{
    dialogue::{Dialogue, Screen},
    id::{PackageId, UserId},
};
use ports::{
    ErrorKind, PortError, Posting,
    bot::{Chat, ChatAction, ChatMessage, InboxUpdate, Invoice, Offer, PreCheckout},
};

use super::{BotPorts, screens};
use crate::{
    Policy, Ports,
    texts::{Language, numbered},
};

/// Telegram's own currency (Bot API, sendInvoice).
const STARS: &str = "XTR";

/// Stores the offer of a package, so that its payment is known again, and writes its bill. `None` when no such package is
/// on sale.
pub(super) async fn bill(
    bot: &BotPorts,
    policy: &Policy,
    update: &InboxUpdate,
    chat: &Chat,
    name: &PackageId,
    language: Language,
) -> Result<Option<ChatAction>, PortError> {
    let Some(package) = policy.bot.packages.iter().find(|package| package.name == *name) else {
        return Ok(None);
    };
    // The update's number and time, so that an update that is handled again makes the same offer again.
    let offer = Offer {
        payload: format!("telegram:{}", update.update.id),
        user: chat.user,
        package: package.name.as_str().to_owned(),
        credits: package.credits,
        stars: package.stars,
        offered_at: update.received_at,
    };
    bot.purchases.offer(&offer).await?;
    let credits = [("credits", package.credits.value())];
    Ok(Some(ChatAction::Invoice(Invoice {
        title: numbered(language, "invoice-title", &credits),
        description: numbered(language, "invoice-description", &credits),
        payload: offer.payload,
        stars: offer.stars,
    })))
}

/// Answers whether the money may be taken: only for an offer to this user, of this amount, that is not paid yet.
pub(super) async fn pre_checkout(
    bot: &BotPorts,
    user: UserId,
    language: Language,
    (query, payload): (&str, &str),
    (currency, amount): (&str, u32),
) -> Result<(), PortError> {
    let purchase = bot.purchases.offer_of(payload).await?;
    let is_banned = bot.chats.chat(user).await?.is_some_and(|chat| chat.banned_since.is_some());
    let is_good = purchase.is_some_and(|purchase| {
        let offer = &purchase.offer;
        purchase.payment.is_none() && offer.user == user && currency == STARS && amount == offer.stars
    });
    let answer = if is_good && !is_banned {
        PreCheckout::Accept
    } else {
        PreCheckout::Refuse(numbered(language, "note-offer-gone", &[]))
    };
    // The question is good for seconds: asked again later it was answered by nobody, which refuses too.
    if let Err(error) = bot.client.answer_pre_checkout(query, &answer).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a pre-checkout query was not answered");
    }
    Ok(())
}

/// Credits a payment, or gives back what cannot be credited. What the user reads of it.
pub(super) async fn paid(
    ports: &Ports,
    bot: &BotPorts,
    user: UserId,
    language: Language,
    (charge, payload): (&str, &str),
    (currency, amount): (&str, u32),
) -> Result<ChatMessage, PortError> {
    if currency != STARS {
        return Err(PortError::new(ErrorKind::Inconsistent, "a payment that was not made in Stars"));
    }
    match bot.purchases.credit(payload, charge, user, amount, ports.clock.now()).await {
        Ok(Posting::Posted(balance) | Posting::Duplicate(balance)) => {
            tracing::info!(user.id = user.value(), stars = amount, "a payment was credited");
            let args = [("credits", balance.available.value())];
            Ok(in_menu(language, numbered(language, "note-paid", &args)))
        }
        Err(error) if matches!(error.kind(), ErrorKind::Rejected | ErrorKind::Conflict) => {
            tracing::error!(
                user.id = user.value(),
                stars = amount,
                error = &error as &dyn std::error::Error,
                "a payment cannot be credited and goes back"
            );
            bot.client.refund_stars(user, charge).await?;
            Ok(in_menu(language, numbered(language, "note-payment-returned", &[])))
        }
        Err(error) => Err(error),
    }
}

/// Takes back what is left of the credits of a payment that went back. Nothing is read of a payment that was never
/// credited.
pub(super) async fn paid_back(
    ports: &Ports,
    bot: &BotPorts,
    language: Language,
    charge: &str,
) -> Result<Option<ChatMessage>, PortError> {
    let taken = bot.purchases.paid_back(charge, ports.clock.now()).await?;
    Ok(taken.map(|back| {
        let args = [("taken", back.taken.value()), ("credits", back.balance.available.value())];
        in_menu(language, numbered(language, "note-paid-back", &args))
    }))
}

/// A message with the way to the menu below.
fn in_menu(language: Language, text: String) -> ChatMessage {
    let menu = Screen::Menu { has_draft: false };
    let keyboard = screens::buttons(language, &menu, &Dialogue::fresh(true, 0), &[]);
    ChatMessage { text, keyboard }
}
