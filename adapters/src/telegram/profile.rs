//! Who the bot is at Telegram, and the commands its menu shows.

use ports::PortError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TelegramClient, wire::Repeat};

/// One command of the bot's menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BotCommand {
    /// Its name, without the slash.
    pub command: &'static str,
    /// What it does, 1 to 256 characters.
    pub description: String,
}

#[derive(Deserialize)]
struct Me {
    username: Option<String>,
}

#[derive(Serialize)]
struct SetMyCommands<'a> {
    commands: &'a [BotCommand],
    /// Two letters; for everybody else when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    language_code: Option<&'a str>,
}

impl TelegramClient {
    /// The bot's name at Telegram, without `@` (Bot API, getMe).
    ///
    /// # Errors
    /// [`ports::ErrorKind::Transient`], for a wrong token too: the text says so.
    pub async fn username(&self) -> Result<Option<String>, PortError> {
        let me: Me =
            self.administer("getMe", &Value::Object(serde_json::Map::new()), "ask who the bot is").await?;
        Ok(me.username)
    }

    /// Shows these commands to those whose client has the language, or to everybody else (Bot API, setMyCommands).
    ///
    /// # Errors
    /// As [`Self::username`].
    pub async fn show_commands(
        &self,
        language: Option<&str>,
        commands: &[BotCommand],
    ) -> Result<(), PortError> {
        let body = SetMyCommands { commands, language_code: language };
        self.administer::<_, serde::de::IgnoredAny>("setMyCommands", &body, "show the bot's commands")
            .await
            .map(drop)
    }

    /// A call about the bot itself, which may be repeated.
    pub(super) async fn administer<B, T>(&self, method: &str, body: &B, what: &str) -> Result<T, PortError>
    where
        B: Serialize + Sync,
        T: serde::de::DeserializeOwned,
    {
        const WITHIN: std::time::Duration = std::time::Duration::from_secs(30);
        let answer = self.ask(method, body, WITHIN).await;
        answer.map_err(|error| error.into_port(what, Repeat::Harmless, self.clock.now()))
    }
}
