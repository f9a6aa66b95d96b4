//! A whole conversation, as it is read. Reviewed with `INSTA_UPDATE=always cargo test -p app --lib bot::tests::words` and `git diff`.

use std::fmt::Write;

use super::house::House;
use crate::bot::buttons::Button;

fn told(house: &House, user: &str, talk: &mut String) {
    let message = house.newest();
    writeln!(talk, "> {user}\n\n{}", message.text).unwrap();
    for row in &message.keyboard {
        let labels: Vec<_> = row.iter().map(|button| format!("[{}]", button.label)).collect();
        writeln!(talk, "{}", labels.join(" ")).unwrap();
    }
    writeln!(talk).unwrap();
}

async fn whole(client_language: &'static str, taps: [&str; 6]) -> String {
    let mut house = House::new();
    house.client_language = Some(client_language);
    house.policy.bot.support = Some("@kadr_help".to_owned());
    let mut talk = String::new();
    let t = &mut talk;
    house.text("/start").await;
    told(&house, "/start", t);
    let [accept, create, template, three, confirm, history] = taps;
    for label in [accept, create] {
        house.tap_label(label).await;
        told(&house, &format!("[{label}]"), t);
    }
    house.picture("photo-1").await;
    told(&house, "(photo)", t);
    house.text("A steel thermos").await;
    told(&house, "A steel thermos", t);
    house.tap_label(template).await;
    told(&house, &format!("[{template}]"), t);
    house.text("In a tent").await;
    told(&house, "In a tent", t);
    for label in [three, confirm] {
        house.tap_label(label).await;
        told(&house, &format!("[{label}]"), t);
    }
    for command in
        ["/account", "/help", "/privacy", "/support", "/paysupport", "/delete_me", "/hello", "hello"]
    {
        house.text(command).await;
        told(&house, command, t);
    }
    house.tap(&Button::Open(domain::dialogue::Page::History)).await;
    told(&house, &format!("[{history}]"), t);
    talk
}

#[tokio::test]
async fn a_whole_conversation_in_russian() {
    let taps = ["Принимаю", "Создать видео", "UGC-блогер", "3 видео", "✅ Создать", "История"];
    insta::assert_snapshot!(whole("ru", taps).await);
}

#[tokio::test]
async fn a_whole_conversation_in_english() {
    let taps = ["I accept", "Create a video", "UGC blogger", "3 videos", "✅ Create", "History"];
    insta::assert_snapshot!(whole("en", taps).await);
}
