//! Inline keyboards.

use serde_json::{Map, Value, json};

use super::words::{self, Refusal};

/// The longest data of a button, in bytes (Bot API, InlineKeyboardButton).
const DATA_BYTES_MAX: usize = 64;

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// Sends its data to the bot.
    Data(String),
    /// Opens an address.
    Url(String),
    /// Pays the invoice.
    Pay,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it does.
    pub press: Press,
}

impl Button {
    /// What it sends to the bot, if anything.
    #[must_use]
    pub fn data(&self) -> Option<&str> {
        match &self.press {
            Press::Data(data) => Some(data),
            Press::Url(_) | Press::Pay => None,
        }
    }
}

/// Rows of buttons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyboard(pub Vec<Vec<Button>>);

impl Keyboard {
    /// Reads `reply_markup`: buttons without a text or an action are refused. Other kinds of markup count as none.
    pub(super) fn read(markup: Option<Result<Value, serde_json::Error>>) -> Result<Self, Refusal> {
        let Some(markup) = markup else { return Ok(Self::default()) };
        let markup = markup.map_err(|_| Refusal::bad(words::KEYBOARD))?;
        let Value::Object(markup) = markup else { return Err(Refusal::bad(words::KEYBOARD)) };
        let Some(rows) = markup.get("inline_keyboard") else { return Ok(Self::default()) };
        let is_wrong = || Refusal::bad(words::KEYBOARD_ARRAY);
        let rows = rows.as_array().ok_or_else(is_wrong)?;
        let rows = rows.iter().map(|row| {
            let buttons = row.as_array().ok_or_else(is_wrong)?;
            buttons.iter().map(Self::read_button).collect::<Result<Vec<_>, _>>()
        });
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(Self(rows.into_iter().filter(|row| !row.is_empty()).collect()))
    }

    fn read_button(button: &Value) -> Result<Button, Refusal> {
        let empty = Map::new();
        let button = button.as_object().unwrap_or(&empty);
        let field =
            |name: &str| button.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let label = field("text").ok_or_else(|| Refusal::bad(words::NO_BUTTON_TEXT))?.to_owned();
        let press = if let Some(url) = field("url") {
            Press::Url(url.to_owned())
        } else if let Some(data) = field("callback_data") {
            Press::Data(data.to_owned())
        } else if button.get("pay").and_then(Value::as_bool) == Some(true) {
            Press::Pay
        } else {
            return Err(Refusal::bad(words::TEXT_BUTTON));
        };
        Ok(Button { label, press })
    }

    /// What is checked only once the chat is known to be there. `pays` tells whether it hangs on an invoice.
    pub(super) fn check(&self, pays: bool) -> Result<(), Refusal> {
        for (number, button) in self.0.iter().flatten().enumerate() {
            match &button.press {
                Press::Data(data) if data.len() > DATA_BYTES_MAX => {
                    return Err(Refusal::bad(words::BUTTON_DATA));
                }
                Press::Url(url) if url::Url::parse(url).is_err() => {
                    return Err(Refusal::bad(words::BUTTON_URL));
                }
                Press::Pay if !pays || number > 0 => return Err(Refusal::bad(words::BUTTON_TYPE)),
                Press::Data(_) | Press::Url(_) if pays && number == 0 => {
                    return Err(Refusal::bad(words::BUTTON_TYPE));
                }
                Press::Data(_) | Press::Url(_) | Press::Pay => {}
            }
        }
        Ok(())
    }

    /// Whether there is no button.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first button that says `label`, or whose data is `label`.
    #[must_use]
    pub fn find(&self, label: &str) -> Option<&Button> {
        let mut buttons = self.0.iter().flatten();
        let is_meant = |button: &&Button| {
            button.label == label || matches!(&button.press, Press::Data(data) if data == label)
        };
        buttons.find(is_meant)
    }

    /// As a message carries it.
    pub(super) fn json(&self) -> Value {
        let rows = self.0.iter().map(|row| {
            let buttons = row.iter().map(|button| match &button.press {
                Press::Data(data) => json!({ "text": button.label, "callback_data": data }),
                Press::Url(url) => json!({ "text": button.label, "url": url }),
                Press::Pay => json!({ "text": button.label, "pay": true }),
            });
            Value::from_iter(buttons)
        });
        json!({ "inline_keyboard": Value::from_iter(rows) })
    }
}
