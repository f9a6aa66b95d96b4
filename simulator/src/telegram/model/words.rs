//! What Telegram says when it refuses.
//!
//! The texts are those of the Bot API's own server (tdlib/telegram-bot-api, tdlib/td) as bots report them. Where no public source
//! has one, the comment says so; bots must not tell such texts apart.

use domain::time::Timestamp;
use serde_json::{Value, json};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `error_code`, and the HTTP status.
    pub code: u16,
    /// `description`.
    pub text: String,
    /// `parameters.retry_after`, in seconds.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal in these words.
    pub(super) fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), retry_after: None }
    }

    /// 400, in the form of the Bot API's server.
    pub(super) fn bad(text: &str) -> Self {
        Self::new(400, format!("Bad Request: {text}"))
    }

    /// 429: not before so many seconds have passed.
    pub(super) fn too_many(seconds: u64) -> Self {
        let text = format!("Too Many Requests: retry after {seconds}");
        Self { retry_after: Some(seconds), ..Self::new(429, text) }
    }

    /// 429 until `until`.
    pub(super) fn closed_until(until: Timestamp, now: Timestamp) -> Self {
        Self::too_many(until.since(now).as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX))
    }

    /// The answer's body.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.text });
        if let Some(seconds) = self.retry_after {
            body["parameters"] = json!({ "retry_after": seconds });
        }
        body
    }

    /// Whether a bot that works as it should may be told this: the world is like that, and no mistake of the bot's.
    pub(super) fn is_life(&self) -> bool {
        let life = [NOT_MODIFIED, NOTHING_TO_EDIT, NOTHING_TO_DELETE, TOO_OLD_QUERY, ALREADY_REFUNDED];
        match self.code {
            400 => life.iter().any(|text| self.text.ends_with(text)),
            404 => self.text != NO_METHOD,
            401 | 413 => false,
            _ => true,
        }
    }
}

/// 401: nobody's token.
pub(super) const UNAUTHORIZED: &str = "Unauthorized";
/// 404: no such method.
pub(super) const NO_METHOD: &str = "Not Found: method not found";
/// 404: no such path.
pub(super) const NOT_FOUND: &str = "Not Found";
/// 403: the user stopped the bot.
pub(super) const BLOCKED: &str = "Forbidden: bot was blocked by the user";
/// 403: the user never wrote to the bot.
pub(super) const STRANGER: &str = "Forbidden: bot can't initiate conversation with a user";
/// 409, to the older of two polls.
pub(super) const OTHER_POLL: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
/// 409, to a poll under way when a webhook is set.
pub(super) const POLL_ENDED: &str = "Conflict: terminated by setWebhook request";
/// 409: updates go to a webhook.
pub(super) const WEBHOOK_ACTIVE: &str = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
/// 413: a body over 50 MB.
pub(super) const TOO_LARGE: &str = "Request Entity Too Large";

pub(super) const CHAT_EMPTY: &str = "chat_id is empty";
pub(super) const NO_CHAT: &str = "chat not found";
pub(super) const TEXT_EMPTY: &str = "message text is empty";
pub(super) const TEXT_LONG: &str = "message is too long";
pub(super) const CAPTION_LONG: &str = "message caption is too long";
pub(super) const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";
pub(super) const NO_MESSAGE_ID: &str = "message identifier is not specified";
pub(super) const NOTHING_TO_EDIT: &str = "message to edit not found";
pub(super) const NOTHING_TO_DELETE: &str = "message to delete not found";
pub(super) const NOT_TO_EDIT: &str = "message can't be edited";
pub(super) const NOT_TO_DELETE: &str = "message can't be deleted for everyone";
pub(super) const NO_TEXT_TO_EDIT: &str = "there is no text in the message to edit";
pub(super) const NO_CAPTION_TO_EDIT: &str = "there is no caption in the message to edit";
pub(super) const BUTTON_DATA: &str = "BUTTON_DATA_INVALID";
pub(super) const TEXT_BUTTON: &str =
    "can't parse inline keyboard button: Text buttons are not allowed in the inline keyboard";
