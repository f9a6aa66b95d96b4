//! `try`: one order, start to finish.

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use adapters::{
    postgres::server::{PostgresServer, ServerOptions},
    system::SystemClock,
};
use app::{services::place_order::PlaceOrderError, texts::Language};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use domain::{
    id::ModelId,
    job::StateName,
    money::Credits,
    order::Quantity,
    photo,
    prompt::{Brief, Template},
};
use ports::Clock;

use super::{
    screen::{Screen, print},
    summary::Summary,
};
use crate::{
    sample,
    world::{DemoMessenger, Mishap, Outcome, Trial, TrialError, TrialOrder},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The product photo: JPEG, PNG, WebP, GIF, BMP or TIFF, at most 20 MB [default: a sample photo of a mug]
    #[arg(long, value_name = "FILE")]
    photo: Option<PathBuf>,

    /// How the video is written
    #[arg(long, value_enum, default_value_t = TemplateWord::Ugc)]
    template: TemplateWord,

    /// What the product is, for whom, what it is good for; the prompt itself for --template own [default: about
    /// the sample mug]
    #[arg(long, value_name = "TEXT")]
    brief: Option<String>,

    /// How many videos: 1, 3 or 5
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u8,

    /// What goes wrong
    #[arg(long, value_enum, value_name = "MISHAP")]
    fail: Option<Mishap>,

    /// The video model [default: the catalogue's default]
    #[arg(long, value_name = "ID")]
    model: Option<String>,

    /// Credits the user has before the order
    #[arg(long, value_name = "N", default_value_t = 5)]
    credits: u32,

    /// Where the videos are saved
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,

    /// Render times and ids come from it: the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// The language of the messages
    #[arg(long, value_enum, default_value_t = LanguageWord::Ru)]
    lang: LanguageWord,

    /// Write one JSON document instead of lines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TemplateWord {
    /// A blogger talks about the product, as in a real review
    Ugc,
    /// A product film without people
    Ad,
    /// The brief is the prompt
    Own,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LanguageWord {
    /// Russian
    Ru,
    /// English
    En,
}

impl From<TemplateWord> for Template {
    fn from(word: TemplateWord) -> Self {
        match word {
            TemplateWord::Ugc => Self::UgcBlogger,
            TemplateWord::Ad => Self::AdVideo,
            TemplateWord::Own => Self::OwnPrompt,
        }
    }
}

impl From<LanguageWord> for Language {
    fn from(word: LanguageWord) -> Self {
        match word {
            LanguageWord::Ru => Self::Ru,
            LanguageWord::En => Self::En,
        }
    }
}

/// The trial cannot be started as asked.
#[derive(Debug, thiserror::Error)]
enum TryError {
    #[error("cannot read the photo {path}: {source}")]
    Photo { path: String, source: std::io::Error },
    #[error("the photo {path} is larger than 20 MB: send a smaller picture")]
    PhotoTooLarge { path: String },
    #[error("{path} is not a file: give the path of a JPEG, PNG or WebP photo")]
    NotAFile { path: String },
    #[error("videos cannot be saved in {path}: {source}; choose a folder you may write to with --out")]
    Out { path: String, source: std::io::Error },
    #[error(
        "{needed} credits are needed and the user has {available}: give more with --credits, or order fewer videos"
    )]
    Credits { needed: Credits, available: Credits },
    #[error("the throwaway PostgreSQL did not start")]
    Database(#[source] adapters::postgres::server::ServerError),
}

