//! The bot as a process, between a simulated Telegram and a simulated provider.

mod conversation;

use std::{net::TcpListener, sync::Arc, time::Duration};

use adapters::system::SystemClock;
use domain::id::UserId;
use ports::{Clock, JobRecord};
use simulator::{
    provider::kie_model::RenderTime,
    telegram::{
        Person, TelegramServer,
        model::{Content, Message, TelegramSettings},
    },
    world::{Outside, OutsideSettings},
};

use crate::flows::process::{Place, mug};

/// How updates reach the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WayIn {
    Polling,
    Webhook,
}

/// All there is around the bot's processes.
struct Stage {
    telegram: TelegramServer,
    _outside: Outside,
    place: Place,
}

impl Stage {
    async fn new(way_in: WayIn) -> Self {
        Self::with(way_in, TelegramSettings::healthy(1)).await
    }

    async fn with(way_in: WayIn, settings: TelegramSettings) -> Self {
        let mut provider = OutsideSettings::healthy(7);
        provider.kie.render_time = RenderTime::Fixed(Duration::from_secs(1));
        let outside = Outside::start(provider, Arc::new(SystemClock::new())).await.unwrap();
        let telegram = TelegramServer::start(settings, Arc::new(SystemClock::new())).unwrap();
        let mut place = Place::new(&outside).await;
        place.set("KADR_TELEGRAM__TOKEN", TelegramSettings::TOKEN);
        place.set("KADR_TELEGRAM__API_BASE", &telegram.api_base());
        place.set("KADR_TELEGRAM__STARTER_CREDITS", "3");
        place.set("KADR_TELEGRAM__SUPPORT", "@support");
        if way_in == WayIn::Webhook {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            place.set("KADR_HTTP__LISTEN", &free.to_string());
            place.set("KADR_TELEGRAM__WEBHOOK_URL", &format!("http://{free}"));
            place.set("KADR_TELEGRAM__WEBHOOK_SECRET", "a-secret-of-20-signs");
        }
        Self { telegram, _outside: outside, place }
    }

    fn person(&self, id: i64) -> Customer {
        Customer(self.telegram.person(id))
    }

    /// Waits until this many jobs are there and all are finished.
    async fn finished(&self, count: usize) -> Vec<JobRecord> {
        let is_over = |jobs: &[JobRecord]| {
            jobs.len() == count && jobs.iter().all(|record| record.job.state.is_terminal())
        };
        self.place.wait_until("all jobs finished", is_over).await
    }

    async fn balance(&self, user: i64) -> (i64, i64) {
        let balance = self.place.stores.ledger.balance(UserId::new(user)).await.unwrap();
        (balance.available.value(), balance.held.value())
    }
}

/// A user who knows what they want.
struct Customer(Person);

impl Customer {
    /// Waits, for at most a minute, for a message with a button whose data begins like this.
    async fn offered(&self, data: &str) -> (Message, String) {
        let fits = |message: &Message| button(message, data).is_some();
        let message = within_a_minute(&format!("a button {data}"), self.0.next(fits)).await;
        let found = button(&message, data).unwrap();
        (message, found)
    }

    /// Waits for such a button and taps it.
    async fn choose(&self, data: &str) {
        let (message, button) = self.offered(data).await;
        self.0.tap(message.id, &button).unwrap();
    }

    async fn join(&self) {
        self.0.write("/start");
        self.choose("accept").await;
        self.offered("new").await;
    }

    /// From the menu to the question whether it is all right.
    async fn prepare(&self, quantity: u8) -> (Message, String) {
        self.0.write("/new");
        self.offered("cancel").await;
        self.0.send_photo(&std::fs::read(mug()).unwrap().into(), "").unwrap();
        self.offered("answer:own-instead").await;
        self.0.write("Стальная кружка на 450 мл, держит тепло восемь часов");
        self.choose("answer:ugc").await;
        self.choose("answer:no-wishes").await;
        self.choose(&format!("answer:{quantity}:")).await;
        self.offered("answer:confirm").await
    }

    fn videos(&self) -> Vec<Message> {
        let is_video = |message: &Message| matches!(message.content, Content::Video { .. });
        self.0.messages().into_iter().filter(is_video).collect()
    }
}

/// The data of the message's first button that begins like this.
fn button(message: &Message, data: &str) -> Option<String> {
    let buttons = message.keyboard.0.iter().flatten();
    buttons
        .filter_map(simulator::telegram::model::Button::data)
        .find(|found| found.starts_with(data))
        .map(str::to_owned)
}

async fn within_a_minute<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    let clock = SystemClock::new();
    tokio::select! {
        biased;
        found = awaited => found,
        () = clock.sleep_until(clock.now().after(Duration::from_secs(60))) => panic!("never came: {what}"),
    }
}
