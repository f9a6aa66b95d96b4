//! The bot, put together.

use std::{sync::Arc, time::Duration};

use adapters::{
    postgres::PgStores,
    telegram::{
        BotCommand, TelegramClient, TelegramConfig, TelegramMessenger, TelegramReader, UpdateHook, poll,
    },
};
use domain::money::Credits;
use ports::{Clock, Messenger, PortError};
use secrecy::SecretString;
use url::Url;

use super::ComposeError;
use crate::{
    bot::BotPorts,
    config::{Config, HttpAddress, TelegramSection},
    policy::BotTerms,
    texts::{self, Language},
    workers::Stop,
};

/// How long to wait before what was refused is tried again, and at most.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The bot: its ports, and how its updates come in.
pub struct Bot {
    /// What its conversation needs from outside.
    pub ports: BotPorts,
    client: Arc<TelegramClient>,
    admins: Vec<domain::id::UserId>,
    webhook: Option<Webhook>,
    clock: Arc<dyn Clock>,
}

/// How Telegram sends updates.
struct Webhook {
    url: Url,
    secret: SecretString,
    hook: UpdateHook,
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bot").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Bot {
    /// The configured bot; `None` without a token.
    pub(super) fn new(
        config: &Config,
        stores: &PgStores,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, ComposeError> {
        let telegram = &config.telegram;
        let Some(token) = &telegram.token else { return Ok(None) };
        let mut settings = TelegramConfig::new(token.clone());
        if let Some(HttpAddress(base)) = &telegram.api_base {
            settings.base_url = base.clone();
        }
        settings.http.proxy = telegram.proxy.as_ref().map(|proxy| proxy.0.clone());
        settings.transfer_timeout = telegram.transfer_timeout_s.duration();
        let client = TelegramClient::new(settings, Arc::clone(clock))
            .map_err(|error| ComposeError::Setting(format!("KADR_TELEGRAM__…: {error}")))?;
        let client = Arc::new(client);
        let all = Arc::new(stores.clone());
        let ports = BotPorts {
            inbox: all.clone(),
            chats: all.clone(),
            replies: all.clone(),
            order_messages: all.clone(),
            purchases: all.clone(),
            privacy: all,
            client: client.clone(),
            reader: Arc::new(TelegramReader),
        };
        let webhook = match (&telegram.webhook_url, &telegram.webhook_secret) {
            (Some(HttpAddress(url)), Some(secret)) => {
                let hook = UpdateHook::new(secret, Arc::clone(&ports.inbox), Arc::clone(clock))
                    .map_err(|error| ComposeError::Setting(format!("telegram.webhook_secret: {error}")))?;
                Some(Webhook { url: url.clone(), secret: secret.clone(), hook })
            }
            _ => None,
        };
        let (admins, clock) = (telegram.admins.0.clone(), Arc::clone(clock));
        Ok(Some(Self { ports, client, admins, webhook, clock }))
    }

    pub(super) fn messenger(&self) -> Arc<dyn Messenger> {
        let (messages, chats) = (Arc::clone(&self.ports.order_messages), Arc::clone(&self.ports.chats));
        Arc::new(TelegramMessenger::new(Arc::clone(&self.client), messages, chats, self.admins.clone()))
    }

    /// Where Telegram's updates are taken, if it sends them.
    pub(super) fn hook(&self) -> Option<UpdateHook> {
        self.webhook.as_ref().map(|webhook| webhook.hook.clone())
    }

    /// How updates come in, in words.
    #[must_use]
    pub const fn way_in(&self) -> &'static str {
        if self.webhook.is_some() { "by webhook" } else { "by asking for them" }
    }

    /// Introduces the bot to Telegram and has its updates come in, until `stop`. What Telegram refuses is said once and tried
    /// again: a token may be mended and a network come back while the workers go on.
    pub async fn receive(&self, stop: &Stop) {
        tokio::select! {
            biased;
            () = stop.asked() => return,
            () = self.introduce() => {}
        }
        if self.webhook.is_some() {
            // Left as it is on a stop: other hosts may serve it, and Telegram keeps what nobody takes.
            stop.asked().await;
        } else {
            poll(&self.client, &*self.ports.inbox, &*self.clock, stop.asked()).await;
        }
    }

    async fn introduce(&self) {
        let mut wait = FIRST_WAIT;
        let mut said = None;
        loop {
            match self.settle().await {
                Ok(name) => {
                    tracing::info!(bot = name, updates = self.way_in(), "the bot is at its post");
                    return;
                }
                Err(error) => {
                    let text = error.to_string();
                    if said.as_ref() != Some(&text) {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(
                            error,
                            "the bot cannot begin, trying again: check KADR_TELEGRAM__TOKEN and the way to Telegram"
                        );
                        said = Some(text);
                    }
                    let now = self.clock.now();
                    let until = error.retry_at().unwrap_or_else(|| now.after(wait));
                    self.clock.sleep_until(until).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    async fn settle(&self) -> Result<String, PortError> {
        let name = self.client.username().await?;
        for (language, code) in [(Language::Ru, None), (Language::Ru, Some("ru")), (Language::En, Some("en"))]
        {
            let commands = texts::commands(language);
            let commands: Vec<_> = commands
                .into_iter()
                .map(|(command, description)| BotCommand { command, description })
                .collect();
            self.client.show_commands(code, &commands).await?;
        }
        match &self.webhook {
            Some(Webhook { url, secret, .. }) => self.client.set_webhook(url, secret).await?,
            None => self.client.delete_webhook().await?,
        }
        Ok(name.unwrap_or_default())
    }
}

/// What the bot offers and names.
pub(super) fn terms(telegram: &TelegramSection) -> BotTerms {
    let url = |address: &Option<HttpAddress>| address.as_ref().map(|address| address.0.to_string());
    BotTerms {
        starter: Credits::of(telegram.starter_credits),
        referral: Credits::of(telegram.referral_credits),
        username: telegram.username.as_ref().map(|name| name.trim_start_matches('@').to_owned()),
        support: telegram.support.clone(),
        terms_url: url(&telegram.terms_url),
        privacy_url: url(&telegram.privacy_url),
        samples_url: url(&telegram.samples_url),
        admins: telegram.admins.0.clone(),
        packages: telegram.packages.0.clone(),
        ..BotTerms::default()
    }
}
