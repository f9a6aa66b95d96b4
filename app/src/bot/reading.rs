//! What happened in a chat, as an input of the conversation.

use domain::{
    dialogue::{Input, Page, Picture},
    id::{AlbumId, FileId, UserId},
};
use ports::bot::EventKind;

use super::buttons::Button;

/// What starts an invitation: the link is `https://t.me/<bot>?start=r<user>` and arrives as `/start r<user>`.
pub(super) const INVITATION: &str = "r";

/// What a message or a tap means. `None` for events that are no part of the conversation.
pub(super) fn input(kind: &EventKind) -> Option<Input> {
    match kind {
        EventKind::Text(text) => Some(command(text).unwrap_or_else(|| Input::Text(text.clone()))),
        EventKind::Picture { file, caption, album, .. } => Some(match FileId::new(file.id.clone()) {
            Ok(file) => Input::Picture(Picture {
                file,
                album: album.clone().and_then(|album| AlbumId::new(album).ok()),
                caption: caption.clone(),
            }),
            // Nothing could be fetched by such a name.
            Err(_) => Input::Other,
        }),
        EventKind::Other(_) => Some(Input::Other),
        EventKind::Tap { data, .. } => {
            let button = Button::parse(data).and_then(|button| button.input().ok());
            Some(button.unwrap_or(Input::UnknownButton))
        }
        EventKind::PreCheckout { .. }
        | EventKind::Paid { .. }
        | EventKind::PaidBack { .. }
        | EventKind::Reachable(_) => None,
    }
}

/// The command a text is, if it is one: a slash and a letter at once.
fn command(text: &str) -> Option<Input> {
    let rest = text.trim_start().strip_prefix('/')?;
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let (word, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    // In menus a command may carry the bot's name: `/help@kadr_bot`.
    let word = word.split('@').next().unwrap_or_default().to_ascii_lowercase();
    Some(match word.as_str() {
        "start" => Input::Start { referrer: referrer(argument.trim()) },
        "menu" => Input::Menu,
        "new" | "create" => Input::Create,
        "cancel" => Input::Cancel,
        "help" => Input::Open(Page::Help),
        "privacy" => Input::Open(Page::Privacy),
        "support" => Input::Open(Page::Support),
        "paysupport" => Input::Open(Page::PaySupport),
        "account" | "balance" => Input::Open(Page::Account),
        "buy" | "topup" => Input::Open(Page::TopUp),
        "history" => Input::Open(Page::History),
        "language" | "lang" => Input::Open(Page::Languages),
        "delete_me" => Input::AskDeletion,
        _ => Input::UnknownCommand,
    })
}

/// Who invited, by the argument of `/start`. Anybody may type anything there.
fn referrer(argument: &str) -> Option<UserId> {
    let id: i64 = argument.strip_prefix(INVITATION)?.parse().ok()?;
    // Telegram's ids have at most 52 significant bits (Bot API, User).
    (1..1 << 52).contains(&id).then(|| UserId::new(id))
}
