//! What the bot writes.

use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Value, json};

use super::{
    TelegramModel,
    chats::{Change, Content, Deed, Message},
    keyboard::Keyboard,
    log::Rule,
    params::Params,
    words::{self, Refusal},
};

/// The longest text and caption, in characters (Bot API, sendMessage and sendPhoto).
const TEXT_MAX: usize = 4_096;
const CAPTION_MAX: usize = 1_024;
/// How long a message can be deleted (Bot API, deleteMessage).
const DELETED_WITHIN: Duration = Duration::from_secs(48 * 60 * 60);
/// What a bot can be busy with (Bot API, sendChatAction).
const ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

impl TelegramModel {
    /// sendMessage.
    pub(super) fn send_message(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let text = read_text(params)?;
        let keyboard = Keyboard::read(params.json("reply_markup"))?;
        let chat = self.chat_for(params, now)?;
        check_length(&text, TEXT_MAX, words::TEXT_LONG)?;
        keyboard.check(false)?;
        self.deliver(chat, Content::Text(text), keyboard, now)
    }

    /// sendPhoto.
    pub(super) fn send_photo(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let (chat, caption, keyboard) = self.with_caption(params, now)?;
        let sizes = self.photo_param(params)?;
        self.deliver(chat, Content::Photo { sizes, caption, album: None }, keyboard, now)
    }

    /// sendVideo.
    pub(super) fn send_video(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let (chat, caption, keyboard) = self.with_caption(params, now)?;
        let file = self.video_param(params)?;
        self.deliver(chat, Content::Video { file, caption }, keyboard, now)
    }

    fn with_caption(&mut self, params: &Params, now: Timestamp) -> Result<(i64, String, Keyboard), Refusal> {
        check_parse_mode(params)?;
        let caption = params.text("caption").unwrap_or_default().trim().to_owned();
        let keyboard = Keyboard::read(params.json("reply_markup"))?;
        let chat = self.chat_for(params, now)?;
        check_length(&caption, CAPTION_MAX, words::CAPTION_LONG)?;
        keyboard.check(false)?;
        Ok((chat, caption, keyboard))
    }

    /// editMessageText.
    pub(super) fn edit_text(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let text = read_text(params)?;
        self.edit(params, now, |message, keyboard| {
            let Content::Text(old) = &mut message.content else {
                return Err(Refusal::bad(words::NO_TEXT_TO_EDIT));
            };
            check_length(&text, TEXT_MAX, words::TEXT_LONG)?;
            *old = text;
            message.keyboard = keyboard;
            Ok(())
        })
    }

    /// editMessageCaption.
    pub(super) fn edit_caption(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        check_parse_mode(params)?;
        let caption = params.text("caption").unwrap_or_default().trim().to_owned();
        self.edit(params, now, |message, keyboard| {
            let old = message.content.caption_mut();
            *old.ok_or_else(|| Refusal::bad(words::NO_CAPTION_TO_EDIT))? = caption.clone();
            check_length(&caption, CAPTION_MAX, words::CAPTION_LONG)?;
            message.keyboard = keyboard;
            Ok(())
        })
    }

    /// editMessageReplyMarkup.
    pub(super) fn edit_buttons(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        self.edit(params, now, |message, keyboard| {
            message.keyboard = keyboard;
            Ok(())
        })
    }

    /// Changes a message of the bot's own. Without a new keyboard it has none afterwards.
    fn edit(
        &mut self,
        params: &Params,
        now: Timestamp,
        change: impl FnOnce(&mut Message, Keyboard) -> Result<(), Refusal>,
    ) -> Result<Value, Refusal> {
        let keyboard = Keyboard::read(params.json("reply_markup"))?;
        let chat = self.chat_for(params, now)?;
        let id = message_id(params)?;
        let found = self.chats.get(&chat).and_then(|chat| chat.messages.get(&id));
        let old = found.ok_or_else(|| Refusal::bad(words::NOTHING_TO_EDIT))?;
        if !old.by_bot {
            return Err(Refusal::bad(words::NOT_TO_EDIT));
        }
        let mut new = old.clone();
        keyboard.check(matches!(new.content, Content::Invoice(_)) && !keyboard.is_empty())?;
        change(&mut new, keyboard)?;
        if new == *old {
            return Err(Refusal::bad(words::NOT_MODIFIED));
        }
        new.edited_at = Some(now);
        self.keep_pace(chat, now)?;
        let bot = self.bot_json();
        let chat = self.chats.get_mut(&chat).ok_or_else(|| Refusal::bad(words::NO_CHAT))?;
        chat.messages.insert(id, new.clone());
        let shown = new.json(&chat.user, &bot);
        chat.changes.push(Change { deed: Deed::Edited, message: new });
        Ok(shown)
    }

