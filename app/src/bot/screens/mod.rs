//! Screens as texts and keyboards. One turn's screens become one message: remarks first, and the buttons of the last screen
//! that has any.

mod history;
mod keyboards;
mod notes;

use domain::{
    dialogue::{Dialogue, Page, Screen},
    id::UserId,
    ledger::Balance,
    prompt::{Brief, Template, chars_left},
};
use fluent_bundle::FluentArgs;
use ports::bot::ChatMessage;

pub use self::{
    history::{Movement, Why},
    keyboards::{after_refund, after_video},
};
pub(crate) use self::{keyboards::keyboard as buttons, notes::note};
use crate::{
    Policy,
    texts::{Language, numbered, worded},
};

/// The longest message, in UTF-16 units, which is never less strict than Telegram's 4096 characters (Bot API,
/// sendMessage).
pub const MESSAGE_UNITS_MAX: usize = 4_096;
/// How much of a prompt is shown for checking, in UTF-16 units: room is left for everything around it.
const PROMPT_UNITS_MAX: usize = 3_000;
/// How much of a text is shown to be recognised.
const EXCERPT_UNITS_MAX: usize = 700;

/// Figures that stand in screens, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Whose chat it is.
    pub user: UserId,
    /// The balance.
    pub balance: Balance,
    /// The newest movements of credits, newest first.
    pub history: Vec<Movement>,
}

impl Shown {
    /// Whether any of the screens shows a balance.
    #[must_use]
    pub fn needs_balance(screens: &[Screen]) -> bool {
        screens.iter().any(|screen| {
            matches!(
                screen,
                Screen::Menu { .. } | Screen::AskQuantity | Screen::Confirm | Screen::Page(Page::Account)
            )
        })
    }

    /// Whether any of the screens shows movements of credits.
    #[must_use]
    pub fn needs_history(screens: &[Screen]) -> bool {
        screens.contains(&Screen::Page(Page::History))
    }
}

/// The message that shows these screens.
#[must_use]
pub fn render(
    language: Language,
    screens: &[Screen],
    dialogue: &Dialogue,
    shown: &Shown,
    policy: &Policy,
) -> ChatMessage {
    let texts: Vec<_> =
        screens.iter().map(|screen| text(language, screen, dialogue, shown, policy)).collect();
    let keyboard = screens
        .iter()
        .rev()
        .map(|screen| buttons(language, screen, dialogue, &policy.bot.packages))
        .find(|keyboard| !keyboard.is_empty())
        .unwrap_or_default();
    ChatMessage { text: cut(&texts.join("\n\n"), MESSAGE_UNITS_MAX).0.to_owned(), keyboard }
}

