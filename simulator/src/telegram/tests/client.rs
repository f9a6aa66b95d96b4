//! What the bot itself talks with.

use std::sync::Arc;

use adapters::{
    http::{HttpOptions, client},
    system::SystemClock,
};
use bytes::Bytes;
use secrecy::ExposeSecret;
use teloxide_core::{
    ApiError, Bot, RequestError,
    net::Download,
    payloads::{
        AnswerCallbackQuerySetters, AnswerPreCheckoutQuerySetters, EditMessageTextSetters, GetUpdatesSetters,
        SendMessageSetters, SendVideoSetters, SetWebhookSetters,
    },
    requests::Requester,
    types::{
        AllowedUpdate, BotCommand, ChatAction, ChatId, FileId, InlineKeyboardButton, InlineKeyboardMarkup,
        InputFile, LabeledPrice, MessageId, MessageKind, Update, UpdateKind, UserId,
    },
};

use crate::{
    sample,
    telegram::{
        Person, TelegramServer,
        model::{Content, Fault, PaymentEnd, Plan, TelegramSettings},
    },
};

const OLGA: ChatId = ChatId(42);

struct Stage {
    server: TelegramServer,
    bot: Bot,
    olga: Person,
    next: i32,
}

impl Stage {
    fn new() -> Self {
        let settings = TelegramSettings::healthy(1);
        let server = TelegramServer::start(settings, Arc::new(SystemClock::new())).unwrap();
        let http = client(&HttpOptions::default()).unwrap();
        let bot = Bot::with_client(server.token().expose_secret(), http)
            .set_api_url(server.api_base().parse().unwrap());
        let olga = server.person(42);
        Self { server, bot, olga, next: 0 }
    }

    /// The next updates, which are confirmed by the poll after this one.
    async fn poll(&mut self) -> Vec<Update> {
        let kinds = [
            AllowedUpdate::Message,
            AllowedUpdate::CallbackQuery,
            AllowedUpdate::PreCheckoutQuery,
            AllowedUpdate::MyChatMember,
        ];
        let updates =
            self.bot.get_updates().offset(self.next).timeout(30).allowed_updates(kinds).await.unwrap();
        if let Some(last) = updates.last() {
            self.next = i32::try_from(last.id.0).unwrap() + 1;
        }
        updates
    }

    async fn one(&mut self) -> UpdateKind {
        let mut updates = self.poll().await;
        assert_eq!(updates.len(), 1, "{updates:?}");
        updates.remove(0).kind
    }
}

fn button(label: &str, data: &str) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup::new([[InlineKeyboardButton::callback(label, data)]])
}

#[tokio::test]
async fn a_conversation_with_the_bots_own_client() {
    let mut stage = Stage::new();
    let bot = stage.bot.clone();
    assert!(bot.get_me().await.unwrap().user.is_bot);
    bot.set_my_commands([BotCommand::new("start", "Begin")]).await.unwrap();

    stage.olga.write("/start invited");
    let UpdateKind::Message(start) = stage.one().await else { panic!() };
    assert_eq!((start.chat.id, start.text()), (OLGA, Some("/start invited")));
    assert_eq!(start.from.unwrap().language_code.as_deref(), Some("ru"));

    bot.send_chat_action(OLGA, ChatAction::Typing).await.unwrap();
    let sent = bot.send_message(OLGA, "Choose").reply_markup(button("One", "count:1")).await.unwrap();
    let seen = stage.olga.next_with("Choose").await;
    let taps = stage.olga.tap_twice(seen.id, "One").unwrap();
    let updates = stage.poll().await;
    assert_eq!(updates.len(), 2);
    for (update, tap) in updates.into_iter().zip(&taps) {
        let UpdateKind::CallbackQuery(query) = update.kind else { panic!() };
        assert_eq!((query.id.0.as_str(), query.data.as_deref()), (tap.as_str(), Some("count:1")));
        assert_eq!(query.message.unwrap().id(), sent.id);
        bot.answer_callback_query(query.id).text("One it is").await.unwrap();
        assert_eq!(stage.olga.tap_answer(tap).await.unwrap().text.as_deref(), Some("One it is"));
    }
    bot.edit_message_text(OLGA, sent.id, "Chosen").await.unwrap();
    assert!(stage.olga.next_with("Chosen").await.keyboard.is_empty());
    bot.delete_message(OLGA, sent.id).await.unwrap();
    assert_eq!(stage.olga.message(sent.id.0.into()), None);

    stage.olga.forge_tap(sent.id.0.into(), "count:1000");
    let UpdateKind::CallbackQuery(forged) = stage.one().await else { panic!() };
    assert_eq!(forged.message.unwrap().id(), sent.id);
    bot.answer_callback_query(forged.id).await.unwrap();

    stage.olga.block();
    let UpdateKind::MyChatMember(change) = stage.one().await else { panic!() };
    assert!(change.new_chat_member.is_banned());
    let blocked = bot.send_message(OLGA, "hello").await;
    assert!(matches!(blocked, Err(RequestError::Api(ApiError::BotBlocked))), "{blocked:?}");
    stage.olga.unblock();
    let UpdateKind::MyChatMember(change) = stage.one().await else { panic!() };
    assert!(!change.new_chat_member.is_banned());
    assert_eq!(stage.server.violations(), []);
}