    /// deleteMessage.
    pub(super) fn delete_message(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let chat = self.chat_for(params, now)?;
        let id = message_id(params)?;
        let chat = self.chats.get_mut(&chat).ok_or_else(|| Refusal::bad(words::NO_CHAT))?;
        let old = chat.messages.get(&id).ok_or_else(|| Refusal::bad(words::NOTHING_TO_DELETE))?;
        if now.since(old.at) >= DELETED_WITHIN {
            return Err(Refusal::bad(words::NOT_TO_DELETE));
        }
        if let Some(message) = chat.messages.remove(&id) {
            chat.changes.push(Change { deed: Deed::Deleted, message });
        }
        Ok(json!(true))
    }

    /// sendChatAction.
    pub(super) fn chat_action(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let is_known = params.text("action").is_some_and(|action| ACTIONS.contains(&action));
        self.chat_for(params, now)?;
        if is_known { Ok(json!(true)) } else { Err(Refusal::bad(words::ACTION)) }
    }

    /// The chat of a call, if the bot may write there.
    pub(super) fn chat_for(&mut self, params: &Params, now: Timestamp) -> Result<i64, Refusal> {
        let id = params.chat()?;
        let chat = self.chats.get_mut(&id).ok_or_else(|| Refusal::bad(words::NO_CHAT))?;
        if !chat.has_started {
            return Err(Refusal::new(403, words::STRANGER));
        }
        if chat.is_blocked {
            if chat.is_told {
                self.log.broken(Rule::Blocked, Some(id), now, "a call to a user who is known to have gone");
            }
            chat.is_told = true;
            return Err(Refusal::new(403, words::BLOCKED));
        }
        Ok(id)
    }

    /// Takes a place of the chat's pace and of the bot's.
    fn keep_pace(&mut self, id: i64, now: Timestamp) -> Result<(), Refusal> {
        let chat = self.chats.get_mut(&id).ok_or_else(|| Refusal::bad(words::NO_CHAT))?;
        let taken = chat.pace.take(now).and_then(|()| self.pace.as_mut().map_or(Ok(()), |all| all.take(now)));
        let Err(until) = taken else { return Ok(()) };
        let refusal = Refusal::closed_until(until, now);
        let seconds = Duration::from_secs(refusal.retry_after.unwrap_or(1));
        chat.closed_until = Some(now.after(seconds));
        self.log.broken(Rule::Pace, Some(id), now, "messages and edits follow each other too fast");
        Err(refusal)
    }

    /// Puts a message of the bot's into a chat.
    pub(super) fn deliver(
        &mut self,
        id: i64,
        content: Content,
        keyboard: Keyboard,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        self.keep_pace(id, now)?;
        let bot = self.bot_json();
        let chat = self.chats.get_mut(&id).ok_or_else(|| Refusal::bad(words::NO_CHAT))?;
        let message = chat.add(true, content, keyboard, now);
        Ok(message.json(&chat.user, &bot))
    }
}

fn read_text(params: &Params) -> Result<String, Refusal> {
    check_parse_mode(params)?;
    let text = params.text("text").unwrap_or_default().trim();
    if text.is_empty() { Err(Refusal::bad(words::TEXT_EMPTY)) } else { Ok(text.to_owned()) }
}

/// Markup is not modelled: what would not reach the user as it was sent is refused.
fn check_parse_mode(params: &Params) -> Result<(), Refusal> {
    if params.text("parse_mode").is_some() { Err(Refusal::bad(words::PARSE_MODE)) } else { Ok(()) }
}

fn check_length(text: &str, max: usize, refused: &str) -> Result<(), Refusal> {
    if text.chars().count() > max { Err(Refusal::bad(refused)) } else { Ok(()) }
}

fn message_id(params: &Params) -> Result<i64, Refusal> {
    params.integer("message_id").filter(|id| *id > 0).ok_or_else(|| Refusal::bad(words::NO_MESSAGE_ID))
}