fn text(language: Language, screen: &Screen, dialogue: &Dialogue, shown: &Shown, policy: &Policy) -> String {
    let say = |key| numbered(language, key, &[]);
    let credits = ("credits", shown.balance.available.value());
    let terms = &policy.bot;
    match screen {
        Screen::Note(remark) => note(language, remark),
        Screen::Terms => [
            Some(say("screen-terms")),
            link(language, "screen-samples", terms.samples_url.as_deref()),
            link(language, "screen-terms-link", terms.terms_url.as_deref()),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n\n"),
        Screen::Menu { .. } => numbered(language, "screen-menu", &[credits]),
        Screen::AskPhoto => say("screen-ask-photo"),
        Screen::AskBrief => say("screen-ask-brief"),
        Screen::AskTemplate => say("screen-ask-template"),
        Screen::AskWishes => say("screen-ask-wishes"),
        Screen::AskPrompt => {
            let max = chars_left(policy.models.default_model().prompt_chars.1).min(Brief::CHARS_MAX);
            numbered(language, "screen-ask-prompt", &[("max", i64::try_from(max).unwrap_or(i64::MAX))])
        }
        Screen::CheckPrompt => {
            let prompt = dialogue.draft.prompt.as_ref().map(|prompt| prompt.as_str()).unwrap_or_default();
            quoted(language, "screen-check-prompt", &excerpt(language, prompt, PROMPT_UNITS_MAX))
        }
        Screen::AskQuantity => numbered(language, "screen-ask-quantity", &[credits]),
        Screen::Confirm => confirmation(language, dialogue, shown, policy),
        Screen::Ordered { .. } => say("screen-ordered"),
        Screen::AskWhatToChange => say("screen-ask-what-to-change"),
        Screen::AskDeletion => say("screen-ask-deletion"),
        Screen::Page(page) => page_text(language, *page, shown, policy),
        Screen::StaleButton => say("screen-stale-button"),
        Screen::Banned => with_support(language, "screen-banned", policy),
    }
}

fn confirmation(language: Language, dialogue: &Dialogue, shown: &Shown, policy: &Policy) -> String {
    let draft = &dialogue.draft;
    let template = match draft.template {
        Some(Template::AdVideo) => "template-ad",
        Some(Template::OwnPrompt) => "template-own",
        Some(Template::UgcBlogger) | None => "template-ugc",
    };
    let words = draft.text().map(|text| text.as_str()).unwrap_or_default();
    let mut text = excerpt(language, words, EXCERPT_UNITS_MAX);
    if let Some(wishes) = draft.wishes() {
        let wishes = excerpt(language, wishes.as_str(), EXCERPT_UNITS_MAX);
        text.push('\n');
        text.push_str(&quoted(language, "screen-confirm-wishes", &wishes));
    }
    let minutes = policy.models.default_model().timing.typical.as_secs().div_ceil(60).max(1);
    let mut args = FluentArgs::new();
    args.set("template", numbered(language, template, &[]));
    args.set("text", text);
    args.set("videos", draft.quantity.map_or(0, |quantity| i64::from(quantity.videos())));
    args.set("credits", shown.balance.available.value());
    args.set("minutes", i64::try_from(minutes).unwrap_or(i64::MAX));
    worded(language, "screen-confirm", &args)
}

fn page_text(language: Language, page: Page, shown: &Shown, policy: &Policy) -> String {
    match page {
        Page::Help => numbered(language, "page-help", &[]),
        Page::Privacy => {
            let text = numbered(language, "page-privacy", &[]);
            match link(language, "page-privacy-link", policy.bot.privacy_url.as_deref()) {
                Some(link) => format!("{text}\n\n{link}"),
                None => text,
            }
        }
        Page::Support => with_support(language, "page-support", policy),
        Page::PaySupport => with_support(language, "page-paysupport", policy),
        Page::Account => account(language, shown, policy),
        Page::History => history::text(language, &shown.history),
        Page::Languages => numbered(language, "page-languages", &[]),
        Page::TopUp if policy.bot.packages.is_empty() => numbered(language, "note-payments-closed", &[]),
        Page::TopUp => numbered(language, "page-top-up", &[]),
    }
}

fn account(language: Language, shown: &Shown, policy: &Policy) -> String {
    let args = [
        ("user", shown.user.value()),
        ("credits", shown.balance.available.value()),
        ("held", shown.balance.held.value()),
    ];
    let text = numbered(language, "page-account", &args);
    let referral = policy.bot.referral.value();
    match &policy.bot.username {
        Some(bot) if referral > 0 => {
            let mut args = FluentArgs::new();
            args.set("url", format!("https://t.me/{bot}?start={}{}", super::reading::INVITATION, shown.user));
            args.set("credits", referral);
            format!("{text}\n\n{}", worded(language, "page-invite", &args))
        }
        _ => text,
    }
}

fn with_support(language: Language, key: &str, policy: &Policy) -> String {
    let mut args = FluentArgs::new();
    let support = match &policy.bot.support {
        Some(contact) => {
            let mut args = FluentArgs::new();
            args.set("contact", contact.as_str());
            worded(language, "support-contact", &args)
        }
        None => numbered(language, "support-unknown", &[]),
    };
    args.set("support", support);
    worded(language, key, &args)
}

fn link(language: Language, key: &str, url: Option<&str>) -> Option<String> {
    let mut args = FluentArgs::new();
    args.set("url", url?);
    Some(worded(language, key, &args))
}

fn quoted(language: Language, key: &str, text: &str) -> String {
    let mut args = FluentArgs::new();
    args.set("text", text);
    worded(language, key, &args)
}

/// The beginning of a text, and how much of it is not shown.
fn excerpt(language: Language, text: &str, units_max: usize) -> String {
    match cut(text, units_max) {
        (all, 0) => all.to_owned(),
        (start, left) => {
            let left = i64::try_from(left).unwrap_or(i64::MAX);
            format!("{start}{}", numbered(language, "screen-more", &[("chars", left)]))
        }
    }
}

/// The longest beginning of a text within so many UTF-16 units, and how many characters are left.
fn cut(text: &str, units_max: usize) -> (&str, usize) {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > units_max {
            return (&text[..at], text[at..].chars().count());
        }
    }
    (text, 0)
}
