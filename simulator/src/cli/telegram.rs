//! `telegram`: the simulated Telegram on a fixed port, with the real clock.

use std::{error::Error, io, net::TcpListener, sync::Arc};

use adapters::system::SystemClock;
use clap::Args;
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

use super::screen::{count, print};
use crate::telegram::{
    CONTROL_HELP, TelegramServer,
    model::{Odds, Outcome, TelegramSettings},
};

/// What a user of the command has to know.
pub(super) const LONG: &str = "Serves a strict simulated Telegram on this machine until Ctrl-C: the Bot API for one bot, and its users \
    below /control/.\n\n\
    Point a bot at the address it prints instead of https://api.telegram.org, with the token it prints. Polls are held, \
    webhooks called (http is enough on this machine), files and Stars kept in memory. What the bot gets wrong is refused in \
    Telegram's own words; what it should not have done is listed by GET /control/violations: too fast, tapped and not \
    answered, a payment not heard of, two pollers, a malformed request; with any of them the command ends with 2. No call is shown or kept with its token.";

/// The first steps.
pub(super) const EXAMPLES: &str = "Examples:\n  \
    cargo sim telegram\n  \
    curl -s localhost:8904/control                                                       what users can do\n  \
    curl -s localhost:8904/control/people -d id=7 -d name=Olga\n  \
    curl -s localhost:8904/control/people/7/text -d text=/start\n  \
    curl -s localhost:8904/control/people/7/photo --data-binary @mug.jpg\n  \
    curl -s 'localhost:8904/control/people/7/changes?after=0&timeout=30'                 what the bot answered\n  \
    curl -s localhost:8904/control/people/7/tap -d message=2 -d button='Create video'\n  \
    curl -s localhost:8904/control/faults -d fault=too_many -d chat=7 -d seconds=30      the next call to chat 7 gets a 429\n  \
    curl -s localhost:8904/control/violations\n\n\
    cargo sim telegram --answers-lost 0.01 --too-many 0.02    one call in a hundred is done without an answer";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The port; 0 for any
    #[arg(long, value_name = "PORT", default_value_t = 8904)]
    port: u16,

    /// The token that is accepted: a number, a colon and a secret [default: a simulated one]
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,

    /// The share of calls that get a 429, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    too_many: f64,

    /// The share of calls a gateway answers with 502 instead
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    server_errors: f64,

    /// The share of calls that are lost on their way
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    requests_lost: f64,

    /// The share of calls that are done and not answered
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    answers_lost: f64,

    /// Chance and all names come from it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Telegram cannot be started as asked.
#[derive(Debug, thiserror::Error)]
enum TelegramError {
    #[error("port {port} cannot be used: {source}; choose another with --port, or 0 for any")]
    Port { port: u16, source: io::Error },
    #[error("a token is a number, a colon and 1 to 200 letters, digits, _ or -: give another --token")]
    Token,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

/// Serves until Ctrl-C or SIGTERM.
pub(super) fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let settings = settings(arguments)?;
    let port = arguments.port;
    let listener =
        TcpListener::bind(("127.0.0.1", port)).map_err(|source| TelegramError::Port { port, source })?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let server = TelegramServer::listen(settings, Arc::new(SystemClock::new()), listener)?;
        greet(&server);
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        let calls = server.calls();
        let refused = calls.iter().filter(|call| matches!(call.outcome, Outcome::Refused(..))).count();
        let violations = server.violations();
        print(&format!("stopped: {}, {refused} refused", count(calls.len(), "call")));
        for broken in &violations {
            let chat = broken.chat.map(|chat| format!(" in chat {chat}")).unwrap_or_default();
            print(&format!("  {:?}{chat}: {}", broken.rule, broken.what));
        }
        Ok(violations.is_empty())
    })
}

fn settings(arguments: &Arguments) -> Result<TelegramSettings, TelegramError> {
    let mut settings = TelegramSettings::healthy(arguments.seed);
    settings.odds = Odds {
        too_many: arguments.too_many,
        server: arguments.server_errors,
        request_lost: arguments.requests_lost,
        answer_lost: arguments.answers_lost,
    };
    if let Some(token) = &arguments.token {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let is_token = token.split_once(':').is_some_and(|(id, secret)| {
            id.parse::<u32>().is_ok() && (1..=200).contains(&secret.len()) && secret.bytes().all(is_plain)
        });
        if !is_token {
            return Err(TelegramError::Token);
        }
        settings.token = token.clone().into();
    }
    Ok(settings)
}

fn greet(server: &TelegramServer) {
    let base = server.api_base();
    print("The simulated Telegram listens on this machine, until Ctrl-C. Nothing is real.\n");
    print("Point the bot here, instead of https://api.telegram.org:");
    print(&format!("  {base}"));
    let token = server.token().expose_secret();
    // A token of one's own is one's own; the simulated one opens nothing.
    if token == TelegramSettings::TOKEN {
        print(&format!("with the token\n  {token}"));
        print(&format!("\nFor example:\n  curl -s {base}/bot{token}/getMe"));
    }
    print(&format!("\nThe users:\n{CONTROL_HELP}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(token: Option<&str>) -> Arguments {
        let token = token.map(str::to_owned);
        Arguments {
            port: 0,
            token,
            too_many: 0.5,
            server_errors: 0.0,
            requests_lost: 0.0,
            answers_lost: 0.0,
            seed: 3,
        }
    }

    #[test]
    fn a_token_has_telegrams_form() {
        for token in ["secret", ":secret", "7:", "x:secret", "7:se/cret", "7:se:cret"] {
            assert!(settings(&arguments(Some(token))).is_err(), "{token}");
        }
        let own = settings(&arguments(Some("7:se-cr_et"))).unwrap();
        assert_eq!((own.token.expose_secret(), own.odds.too_many), ("7:se-cr_et", 0.5));
    }

    #[test]
    fn a_share_is_between_0_and_1() {
        assert_eq!(share("0.25"), Ok(0.25));
        for text in ["-0.1", "1.1", "NaN", "half"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
