//! One user's chat over ports that remember what they were told, and fail when a test says so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use domain::{
    id::{ConfirmationId, OrderId, PhotoId, UserId},
    ledger::Balance,
    money::Credits,
    order::Order,
    photo::PhotoFormat,
    time::Timestamp,
};
use ports::{
    ErrorKind, JobRecord, Photo, Placed, PortError, Posting, Prepared,
    bot::{
        Chat, ChatAction, ChatEvent, ChatMessage, EventKind, FileRef, InboxUpdate, IncomingUpdate,
        MockChatClient, MockChatStore, MockInbox, MockOrderMessages, MockPrivacy, MockPurchases,
        MockReplyQueue, MockUpdateReader, Offer, Payment, Purchase, TakenBack, Turn,
    },
};

use crate::{
    Policy,
    bot::{BotPorts, Handled, buttons::Button, handle_update},
    fixtures::{self, Mocks, PNG, START},
};

pub(super) const USER: UserId = UserId::new(5);

/// What is remembered.
#[derive(Default)]
pub(super) struct State {
    pub(super) chat: Option<Chat>,
    pub(super) others: Vec<Chat>,
    pub(super) turns: Vec<Turn>,
    /// Calls worth the order they came in.
    pub(super) calls: Vec<String>,
    pub(super) orders: Vec<Order>,
    pub(super) jobs: Vec<JobRecord>,
    pub(super) holds: usize,
    pub(super) offers: Vec<Offer>,
    pub(super) credited: Vec<String>,
    pub(super) credits: u8,
    pub(super) granted: BTreeMap<String, i64>,
    pub(super) pushed: Vec<(String, UserId)>,
    pub(super) file: Option<Bytes>,
    pub(super) prepared: Option<Prepared>,
    /// The next calls of this name fail like this.
    pub(super) failures: Vec<(&'static str, ErrorKind)>,
}

impl State {
    fn clone_purchase(&self, payload: &str) -> Result<Option<Purchase>, PortError> {
        let offer = self.offers.iter().find(|offer| offer.payload == payload);
        let payment = self.credited.first().map(|charge| Payment {
            charge: charge.clone(),
            paid_at: START,
            refund: None,
        });
        Ok(offer.map(|offer| Purchase { offer: offer.clone(), payment }))
    }

    fn fails(&mut self, call: &str) -> Result<(), PortError> {
        match self.failures.iter().position(|(name, _)| *name == call) {
            None => Ok(()),
            Some(at) => Err(PortError::new(self.failures.remove(at).1, format!("{call} failed"))),
        }
    }
}

pub(super) struct House {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) policy: Policy,
    pub(super) client_language: Option<&'static str>,
    updates: i64,
}

impl House {
    /// A user who was never here, with credits for whoever asks.
    pub(super) fn new() -> Self {
        let state = State { credits: 9, file: Some(PNG.into()), ..State::default() };
        Self {
            state: Arc::new(Mutex::new(state)),
            policy: fixtures::policy(),
            client_language: Some("ru"),
            updates: 100,
        }
    }

    /// A user in the menu.
    pub(super) async fn in_menu() -> Self {
        let mut house = Self::new();
        house.text("/start").await;
        house.tap(&Button::AcceptTerms).await;
        house
    }

