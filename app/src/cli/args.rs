//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::{
    id::{ConfirmationId, JobId, ModelId, OrderId, UserId},
    job::StateName,
    money::Credits,
    order::Quantity,
    prompt::Template,
};

/// Product photo in, short vertical video out.
#[derive(Debug, Parser)]
#[command(
    name = "kadr",
    version,
    about = "Turns product photos into short vertical videos: orders, credits, jobs, worker",
    long_about = "Turns product photos into short vertical videos.\n\nAn order holds one credit a video. Workers have a \
                  prompt written, render the video at KIE.AI and deliver it; a delivered video takes its credit, a \
                  failed one gives it back.\n\nConfiguration comes from kadr.toml and the environment; .env.example \
                  explains every key. Without DATABASE_URL a private PostgreSQL is started in var/postgres.",
    after_long_help = "Examples:\n  kadr credits grant --user 5 --amount 10\n  kadr order --user 5 --photo mug.jpg \
                       --template ugc --brief \"A steel mug\" --count 3 --wait\n  kadr run\n  kadr \
                       credits audit\n\nExit codes: 0 done, 1 something did not work, 2 wrong input, 3 an order was \
                       delivered only in part, 130 interrupted.",
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub(super) struct Cli {
    /// Print JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// Read this configuration file instead of kadr.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring the database schema up to date
    ///
    /// Needed once after each new version when DATABASE_URL is set; a private database is brought up to date by
    /// itself. Repeating it changes nothing.
    Migrate,
    /// Run the worker until it is stopped
    ///
    /// Takes due jobs, sends messages, rescues what a killed worker left. Several may run at once, on any number of
    /// hosts with the same DATABASE_URL. SIGTERM and Ctrl-C let running steps finish; a second one cuts them short.
    ///
    /// With KADR_HTTP__PUBLIC_URL and KADR_KIE__WEBHOOK_KEY it also hears KIE tell that a video is ready, at
    /// /kie/callback/ of KADR_HTTP__LISTEN (127.0.0.1:8080); with KADR_HTTP__METRICS=true it serves /metrics there, and
    /// with either /healthz. It listens for nothing otherwise.
    Run,
    /// Order videos of a product photo
    ///
    /// Holds one credit a video, all or nothing. Each video is made and paid for by itself: a delivered one takes its
    /// credit, a failed one gives it back and says why. Without --wait a running `kadr run` makes them.
    Order(OrderArgs),
    /// Grant credits, look at them, check that they add up
    #[command(subcommand)]
    Credits(CreditsCommand),
    /// Look at jobs, cancel one
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Show the provider's keys: state, balance, load, cool-downs, and whether KIE works
    ///
    /// A line a key, by its fingerprint and never the key itself; the balance is asked for at KIE, once a key. `usable`:
    /// submissions go out with it. `cooling`: it was used too fast, or failed while others worked, and comes back by
    /// itself. `on_trial`: its cool-down is over and the next submission tries it. `out`: its account cannot pay or KIE
    /// does not accept it; one submission a minute tries it while no other key works. The breaker is open while KIE fails
    /// broadly: orders wait, and one probe at a time finds out when it works again. Exit code 1: no key can be used.
    Keys,
    /// Judge messages of the video provider as the worker would
    Classify(ClassifyArgs),
    /// List the video models of the catalogue, or compare them with the provider
    #[command(args_conflicts_with_subcommands = true)]
    Models(ModelsArgs),
}

#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  kadr order --user 5 --photo mug.jpg --template ad --brief \"A steel mug\" \
                            --count 1\n  kadr order --user 5 --photo mug.jpg --template ugc --brief \"A steel mug for \
                            hikers\" \\\n      --wishes \"autumn forest\" --count 3 --wait --out videos\n\nWith --wait the \
                            exit code is 0 when every video was delivered and 3 when some were refunded."
)]
pub(super) struct OrderArgs {
    /// Whose credits pay: a Telegram user id
    #[arg(long, value_name = "ID", value_parser = user, allow_negative_numbers = true)]
    pub(super) user: UserId,

    /// The product photo: JPEG, PNG, WebP, GIF, BMP or TIFF, at most 20 MB, without people
    #[arg(long, value_name = "FILE")]
    pub(super) photo: PathBuf,

    /// ugc: a blogger talks about the product; ad: the product alone; own: the brief is the prompt
    #[arg(long, value_name = "ugc|ad|own", value_parser = template)]
    pub(super) template: Template,

    /// What the product is, for whom, why; for `own` the prompt itself
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) brief: String,

    /// Wishes for the video
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) wishes: Option<String>,

    /// How many videos, a credit each
    #[arg(long, value_name = "1|3|5", value_parser = quantity)]
    pub(super) count: Quantity,

    /// The video model instead of the default one; `kadr models` lists them
    #[arg(long, value_name = "ID", value_parser = model)]
    pub(super) model: Option<ModelId>,

    /// Orders once: a second order with the same id is the first one
    #[arg(long, value_name = "ID", value_parser = confirmation)]
    pub(super) confirmation: Option<ConfirmationId>,

    /// Work here until the order is finished, and show its messages. Whatever else is due is worked on too; a
    /// `kadr run` beside it may take some of the videos
    #[arg(long)]
    pub(super) wait: bool,

    /// Save the videos here instead of KADR_DELIVERY__DIR
    #[arg(long, value_name = "DIR", requires = "wait")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum CreditsCommand {
    /// Give credits to a user
    Grant {
        /// A Telegram user id
        #[arg(long, value_name = "ID", value_parser = user, allow_negative_numbers = true)]
        user: UserId,
        /// How many
        #[arg(long, value_name = "N", value_parser = amount, allow_negative_numbers = true)]
        amount: Credits,
        /// Grants once: a second grant with the same reference changes nothing
        #[arg(long, value_name = "TEXT")]
        reference: Option<String>,
    },
    /// Show what a user may spend and what open orders hold
    Balance {
        /// A Telegram user id
        #[arg(long, value_name = "ID", value_parser = user, allow_negative_numbers = true)]
        user: UserId,
    },
    /// Show a user's ledger entries, newest first
    History {
        /// A Telegram user id
        #[arg(long, value_name = "ID", value_parser = user, allow_negative_numbers = true)]
        user: UserId,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Compare balances, entries, orders and jobs; exit code 1 when something does not add up
    Audit,
}

