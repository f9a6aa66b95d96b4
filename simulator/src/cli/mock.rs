//! `mock`: the simulated services on fixed ports, with the real clock.

use std::{error::Error, io, net::TcpListener, sync::Arc, time::Duration};

use adapters::system::SystemClock;
use clap::Args;
use ports::Clock;
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::screen::{count, local, print};
use crate::{
    provider::{
        RequestLine, RequestLog,
        kie_model::{AccountPlan, KieCredits, RenderTime},
        wire::{CallbackEnd, CallbackLine, CallbackSender, CallbackTerms, KieSockets},
    },
    world::{Mishap, Outside, OutsideSettings},
};

/// What `--help` says below the options.
const AFTER_HELP: &str = "Callbacks: a task created with `callBackUrl` is told of when it ends, by a POST in KIE's shape. An \
    answer of the 200s within 15 s takes it; anything else has it sent again 15 s later, three times at most. With \
    --webhook-key it is signed: X-Webhook-Timestamp holds Unix seconds, X-Webhook-Signature the base64 of \
    HMAC-SHA256(key, task + \".\" + timestamp). A name is looked up once and no redirect is followed.\n\n\
    Kadr hears them with KADR_HTTP__PUBLIC_URL=http://127.0.0.1:8080 and the same key in KADR_KIE__WEBHOOK_KEY.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// The port of KIE's API and of the results; 0 for any
    #[arg(long, value_name = "PORT", default_value_t = 8901)]
    kie_port: u16,

    /// The port of KIE's file host; 0 for any
    #[arg(long, value_name = "PORT", default_value_t = 8902)]
    upload_port: u16,

    /// The port of the language model; 0 for any
    #[arg(long, value_name = "PORT", default_value_t = 8903)]
    llm_port: u16,

    /// A key that is accepted; each is an account of its own [default: two simulated ones]
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,

    /// KIE credits on each account
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    balance: u32,

    /// What goes wrong
    #[arg(long, value_enum, value_name = "MISHAP")]
    fail: Option<Mishap>,

    /// How long each render takes [default: as observed, two to five minutes]
    #[arg(long, value_name = "N")]
    render_seconds: Option<u64>,

    /// Sign callbacks with this key, like an account that has made one at kie.ai/settings [default: they are unsigned]
    #[arg(long, value_name = "KEY")]
    webhook_key: Option<String>,

    /// Send callbacks to any address, not only to http:// ones of this machine and of private networks
    #[arg(long)]
    callbacks_anywhere: bool,

    /// Render times and task names come from it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// The services cannot be started as asked.
#[derive(Debug, thiserror::Error)]
enum MockError {
    #[error("port {port} cannot be used: {source}; choose another with {option}, or 0 for any")]
    Port { port: u16, option: &'static str, source: io::Error },
    #[error("a key must be 1 to 200 printable ASCII characters without blanks: give another {0}")]
    Key(&'static str),
    #[error("this mishap happens between Kadr and the user, not at a provider: use it with `cargo sim try`")]
    NotOutside,
}

/// Serves until Ctrl-C or SIGTERM.
pub(super) fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let settings = settings(arguments)?;
    let sockets = KieSockets {
        api: bind(arguments.kie_port, "--kie-port")?,
        upload: bind(arguments.upload_port, "--upload-port")?,
    };
    let llm = bind(arguments.llm_port, "--llm-port")?;
    let keys: Vec<_> = settings.kie.accounts.iter().flat_map(|account| account.keys.clone()).collect();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let log: RequestLog = Arc::new(|line| print(&shown(line)));
        let outside = Outside::listen(settings, Arc::clone(&clock), sockets, llm, Some(log)).await?;
        greet(&outside, keys.first().map_or("KEY", String::as_str));
        let terms = CallbackTerms {
            key: arguments.webhook_key.clone().map(SecretString::from),
            anywhere: arguments.callbacks_anywhere,
        };
        let sender = CallbackSender::new(terms, Arc::new(|line| print(&shown_callback(line))))?;
        let mut calling = std::pin::pin!(outside.kie.send_callbacks(sender));
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        loop {
            let next = clock.now().after(Duration::from_secs(1));
            tokio::select! {
                biased;
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                () = &mut calling => {}
                () = clock.sleep_until(next) => {
                    outside.forget_requests().await;
                }
            }
        }
        let bill = outside.kie.model().bill(clock.now());
        print(&format!(
            "stopped: {} created, {} charged ({} KIE credits), {} of the language model",
            count(bill.tasks, "task"),
            bill.charged_tasks,
            bill.charged,
            count(usize::try_from(outside.llm.written()).unwrap_or(usize::MAX), "answer")
        ));
        Ok(true)
    })
}

