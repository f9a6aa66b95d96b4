//! Orders: one message that follows each, and its ends.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    id::{OrderId, UserId},
    notice::Audience,
};
use ports::{
    ErrorKind, Messenger, OrderText, PortError, TextRole, VideoMessage,
    bot::{ChatButton, ChatMessage, ChatStore, Keyboard, OrderMessages, StatusMessage},
};

use super::{TelegramClient, chat::cut, pace::Cause, video};

/// The shortest time between two changes of one status message. Some edits a minute are harmless; one every second or
/// two ends in minutes of silence.
const EDIT_EVERY: Duration = Duration::from_secs(10);
/// As of [`super::chat`]; what is kept must be what was sent, or the next look would see a change.
const TEXT_MAX: usize = 4_096;
/// How often what was sent is written down before it is given up.
const KEEP_TRIES: u32 = 3;
/// The wait between two of these tries.
const KEEP_WAIT: Duration = Duration::from_millis(500);

/// Tells users of their orders, and operators of what needs them.
pub struct TelegramMessenger {
    pub(super) client: Arc<TelegramClient>,
    pub(super) messages: Arc<dyn OrderMessages>,
    chats: Arc<dyn ChatStore>,
    admins: Vec<UserId>,
}

impl std::fmt::Debug for TelegramMessenger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TelegramMessenger").field("admins", &self.admins.len()).finish_non_exhaustive()
    }
}

impl TelegramMessenger {
    /// Remembers what it sent in `messages`, notes in `chats` who cannot be reached, and tells `admins` what the
    /// operator has to know.
    #[must_use]
    pub const fn new(
        client: Arc<TelegramClient>,
        messages: Arc<dyn OrderMessages>,
        chats: Arc<dyn ChatStore>,
        admins: Vec<UserId>,
    ) -> Self {
        Self { client, messages, chats, admins }
    }

    /// The one message that follows an order: sent once, then edited.
    async fn follow(&self, chat: UserId, told: OrderText<'_>) -> Result<(), PortError> {
        let text = cut(told.text, TEXT_MAX);
        let message = match self.messages.status(told.order).await? {
            None => {
                let to = ChatMessage { text: text.clone(), keyboard: Keyboard::new() };
                self.client.send(chat, Cause::Theirs, &to).await?.message_id
            }
            Some(status) if status.text == text => return Ok(()),
            Some(status) => {
                let free_at = status.changed_at.after(EDIT_EVERY);
                if self.client.clock.now() < free_at {
                    // What follows says more, and waits for the same moment.
                    return if told.is_followed {
                        Ok(())
                    } else {
                        let say = "an order's message was changed just now";
                        Err(PortError::new(ErrorKind::Transient, say).not_before(free_at))
                    };
                }
                let to = ChatMessage { text: text.clone(), keyboard: Keyboard::new() };
                self.client.edit(chat, Cause::Theirs, status.message, &to).await?;
                status.message
            }
        };
        let status = StatusMessage { message, text, changed_at: self.client.clock.now() };
        self.insist("the message of an order", || self.messages.keep_status(told.order, chat, &status)).await;
        Ok(())
    }

    async fn end(&self, chat: UserId, told: OrderText<'_>, video: (u8, u8)) -> Result<(), PortError> {
        let keyboard = self.last_keyboard(told.order, chat, video, told.keyboard).await?;
        let message = ChatMessage { text: told.text.to_owned(), keyboard };
        self.client.send(chat, Cause::Theirs, &message).await.map(drop)
    }

    /// The buttons, if this is the order's last end.
    pub(super) async fn last_keyboard(
        &self,
        order: OrderId,
        chat: UserId,
        (number, of): (u8, u8),
        keyboard: &[Vec<ChatButton>],
    ) -> Result<Keyboard, PortError> {
        let is_last = self.messages.ends(order, chat, number, of).await?;
        Ok(if is_last { keyboard.to_vec() } else { Keyboard::new() })
    }

    /// Told is who can be reached. The alert is in the log as well, so that nobody configured is no failure.
    async fn alert(&self, text: &str) -> Result<(), PortError> {
        let message = ChatMessage { text: text.to_owned(), keyboard: Keyboard::new() };
        let (mut is_told, mut failure) = (false, None);
        for admin in &self.admins {
            match self.client.send(*admin, Cause::Theirs, &message).await {
                Ok(_) => is_told = true,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        // Tried again only when nobody knows: those who do would hear it twice.
        failure.filter(|_| !is_told).map_or(Ok(()), Err)
    }

    /// Writes down what was sent. It is out, whatever the store says: a failure here must not send it again.
    pub(super) async fn insist<F>(&self, what: &str, mut keep: impl FnMut() -> F + Send)
    where
        F: Future<Output = Result<(), PortError>> + Send,
    {
        let clock = &self.client.clock;
        for tried in 1..=KEEP_TRIES {
            let Err(error) = keep().await else { return };
            log_unkept(what, tried, &error);
            if tried < KEEP_TRIES {
                clock.sleep_until(clock.now().after(KEEP_WAIT)).await;
            }
        }
    }

    /// Notes that a user cannot be reached. Telegram tells that too, so that a failure of the note is only logged.
    async fn heed(&self, chat: UserId, sent: Result<(), PortError>) -> Result<(), PortError> {
        if sent.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unreachable) {
            let noted = self.chats.set_blocked(chat, Some(self.client.clock.now())).await;
            if let Err(error) = noted {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "could not note that a user stopped the bot");
            }
        }
        sent
    }
}

#[async_trait]
impl Messenger for TelegramMessenger {
    async fn send_text<'a>(&self, to: Audience, text: OrderText<'a>) -> Result<(), PortError> {
        let Audience::User(chat) = to else { return self.alert(text.text).await };
        let sent = match text.role {
            TextRole::Ended { video } => self.end(chat, text, video).await,
            TextRole::Progress | TextRole::Alert => self.follow(chat, text).await,
        };
        self.heed(chat, sent).await
    }

    async fn send_video<'a>(&self, to: Audience, video: VideoMessage<'a>) -> Result<(), PortError> {
        let Audience::User(chat) = to else {
            return Err(PortError::new(ErrorKind::Rejected, "videos are for users"));
        };
        let sent = video::hand_over(self, chat, video).await;
        self.heed(chat, sent).await
    }
}

fn log_unkept(what: &str, tried: u32, error: &PortError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(what, tried, error, "what was sent could not be written down");
}