#[derive(Debug, Subcommand)]
pub(super) enum JobsCommand {
    /// List jobs, newest first
    List {
        /// Only this user's
        #[arg(long, value_name = "ID", value_parser = user, allow_negative_numbers = true)]
        user: Option<UserId>,
        /// Only this order's
        #[arg(long, value_name = "ID", value_parser = order)]
        order: Option<OrderId>,
        /// Only those that are queued, prompting, submitting, rendering, delivering, done, refunded or cancelled
        #[arg(long, value_name = "STATE", value_parser = state)]
        state: Option<StateName>,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Show all that is known of a job
    Show {
        /// The job's id
        #[arg(value_parser = job)]
        job: JobId,
    },
    /// Cancel a job that is not with the provider yet; its credit comes back
    Cancel {
        /// The job's id
        #[arg(value_parser = job)]
        job: JobId,
    },
}

#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    #[command(subcommand)]
    pub(super) command: Option<ModelsCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelsCommand {
    /// Compare entries of the catalogue with what KIE offers today
    ///
    /// For each model KIE is asked for its fields and its price, and for a task with an empty request, which KIE refuses
    /// before it bills anything: a model that is paused or unknown is told apart from one that only misses its fields.
    /// KIE allows one such question a second, so all of them take about half a minute. No task is created and no
    /// database is needed.
    #[command(
        after_long_help = "What the states mean:\n  ok       KIE takes orders for it\n  paused   KIE knows it and takes \
                           none: it will come back, or not; give KADR_KIE__FALLBACK another one\n  unknown  KIE does not \
                           know its slug: correct the entry, or switch it off with enabled = false\n  unclear  KIE did \
                           not say, for the reason shown: check key and network\n\nLines below a model say where the \
                           entry's request or price differs from KIE's own description.\n\nExamples:\n  kadr models \
                           check\n  kadr models check hailuo-2.3 kling-2.6\n  kadr --json models check\n\nThe exit code is \
                           1 when a model that is switched on cannot be used, else 0."
    )]
    Check {
        /// Only these models; all of the catalogue when none is named
        #[arg(value_name = "ID", value_parser = model)]
        models: Vec<ModelId>,
    },
}

#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  echo 'Your account has insufficient credits' | kadr classify\n  kadr classify \
                            --jsonl < messages.jsonl\n\nClasses: USER_VIOLATION, BILLING, TEMPORARY, OTHER. Needs no \
                            database and no configuration."
)]
pub(super) struct ClassifyArgs {
    /// Read objects with http_status, code, failCode and message, a line each, and write them back with class,
    /// reason, detail and rule; without it, every line is a message
    #[arg(long)]
    pub(super) jsonl: bool,
}

/// Telegram's ids have at most 52 significant bits (Bot API, `User.id`).
const USER_MAX: i64 = (1 << 52) - 1;

fn user(text: &str) -> Result<UserId, String> {
    let id = text.parse().ok().filter(|id| (1..=USER_MAX).contains(id));
    id.map(UserId::new).ok_or_else(|| "a Telegram user id is a positive number".to_owned())
}

fn template(text: &str) -> Result<Template, String> {
    Template::parse(text).ok_or_else(|| "choose ugc, ad or own".to_owned())
}

fn quantity(text: &str) -> Result<Quantity, String> {
    let count: u8 = text.parse().map_err(|_| "choose 1, 3 or 5".to_owned())?;
    Quantity::try_from(count).map_err(|e| e.to_string())
}

fn amount(text: &str) -> Result<Credits, String> {
    let count = text.parse().map_err(|_| "write a whole number of credits".to_owned())?;
    let credits = Credits::new(count).map_err(|e| e.to_string())?;
    if credits == Credits::ZERO { Err("grant at least 1 credit".to_owned()) } else { Ok(credits) }
}

fn model(text: &str) -> Result<ModelId, String> {
    ModelId::new(text).map_err(|e| e.to_string())
}

fn confirmation(text: &str) -> Result<ConfirmationId, String> {
    ConfirmationId::new(text).map_err(|e| e.to_string())
}

fn order(text: &str) -> Result<OrderId, String> {
    text.parse().map_err(|e: domain::id::ParseIdError| e.to_string())
}

fn job(text: &str) -> Result<JobId, String> {
    text.parse().map_err(|e: domain::id::ParseIdError| e.to_string())
}

fn state(text: &str) -> Result<StateName, String> {
    let all = || StateName::ALL.map(StateName::as_str).join(", ");
    StateName::parse(text).ok_or_else(|| format!("choose one of {}", all()))
}
