//! What has to hold before anything starts.

use std::ops::RangeInclusive;

use domain::id::{AccountId, ModelId};
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;

use super::{Config, ConfigError};
use crate::texts::Language;

type Checked = Result<(), ConfigError>;

impl Config {
    pub(super) fn check(&self) -> Checked {
        self.check_ranges()?;
        self.check_times()?;
        self.check_texts()?;
        self.database.url.as_ref().map_or(Ok(()), check_database_url)
    }

    fn check_ranges(&self) -> Checked {
        let (worker, kie) = (&self.worker, &self.kie);
        within("database.max_connections", u64::from(self.database.max_connections), 2..=1_000)?;
        within("worker.slots", u64::from(worker.slots), 1..=1_000)?;
        within("worker.message_slots", u64::from(worker.message_slots), 1..=1_000)?;
        within("worker.lease_s", worker.lease_s.0, 5..=3_600)?;
        within("worker.step_deadline_s", worker.step_deadline_s.0, 10..=86_400)?;
        within("worker.grace_s", worker.grace_s.0, 0..=3_600)?;
        within("worker.safety_poll_s", worker.safety_poll_s.0, 1..=3_600)?;
        within("kie.running_max", u64::from(kie.running_max), 1..=100_000)?;
        within("kie.creates_max", u64::from(kie.creates_max), 1..=100_000)?;
        within("kie.window_s", kie.window_s.0, 1..=3_600)?;
        within("delivery.video_bytes_max", self.delivery.video_bytes_max, 1_000_000..=10_000_000_000)?;
        for (key, list) in [
            ("retry.delays_s", &self.retry.delays_s),
            ("retry.delivery_delays_s", &self.retry.delivery_delays_s),
        ] {
            let Some(list) = list else { continue };
            within_text(key, list.0.len() as u64, 0..=20, "delays")?;
            for delay in &list.0 {
                within(key, delay.as_secs(), 0..=86_400)?;
            }
        }
        let year = 0..=366 * 86_400;
        for (key, span) in [
            ("retry.lost_answer_grace_s", self.retry.lost_answer_grace_s),
            ("retry.unknown_task_grace_s", self.retry.unknown_task_grace_s),
            ("retry.patience_s", self.retry.patience_s),
            ("retry.upload_valid_for_s", self.retry.upload_valid_for_s),
            ("retry.cooling_billing_s", self.retry.cooling_billing_s),
            ("retry.cooling_rejected_s", self.retry.cooling_rejected_s),
            ("retry.cooling_rate_limited_s", self.retry.cooling_rate_limited_s),
            ("retry.cooling_model_s", self.retry.cooling_model_s),
        ] {
            span.map_or(Ok(()), |span| within(key, span.0, year.clone()))?;
        }
        Ok(())
    }

    /// A call that outlives its step's deadline is cut off and begun again, for ever.
    fn check_times(&self) -> Checked {
        let (worker, kie) = (&self.worker, &self.kie);
        let longest = worker.step_deadline_s.0 * 4 / 5;
        for (key, timeout) in [
            ("kie.connect_timeout_s", kie.connect_timeout_s),
            ("kie.create_timeout_s", kie.create_timeout_s),
            ("kie.poll_timeout_s", kie.poll_timeout_s),
            ("kie.upload_timeout_s", kie.upload_timeout_s),
            ("kie.download_timeout_s", kie.download_timeout_s),
            ("llm.timeout_s", self.llm.timeout_s),
            ("telegram.transfer_timeout_s", self.telegram.transfer_timeout_s),
        ] {
            if !(1..=longest).contains(&timeout.0) {
                let fix = "or raise `worker.step_deadline_s`, of which a call may take four fifths";
                return Err(ConfigError::value(
                    key,
                    format!("{} s does not fit: write 1 to {longest}, {fix}", timeout.0),
                ));
            }
        }
        if worker.step_deadline_s < worker.lease_s {
            let problem = format!("write at least the {} s of `worker.lease_s`", worker.lease_s.0);
            return Err(ConfigError::value("worker.step_deadline_s", problem));
        }
        Ok(())
    }

