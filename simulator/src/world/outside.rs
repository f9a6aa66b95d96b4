//! The simulated services, listening.

use std::{io, net::TcpListener, sync::Arc};

use ports::Clock;

use crate::provider::{
    RequestLog,
    kie_model::{AccountPlan, KieSettings},
    llm::{LlmServer, LlmTrouble},
    wire::{KieServer, KieSockets},
};

/// What the outside is like.
#[derive(Debug, Clone, PartialEq)]
pub struct OutsideSettings {
    /// The video provider.
    pub kie: KieSettings,
    /// What is wrong with the language model.
    pub llm: LlmTrouble,
}

impl OutsideSettings {
    /// Two accounts with one key each, and nothing goes wrong.
    #[must_use]
    pub fn healthy(seed: u64) -> Self {
        let accounts = Self::ACCOUNTS.map(|name| AccountPlan::with_key(Self::key_of(name))).into();
        Self { kie: KieSettings::healthy(seed, accounts), llm: LlmTrouble::None }
    }

    /// The names of the two accounts.
    pub const ACCOUNTS: [&'static str; 2] = ["first", "second"];

    /// The key of a simulated account.
    #[must_use]
    pub fn key_of(account: &str) -> String {
        format!("simulated-key-of-the-{account}-account")
    }
}

/// The simulated services on ports of their own.
///
/// With a real clock this serves tests that run the real program: point it here with [`Outside::env`], hold
/// answers back with [`KieServer::hold`], and kill it in the middle of a step.
#[derive(Debug)]
pub struct Outside {
    /// The video provider.
    pub kie: KieServer,
    /// The language model.
    pub llm: LlmServer,
    keys: String,
}

impl Outside {
    /// Starts everything on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// The operating system gives no ports.
    pub async fn start(settings: OutsideSettings, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let sockets = KieSockets::anywhere()?;
        Self::listen(settings, clock, sockets, TcpListener::bind("127.0.0.1:0")?, None).await
    }

    /// Starts everything on given sockets; `log` is told of every request.
    ///
    /// # Errors
    /// A socket without an address.
    pub async fn listen(
        settings: OutsideSettings,
        clock: Arc<dyn Clock>,
        kie: KieSockets,
        llm: TcpListener,
        log: Option<RequestLog>,
    ) -> io::Result<Self> {
        let accounts = settings.kie.accounts.iter().enumerate();
        let keys = accounts.flat_map(|(number, account)| {
            let name =
                OutsideSettings::ACCOUNTS.get(number).map_or_else(|| number.to_string(), |n| (*n).to_owned());
            account.keys.iter().map(move |key| format!("{name}:{key}"))
        });
        let keys = keys.collect::<Vec<_>>().join(",");
        let llm = LlmServer::start(settings.llm, Arc::clone(&clock), llm, log.clone()).await;
        let kie = KieServer::start(settings.kie, clock, kie, log).await?;
        Ok(Self { kie, llm, keys })
    }

    /// Frees the memory of past requests when much of it has gathered. For runs that are long.
    pub async fn forget_requests(&self) {
        self.kie.forget_requests().await;
        self.llm.forget_requests().await;
    }

    /// The environment that points Kadr here.
    #[must_use]
    pub fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KADR_KIE__API_BASE", self.kie.api_base()),
            ("KADR_KIE__UPLOAD_BASE", self.kie.upload_base()),
            ("KADR_KIE__KEYS", self.keys.clone()),
            ("KADR_LLM__BASE_URL", self.llm.base()),
            ("KADR_LLM__API_KEY", "simulated".to_owned()),
        ]
    }
}