pub(super) const NO_BUTTON_TEXT: &str = "can't parse InlineKeyboardButton: Can't find field \"text\"";
pub(super) const BUTTON_TYPE: &str = "BUTTON_TYPE_INVALID";
pub(super) const BUTTON_URL: &str = "BUTTON_URL_INVALID";
pub(super) const KEYBOARD: &str = "can't parse reply keyboard markup JSON object";
pub(super) const KEYBOARD_ARRAY: &str = "Field \"inline_keyboard\" must be of type Array";
pub(super) const PARSE_MODE: &str = "unsupported parse_mode";
pub(super) const ACTION: &str = "wrong parameter action in request";
/// A query that was answered, is too old, or never was.
pub(super) const TOO_OLD_QUERY: &str = "query is too old and response timeout expired or query ID is invalid";
pub(super) const TAP_TEXT_LONG: &str = "MESSAGE_TOO_LONG";
pub(super) const ALLOWED_UPDATES: &str = "can't parse allowed_updates JSON array";
pub(super) const WEBHOOK_HTTPS: &str = "bad webhook: An HTTPS URL must be provided for webhook";
pub(super) const WEBHOOK_PORT: &str = "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443";
pub(super) const WEBHOOK_URL: &str = "invalid webhook URL specified";
pub(super) const WEBHOOK_SECRET_LONG: &str = "secret token is too long";
pub(super) const WEBHOOK_SECRET: &str = "secret token contains unallowed characters";

pub(super) const FILE_ID: &str = "invalid file_id";
pub(super) const REMOTE_FILE: &str = "wrong remote file identifier specified: can't unserialize it";
pub(super) const FILE_BIG: &str = "file is too big";
pub(super) const FILE_URL: &str = "failed to get HTTP URL content";
pub(super) const FILE_EMPTY: &str = "file must be non-empty";
pub(super) const NO_PICTURE: &str = "IMAGE_PROCESS_FAILED";
pub(super) const PICTURE_SIZE: &str = "PHOTO_INVALID_DIMENSIONS";

pub(super) const STARS_INVOICE: &str = "STARS_INVOICE_INVALID";
pub(super) const PAYMENT_PROVIDER: &str = "PAYMENT_PROVIDER_INVALID";
pub(super) const CURRENCY: &str = "CURRENCY_INVALID";
/// Our guess: no public source has Telegram's words for a title, a description or a payload out of bounds.
pub(super) const INVOICE_TITLE: &str = "INVOICE_TITLE_INVALID";
/// As of [`INVOICE_TITLE`].
pub(super) const INVOICE_DESCRIPTION: &str = "INVOICE_DESCRIPTION_INVALID";
pub(super) const INVOICE_PAYLOAD: &str = "INVOICE_PAYLOAD_INVALID";
pub(super) const PRICES: &str = "can't parse prices JSON array";
/// The first one wins (core.telegram.org/method/payments.refundStarsCharge).
pub(super) const ALREADY_REFUNDED: &str = "CHARGE_ALREADY_REFUNDED";
pub(super) const NO_CHARGE: &str = "CHARGE_NOT_FOUND";
pub(super) const USER_ID: &str = "invalid user_id specified";

pub(super) const COMMANDS: &str = "can't parse commands JSON object";
pub(super) const COMMAND: &str = "BOT_COMMAND_INVALID";
pub(super) const COMMAND_DESCRIPTION: &str = "BOT_COMMAND_DESCRIPTION_INVALID";
pub(super) const COMMANDS_MANY: &str = "BOT_COMMANDS_TOO_MUCH";
pub(super) const LANGUAGE: &str = "invalid language code specified";

/// A parameter that has to be there.
pub(super) fn missing(name: &str) -> Refusal {
    Refusal::bad(&format!("parameter \"{name}\" is required"))
}

/// A file that has to be there.
pub(super) fn no_file(kind: &str) -> Refusal {
    Refusal::bad(&format!("there is no {kind} in the request"))
}

/// A file that is sent again as something else.
pub(super) fn other_kind(is: &str, wanted: &str) -> Refusal {
    Refusal::bad(&format!("can't use file of type {is} as {wanted}"))
}
