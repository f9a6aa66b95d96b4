//! The buttons of screens.

use domain::{
    dialogue::{Choice, Dialogue, Page, Screen},
    id::OrderId,
    order::Quantity,
    prompt::Template,
};
use ports::bot::{ChatButton, Keyboard};

use crate::{
    bot::buttons::Button,
    policy::Package,
    texts::{Language, numbered},
};

/// The buttons below an order's last video.
#[must_use]
pub fn after_video(language: Language, order: OrderId) -> Keyboard {
    rows(language, &[&[("button-again", Button::Again(order))], &[("button-menu", Button::Menu)]])
}

/// The buttons below the last news of an order that ended in a refund.
#[must_use]
pub fn after_refund(language: Language, order: OrderId) -> Keyboard {
    rows(language, &[&[("button-try-again", Button::TryAgain(order))], &[("button-menu", Button::Menu)]])
}

fn rows(language: Language, rows: &[&[(&'static str, Button)]]) -> Keyboard {
    let button = |(key, button): &(&'static str, Button)| ChatButton {
        label: numbered(language, key, &[]),
        data: button.data(),
    };
    rows.iter().map(|row| row.iter().map(button).collect()).collect()
}

/// The buttons of a screen; none where it stands before another.
pub(crate) fn keyboard(
    language: Language,
    screen: &Screen,
    dialogue: &Dialogue,
    packages: &[Package],
) -> Keyboard {
    let answer = |choice| Button::Choice { step: dialogue.step, choice };
    let rows = |buttons: &[&[(&'static str, Button)]]| rows(language, buttons);
    let to_menu = ("button-menu", Button::Menu);
    match screen {
        Screen::Note(_) | Screen::StaleButton | Screen::Banned => Keyboard::new(),
        Screen::Terms => rows(&[
            &[("button-accept-terms", Button::AcceptTerms)],
            &[("button-languages", Button::Open(Page::Languages))],
        ]),
        Screen::Menu { has_draft } => menu(language, *has_draft, !packages.is_empty()),
        Screen::AskPhoto | Screen::AskPrompt => rows(&[&[("button-cancel", Button::Cancel)]]),
        Screen::AskBrief => rows(&[
            &[("button-own-prompt-instead", answer(Choice::OwnPromptInstead))],
            &[("button-cancel", Button::Cancel)],
        ]),
        Screen::AskTemplate => rows(&[
            &[("button-template-ugc", answer(Choice::Template(Template::UgcBlogger)))],
            &[("button-template-ad", answer(Choice::Template(Template::AdVideo)))],
            &[("button-template-own", answer(Choice::Template(Template::OwnPrompt)))],
            &[("button-cancel", Button::Cancel)],
        ]),
        Screen::AskWishes => {
            rows(&[&[("button-no-wishes", answer(Choice::NoWishes))], &[("button-cancel", Button::Cancel)]])
        }
        Screen::CheckPrompt => rows(&[
            &[("button-accept-prompt", answer(Choice::AcceptPrompt))],
            &[("button-edit-prompt", answer(Choice::EditPrompt)), ("button-cancel", Button::Cancel)],
        ]),
        Screen::AskQuantity => quantities(language, dialogue, !packages.is_empty()),
        Screen::Confirm => rows(&[
            &[("button-confirm", answer(Choice::Confirm))],
            &[("button-change-template", answer(Choice::ChangeTemplate)), ("button-cancel", Button::Cancel)],
        ]),
        Screen::Ordered { order, .. } => {
            rows(&[&[("button-cancel-order", Button::CancelOrder(*order))], &[to_menu]])
        }
        Screen::AskWhatToChange => rows(&[
            &[("button-new-photo", answer(Choice::NewPhoto)), ("button-new-text", answer(Choice::NewText))],
            &[("button-change-nothing", answer(Choice::ChangeNothing))],
            &[to_menu],
        ]),
        Screen::AskDeletion => rows(&[
            &[("button-delete", answer(Choice::Delete))],
            &[("button-keep-data", answer(Choice::KeepData))],
        ]),
        Screen::Page(page) => page_keyboard(language, *page, packages),
    }
}

fn menu(language: Language, has_draft: bool, is_selling: bool) -> Keyboard {
    let mut keyboard = rows(
        language,
        &[
            &[("button-create", Button::Create)],
            &[("button-account", Button::Open(Page::Account)), ("button-help", Button::Open(Page::Help))],
        ],
    );
    if is_selling {
        keyboard.insert(1, top_up(language));
    }
    if has_draft {
        keyboard.splice(0..0, rows(language, &[&[("button-resume", Button::Resume)]]));
    }
    keyboard
}

fn top_up(language: Language) -> Vec<ChatButton> {
    let data = Button::Open(Page::TopUp).data();
    vec![ChatButton { label: numbered(language, "button-top-up", &[]), data }]
}

fn quantities(language: Language, dialogue: &Dialogue, is_selling: bool) -> Keyboard {
    let button = |quantity: Quantity| {
        let button = Button::Choice { step: dialogue.step, choice: Choice::Quantity(quantity) };
        let label = numbered(language, "button-quantity", &[("videos", i64::from(quantity.videos()))]);
        vec![ChatButton { label, data: button.data() }]
    };
    let mut keyboard: Keyboard = Quantity::ALL.into_iter().map(button).collect();
    if is_selling {
        keyboard.push(top_up(language));
    }
    keyboard.extend(rows(language, &[&[("button-cancel", Button::Cancel)]]));
    keyboard
}

fn page_keyboard(language: Language, page: Page, packages: &[Package]) -> Keyboard {
    let to_menu = ("button-menu", Button::Menu);
    match page {
        Page::Help | Page::Support | Page::PaySupport => {
            rows(language, &[&[("button-privacy", Button::Open(Page::Privacy))], &[to_menu]])
        }
        Page::Privacy => rows(language, &[&[("button-ask-deletion", Button::AskDeletion)], &[to_menu]]),
        Page::Account => rows(
            language,
            &[
                &[
                    ("button-history", Button::Open(Page::History)),
                    ("button-languages", Button::Open(Page::Languages)),
                ],
                &[
                    ("button-support", Button::Open(Page::Support)),
                    ("button-privacy", Button::Open(Page::Privacy)),
                ],
                &[to_menu],
            ],
        ),
        Page::History => rows(language, &[&[("button-account", Button::Open(Page::Account))], &[to_menu]]),
        Page::TopUp => {
            let button = |package: &Package| {
                let args = [("credits", package.credits.value()), ("stars", i64::from(package.stars))];
                let data = Button::Buy(package.name.clone()).data();
                vec![ChatButton { label: numbered(language, "button-package", &args), data }]
            };
            let mut keyboard: Keyboard = packages.iter().map(button).collect();
            keyboard.extend(rows(language, &[&[to_menu]]));
            keyboard
        }
        Page::Languages => {
            let button = |to: Language| {
                let key = match to {
                    Language::Ru => "language-ru",
                    Language::En => "language-en",
                };
                (key, Button::Language(to))
            };
            rows(language, &[&Language::ALL.map(button), &[to_menu]])
        }
    }
}
