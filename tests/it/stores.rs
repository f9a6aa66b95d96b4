//! The stores under test: in memory, or a fresh database on the one PostgreSQL of this test run.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use adapters::{
    memory::MemStores,
    postgres::{
        PgStores,
        server::{PostgresServer, ServerOptions, test_databases::create_database_from_template},
    },
};
use ports::{
    JobStore, LedgerStore, OrderStore, Outbox, PhotoStore, WorkSignal,
    bot::{ChatStore, Inbox, OrderMessages, Privacy, Purchases, ReplyQueue},
};
use secrecy::SecretString;
use tokio::sync::OnceCell;

/// Every store port of one implementation.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) orders: Arc<dyn OrderStore>,
    pub(crate) jobs: Arc<dyn JobStore>,
    pub(crate) ledger: Arc<dyn LedgerStore>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) photos: Arc<dyn PhotoStore>,
    pub(crate) inbox: Arc<dyn Inbox>,
    pub(crate) chats: Arc<dyn ChatStore>,
    pub(crate) replies: Arc<dyn ReplyQueue>,
    pub(crate) order_messages: Arc<dyn OrderMessages>,
    pub(crate) purchases: Arc<dyn Purchases>,
    pub(crate) privacy: Arc<dyn Privacy>,
    pub(crate) signal: Arc<dyn WorkSignal>,
}

impl Stores {
    fn of<S>(stores: &S, signal: Arc<dyn WorkSignal>) -> Self
    where
        S: OrderStore + JobStore + LedgerStore + Outbox + PhotoStore + Clone + 'static,
        S: Inbox + ChatStore + ReplyQueue + OrderMessages + Purchases + Privacy,
    {
        let stores = Arc::new(stores.clone());
        Self {
            orders: stores.clone(),
            jobs: stores.clone(),
            ledger: stores.clone(),
            outbox: stores.clone(),
            photos: stores.clone(),
            inbox: stores.clone(),
            chats: stores.clone(),
            replies: stores.clone(),
            order_messages: stores.clone(),
            purchases: stores.clone(),
            privacy: stores,
            signal,
        }
    }
}

/// Fresh stores in memory.
pub(crate) async fn memory() -> Stores {
    of_memory(&MemStores::default())
}

/// The ports of stores in memory.
pub(crate) fn of_memory(stores: &MemStores) -> Stores {
    Stores::of(stores, stores.signal())
}

/// Fresh stores in a database of their own.
pub(crate) async fn postgres() -> Stores {
    of_postgres(&pg_stores().await)
}

/// The ports of a connection to PostgreSQL.
pub(crate) fn of_postgres(stores: &PgStores) -> Stores {
    Stores::of(stores, stores.signal())
}

/// A connection to a fresh database, for tests that look behind the ports.
pub(crate) async fn pg_stores() -> PgStores {
    PgStores::connect(&fresh_database().await, 4).await.unwrap()
}

/// The URL of a fresh, migrated database.
pub(crate) async fn fresh_database() -> SecretString {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    template().await;
    let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    create_database_from_template(&server().database_url(), TEMPLATE, &name).await.unwrap();
    server().url(&name)
}

const TEMPLATE: &str = "kadr_template";

/// The one server of this test run.
pub(crate) fn server() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(|| PostgresServer::start(&ServerOptions::throwaway()).unwrap())
}

/// Migrates the database that all others are copies of, once.
async fn template() {
    static MIGRATED: OnceCell<()> = OnceCell::const_new();
    MIGRATED
        .get_or_init(|| async {
            let admin = server().database_url();
            create_database_from_template(&admin, "template1", TEMPLATE).await.unwrap();
            let stores = PgStores::connect(&server().url(TEMPLATE), 1).await.unwrap();
            stores.migrate().await.unwrap();
            stores.close().await;
        })
        .await;
}
