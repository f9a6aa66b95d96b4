//! What is done to a chat, as JSON.

use ports::bot::{ChatAction, ChatButton, ChatMessage, Invoice};
use serde::{Deserialize, Serialize};

/// A stored action. Fields are added with a default, words are never changed: rows of older versions wait in the queue
/// while a new one starts.
#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Stored {
    Send { text: String, keyboard: Vec<Vec<Button>> },
    Edit { message: i64, text: String, keyboard: Vec<Vec<Button>> },
    RemoveButtons { message: i64 },
    Invoice { title: String, description: String, payload: String, stars: u32 },
}

/// Label and data.
#[derive(Serialize, Deserialize)]
struct Button(String, String);

/// The JSON of an action.
pub(super) fn to_json(action: &ChatAction) -> Result<String, serde_json::Error> {
    let rows = |message: &ChatMessage| {
        let button = |button: &ChatButton| Button(button.label.clone(), button.data.clone());
        message.keyboard.iter().map(|row| row.iter().map(button).collect()).collect()
    };
    serde_json::to_string(&match action {
        ChatAction::Send(message) => Stored::Send { text: message.text.clone(), keyboard: rows(message) },
        ChatAction::Edit { message, to } => {
            Stored::Edit { message: *message, text: to.text.clone(), keyboard: rows(to) }
        }
        ChatAction::RemoveButtons { message } => Stored::RemoveButtons { message: *message },
        ChatAction::Invoice(invoice) => Stored::Invoice {
            title: invoice.title.clone(),
            description: invoice.description.clone(),
            payload: invoice.payload.clone(),
            stars: invoice.stars,
        },
    })
}

/// The action in a JSON text, if it is one of this version's.
pub(super) fn from_json(text: &str) -> Option<ChatAction> {
    let message = |text, keyboard: Vec<Vec<Button>>| {
        let button = |Button(label, data)| ChatButton { label, data };
        let keyboard = keyboard.into_iter().map(|row| row.into_iter().map(button).collect()).collect();
        ChatMessage { text, keyboard }
    };
    Some(match serde_json::from_str(text).ok()? {
        Stored::Send { text, keyboard } => ChatAction::Send(message(text, keyboard)),
        Stored::Edit { message: id, text, keyboard } => {
            ChatAction::Edit { message: id, to: message(text, keyboard) }
        }
        Stored::RemoveButtons { message } => ChatAction::RemoveButtons { message },
        Stored::Invoice { title, description, payload, stars } => {
            ChatAction::Invoice(Invoice { title, description, payload, stars })
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> impl Strategy<Value = ChatMessage> {
        let button = (any::<String>(), any::<String>()).prop_map(|(label, data)| ChatButton { label, data });
        let row = prop::collection::vec(button, 0..3);
        (any::<String>(), prop::collection::vec(row, 0..3))
            .prop_map(|(text, keyboard)| ChatMessage { text, keyboard })
    }

    fn action() -> impl Strategy<Value = ChatAction> {
        let invoice = (any::<String>(), any::<String>(), any::<String>(), any::<u32>());
        prop_oneof![
            message().prop_map(ChatAction::Send),
            (any::<i64>(), message()).prop_map(|(message, to)| ChatAction::Edit { message, to }),
            any::<i64>().prop_map(|message| ChatAction::RemoveButtons { message }),
            invoice.prop_map(|(title, description, payload, stars)| ChatAction::Invoice(Invoice {
                title,
                description,
                payload,
                stars
            })),
        ]
    }

    proptest! {
        #[test]
        fn every_action_survives_the_round_trip(action in action()) {
            let json = to_json(&action).unwrap();
            prop_assert!(!json.contains('\0'), "a column takes it");
            prop_assert_eq!(from_json(&json), Some(action));
        }

        #[test]
        fn no_text_in_the_column_upsets_the_reader(text: String) {
            prop_assert_eq!(from_json(&text), None);
        }
    }

    #[test]
    fn a_stored_action_reads_as_it_was_first_written() {
        let stored = r#"{"do":"edit","message":7,"text":"Hello","keyboard":[[["Menu","m"]]]}"#;
        let button = ChatButton { label: "Menu".to_owned(), data: "m".to_owned() };
        let to = ChatMessage { text: "Hello".to_owned(), keyboard: vec![vec![button]] };
        assert_eq!(from_json(stored), Some(ChatAction::Edit { message: 7, to }));
        assert_eq!(from_json(r#"{"do":"from the future"}"#), None);
    }
}
