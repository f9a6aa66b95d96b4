//! One update: what the user said, what is done about it, and what they read.

use domain::{
    dialogue::{Command, Dialogue, Facts, Input, Note, Screen, Stage, advance},
    id::ConfirmationId,
    prompt::chars_left,
};
use ports::{
    ErrorKind, JobFilter, PortError,
    bot::{Chat, ChatAction, ChatEvent, EventKind, InboxUpdate, Turn},
};

use super::{
    BotPorts,
    carry_out::Errands,
    payments, reading,
    screens::{self, Movement, Shown, Why},
    stored,
};
use crate::{
    Policy, Ports,
    services::account,
    texts::{Language, numbered},
};

/// What became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// The conversation went on.
    Answered,
    /// It was no part of a conversation.
    Ignored,
    /// The operator bars this user.
    Barred,
}

/// Handles one claimed update to its end: afterwards the chat, the replies and the update are stored, in one
/// transaction. Handling it again, after a crash at any point, does nothing twice.
///
/// # Errors
/// Those of the ports. Nothing is stored then, and the update has to be tried again; with
/// [`ErrorKind::Rejected`] and [`ErrorKind::Inconsistent`] in vain, until a person has looked. [`ErrorKind::Conflict`]
/// means that the chat or the lease went to somebody else meanwhile.
pub async fn handle_update(
    ports: &Ports,
    bot: &BotPorts,
    policy: &Policy,
    update: &InboxUpdate,
) -> Result<Handled, PortError> {
    let Some(event) = bot.reader.read(&update.update.body)? else {
        return finish(ports, bot, update, None, Vec::new()).await.map(|()| Handled::Ignored);
    };
    if event.user != update.update.chat {
        let say = format!("update {} is of another chat than it was stored for", update.update.id);
        return Err(PortError::new(ErrorKind::Inconsistent, say));
    }
    match &event.kind {
        EventKind::Reachable(is_reachable) => {
            let since = (!is_reachable).then_some(update.received_at);
            bot.chats.set_blocked(event.user, since).await?;
            finish(ports, bot, update, None, Vec::new()).await.map(|()| Handled::Ignored)
        }
        EventKind::PreCheckout { query, payload, currency, amount } => {
            let language = language_of(bot, &event).await?;
            payments::pre_checkout(bot, event.user, language, (query, payload), (currency, *amount)).await?;
            finish(ports, bot, update, None, Vec::new()).await.map(|()| Handled::Answered)
        }
        // Money is money, whoever is barred.
        EventKind::Paid { charge, payload, currency, amount } => {
            let language = language_of(bot, &event).await?;
            let message =
                payments::paid(ports, bot, event.user, language, (charge, payload), (currency, *amount))
                    .await?;
            let replies = vec![ChatAction::Send(message)];
            finish(ports, bot, update, None, replies).await.map(|()| Handled::Answered)
        }
        EventKind::PaidBack { charge } => {
            let language = language_of(bot, &event).await?;
            let message = payments::paid_back(ports, bot, language, charge).await?;
            let replies = message.into_iter().map(ChatAction::Send).collect();
            finish(ports, bot, update, None, replies).await.map(|()| Handled::Answered)
        }
        EventKind::Text(_) | EventKind::Picture { .. } | EventKind::Other(_) | EventKind::Tap { .. } => {
            converse(ports, bot, policy, update, &event).await
        }
    }
}

