//! What the KIE adapter needs to be told.

use std::{fmt, time::Duration};

use domain::{
    id::{AccountId, KeyId},
    key::AccountLimits,
};
use ports::{KeyRoster, RosterKey};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::http::{self, HttpError, HttpOptions};

/// One API key and the account it belongs to.
#[derive(Clone)]
pub struct KieKey {
    account: AccountId,
    fingerprint: KeyId,
    secret: SecretString,
}

impl KieKey {
    /// Takes a key as the operator wrote it; white space around it is dropped.
    ///
    /// # Errors
    /// [`KieError::KeyUnusable`] when it cannot be sent in a header.
    pub fn new(account: AccountId, secret: &SecretString) -> Result<Self, KieError> {
        let text = secret.expose_secret().trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KieError::KeyUnusable { account });
        }
        let digest = Sha256::digest(text.as_bytes());
        let hex: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let fingerprint = KeyId::new(format!("kie-{hex}"))
            .map_err(|_| KieError::KeyUnusable { account: account.clone() })?;
        Ok(Self { account, fingerprint, secret: SecretString::from(text) })
    }

    /// Whose limits it shares.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// `kie-` and the first eight hexadecimal digits of the key's SHA-256: safe to print and to store.
    #[must_use]
    pub fn fingerprint(&self) -> &KeyId {
        &self.fingerprint
    }

    pub(super) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// Shows the fingerprint, never the key.
impl fmt::Debug for KieKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KieKey")
            .field("account", &self.account)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// How long each kind of call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KieTimeouts {
    /// From sending a task to its answer. KIE usually needs half a second; giving up early costs a lost answer.
    pub create: Duration,
    /// A look at a task, a balance, a fresh link.
    pub poll: Duration,
    /// An upload, from first byte to answer.
    pub upload: Duration,
    /// The longest silence during a download.
    pub download_read: Duration,
    /// A download from beginning to end.
    pub download_total: Duration,
}

impl Default for KieTimeouts {
    fn default() -> Self {
        Self {
            create: Duration::from_secs(90),
            poll: Duration::from_secs(60),
            upload: Duration::from_secs(120),
            download_read: Duration::from_secs(60),
            download_total: Duration::from_secs(900),
        }
    }
}

/// Where KIE is, with which keys, and how patiently.
#[derive(Debug, Clone)]
pub struct KieConfig {
    /// The API, a path prefix included if there is one.
    pub api_base: Url,
    /// The file host.
    pub upload_base: Url,
    /// The keys.
    pub keys: Vec<KieKey>,
    /// What each account may do.
    pub limits: AccountLimits,
    /// Connection time-out, proxy and User-Agent. Its other times and its redirects are set by [`Self::timeouts`]
    /// and by what each call allows.
    pub http: HttpOptions,
    /// Time-outs by kind of call.
    pub timeouts: KieTimeouts,
    /// The largest answer of the API that is read, in bytes; they have a few kilobytes.
    pub answer_bytes_max: u64,
}

impl KieConfig {
    /// KIE's API (KIE docs, quick start).
    pub const API_BASE: &str = "https://api.kie.ai";
    /// KIE's file host (KIE docs, file-upload-api).
    pub const UPLOAD_BASE: &str = "https://kieai.redpandaai.co";

    /// A configuration with everything else at its default.
    #[must_use]
    pub fn new(api_base: Url, upload_base: Url, keys: Vec<KieKey>) -> Self {
        Self {
            api_base,
            upload_base,
            keys,
            limits: AccountLimits::default(),
            http: HttpOptions::default(),
            timeouts: KieTimeouts::default(),
            answer_bytes_max: 1_000_000,
        }
    }

    /// The keys and limits as the scheduler needs them: no secrets.
    #[must_use]
    pub fn roster(&self) -> KeyRoster {
        let keys = self.keys.iter();
        let keys = keys.map(|key| RosterKey { key: key.fingerprint.clone(), account: key.account.clone() });
        KeyRoster { keys: keys.collect(), limits: self.limits }
    }

    pub(super) fn check(&self) -> Result<(), KieError> {
        http::check_base(&self.api_base, "the KIE API")?;
        http::check_base(&self.upload_base, "the KIE file host")?;
        if self.keys.is_empty() {
            return Err(KieError::NoKeys);
        }
        for (place, key) in self.keys.iter().enumerate() {
            if self.keys[..place].iter().any(|earlier| earlier.fingerprint == key.fingerprint) {
                return Err(KieError::DuplicateKey { key: key.fingerprint.clone() });
            }
        }
        Ok(())
    }
}

/// The adapter cannot work as configured. Each text names the fix.
#[derive(Debug, thiserror::Error)]
pub enum KieError {
    /// Nothing to authorise with.
    #[error("no KIE key is configured: make one at kie.ai/api-key and add it")]
    NoKeys,
    /// Not a key.
    #[error(
        "the KIE key of account `{account}` is empty or has blanks or non-ASCII characters: copy it again"
    )]
    KeyUnusable {
        /// Whose key.
        account: AccountId,
    },
    /// One key under two entries would count its account's limits twice.
    #[error("the KIE key {key} is configured twice: remove one of the two")]
    DuplicateKey {
        /// Its fingerprint.
        key: KeyId,
    },
    /// The HTTP side is misconfigured.
    #[error(transparent)]
    Http(#[from] HttpError),
}