/// Runs the trial; `Ok(true)` when everything was as it should be.
pub(super) fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let clock = SystemClock::new();
    let began = clock.now();
    let order = order(arguments)?;
    let name = arguments.photo.as_deref().and_then(Path::file_stem);
    let name = name.map_or_else(|| "mug".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let pause =
        if Screen::is_watched() && !arguments.json { Duration::from_millis(150) } else { Duration::ZERO };
    let messenger = Arc::new(DemoMessenger::new(&arguments.out, name, pause));
    messenger
        .make_dir()
        .map_err(|source| TryError::Out { path: arguments.out.display().to_string(), source })?;
    if !arguments.json {
        print(&opening(&order, arguments));
    }

    let database_began = clock.now();
    let server = PostgresServer::start(&ServerOptions::throwaway()).map_err(TryError::Database)?;
    let database_took = clock.now().since(database_began);
    if !arguments.json {
        print(&format!(
            "{} started for this run; KIE.AI, the language model and the time are simulated\n",
            engine(&server)
        ));
    }

    let screen = Arc::new(Screen::new(!arguments.json));
    let watching = Arc::clone(&screen);
    let trial = Trial {
        order,
        database: server.database_url(),
        messenger: messenger.clone(),
        watcher: Arc::new(move |moment| watching.show(moment)),
    };
    let outcome = trial.run();
    screen.finish();
    // A throwaway server that does not stop is its own warning; it changes nothing about the outcome.
    let stopped = server.stop();
    let outcome = outcome.map_err(|error| match error {
        TrialError::Refused(PlaceOrderError::InsufficientCredits { needed, available, .. }) => {
            TryError::Credits { needed, available }.into()
        }
        error => Box::<dyn Error>::from(error),
    })?;

    let summary = Summary {
        files: files(&outcome, &messenger),
        mishap: arguments.fail,
        mishap_name: arguments.fail.and_then(|m| Some(m.to_possible_value()?.get_name().to_owned())),
        took: clock.now().since(began),
        database_took,
        outcome: &outcome,
    };
    if arguments.json {
        print(&serde_json::to_string_pretty(&summary.json())?);
    } else {
        summary.lines().iter().for_each(|line| print(line));
    }
    stopped?;
    Ok(outcome.is_right())
}

fn order(arguments: &Arguments) -> Result<TrialOrder, Box<dyn Error>> {
    let photo = match &arguments.photo {
        None => Bytes::from_static(sample::PHOTO),
        Some(path) => read_photo(path)?,
    };
    // The order would be refused for it anyway, but only after a database was started.
    photo::inspect(&photo)?;
    let usual = sample::brief(arguments.lang.into(), arguments.template.into());
    Ok(TrialOrder {
        photo,
        template: arguments.template.into(),
        brief: Brief::new(arguments.brief.as_deref().unwrap_or(usual))?,
        quantity: Quantity::try_from(arguments.count)?,
        model: arguments.model.as_deref().map(ModelId::new).transpose()?,
        credits: Credits::new(arguments.credits.into())?,
        language: arguments.lang.into(),
        mishap: arguments.fail,
        seed: arguments.seed,
    })
}

/// Reads a photo, but not a film that somebody named by mistake.
fn read_photo(path: &Path) -> Result<Bytes, TryError> {
    let shown = || path.display().to_string();
    let failed = |source| TryError::Photo { path: shown(), source };
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        // A folder cannot be read, and a pipe or device may never end.
        return Err(TryError::NotAFile { path: shown() });
    }
    if about.len() > photo::PHOTO_FILE_BYTES_MAX {
        return Err(TryError::PhotoTooLarge { path: shown() });
    }
    std::fs::read(path).map(Bytes::from).map_err(failed)
}

fn opening(order: &TrialOrder, arguments: &Arguments) -> String {
    let photo = match &arguments.photo {
        None => "the sample photo".to_owned(),
        Some(path) => path.display().to_string(),
    };
    let videos = if order.quantity == Quantity::One { "video" } else { "videos" };
    let fail = match arguments.fail.and_then(|m| m.to_possible_value()) {
        None => String::new(),
        Some(mishap) => match mishap.get_help() {
            Some(help) => format!("\nGoing wrong: {help}."),
            None => format!("\nGoing wrong: {}.", mishap.get_name()),
        },
    };
    format!(
        "Ordering {} {videos} of {photo}, template {}, seed {}.{fail}",
        order.quantity, order.template, order.seed
    )
}

fn engine(server: &PostgresServer) -> String {
    format!("PostgreSQL {} ({})", server.version(), server.origin())
}

fn files(outcome: &Outcome, messenger: &DemoMessenger) -> Vec<(PathBuf, u64)> {
    let of = u8::try_from(outcome.videos.len()).unwrap_or(u8::MAX);
    let delivered = outcome.videos.iter().filter(|video| video.state == StateName::Done);
    delivered
        .filter_map(|video| {
            let file = messenger.file_of((video.number, of));
            let bytes = std::fs::metadata(&file).ok()?.len();
            Some((file, bytes))
        })
        .collect()
}
