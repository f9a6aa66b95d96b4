//! The one place where HTTP clients are made, and where an exchange that broke is told from one that never began.
//!
//! Every client has time-outs, a User-Agent of its own, its own proxy or none, and bounded redirects. Proxies from
//! the environment are never picked up: one service may need a proxy and the next may be unreachable through it.

use std::{error::Error, fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::{
    Client, Proxy, RequestBuilder, Response,
    header::{HeaderMap, RETRY_AFTER},
    redirect,
};
use url::Url;

/// How to talk to one service.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// The longest wait for a connection, name lookup and TLS included.
    pub connect_timeout: Duration,
    /// The longest silence: before the answer begins and between its parts.
    pub read_timeout: Duration,
    /// The longest exchange from beginning to end, if limited.
    pub total_timeout: Option<Duration>,
    /// The proxy for this service: `http` or `https`, with credentials in the address if it asks for them.
    pub proxy: Option<Url>,
    /// What we call ourselves. KIE's edge cuts off clients without a name.
    pub user_agent: String,
    /// How many redirects are followed.
    pub redirects_max: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            total_timeout: None,
            proxy: None,
            user_agent: concat!("Kadr/", env!("CARGO_PKG_VERSION")).to_owned(),
            redirects_max: 5,
        }
    }
}

/// Shows the proxy without its credentials.
impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("proxy", &self.proxy.as_ref().map(address))
            .field("user_agent", &self.user_agent)
            .field("redirects_max", &self.redirects_max)
            .finish()
    }
}

/// A client cannot be made as configured. Each text names the fix and none shows credentials.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not a kind of proxy we speak to.
    #[error("the proxy `{proxy}` is not an http:// or https:// one: give such a proxy, or none")]
    ProxyScheme {
        /// The proxy's address, without credentials.
        proxy: String,
    },
    /// Not an address requests can be sent to.
    #[error(
        "`{base}` cannot be the address of {service}: give an http:// or https:// address without `?` or `#`"
    )]
    BaseUrl {
        /// The address, without credentials.
        base: String,
        /// Whose address it should be.
        service: &'static str,
    },
    /// Not a key that fits a header.
    #[error("the key of {service} has blanks, line ends or non-ASCII characters: copy it again")]
    Key {
        /// Whose key.
        service: &'static str,
    },
    /// Anything else.
    #[error("the HTTP client cannot be made with these options: check proxy and User-Agent")]
    Client(#[source] reqwest::Error),
}

/// Makes a client.
///
/// # Errors
/// [`HttpError`] when the options cannot work.
#[expect(clippy::disallowed_methods, reason = "the factory that the ban points to")]
pub fn client(options: &HttpOptions) -> Result<Client, HttpError> {
    let mut builder = Client::builder()
        .use_rustls_tls()
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .user_agent(&options.user_agent)
        .redirect(redirect::Policy::limited(options.redirects_max))
        // A connection the other side has silently dropped turns the next call into a lost answer; half a minute
        // is well below what servers and proxies keep.
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_keepalive(Duration::from_secs(30));
    if options.redirects_max == 0 {
        builder = builder.redirect(redirect::Policy::none());
    }
    if let Some(total) = options.total_timeout {
        builder = builder.timeout(total);
    }
    builder = match &options.proxy {
        None => builder.no_proxy(),
        Some(proxy) if is_http(proxy) => {
            builder.proxy(Proxy::all(proxy.clone()).map_err(|error| HttpError::Client(error.without_url()))?)
        }
        Some(proxy) => return Err(HttpError::ProxyScheme { proxy: address(proxy) }),
    };
    builder.build().map_err(|error| HttpError::Client(error.without_url()))
}

/// Checks that requests can be sent to `base`, the address of `service`.
///
/// # Errors
/// [`HttpError::BaseUrl`] when they cannot.
pub fn check_base(base: &Url, service: &'static str) -> Result<(), HttpError> {
    let fits = is_http(base) && base.query().is_none() && base.fragment().is_none();
    if fits { Ok(()) } else { Err(HttpError::BaseUrl { base: address(base), service }) }
}

/// `path` below `base`, whether or not either has a slash where they meet.
#[must_use]
pub fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/')));
    url
}

/// Whether the address is one of the web's, with a host.
pub(crate) fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// An address as it may be shown: no credentials, no query.
pub(crate) fn address(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Why an exchange has no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// No connection: the other side has seen nothing of the request.
    #[error("the request never left: {0}")]
    NeverLeft(String),
    /// Sent, and then silence.
    #[error("no answer in time: {0}")]
    TimedOut(String),
    /// Sent, and then the connection or the answer broke off.
    #[error("the answer broke off: {0}")]
    CutOff(String),
    /// The answer is larger than anything sensible.
    #[error("the answer has more than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
}

impl From<reqwest::Error> for ExchangeError {
    fn from(error: reqwest::Error) -> Self {
        // The URL is left out: a result's address carries a signature.
        let error = error.without_url();
        let story = story(&error);
        if error.is_connect() || error.is_builder() {
            Self::NeverLeft(story)
        } else if error.is_timeout() {
            Self::TimedOut(story)
        } else {
            Self::CutOff(story)
        }
    }
}

/// An error and its causes in one line.
fn story(error: &dyn Error) -> String {
    let mut story = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !story.ends_with(&text) {
            story.push_str(": ");
            story.push_str(&text);
        }
        cause = error.source();
    }
    story
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, unpacked.
    pub body: Bytes,
    /// How long to keep away, where the other side says so in whole seconds (RFC 9110, 10.2.3). A date is passed over:
    /// it would be read by a clock that is not ours.
    pub retry_after: Option<Duration>,
}

/// Sends a request and reads the whole answer, whatever its status, up to `bytes_max` of it.
///
/// # Errors
/// [`ExchangeError`] when there is no whole answer.
pub async fn exchange(request: RequestBuilder, bytes_max: u64) -> Result<Answer, ExchangeError> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let body = read_limited(response, bytes_max).await?;
    Ok(Answer { status, body, retry_after })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Reads a body, and stops as soon as it has more than `bytes_max`. What counts is its unpacked size, so a small
/// packed body cannot fill the memory.
///
/// # Errors
/// [`ExchangeError`] when it is too large or breaks off.
pub async fn read_limited(response: Response, bytes_max: u64) -> Result<Bytes, ExchangeError> {
    let mut body = BytesMut::new();
    let mut parts = response.bytes_stream();
    while let Some(part) = parts.next().await {
        let part = part?;
        if (body.len() + part.len()) as u64 > bytes_max {
            return Err(ExchangeError::TooLarge { bytes_max });
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests;
