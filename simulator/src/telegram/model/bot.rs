//! The bot itself.

use std::sync::LazyLock;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    TelegramModel,
    params::Params,
    words::{self, Refusal},
};

/// Bounds of a command menu (Bot API, setMyCommands and BotCommand).
const COMMANDS_MAX: usize = 100;
const COMMAND_MAX: usize = 32;
const DESCRIPTION_MAX: usize = 256;

/// The scope that counts when none is named.
static DEFAULT_SCOPE: LazyLock<Value> = LazyLock::new(|| json!({ "type": "default" }));

impl TelegramModel {
    /// The bot as a user. Its id is what stands before the colon of its token.
    pub(super) fn bot_json(&self) -> Value {
        let id = self.settings.token.expose_secret().split(':').next().and_then(|id| id.parse::<i64>().ok());
        json!({ "id": id.unwrap_or(1), "is_bot": true, "first_name": "Kadr", "username": "simulated_kadr_bot" })
    }

    /// getMe, with every field that clients of Bot API 9 ask for.
    pub(super) fn me(&self) -> Value {
        let mut me = self.bot_json();
        for (name, value) in [
            ("can_join_groups", false),
            ("can_read_all_group_messages", false),
            ("supports_inline_queries", false),
            ("can_connect_to_business", false),
            ("has_main_web_app", false),
        ] {
            me[name] = json!(value);
        }
        me
    }

    /// setMyCommands.
    pub(super) fn set_commands(&mut self, params: &Params) -> Result<Value, Refusal> {
        let wrong = || Refusal::bad(words::COMMANDS);
        let commands = params.json("commands").ok_or_else(wrong)?.map_err(|_| wrong())?;
        let list = commands.as_array().ok_or_else(wrong)?;
        let key = menu(params)?;
        if list.len() > COMMANDS_MAX {
            return Err(Refusal::bad(words::COMMANDS_MANY));
        }
        for command in list {
            let field = |name: &str| command.get(name).and_then(Value::as_str).ok_or_else(wrong);
            let (name, description) = (field("command")?.trim_start_matches('/'), field("description")?);
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if !(1..=COMMAND_MAX).contains(&name.len()) || !name.bytes().all(is_plain) {
                return Err(Refusal::bad(words::COMMAND));
            }
            if !(1..=DESCRIPTION_MAX).contains(&description.trim().chars().count()) {
                return Err(Refusal::bad(words::COMMAND_DESCRIPTION));
            }
        }
        self.commands.insert(key, commands);
        Ok(json!(true))
    }

    /// getMyCommands.
    pub(super) fn commands(&self, params: &Params) -> Value {
        let menu = menu(params).ok().and_then(|key| self.commands.get(&key));
        menu.cloned().unwrap_or_else(|| json!([]))
    }
}

/// A menu's scope and language.
fn menu(params: &Params) -> Result<(String, String), Refusal> {
    let scope = params.json("scope").and_then(Result::ok).unwrap_or_else(|| DEFAULT_SCOPE.clone());
    let language = params.text("language_code").unwrap_or_default();
    if !language.is_empty() && (language.len() != 2 || !language.bytes().all(|b| b.is_ascii_lowercase())) {
        return Err(Refusal::bad(words::LANGUAGE));
    }
    Ok((scope.to_string(), language.to_owned()))
}
