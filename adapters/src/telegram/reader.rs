//! Reading updates.

use domain::id::UserId;
use ports::{
    ErrorKind, PortError,
    bot::{ChatEvent, EventKind, FileRef, UpdateReader},
};
use serde::Deserialize;
use serde_json::Value;
use teloxide_core::types::{
    CallbackQuery, ChatMemberUpdated, FileMeta, MediaDocument, MediaKind, MediaPhoto, Message, MessageKind,
    PreCheckoutQuery, SuccessfulPayment, Update, UpdateKind, User,
};

use super::webhook::ALLOWED_UPDATES;

/// What a message must not be passed over for: each of them the bot lives by.
const CONTENTS: [&str; 5] = ["successful_payment", "refunded_payment", "text", "photo", "document"];

/// Reads updates by teloxide's types.
///
/// A kind teloxide does not know is none of the bot's, since it asks for four. One of the four that teloxide cannot
/// read is refused instead of being passed over: it may be a payment, and an operator has to see it.
#[derive(Debug, Clone, Copy, Default)]
pub struct TelegramReader;

impl UpdateReader for TelegramReader {
    fn read(&self, body: &str) -> Result<Option<ChatEvent>, PortError> {
        let no_update = |error| PortError::with_source(ErrorKind::Rejected, "this is no update", error);
        let raw: Value = serde_json::from_str(body).map_err(no_update)?;
        let update = Update::deserialize(&raw).map_err(no_update)?;
        // teloxide reads what it cannot read as a kind it does not know, and a message as an empty one.
        let ours = ALLOWED_UPDATES.into_iter().find_map(|kind| Some((kind, raw.get(kind)?)));
        match (update.kind, ours) {
            (UpdateKind::Message(Message { kind: MessageKind::Empty {}, .. }), Some((_, message)))
                if CONTENTS.iter().any(|content| message.get(content).is_some()) =>
            {
                Err(unreadable("message"))
            }
            (UpdateKind::Message(message), _) => Ok(of_message(&message)),
            (UpdateKind::CallbackQuery(tap), _) => Ok(of_tap(tap)),
            (UpdateKind::PreCheckoutQuery(query), _) => Ok(Some(of_query(query))),
            (UpdateKind::MyChatMember(change), _) => Ok(of_change(&change)),
            (UpdateKind::Error(_), Some((kind, _))) => Err(unreadable(kind)),
            _ => Ok(None),
        }
    }
}

fn unreadable(kind: &str) -> PortError {
    PortError::new(ErrorKind::Rejected, format!("this `{kind}` is of a form that cannot be read"))
}

fn event(user: &User, kind: EventKind) -> ChatEvent {
    // Telegram's ids have at most 52 bits (Bot API, User).
    let id = i64::try_from(user.id.0).unwrap_or(0);
    ChatEvent { user: UserId::new(id), client_language: user.language_code.clone(), kind }
}

fn of_message(message: &Message) -> Option<ChatEvent> {
    if !message.chat.is_private() {
        return None;
    }
    let user = message.from.as_ref()?;
    let kind = match &message.kind {
        MessageKind::Common(common) => of_media(&common.media_kind, message.media_group_id())?,
        MessageKind::SuccessfulPayment(paid) => {
            let SuccessfulPayment {
                currency, total_amount, invoice_payload, telegram_payment_charge_id, ..
            } = &paid.successful_payment;
            EventKind::Paid {
                charge: telegram_payment_charge_id.0.clone(),
                payload: invoice_payload.clone(),
                currency: currency.clone(),
                amount: *total_amount,
            }
        }
        MessageKind::RefundedPayment(back) => {
            EventKind::PaidBack { charge: back.refunded_payment.telegram_payment_charge_id.0.clone() }
        }
        MessageKind::Dice(_) => EventKind::Other("dice"),
        // What teloxide does not know yet: somebody sent it and waits for an answer.
        MessageKind::Empty {} => EventKind::Other("unknown"),
        // Telegram's own remarks, such as that a message was pinned.
        _ => return None,
    };
    Some(event(user, kind))
}

fn of_media(media: &MediaKind, album: Option<&teloxide_core::types::MediaGroupId>) -> Option<EventKind> {
    let album = album.map(|album| album.0.clone());
    Some(match media {
        MediaKind::Text(text) => EventKind::Text(text.text.clone()),
        MediaKind::Photo(MediaPhoto { photo, caption, .. }) => {
            let largest = photo.iter().max_by_key(|size| u64::from(size.width) * u64::from(size.height))?;
            EventKind::Picture { file: file(&largest.file), mime: None, caption: caption.clone(), album }
        }
        MediaKind::Document(MediaDocument { document, caption, .. }) => {
            let mime = document.mime_type.as_ref().map(ToString::to_string);
            // Some phones say of a picture only that it is bytes; a look at them says more than their name.
            let may_be_picture = mime
                .as_ref()
                .is_none_or(|mime| mime.starts_with("image/") || mime == "application/octet-stream");
            if !may_be_picture {
                return Some(EventKind::Other("document"));
            }
            EventKind::Picture { file: file(&document.file), mime, caption: caption.clone(), album }
        }
        MediaKind::Animation(_) => EventKind::Other("animation"),
        MediaKind::Audio(_) => EventKind::Other("audio"),
        MediaKind::Contact(_) => EventKind::Other("contact"),
        MediaKind::PaidMedia(_) => EventKind::Other("paid_media"),
        MediaKind::Game(_) => EventKind::Other("game"),
        MediaKind::Venue(_) => EventKind::Other("venue"),
        MediaKind::Location(_) => EventKind::Other("location"),
        MediaKind::Poll(_) => EventKind::Other("poll"),
        MediaKind::Checklist(_) => EventKind::Other("checklist"),
        MediaKind::Sticker(_) => EventKind::Other("sticker"),
        MediaKind::Story(_) => EventKind::Other("story"),
        MediaKind::Video(_) => EventKind::Other("video"),
        MediaKind::VideoNote(_) => EventKind::Other("video_note"),
        MediaKind::Voice(_) => EventKind::Other("voice"),
        MediaKind::Migration(_) => return None,
    })
}

fn file(meta: &FileMeta) -> FileRef {
    // teloxide's word for a size that was not told.
    let size = (meta.size != u32::MAX).then(|| u64::from(meta.size));
    FileRef { id: meta.id.0.clone(), size }
}

fn of_tap(tap: CallbackQuery) -> Option<ChatEvent> {
    let message = tap.message.as_ref();
    if message.is_some_and(|message| !message.chat().is_private()) {
        return None;
    }
    let message = message.map(|message| i64::from(message.id().0));
    let CallbackQuery { id, from, data, .. } = tap;
    Some(event(&from, EventKind::Tap { tap: id.0, data: data?, message }))
}

fn of_query(query: PreCheckoutQuery) -> ChatEvent {
    let PreCheckoutQuery { id, from, currency, total_amount, invoice_payload, .. } = query;
    event(
        &from,
        EventKind::PreCheckout { query: id.0, payload: invoice_payload, currency, amount: total_amount },
    )
}

fn of_change(change: &ChatMemberUpdated) -> Option<ChatEvent> {
    change
        .chat
        .is_private()
        .then(|| event(&change.from, EventKind::Reachable(change.new_chat_member.kind.is_present())))
}