    /// A user whose order waits for its confirmation.
    pub(super) async fn at_confirmation() -> Self {
        let mut house = Self::in_menu().await;
        house.picture("photo-1").await;
        house.text("A steel thermos").await;
        house.tap_label("Рекламный ролик").await;
        house.text("-").await;
        house.tap_label("3 видео").await;
        house
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    pub(super) async fn text(&mut self, text: &str) -> Handled {
        self.event(EventKind::Text(text.to_owned())).await.unwrap()
    }

    pub(super) fn picture_event(file: &str) -> EventKind {
        let file = FileRef { id: file.to_owned(), size: Some(1_000) };
        EventKind::Picture { file, mime: None, caption: None, album: None }
    }

    pub(super) async fn picture(&mut self, file: &str) -> Handled {
        self.event(Self::picture_event(file)).await.unwrap()
    }

    pub(super) fn tap_event(data: String) -> EventKind {
        EventKind::Tap { tap: "tap".to_owned(), data, message: Some(40) }
    }

    pub(super) async fn tap(&mut self, button: &Button) -> Handled {
        self.event(Self::tap_event(button.data())).await.unwrap()
    }

    /// The data of the newest message's button that says this.
    pub(super) fn data_of(&self, label: &str) -> String {
        let message = self.newest();
        let found = message.keyboard.iter().flatten().find(|button| button.label.contains(label));
        found.unwrap_or_else(|| panic!("no button {label} below {message:?}")).data.clone()
    }

    pub(super) async fn tap_label(&mut self, label: &str) -> Handled {
        let data = self.data_of(label);
        self.event(Self::tap_event(data)).await.unwrap()
    }

    /// Something new.
    pub(super) async fn event(&mut self, kind: EventKind) -> Result<Handled, PortError> {
        self.updates += 1;
        self.again(kind, 0).await
    }

    /// The newest update, handled again after so many failures.
    pub(super) async fn again(&mut self, kind: EventKind, failures: u32) -> Result<Handled, PortError> {
        let event = ChatEvent { user: USER, client_language: self.client_language.map(str::to_owned), kind };
        self.read(Ok(Some(event)), failures).await
    }

    pub(super) async fn read(
        &mut self,
        read: Result<Option<ChatEvent>, PortError>,
        failures: u32,
    ) -> Result<Handled, PortError> {
        let update = InboxUpdate {
            update: IncomingUpdate { id: self.updates, chat: USER, body: "{}".to_owned() },
            received_at: START,
            failures,
            lease: 1,
        };
        let mut reader = MockUpdateReader::new();
        reader.expect_read().times(1).return_once(move |_| read);
        let bot = BotPorts {
            inbox: Arc::new(MockInbox::new()),
            chats: Arc::new(self.chats()),
            replies: Arc::new(self.replies()),
            order_messages: Arc::new(MockOrderMessages::new()),
            purchases: Arc::new(self.purchases()),
            privacy: Arc::new(self.privacy()),
            client: Arc::new(self.client()),
            reader: Arc::new(reader),
        };
        handle_update(&self.mocks().into_ports(), &bot, &self.policy, &update).await
    }

    /// The newest message.
    pub(super) fn newest(&self) -> ChatMessage {
        self.look(|state| {
            let actions = state.turns.iter().rev().flat_map(|turn| turn.replies.iter().rev());
            let mut messages = actions.filter_map(|action| match action {
                ChatAction::Send(message) | ChatAction::Edit { to: message, .. } => Some(message.clone()),
                _ => None,
            });
            messages.next().expect("a message")
        })
    }

    /// What the newest turn answered with.
    pub(super) fn replies_now(&self) -> Vec<ChatAction> {
        self.look(|state| state.turns.last().expect("a turn").replies.clone())
    }

    fn chats(&self) -> MockChatStore {
        let mut chats = MockChatStore::new();
        let state = Arc::clone(&self.state);
        chats.expect_chat().returning(move |user| {
            let state = state.lock().unwrap();
            let mut all = state.others.iter().chain(&state.chat);
            Ok(all.find(|chat| chat.user == user).cloned())
        });
        let state = Arc::clone(&self.state);
        chats.expect_store().returning(move |turn, _| {
            let mut state = state.lock().unwrap();
            state.fails("store")?;
            if let Some(chat) = &turn.chat {
                let version = state.chat.as_ref().map_or(0, |chat| chat.version);
                assert_eq!(chat.version, version, "a turn is stored on the chat it was read with");
                state.chat = Some(Chat { version: version + 1, ..chat.clone() });
            }
            state.turns.push(turn.clone());
            Ok(())
        });
        let state = Arc::clone(&self.state);
        chats.expect_set_blocked().returning(move |_, since| {
            let mut state = state.lock().unwrap();
            if let Some(chat) = &mut state.chat {
                chat.blocked_since = since;
            }
            state.calls.push(format!("blocked {}", since.is_some()));
            Ok(())
        });
        chats
    }

    fn replies(&self) -> MockReplyQueue {
        let mut replies = MockReplyQueue::new();
        let state = Arc::clone(&self.state);
        replies.expect_push().returning(move |key, chat, _, _| {
            state.lock().unwrap().pushed.push((key.to_owned(), chat));
            Ok(true)
        });
        replies
    }

    fn privacy(&self) -> MockPrivacy {
        let mut privacy = MockPrivacy::new();
        let state = Arc::clone(&self.state);
        privacy.expect_forget_user().returning(move |_| {
            let mut state = state.lock().unwrap();
            state.chat.as_mut().expect("a chat").dialogue.clear();
            state.calls.push("forgotten".to_owned());
            Ok(())
        });
        privacy
    }

    fn purchases(&self) -> MockPurchases {
        let mut purchases = MockPurchases::new();
        let state = Arc::clone(&self.state);
        purchases.expect_offer().returning(move |offer| {
            let mut state = state.lock().unwrap();
            if let Some(earlier) = state.offers.iter().find(|earlier| earlier.payload == offer.payload) {
                assert_eq!(earlier, offer, "the same offer again");
            } else {
                state.offers.push(offer.clone());
            }
            Ok(())
        });
        let state = Arc::clone(&self.state);
        purchases.expect_offer_of().returning(move |payload| {
            let state = state.lock().unwrap();
            state.clone_purchase(payload)
        });
        let state = Arc::clone(&self.state);
        purchases.expect_credit().returning(move |payload, charge, user, stars, _| {
            let mut state = state.lock().unwrap();
            state.fails("credit")?;
            let is_offered =
                |offer: &&Offer| offer.payload == payload && offer.user == user && offer.stars == stars;
            if !state.offers.iter().any(|offer| is_offered(&offer)) {
                return Err(PortError::new(ErrorKind::Rejected, "not offered"));
            }
            let balance = Balance { available: Credits::of(state.credits), held: Credits::ZERO };
            if state.credited.iter().any(|earlier| earlier == charge) {
                return Ok(Posting::Duplicate(balance));
            }
            state.credited.push(charge.to_owned());
            Ok(Posting::Posted(balance))
        });
        let state = Arc::clone(&self.state);
        purchases.expect_paid_back().returning(move |charge, _| {
            let state = state.lock().unwrap();
            let is_ours = state.credited.iter().any(|earlier| earlier == charge);
            let (bought, taken) = (Credits::of(10), Credits::of(4));
            let balance = Balance::default();
            Ok(is_ours.then_some(TakenBack { user: USER, bought, taken, balance, is_repeated: false }))
        });
        purchases
    }

    fn client(&self) -> MockChatClient {
        let mut client = MockChatClient::new();
        let state = Arc::clone(&self.state);
        client.expect_answer_tap().returning(move |_, text| {
            let mut state = state.lock().unwrap();
            state.calls.push(format!("tap answered: {}", text.unwrap_or_default()));
            state.fails("tap")
        });
        let state = Arc::clone(&self.state);
        client.expect_download().returning(move |file| {
            let mut state = state.lock().unwrap();
            state.calls.push(format!("download {}", file.id));
            state.fails("download")?;
            state.file.clone().ok_or_else(|| PortError::new(ErrorKind::Rejected, "no such file"))
        });
        let state = Arc::clone(&self.state);
        client.expect_refund_stars().returning(move |_, charge| {
            let mut state = state.lock().unwrap();
            state.calls.push(format!("refund {charge}"));
            state.fails("refund")
        });
        let state = Arc::clone(&self.state);
        client.expect_answer_pre_checkout().returning(move |_, answer| {
            state.lock().unwrap().calls.push(format!("{answer:?}"));
            Ok(())
        });
        client
    }

    fn mocks(&self) -> Mocks {
        let mut mocks = Mocks::default();
        let state = Arc::clone(&self.state);
        mocks.ledger.expect_balance().returning(move |_| {
            let available = Credits::of(state.lock().unwrap().credits);
            Ok(Balance { available, held: Credits::ZERO })
        });
        let state = Arc::clone(&self.state);
        mocks.ledger.expect_post().returning(move |entry| {
            let mut state = state.lock().unwrap();
            state.fails("post")?;
            let balance = Balance { available: Credits::of(state.credits), held: Credits::ZERO };
            Ok(match state.granted.insert(entry.key.clone(), entry.available) {
                None => Posting::Posted(balance),
                Some(_) => Posting::Duplicate(balance),
            })
        });
        mocks.ledger.expect_history().returning(|_, _| Ok(Vec::new()));
        let state = Arc::clone(&self.state);
        mocks.studio.expect_prepare().returning(move |bytes, _| {
            let prepared = state.lock().unwrap().prepared.clone();
            Ok(prepared.unwrap_or(Prepared::Ready(Photo { bytes, format: PhotoFormat::Png })))
        });
        mocks.photos.expect_put().returning(|_, _| Ok(PhotoId::new(9)));
        mocks.photos.expect_get().returning(|_| Ok(Some(fixtures::photo())));
        self.with_orders(&mut mocks);
        self.with_jobs(&mut mocks);
        mocks
    }

    fn with_orders(&self, mocks: &mut Mocks) {
        let state = Arc::clone(&self.state);
        mocks.orders.expect_place().returning(move |placement| {
            let mut state = state.lock().unwrap();
            state.fails("place")?;
            let confirmation = &placement.order.request.confirmation;
            let placed = match state.orders.iter().find(|o| o.request.confirmation == *confirmation) {
                Some(order) if order.request == placement.order.request => {
                    Placed::Duplicate { order: order.id }
                }
                Some(_) => return Err(PortError::new(ErrorKind::Conflict, "used for another order")),
                None => {
                    state.orders.push(placement.order.clone());
                    state.holds += 1;
                    Placed::Placed { balance: Balance::default() }
                }
            };
            state.fails("place-answer")?;
            Ok(placed)
        });
        let state = Arc::clone(&self.state);
        mocks
            .orders
            .expect_order()
            .returning(move |id| Ok(state.lock().unwrap().orders.iter().find(|o| o.id == id).cloned()));
        let state = Arc::clone(&self.state);
        mocks.orders.expect_orders_of().returning(move |user, _| {
            let state = state.lock().unwrap();
            Ok(state.orders.iter().filter(|order| order.request.user == user).cloned().collect())
        });
    }

    fn with_jobs(&self, mocks: &mut Mocks) {
        let state = Arc::clone(&self.state);
        mocks.jobs.expect_list().returning(move |filter| {
            let state = state.lock().unwrap();
            let is_asked = |record: &&JobRecord| filter.order.is_none_or(|order| record.job.order == order);
            Ok(state.jobs.iter().filter(is_asked).cloned().collect())
        });
        let state = Arc::clone(&self.state);
        mocks.jobs.expect_cancel().returning(move |id, rules, now| {
            let mut state = state.lock().unwrap();
            state.calls.push(format!("cancel {id}"));
            state.fails("cancel")?;
            let record = state.jobs.iter_mut().find(|record| record.job.id == id).expect("a job");
            let step = domain::job::apply(&record.job, domain::job::Event::CancelRequested, rules, now)
                .map_err(|error| PortError::with_source(ErrorKind::Rejected, "too late", error))?;
            record.job = step.job.clone();
            Ok(step)
        });
    }

    /// An order of somebody, with its jobs in the queue.
    pub(super) fn add_order(&self, id: u128, user: UserId, template: domain::prompt::Template) -> OrderId {
        let mut order = fixtures::order(template);
        order.id = OrderId::new(id);
        order.request.user = user;
        order.request.confirmation = ConfirmationId::new(format!("earlier-{id}")).unwrap();
        let job = domain::job::Job::queued(domain::id::JobId::new(id), order.id, user, (1, 1), START);
        self.look(|state| {
            state.jobs.push(JobRecord { job, next_run_at: Some(START), leased_until: None });
            state.orders.push(order);
        });
        OrderId::new(id)
    }

    pub(super) fn banned(&self, since: Option<Timestamp>) {
        self.look(|state| state.chat.as_mut().expect("a chat").banned_since = since);
    }
}