    fn check_texts(&self) -> Checked {
        let language = &self.delivery.language;
        if Language::parse(language).is_none() {
            return Err(ConfigError::value(
                "delivery.language",
                format!("`{language}` is not spoken here: write ru or en"),
            ));
        }
        if let Some(filter) = &self.log.filter {
            let parsed = EnvFilter::builder().parse(filter);
            parsed.map_err(|e| {
                ConfigError::value(
                    "log.filter",
                    format!("{e}: write a level such as info, or warn,app=debug"),
                )
            })?;
        }
        if let Some(model) = &self.model {
            ModelId::new(model).map_err(|e| ConfigError::value("model", e.to_string()))?;
        }
        for name in &self.kie.fallback.0 {
            ModelId::new(name).map_err(|e| ConfigError::value("kie.fallback", e.to_string()))?;
        }
        for key in &self.kie.keys.0 {
            AccountId::new(&key.account).map_err(|e| ConfigError::value("kie.keys", e.to_string()))?;
        }
        if self.http.public_url.is_some() && self.kie.webhook_key.0.is_empty() {
            // Anybody could send us callbacks otherwise, and have a task of one user taken for another's.
            return Err(ConfigError::value(
                "kie.webhook_key",
                "it is not set, and `http.public_url` asks for callbacks that only it can verify: make one at \
                 kie.ai/settings for each account, or leave `http.public_url` out",
            ));
        }
        self.check_telegram()?;
        if self.llm.model.trim().is_empty() {
            return Err(ConfigError::value(
                "llm.model",
                "it is empty: write the model's name, such as gpt-4o",
            ));
        }
        Ok(())
    }
}

impl Config {
    fn check_telegram(&self) -> Checked {
        let telegram = &self.telegram;
        match (&telegram.webhook_url, &telegram.webhook_secret) {
            (Some(_), None) => {
                // Anybody could send us updates in anybody's name otherwise.
                return Err(ConfigError::value(
                    "telegram.webhook_secret",
                    "it is not set, and `telegram.webhook_url` asks for updates that only it can verify: make one with \
                     `openssl rand -hex 32`, or leave `telegram.webhook_url` out",
                ));
            }
            (None, Some(_)) => {
                return Err(ConfigError::value(
                    "telegram.webhook_url",
                    "it is not set, and `telegram.webhook_secret` is of no use without it: write the bot's public https \
                     address, or leave the secret out",
                ));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        if telegram.token.is_none() && telegram.webhook_url.is_some() {
            let say =
                "it is not set, and `telegram.webhook_url` is of no use without it: copy it from @BotFather";
            return Err(ConfigError::value("telegram.token", say));
        }
        Ok(())
    }
}

fn within(key: &str, value: u64, range: RangeInclusive<u64>) -> Checked {
    within_text(key, value, range, "")
}

fn within_text(key: &str, value: u64, range: RangeInclusive<u64>, what: &str) -> Checked {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = (range.start(), range.end());
    let what = if what.is_empty() { String::new() } else { format!(" {what}") };
    Err(ConfigError::value(key, format!("{value}{what} is outside {low} to {high}: write a number within")))
}

/// The URL holds a password, so nothing of it is repeated.
fn check_database_url(url: &SecretString) -> Checked {
    const FORM: &str = "write postgres://user:password@host:5432/database";
    let wrong = |what: &str| {
        ConfigError::value("database.url", format!("{what} (also read from DATABASE_URL): {FORM}"))
    };
    let url = url::Url::parse(url.expose_secret().trim())
        .map_err(|why| wrong(&format!("this is not a database URL, {why}")))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(wrong(&format!("`{}` is not a database Kadr speaks to", url.scheme())));
    }
    Ok(())
}
