//! Conversations.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::id::UserId;
use ports::{
    ErrorKind, PortError,
    bot::{ChatAction, ChatButton, ChatClient, ChatMessage, FileRef, Invoice, PreCheckout, StarCharge},
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use teloxide_core::{
    payloads::{self, setters::*},
    requests::Payload,
    types::{
        CallbackQueryId, ChatId, FileId, InlineKeyboardButton, InlineKeyboardMarkup, LabeledPrice, MessageId,
        PreCheckoutQueryId, Recipient, TelegramTransactionId,
    },
};

use super::{
    TelegramClient,
    pace::Cause,
    wire::{CallError, Repeat, words},
};

/// The longest text of a message, counted in UTF-16 units to be on the safe side (Bot API, sendMessage).
const TEXT_MAX: usize = 4_096;
/// The longest text shown after a tap (Bot API, answerCallbackQuery).
const TAP_TEXT_MAX: usize = 200;
/// The largest file a bot gets to see, in bytes (Bot API, getFile).
const DOWNLOAD_BYTES_MAX: u64 = 20 << 20;
/// How many payments come at once (Bot API, getStarTransactions).
const CHARGES_MAX: u8 = 100;

/// The message that was sent, as far as we need it: what teloxide cannot read of it must not look like a failure.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    pub(super) message_id: i64,
    pub(super) video: Option<SentFile>,
    /// Telegram turns a video without sound into one of these.
    pub(super) animation: Option<SentFile>,
    pub(super) document: Option<SentFile>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SentFile {
    pub(super) file_id: String,
}

impl TelegramClient {
    /// Writes to a chat in its turn.
    pub(super) async fn send(
        &self,
        chat: UserId,
        cause: Cause,
        message: &ChatMessage,
    ) -> Result<Sent, PortError> {
        let mut payload = payloads::SendMessage::new(recipient(chat), cut(&message.text, TEXT_MAX));
        if let Some(markup) = markup(&message.keyboard) {
            payload = payload.reply_markup(markup);
        }
        self.in_turn(chat, cause, &payload, "send a message", Repeat::Seen).await
    }

    /// Makes a message of ours say something else, in its chat's turn. One that says it already, and one that is gone,
    /// are done.
    pub(super) async fn edit(
        &self,
        chat: UserId,
        cause: Cause,
        message: i64,
        to: &ChatMessage,
    ) -> Result<(), PortError> {
        let id = message_id(message)?;
        let mut payload = payloads::EditMessageText::new(recipient(chat), id, cut(&to.text, TEXT_MAX));
        if let Some(markup) = markup(&to.keyboard) {
            payload = payload.reply_markup(markup);
        }
        self.edit_in_turn(chat, cause, &payload, "edit a message").await
    }

    async fn edit_in_turn<P>(&self, chat: UserId, cause: Cause, edit: &P, what: &str) -> Result<(), PortError>
    where
        P: Payload + Serialize + Sync,
    {
        self.begin(chat, cause, what)?;
        match self.call::<_, IgnoredAny>(edit).await {
            Err(error) if !error.is_done_edit() => Err(self.failed(chat, error, what, Repeat::Harmless)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn in_turn<P>(
        &self,
        chat: UserId,
        cause: Cause,
        payload: &P,
        what: &str,
        repeat: Repeat,
    ) -> Result<Sent, PortError>
    where
        P: Payload + Serialize + Sync,
    {
        self.begin(chat, cause, what)?;
        self.call(payload).await.map_err(|error| self.failed(chat, error, what, repeat))
    }

    fn begin(&self, chat: UserId, cause: Cause, what: &str) -> Result<(), PortError> {
        self.pace.take(chat, cause, self.clock.now()).map_err(|at| too_soon(what, at))
    }

    /// What a failure is to the caller; a chat that Telegram wants left alone is.
    pub(super) fn failed(&self, chat: UserId, error: CallError, what: &str, repeat: Repeat) -> PortError {
        let now = self.clock.now();
        if let Some(pause) = error.pause() {
            self.pace.close(chat, pause, now);
        }
        error.into_port(what, repeat, now)
    }

    async fn act_for(&self, chat: UserId, cause: Cause, action: &ChatAction) -> Result<(), PortError> {
        match action {
            ChatAction::Send(message) => self.send(chat, cause, message).await.map(drop),
            ChatAction::Edit { message, to } => self.edit(chat, cause, *message, to).await,
            ChatAction::RemoveButtons { message } => {
                let payload = payloads::EditMessageReplyMarkup::new(recipient(chat), message_id(*message)?);
                self.edit_in_turn(chat, cause, &payload, "take buttons off a message").await
            }
            ChatAction::Invoice(invoice) => {
                let payload = bill(chat, invoice);
                self.in_turn(chat, cause, &payload, "send an invoice", Repeat::Seen).await.map(drop)
            }
        }
    }

    /// A call that writes nothing into a chat.
    async fn quietly<P, T>(&self, payload: &P, what: &str) -> Result<T, PortError>
    where
        P: Payload + Serialize + Sync,
        T: serde::de::DeserializeOwned,
    {
        self.call(payload).await.map_err(|error| error.into_port(what, Repeat::Harmless, self.clock.now()))
    }
}

/// A refusal of our own: nothing was sent, and at `at` it may be.
pub(super) fn too_soon(what: &str, at: domain::time::Timestamp) -> PortError {
    PortError::new(ErrorKind::Transient, format!("not yet time to {what}: this chat was just written to"))
        .not_before(at)
}

#[async_trait]
impl ChatClient for TelegramClient {
    async fn act(&self, chat: UserId, action: &ChatAction) -> Result<(), PortError> {
        self.act_for(chat, Cause::Theirs, action).await
    }

    async fn answer_tap(&self, tap: &str, text: Option<String>) -> Result<(), PortError> {
        let mut payload = payloads::AnswerCallbackQuery::new(CallbackQueryId(tap.to_owned()));
        if let Some(text) = text {
            payload = payload.text(cut(&text, TAP_TEXT_MAX));
        }
        self.quietly::<_, IgnoredAny>(&payload, "answer a tap").await.map(drop)
    }

    async fn download(&self, file: &FileRef) -> Result<Bytes, PortError> {
        const WHAT: &str = "download a file";
        if file.size.is_some_and(|size| size > DOWNLOAD_BYTES_MAX) {
            return Err(PortError::new(ErrorKind::Rejected, "bots get no files of more than 20 MB"));
        }
        #[derive(Deserialize)]
        struct Found {
            file_path: String,
        }
        let payload = payloads::GetFile::new(FileId(file.id.clone()));
        let Found { file_path } = self.quietly(&payload, WHAT).await?;
        // A path that climbs would be another address, with the token in it.
        if file_path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(PortError::new(ErrorKind::Inconsistent, "Telegram told a path that is none"));
        }
        self.fetch(&file_path, DOWNLOAD_BYTES_MAX)
            .await
            .map_err(|error| error.into_port(WHAT, Repeat::Harmless, self.clock.now()))
    }

    async fn answer_pre_checkout(&self, query: &str, answer: &PreCheckout) -> Result<(), PortError> {
        let query = PreCheckoutQueryId(query.to_owned());
        let payload = match answer {
            PreCheckout::Accept => payloads::AnswerPreCheckoutQuery::new(query, true),
            PreCheckout::Refuse(why) => {
                payloads::AnswerPreCheckoutQuery::new(query, false).error_message(cut(why, TEXT_MAX))
            }
        };
        self.quietly::<_, IgnoredAny>(&payload, "answer before a payment").await.map(drop)
    }

    async fn refund_stars(&self, user: UserId, charge: &str) -> Result<(), PortError> {
        let user = u64::try_from(user.value())
            .map_err(|_| PortError::new(ErrorKind::Rejected, "only users pay in Stars"))?;
        let charge = TelegramTransactionId(charge.to_owned());
        let payload = payloads::RefundStarPayment::new(teloxide_core::types::UserId(user), charge);
        match self.call::<_, IgnoredAny>(&payload).await {
            Ok(_) => Ok(()),
            // Telegram's own word for it (core.telegram.org/method/payments.refundStarsCharge).
            Err(CallError::Refused(refusal)) if words(&refusal.error).contains("CHARGE_ALREADY_REFUNDED") => {
                Ok(())
            }
            Err(error) => Err(error.into_port("give Stars back", Repeat::Harmless, self.clock.now())),
        }
    }

    async fn star_charges(&self, offset: u32) -> Result<Vec<StarCharge>, PortError> {
        let payload = payloads::GetStarTransactions::new().offset(offset).limit(CHARGES_MAX);
        let Transactions { transactions } = self.quietly(&payload, "list payments").await?;
        Ok(transactions.into_iter().map(Transaction::into_charge).collect())
    }
}

/// What goes to many at once: the same client, with the pace of bulk messages above each chat's own.
#[derive(Debug, Clone)]
pub struct BulkClient(Arc<TelegramClient>);

impl BulkClient {
    /// A client for bulk messages beside `client`, whose chats it shares.
    #[must_use]
    pub const fn new(client: Arc<TelegramClient>) -> Self {
        Self(client)
    }
}

#[async_trait]
impl ChatClient for BulkClient {
    async fn act(&self, chat: UserId, action: &ChatAction) -> Result<(), PortError> {
        self.0.act_for(chat, Cause::Bulk, action).await
    }

    async fn answer_tap(&self, tap: &str, text: Option<String>) -> Result<(), PortError> {
        self.0.answer_tap(tap, text).await
    }

    async fn download(&self, file: &FileRef) -> Result<Bytes, PortError> {
        self.0.download(file).await
    }

    async fn answer_pre_checkout(&self, query: &str, answer: &PreCheckout) -> Result<(), PortError> {
        self.0.answer_pre_checkout(query, answer).await
    }

    async fn refund_stars(&self, user: UserId, charge: &str) -> Result<(), PortError> {
        self.0.refund_stars(user, charge).await
    }

    async fn star_charges(&self, offset: u32) -> Result<Vec<StarCharge>, PortError> {
        self.0.star_charges(offset).await
    }
}

/// `StarTransactions` of the Bot API, as far as we need it: one partner of a new kind must not hide the others.
#[derive(Deserialize)]
struct Transactions {
    transactions: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    id: String,
    amount: i64,
    source: Option<Partner>,
    receiver: Option<Partner>,
}

#[derive(Deserialize)]
struct Partner {
    user: Option<PartnerUser>,
    invoice_payload: Option<String>,
}

#[derive(Deserialize)]
struct PartnerUser {
    id: i64,
}

impl Transaction {
    /// Stars that came have a source, those that went a receiver.
    fn into_charge(self) -> StarCharge {
        let (stars, partner) = match (self.source, self.receiver) {
            (Some(source), _) => (self.amount, Some(source)),
            (None, receiver) => (-self.amount, receiver),
        };
        let user = partner.as_ref().and_then(|partner| partner.user.as_ref()).map_or(0, |user| user.id);
        StarCharge {
            charge: self.id,
            user: UserId::new(user),
            stars,
            payload: partner.and_then(|partner| partner.invoice_payload),
        }
    }
}

fn bill(chat: UserId, invoice: &Invoice) -> payloads::SendInvoice {
    let Invoice { title, description, payload, stars } = invoice;
    let price = LabeledPrice { label: title.clone(), amount: *stars };
    // Stars are the currency `XTR`, have no provider, and one price (Bot API, sendInvoice).
    payloads::SendInvoice::new(recipient(chat), title, description, payload, "XTR", [price])
}

/// In private chats, the only ones served, the chat's id is the user's.
pub(super) const fn recipient(chat: UserId) -> Recipient {
    Recipient::Id(ChatId(chat.value()))
}

fn message_id(message: i64) -> Result<MessageId, PortError> {
    i32::try_from(message)
        .map(MessageId)
        .map_err(|_| PortError::new(ErrorKind::Rejected, "there is no message with such a number"))
}

/// Buttons as Telegram takes them; nothing where there are none.
pub(super) fn markup(keyboard: &[Vec<ChatButton>]) -> Option<InlineKeyboardMarkup> {
    let rows = keyboard.iter().filter(|row| !row.is_empty()).map(|row| {
        row.iter().map(|button| InlineKeyboardButton::callback(button.label.clone(), button.data.clone()))
    });
    let markup = InlineKeyboardMarkup::new(rows);
    (!markup.inline_keyboard.is_empty()).then_some(markup)
}

/// As much of a text as fits, in UTF-16 units, with an ellipsis where something is missing.
pub(super) fn cut(text: &str, units_max: usize) -> String {
    if text.encode_utf16().count() <= units_max {
        return text.to_owned();
    }
    let mut units = 1;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= units_max
        })
        .collect();
    kept.push('…');
    kept
}