async fn converse(
    ports: &Ports,
    bot: &BotPorts,
    policy: &Policy,
    update: &InboxUpdate,
    event: &ChatEvent,
) -> Result<Handled, PortError> {
    let before = bot.chats.chat(event.user).await?;
    let mut chat = before.clone().unwrap_or_else(|| newcomer(ports, event));
    if chat.blocked_since.is_some() {
        // Whoever writes reads again, whether or not Telegram said so.
        bot.chats.set_blocked(event.user, None).await?;
        chat.blocked_since = None;
    }
    if chat.banned_since.is_some() {
        return bar(ports, bot, policy, update, event, &chat).await;
    }
    let Some(input) = reading::input(&event.kind) else {
        return finish(ports, bot, update, None, Vec::new()).await.map(|()| Handled::Ignored);
    };
    let (dialogue, begun_with) = resumed(&chat, update);
    if begun_with == Some(Note::Forgotten) {
        chat.terms_accepted_at = None;
    }
    let answer_in = answered_message(event, &input, &dialogue);
    let mut errands = Errands { ports, bot, policy, update, event, chat: &mut chat, bills: Vec::new() };
    let mut talk = Talk::new(dialogue, facts(policy, update)?);

    // The first turn is pure, so the tap can be answered before anything that takes time.
    let mut commands = talk.hear(input);
    let was_told = answer_tap(bot, event, language(errands.chat), &talk.screens).await;
    while let Some(command) = commands.pop() {
        if let Some(outcome) = errands.carry_out(command).await? {
            commands.extend(talk.hear(Input::Came(outcome)));
        }
    }
    let bills = errands.bills;
    let Talk { dialogue, mut screens, .. } = talk;

    if let Some(note) = begun_with {
        screens.retain(|screen| *screen != Screen::StaleButton);
        if screens.is_empty() {
            screens.push(dialogue.question());
        }
        screens.insert(0, Screen::Note(note));
    }
    if was_told {
        screens.retain(|screen| *screen != Screen::StaleButton);
    }
    let mut replies = replies(ports, policy, &chat, &dialogue, &screens, answer_in).await?;
    replies.extend(bills);
    chat.dialogue = stored::write(&dialogue).map_err(|error| {
        PortError::with_source(ErrorKind::Inconsistent, "a dialogue cannot be written down", error)
    })?;
    let changed = (before.as_ref() != Some(&chat)).then_some(chat);
    finish(ports, bot, update, changed, replies).await.map(|()| Handled::Answered)
}

/// The conversation during one update.
struct Talk {
    dialogue: Dialogue,
    facts: Facts,
    screens: Vec<Screen>,
}

impl Talk {
    const fn new(dialogue: Dialogue, facts: Facts) -> Self {
        Self { dialogue, facts, screens: Vec::new() }
    }

    /// Takes the conversation one turn further and returns what is to be done, the first thing last.
    fn hear(&mut self, input: Input) -> Vec<Command> {
        let turn = advance(&self.dialogue, input, &self.facts);
        self.dialogue = turn.dialogue;
        self.screens.extend(turn.screens);
        let mut commands = turn.commands;
        commands.reverse();
        commands
    }
}

fn facts(policy: &Policy, update: &InboxUpdate) -> Result<Facts, PortError> {
    let confirmation = ConfirmationId::new(format!("telegram:{}", update.update.id))
        .map_err(|error| PortError::with_source(ErrorKind::Inconsistent, "no confirmation", error))?;
    let prompt_chars_max = chars_left(policy.models.default_model().prompt_chars.1);
    Ok(Facts { confirmation, prompt_chars_max })
}

fn newcomer(ports: &Ports, event: &ChatEvent) -> Chat {
    Chat {
        user: event.user,
        version: 0,
        dialogue: String::new(),
        language: Language::guessed(event.client_language.as_deref()).as_str().to_owned(),
        terms_accepted_at: None,
        referrer: None,
        since: ports.clock.now(),
        blocked_since: None,
        banned_since: None,
    }
}

pub(super) fn language(chat: &Chat) -> Language {
    Language::parse(&chat.language).unwrap_or_default()
}

/// The language of a chat, if there is one, or of the client.
async fn language_of(bot: &BotPorts, event: &ChatEvent) -> Result<Language, PortError> {
    let chat = bot.chats.chat(event.user).await?;
    Ok(chat.map_or_else(|| Language::guessed(event.client_language.as_deref()), |chat| language(&chat)))
}

/// Where the conversation stands, and what has to be said when it begins anew. Whether the terms are accepted is the
/// chat's to say.
fn resumed(chat: &Chat, update: &InboxUpdate) -> (Dialogue, Option<Note>) {
    let has_accepted = chat.terms_accepted_at.is_some();
    // Updates are numbered for the whole bot, and no update asks two questions of one user.
    let fresh =
        |has_accepted| Dialogue::fresh(has_accepted, u64::try_from(update.update.id).unwrap_or_default());
    match stored::read(&chat.dialogue) {
        Some(dialogue) if (dialogue.stage == Stage::Terms) != has_accepted => (dialogue, None),
        Some(_) => (fresh(has_accepted), None),
        // Forgotten, by a try that went no further.
        None if chat.dialogue.is_empty() && has_accepted => (fresh(false), Some(Note::Forgotten)),
        None if chat.dialogue.is_empty() => (fresh(false), None),
        None => {
            tracing::warn!(user.id = chat.user.value(), "a stored dialogue cannot be read and begins anew");
            (fresh(has_accepted), has_accepted.then_some(Note::BegunAnew))
        }
    }
}