fn settings(arguments: &Arguments) -> Result<OutsideSettings, MockError> {
    let mut settings = OutsideSettings::healthy(arguments.seed);
    let is_usable =
        |key: &String| (1..=200).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if !arguments.key.iter().all(is_usable) {
        return Err(MockError::Key("--key"));
    }
    if !arguments.webhook_key.iter().all(is_usable) {
        return Err(MockError::Key("--webhook-key"));
    }
    if !arguments.key.is_empty() {
        settings.kie.accounts = arguments.key.iter().map(AccountPlan::with_key).collect();
    }
    for account in &mut settings.kie.accounts {
        account.balance = KieCredits::whole(arguments.balance.into());
    }
    if let Some(seconds) = arguments.render_seconds {
        settings.kie.render_time = RenderTime::Fixed(Duration::from_secs(seconds));
    }
    match arguments.fail {
        Some(mishap) if mishap.is_about_messages() => return Err(MockError::NotOutside),
        Some(mishap) => mishap.apply(&mut settings),
        None => {}
    }
    Ok(settings)
}

fn bind(port: u16, option: &'static str) -> Result<TcpListener, MockError> {
    TcpListener::bind(("127.0.0.1", port)).map_err(|source| MockError::Port { port, option, source })
}

fn greet(outside: &Outside, key: &str) {
    let (api, upload, llm) = (outside.kie.api_base(), outside.kie.upload_base(), outside.llm.base());
    print("The simulated KIE.AI and language model listen on this machine, until Ctrl-C. Nothing is real.\n");
    print("Point Kadr here:");
    for (name, value) in outside.env() {
        print(&format!("  export {name}={value}"));
    }
    print("\nOr any client:");
    print(&format!("  curl -s {api}/api/v1/chat/credit -H 'Authorization: Bearer {key}'"));
    print(&format!(
        "  curl -s {upload}/api/file-stream-upload -H 'Authorization: Bearer {key}' -F uploadPath=demo -F file=@photo.jpg"
    ));
    print(&format!(
        "  curl -s {api}/api/v1/jobs/createTask -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d \
         '{{\"model\":\"sora-2-image-to-video\",\"input\":{{\"prompt\":\"The mug turns slowly\",\"image_urls\":[\"https://example.org/mug.jpg\"]}}}}'"
    ));
    print(&format!("  curl -s '{api}/api/v1/jobs/recordInfo?taskId=TASK' -H 'Authorization: Bearer {key}'"));
    print(&format!("  the language model: {llm}/chat/completions, with a text and a photo as a data URL\n"));
    print("Requests and callbacks (time, key's fingerprint, HTTP status, the body's code):");
}

fn shown(line: &RequestLine) -> String {
    let key = line.key.as_deref().unwrap_or("-");
    let status = line.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let code = line.code.map(|code| format!(" code {code}")).unwrap_or_default();
    format!("{}  {:<4} {}  {key}  {status}{code}", local(line.at), line.method, line.path)
}

fn shown_callback(line: &CallbackLine) -> String {
    let end = match &line.end {
        CallbackEnd::Taken(status) | CallbackEnd::Refused(status) => status.to_string(),
        CallbackEnd::Unanswered(why) => why.clone(),
        CallbackEnd::NotSent(why) => format!("not sent: {why}"),
    };
    let again = if line.again { ", again in 15 s" } else { "" };
    format!("{}  callback of {} to {}  {end}{again}", local(line.at), line.task, line.to)
}
