//! What people read. The texts lie in `ru.ftl` and `en.ftl` (Project Fluent); this module chooses among them and
//! fills them in. Nothing a provider said ever gets in here: a text is chosen by a closed list of causes.

mod memo;

use std::{borrow::Cow, sync::LazyLock, time::Duration};

use domain::{
    failure::Reason,
    id::ModelId,
    money::Credits,
    notice::{Notice, NoticeKind, RefundCause},
};
use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

/// A language Kadr speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Language {
    /// Russian, the default.
    #[default]
    Ru,
    /// English.
    En,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Ru, Self::En];

    /// Its ISO 639-1 code, used in configuration and stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The language a code stands for.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.as_str() == code)
    }

    /// The language to begin with when somebody's client speaks `tag` (IETF). Russian is read where its neighbours are
    /// spoken, and by whoever tells nothing.
    #[must_use]
    pub fn guessed(tag: Option<&str>) -> Self {
        let primary = tag.and_then(|tag| tag.split(['-', '_']).next()).map(str::to_ascii_lowercase);
        match primary.as_deref() {
            None | Some("" | "ru" | "be" | "uk" | "kk") => Self::Ru,
            Some(_) => Self::En,
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::Ru => include_str!("ru.ftl"),
            Self::En => include_str!("en.ftl"),
        }
    }
}

type Bundle = FluentBundle<FluentResource>;

static RU: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::Ru));
static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::En));

fn bundle(language: Language) -> Bundle {
    let id: LanguageIdentifier = language.as_str().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![id]);
    // Chats have one direction and show the isolation marks as boxes.
    bundle.set_use_isolating(false);
    // What does not parse is left out and found by the tests, which ask for every text.
    let resource =
        FluentResource::try_new(language.source().to_owned()).unwrap_or_else(|(resource, _errors)| resource);
    bundle.add_resource_overriding(resource);
    bundle
}

/// One text with its places filled in; `None` when the language lacks it or a place stays empty.
fn lookup(language: Language, key: &str, args: &FluentArgs<'_>) -> Option<String> {
    let bundle = match language {
        Language::Ru => &*RU,
        Language::En => &*EN,
    };
    let pattern = bundle.get_message(key)?.value()?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors);
    errors.is_empty().then(|| Cow::into_owned(text))
}

fn say(language: Language, key: &'static str, args: &[(&'static str, i64)]) -> String {
    memo::remembered(language, key, args, || fill(language, key, &args.iter().copied().collect()))
}

fn fill(language: Language, key: &str, args: &FluentArgs<'_>) -> String {
    lookup(language, key, args).unwrap_or_else(|| {
        tracing::error!(key, language = language.as_str(), "a text is missing");
        key.to_owned()
    })
}

/// A text with whole numbers in its places.
pub(crate) fn numbered(language: Language, key: &'static str, args: &[(&'static str, i64)]) -> String {
    say(language, key, args)
}

/// A text with words in its places, which may be a user's own.
pub(crate) fn worded(language: Language, key: &str, args: &FluentArgs<'_>) -> String {
    fill(language, key, args)
}

/// The text of a notice.
#[must_use]
pub fn notice(language: Language, notice: &Notice) -> String {
    let body = body(language, &notice.kind);
    match notice.video {
        // Only an order of several videos has to say which one it speaks of.
        Some((number, of)) if of > 1 && is_for_user(&notice.kind) => {
            let args = [("number", i64::from(number)), ("of", i64::from(of))];
            format!("{}\n{body}", say(language, "video-label", &args))
        }
        _ => body,
    }
}

/// How many videos are made before an order's first one, and how long one usually takes.
#[must_use]
pub fn place_in_line(language: Language, ahead: u64, expected: Duration) -> String {
    let minutes = i64::try_from(expected.as_secs().div_ceil(60).max(1)).unwrap_or(i64::MAX);
    match i64::try_from(ahead) {
        Ok(0) => say(language, "first-in-line", &[("minutes", minutes)]),
        ahead => {
            say(language, "place-in-line", &[("ahead", ahead.unwrap_or(i64::MAX)), ("minutes", minutes)])
        }
    }
}

/// What can be spent after credits came back.
#[must_use]
pub fn balance_now(language: Language, available: Credits) -> String {
    say(language, "balance-now", &[("credits", available.value())])
}

/// The commands of the bot's menu, with what they do.
#[must_use]
pub fn commands(language: Language) -> Vec<(&'static str, String)> {
    const COMMANDS: [(&str, &str); 6] = [
        ("menu", "command-menu"),
        ("account", "command-account"),
        ("help", "command-help"),
        ("cancel", "command-cancel"),
        ("support", "command-support"),
        ("privacy", "command-privacy"),
    ];
    COMMANDS.map(|(command, key)| (command, say(language, key, &[]))).into()
}

/// To a user: what they sent could not be handled.
#[must_use]
pub fn update_failed(language: Language) -> String {
    say(language, "update-failed", &[])
}

/// To the operator: an update was put aside.
#[must_use]
pub fn update_parked(language: Language, update: i64) -> String {
    let mut args = FluentArgs::new();
    args.set("update", update.to_string());
    fill(language, "operator-update-parked", &args)
}