/// The message whose question is answered by this tap, to be replaced by what follows. Messages with other buttons stay:
/// they may be videos.
fn answered_message(event: &ChatEvent, input: &Input, dialogue: &Dialogue) -> Option<i64> {
    match (&event.kind, input) {
        (EventKind::Tap { message, .. }, Input::Chose { step, .. }) if *step == dialogue.step => *message,
        _ => None,
    }
}

/// Stops the button's clock, and says in passing when the button is of no use. Whether that was said.
async fn answer_tap(bot: &BotPorts, event: &ChatEvent, language: Language, screens: &[Screen]) -> bool {
    let EventKind::Tap { tap, .. } = &event.kind else { return false };
    let is_stale = screens.contains(&Screen::StaleButton);
    let text = is_stale.then(|| numbered(language, "screen-stale-button", &[]));
    match bot.client.answer_tap(tap, text).await {
        Ok(()) => is_stale,
        Err(error) => {
            // Too late, as a rule: then it is said in a message.
            tracing::debug!(error = &error as &dyn std::error::Error, "a tap was not answered");
            false
        }
    }
}

/// One polite line, and nothing else.
async fn bar(
    ports: &Ports,
    bot: &BotPorts,
    policy: &Policy,
    update: &InboxUpdate,
    event: &ChatEvent,
    chat: &Chat,
) -> Result<Handled, PortError> {
    answer_tap(bot, event, language(chat), &[]).await;
    let dialogue = Dialogue::fresh(false, 0);
    let replies = replies(ports, policy, chat, &dialogue, &[Screen::Banned], None).await?;
    finish(ports, bot, update, None, replies).await.map(|()| Handled::Barred)
}

async fn replies(
    ports: &Ports,
    policy: &Policy,
    chat: &Chat,
    dialogue: &Dialogue,
    screens: &[Screen],
    answer_in: Option<i64>,
) -> Result<Vec<ChatAction>, PortError> {
    if screens.is_empty() {
        return Ok(Vec::new());
    }
    let shown = shown(ports, chat, screens).await?;
    let message = screens::render(language(chat), screens, dialogue, &shown, policy);
    Ok(vec![match answer_in {
        Some(of) => ChatAction::Edit { message: of, to: message },
        None => ChatAction::Send(message),
    }])
}

/// The figures the screens show, as they are after everything was done.
async fn shown(ports: &Ports, chat: &Chat, screens: &[Screen]) -> Result<Shown, PortError> {
    const MOVEMENTS: u32 = 15;
    // At least the jobs of as many orders as have movements, five videos each.
    const JOBS: u32 = 75;
    let mut shown =
        Shown { user: chat.user, balance: domain::ledger::Balance::default(), history: Vec::new() };
    if Shown::needs_balance(screens) {
        shown.balance = account::balance(ports, chat.user).await?;
    }
    if Shown::needs_history(screens) {
        let entries = account::history(ports, chat.user, MOVEMENTS).await?;
        let filter = JobFilter { user: Some(chat.user), limit: JOBS, ..JobFilter::default() };
        let jobs = ports.jobs.list(&filter).await?;
        let why = |entry: &domain::ledger::Entry| {
            let job = &jobs.iter().find(|record| Some(record.job.id) == entry.job)?.job;
            match &job.state {
                domain::job::State::Refunded { cause, .. } => Some(Why::Refunded(*cause)),
                domain::job::State::Cancelled { .. } => Some(Why::Cancelled),
                _ => None,
            }
        };
        shown.history = entries.into_iter().map(|entry| Movement { why: why(&entry), entry }).collect();
    }
    Ok(shown)
}

async fn finish(
    ports: &Ports,
    bot: &BotPorts,
    update: &InboxUpdate,
    chat: Option<Chat>,
    replies: Vec<ChatAction>,
) -> Result<(), PortError> {
    let turn = Turn { update: update.clone(), chat, replies };
    bot.chats.store(&turn, ports.clock.now()).await
}