#[tokio::test]
async fn photos_come_down_and_videos_go_up_with_the_bots_own_client() {
    let mut stage = Stage::new();
    let bot = stage.bot.clone();
    stage.olga.send_photo(&Bytes::from_static(sample::PHOTO), "a mug").unwrap();
    stage.olga.send_file("mug.jpg", "image/jpeg", Bytes::from_static(sample::PHOTO), "");
    stage.olga.send_other("dice", serde_json::json!({ "emoji": "🎲", "value": 3 }));
    let updates = stage.poll().await;
    let UpdateKind::Message(photo) = &updates[0].kind else { panic!() };
    let UpdateKind::Message(document) = &updates[1].kind else { panic!() };
    let UpdateKind::Message(dice) = &updates[2].kind else { panic!() };
    assert_eq!(photo.caption(), Some("a mug"));
    assert!(dice.dice().is_some());
    let largest = photo.photo().unwrap().iter().max_by_key(|size| size.width * size.height).unwrap();
    for id in [largest.file.id.clone(), document.document().unwrap().file.id.clone()] {
        let file = bot.get_file(id).await.unwrap();
        let mut bytes = Vec::new();
        bot.download_file(&file.path, &mut bytes).await.unwrap();
        assert!(bytes == sample::PHOTO);
    }

    let clip = Bytes::from(vec![7; 300_000]);
    let upload = InputFile::memory(clip.clone()).file_name("clip.mp4");
    let sent = bot
        .send_video(OLGA, upload)
        .caption("Ready")
        .width(720)
        .height(1280)
        .duration(10)
        .supports_streaming(true)
        .reply_markup(button("Another", "again"))
        .await
        .unwrap();
    let seen = stage.olga.next_with("Ready").await;
    let Content::Video { file, .. } = &seen.content else { panic!() };
    assert!(file.bytes == clip && file.facts.streams && file.facts.duration == 10);
    assert_eq!(file.facts.name.as_deref(), Some("clip.mp4"));
    assert!(seen.keyboard.find("again").is_some());
    let id = sent.video().unwrap().file.id.clone();
    let again = bot.send_video(OLGA, InputFile::file_id(id.clone())).await.unwrap();
    assert_eq!(again.video().unwrap().file.id, id);
    let unknown = bot.get_file(FileId("unknown".to_owned())).await;
    assert!(matches!(unknown, Err(RequestError::Api(_))), "{unknown:?}");
}