/// The text below a video, `(number, of)`; when another model stood in, with the ordered one and the one that made it.
#[must_use]
pub fn caption(language: Language, (number, of): (u8, u8), stand_in: Option<(&ModelId, &ModelId)>) -> String {
    let done = if of > 1 {
        say(language, "caption-of-several", &[("number", i64::from(number)), ("of", i64::from(of))])
    } else {
        say(language, "caption", &[])
    };
    let Some((ordered, made_with)) = stand_in else { return done };
    let mut args = FluentArgs::new();
    args.set("ordered", ordered.as_str());
    args.set("model", made_with.as_str());
    format!("{done}\n{}", fill(language, "caption-stand-in", &args))
}

const fn is_for_user(kind: &NoticeKind) -> bool {
    !matches!(
        kind,
        NoticeKind::KeyOut { .. }
            | NoticeKind::NoKeyLeft
            | NoticeKind::OutageBegan
            | NoticeKind::OutageEnded
            | NoticeKind::ModelOut { .. }
            | NoticeKind::RequestRefused
            | NoticeKind::JobAbandoned
    )
}

fn body(language: Language, kind: &NoticeKind) -> String {
    match kind {
        NoticeKind::OrderAccepted { quantity, held } => {
            let videos = i64::from(quantity.videos());
            say(language, "order-accepted", &[("videos", videos), ("credits", held.value())])
        }
        NoticeKind::WritingPrompt => say(language, "writing-prompt", &[]),
        NoticeKind::Rendering { expected } => {
            let minutes = expected.as_secs().div_ceil(60).max(1);
            say(language, "rendering", &[("minutes", i64::try_from(minutes).unwrap_or(i64::MAX))])
        }
        NoticeKind::Retrying { retry, of, delay } => {
            let seconds = i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
            let args = [("retry", i64::from(*retry)), ("of", i64::from(*of)), ("seconds", seconds)];
            say(language, "retrying", &args)
        }
        NoticeKind::Refunded { cause, credits } => {
            let back = say(language, "credit-back", &[("credits", credits.value())]);
            format!("{}\n{back}", say(language, cause_key(*cause), &[]))
        }
        NoticeKind::Cancelled { credits } => {
            let back = say(language, "credit-back", &[("credits", credits.value())]);
            format!("{}\n{back}", say(language, "cancelled", &[]))
        }
        NoticeKind::KeyOut { key, failure } => {
            let mut args = FluentArgs::new();
            args.set("key", key.as_str());
            args.set("class", failure.class.as_str());
            args.set("reason", failure.reason.code());
            fill(language, "operator-key-out", &args)
        }
        NoticeKind::ProviderDown => say(language, "provider-down", &[]),
        NoticeKind::OutageBegan => say(language, "operator-outage-began", &[]),
        NoticeKind::OutageEnded => say(language, "operator-outage-ended", &[]),
        NoticeKind::NoKeyLeft => say(language, "operator-no-key-left", &[]),
        NoticeKind::ModelOut { model } => {
            let mut args = FluentArgs::new();
            args.set("model", model.as_str());
            fill(language, "operator-model-out", &args)
        }
        NoticeKind::RequestRefused => say(language, "operator-request-refused", &[]),
        NoticeKind::JobAbandoned => say(language, "operator-job-abandoned", &[]),
    }
}

const fn cause_key(cause: RefundCause) -> &'static str {
    match cause {
        RefundCause::Violation(reason) | RefundCause::Input(reason) => reason_key(reason),
        RefundCause::NoKey => "refund-no-key",
        RefundCause::ModelUnavailable => "refund-model-unavailable",
        RefundCause::OurFault => "refund-our-fault",
        RefundCause::RetriesExhausted => "refund-retries-exhausted",
        RefundCause::TooBusy => "refund-too-busy",
        RefundCause::ProviderDown => "refund-provider-down",
        RefundCause::Undeliverable => "refund-undeliverable",
        RefundCause::RecipientGone => "refund-recipient-gone",
    }
}

/// Reasons that are nobody's photo or text share the text of what they mean to a user.
const fn reason_key(reason: Reason) -> &'static str {
    match reason {
        Reason::PeopleInPhoto => "refused-people-in-photo",
        Reason::ThirdPartyLikeness => "refused-third-party-likeness",
        Reason::Nudity => "refused-nudity",
        Reason::Violence => "refused-violence",
        Reason::Hate => "refused-hate",
        Reason::SelfHarm => "refused-self-harm",
        Reason::IllegalActivity => "refused-illegal-activity",
        Reason::PhotoRefused => "refused-photo",
        Reason::PromptRefused => "refused-prompt",
        Reason::Moderation => "refused-moderation",
        Reason::PhotoUnusable => "unusable-photo",
        Reason::PromptInvalid => "unusable-prompt",
        Reason::BadRequest => "refund-our-fault",
        Reason::AccountCredits | Reason::KeyRejected => "refund-no-key",
        Reason::RateLimit => "refund-too-busy",
        Reason::ProviderFault | Reason::PhotoUnreachable | Reason::UnknownTask | Reason::Unrecognised => {
            "refund-retries-exhausted"
        }
        Reason::Maintenance | Reason::ModelUnavailable => "refund-model-unavailable",
    }
}

#[cfg(test)]
mod tests;