#[tokio::test]
async fn stars_are_paid_and_given_back_with_the_bots_own_client() {
    let mut stage = Stage::new();
    let bot = stage.bot.clone();
    stage.olga.write("/buy");
    stage.poll().await;
    bot.send_invoice(OLGA, "5 videos", "Credits", "order:7", "XTR", [LabeledPrice::new("5 videos", 250)])
        .await
        .unwrap();
    let bill = stage.olga.next(|message| matches!(message.content, Content::Invoice(_))).await;
    let query = stage.olga.pay(bill.id).unwrap();
    let UpdateKind::PreCheckoutQuery(asked) = stage.one().await else { panic!() };
    assert_eq!((asked.invoice_payload.as_str(), asked.total_amount), ("order:7", 250));
    bot.answer_pre_checkout_query(asked.id, true).await.unwrap();
    let PaymentEnd::Paid(payment) = stage.olga.payment_end(&query).await else { panic!() };
    let UpdateKind::Message(told) = stage.one().await else { panic!() };
    let charge = told.successful_payment().unwrap().telegram_payment_charge_id.clone();
    assert_eq!(charge.0, payment.charge);

    bot.refund_star_payment(UserId(42), charge.clone()).await.unwrap();
    let UpdateKind::Message(told) = stage.one().await else { panic!() };
    let MessageKind::RefundedPayment(told) = told.kind else { panic!() };
    assert_eq!(told.refunded_payment.telegram_payment_charge_id, charge);
    let again = bot.refund_star_payment(UserId(42), charge.clone()).await.unwrap_err();
    assert!(again.to_string().contains("CHARGE_ALREADY_REFUNDED"), "{again}");
    let all = bot.get_star_transactions().await.unwrap().transactions;
    assert_eq!(all.iter().map(|one| &one.id).collect::<Vec<_>>(), [&charge, &charge]);
    assert!(all[0].source.is_some() && all[1].receiver.is_some());

    let query = stage.olga.pay(bill.id).unwrap();
    let UpdateKind::PreCheckoutQuery(asked) = stage.one().await else { panic!() };
    bot.answer_pre_checkout_query(asked.id, false).error_message("Sold out").await.unwrap();
    assert_eq!(stage.olga.payment_end(&query).await, PaymentEnd::Refused("Sold out".to_owned()));
    assert_eq!(stage.server.violations(), []);
}

#[tokio::test]
async fn refusals_are_those_the_bots_own_client_knows() {
    let stage = Stage::new();
    let bot = &stage.bot;
    stage.olga.write("/start");
    let sent = bot.send_message(OLGA, "hello").await.unwrap();
    let same = bot.edit_message_text(OLGA, sent.id, "hello").await;
    assert!(matches!(same, Err(RequestError::Api(ApiError::MessageNotModified))), "{same:?}");
    let gone = bot.edit_message_text(OLGA, MessageId(99), "hello").reply_markup(button("a", "b")).await;
    assert!(matches!(gone, Err(RequestError::Api(ApiError::MessageToEditNotFound))), "{gone:?}");
    let long = bot.send_message(OLGA, "x".repeat(4_097)).await;
    assert!(matches!(long, Err(RequestError::Api(ApiError::MessageIsTooLong))), "{long:?}");
    let data = bot.send_message(OLGA, "x").reply_markup(button("a", &"x".repeat(65))).await;
    assert!(matches!(data, Err(RequestError::Api(ApiError::ButtonDataInvalid))), "{data:?}");
    let nobody = bot.send_message(ChatId(777), "hello").await;
    assert!(matches!(nobody, Err(RequestError::Api(ApiError::ChatNotFound))), "{nobody:?}");
    stage.server.plan(Plan::next("SendMessage", Fault::TooMany(9)));
    let early = bot.send_message(OLGA, "hello").await;
    assert!(matches!(early, Err(RequestError::RetryAfter(wait)) if wait.seconds() == 9), "{early:?}");
    stage.server.plan(Plan::next("GetMe", Fault::AnswerLost));
    assert!(matches!(bot.get_me().await, Err(RequestError::Network(_))));
    let hook = "http://127.0.0.1:9/hook".parse().unwrap();
    bot.set_webhook(hook).secret_token("s3cret".to_owned()).await.unwrap();
    assert_eq!(bot.get_webhook_info().await.unwrap().url.unwrap().port(), Some(9));
    let polled = bot.get_updates().await;
    assert!(matches!(polled, Err(RequestError::Api(_))), "{polled:?}");
    bot.delete_webhook().await.unwrap();
    let other = Bot::with_client("1:other", client(&HttpOptions::default()).unwrap())
        .set_api_url(stage.server.api_base().parse().unwrap());
    let unknown = other.get_me().await;
    assert!(matches!(unknown, Err(RequestError::Api(ApiError::InvalidToken))), "{unknown:?}");
}
