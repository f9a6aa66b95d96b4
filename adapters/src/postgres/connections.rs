//! The connections that statements and transactions run on.
//!
//! sqlx's pool pings a connection whenever it comes back, in a task of its own: a round trip more for each statement,
//! and the next statement meanwhile takes another connection. Here a connection whose work ended well is put on a
//! stack for the next statement, which costs nothing and keeps a calm process on one connection, whose statements are
//! prepared and whose pages are warm. Only what ended otherwise (an error, a future dropped half way, a transaction
//! neither committed nor rolled back) goes back through the pool, whose ping flushes the ROLLBACK and finds out whether
//! the connection still works.
//!
//! Seats keep statements from waiting inside the pool, where a connection put on the stack would wake nobody. A
//! connection in use has a seat, and while it is being pinged too. One is taken from the pool only while the stack is
//! empty, so those in use and on the stack are never more than there are seats, and there are as many as the pool may
//! have connections.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt, StreamExt, TryFutureExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Describe, Either, Error, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr,
    pool::PoolConnection,
    postgres::{PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTransactionManager, PgTypeInfo},
};
use sqlx_core::transaction::TransactionManager;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// How long a statement waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may lie idle before it has to go through the pool. A firewall may have forgotten it, and what
/// a burst of work has opened is closed some time after it.
const IDLE_MAX: Duration = Duration::from_mins(10);
/// How old a connection may become: a server process only ever grows.
const AGE_MAX: Duration = Duration::from_mins(30);

/// What the pool below [`Connections`] has to be like.
pub(super) fn pool_options(connections_max: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_MAX)
        .max_lifetime(AGE_MAX)
        // A ping before each statement doubles the round trips and promises nothing: a connection can break right
        // after it. One that broke while it was idle fails its statement, which the caller tries again, and is
        // then replaced.
        .test_before_acquire(false)
}

/// A pool's connections. As an [`Executor`] it runs single statements; [`Connections::begin`] begins a transaction.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    pool: PgPool,
    seats: Arc<Semaphore>,
    /// The last one put here is the first to be used again, so the first one here is the longest idle. `None` once
    /// closed.
    idle: Mutex<Option<Vec<Held>>>,
}

impl Connections {
    pub(super) fn of(pool: PgPool) -> Self {
        let seats = usize::try_from(pool.options().get_max_connections()).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            pool,
            seats: Arc::new(Semaphore::new(seats)),
            idle: Mutex::new(Some(Vec::new())),
        }))
    }

    /// The pool below. While statements leave their connections to each other it has fewer to give than its maximum.
    pub(super) fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// Begins a transaction. Dropped before its end it is rolled back, with as little delay as the server allows.
    pub(super) async fn begin(&self) -> Result<Transaction, Error> {
        let mut held = self.take().await?;
        held.begins = true;
        self.judged(PgTransactionManager::begin(&mut held, None).await)?;
        held.begins = false;
        Ok(Transaction(held))
    }

    /// Keeps a connection out of use, for somebody who takes one from the pool as long as the seat lives.
    pub(super) async fn set_aside(&self) -> Result<Seat, Error> {
        // With its connection, which the pool gets back here: with all of them on the stack it would have none to give.
        let mut held = self.take().await?;
        held.seat.take().ok_or(Error::PoolClosed)
    }

    /// Closes every connection, once what is under way on them has ended. Nothing can begin any more.
    pub(super) async fn close(&self) {
        self.0.seats.close();
        // From here on the pool closes what comes back, and waits for all of it: the idle ones have to come back too.
        let closed = self.0.pool.close();
        let idle = self.idle().take();
        drop(idle);
        closed.await;
    }

    /// Waits for a seat, and for a new connection if there is no idle one.
    async fn take(&self) -> Result<Held, Error> {
        if let Ok(permit) = self.0.seats.clone().try_acquire_owned() {
            return self.take_with(permit).await;
        }
        let queue = async {
            let permit = self.0.seats.clone().acquire_owned().await.map_err(|_| Error::PoolClosed)?;
            self.take_with(permit).await
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "as the pool's time-out: no Clock sets a server's time"
        )]
        let taken = tokio::time::timeout(ACQUIRE_TIMEOUT, queue).await;
        taken.unwrap_or(Err(Error::PoolTimedOut))
    }

    async fn take_with(&self, permit: OwnedSemaphorePermit) -> Result<Held, Error> {
        let seat = Seat { connections: self.clone(), _permit: permit };
        if let Some(mut held) = self.newest_idle() {
            held.seat = Some(seat);
            return Ok(held);
        }
        let connection = self.0.pool.acquire().await?;
        let now = instant();
        Ok(Held { connection, taken_at: now, idle_since: now, begins: false, seat: Some(seat) })
    }

    fn newest_idle(&self) -> Option<Held> {
        let newest = self.idle().as_mut()?.pop()?;
        if newest.idle_since.elapsed() < IDLE_MAX {
            return Some(newest);
        }
        // All below it have been idle for longer still.
        self.let_pool_check_idle();
        None
    }

    /// Puts a connection whose work ended well on the stack. It must have left its seat, or the stack would keep
    /// itself alive.
    fn put_back(&self, held: Held) {
        let now = held.idle_since;
        let mut idle = self.idle();
        let Some(stack) = idle.as_mut() else {
            drop(idle);
            // Closed meanwhile: the pool closes it.
            return drop(held);
        };
        let lies_too_long = |held: &Held| now.saturating_duration_since(held.idle_since) >= IDLE_MAX;
        let outdated: Vec<Held> = match stack.first() {
            Some(oldest) if lies_too_long(oldest) => {
                let first_good = stack.iter().position(|held| !lies_too_long(held)).unwrap_or(stack.len());
                stack.drain(..first_good).collect()
            }
            _ => Vec::new(),
        };
        stack.push(held);
        drop(idle);
        drop(outdated);
    }

    /// Looks at how the work on a connection went before it is handed on. What broke one, a restart of the server
    /// say, mostly broke the idle ones too, and each would cost a statement.
    fn judged<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        let is_broken = match &result {
            Err(Error::Io(_)) => true,
            // The server shuts down, or somebody ended this connection.
            Err(Error::Database(error)) => error.code().is_some_and(|code| code.starts_with("57P")),
            _ => false,
        };
        if is_broken {
            self.let_pool_check_idle();
        }
        result
    }

    fn let_pool_check_idle(&self) {
        let suspects = self.idle().as_mut().map(std::mem::take);
        drop(suspects);
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Held>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("pool", &self.0.pool).finish_non_exhaustive()
    }
}

/// Single statements. The whole answer is read before the first row is handed out, so that a row the caller cannot
/// decode, or stops at, leaves a connection with nothing unread.
impl<'p> Executor<'p> for &'p Connections {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let answer = async move {
            let mut held = self.take().await?;
            let answer: Vec<_> = self.judged(held.fetch_many(query).try_collect().await)?;
            held.keep();
            Ok(stream::iter(answer).map(Ok))
        };
        answer.try_flatten_stream().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        async move {
            let mut held = self.take().await?;
            let row = self.judged(held.fetch_optional(query).await)?;
            held.keep();
            Ok(row)
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        async move {
            let mut held = self.take().await?;
            let statement = self.judged(held.prepare_with(sql, parameters).await)?;
            held.keep();
            Ok(statement)
        }
        .boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        async move {
            let mut held = self.take().await?;
            let described = self.judged(held.describe(sql).await)?;
            held.keep();
            Ok(described)
        }
        .boxed()
    }
}

/// The right to one connection of the pool.
pub(super) struct Seat {
    connections: Connections,
    _permit: OwnedSemaphorePermit,
}

/// A connection in use, or on the stack and then without a seat. Dropped, it goes back through the pool.
struct Held {
    connection: PoolConnection<Postgres>,
    taken_at: Instant,
    idle_since: Instant,
    /// BEGIN may have been sent and is not counted yet: should it be dropped now, sqlx would not know that it has to
    /// roll back, and whatever ran on the connection next would be part of a transaction nobody commits.
    begins: bool,
    seat: Option<Seat>,
}

impl Held {
    /// Leaves the connection to whatever comes next: nothing on it is unread or unfinished.
    fn keep(mut self) {
        self.idle_since = instant();
        if self.idle_since.saturating_duration_since(self.taken_at) >= AGE_MAX {
            // The pool closes it.
            return;
        }
        if let Some(seat) = self.seat.take() {
            // The seat becomes free only afterwards: whoever takes it next finds this connection on the stack.
            seat.connections.put_back(self);
        }
    }
}

impl Deref for Held {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Sent when the connection is used next, a ping being enough; does nothing outside a transaction.
        PgTransactionManager::start_rollback(&mut self.connection);
        let seat = self.seat.take();
        let way_back = self.connection.return_to_pool();
        match Handle::try_current() {
            Ok(runtime) if !self.begins => {
                runtime.spawn(async move {
                    way_back.await;
                    drop(seat);
                });
            }
            // A connection that does not go its way back is closed.
            _ => drop(way_back),
        }
    }
}

/// A transaction under way.
pub(super) struct Transaction(Held);

impl Transaction {
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        PgTransactionManager::commit(&mut self.0).await?;
        self.0.keep();
        Ok(())
    }

    pub(super) async fn rollback(mut self) -> Result<(), Error> {
        PgTransactionManager::rollback(&mut self.0).await?;
        self.0.keep();
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

#[expect(clippy::disallowed_methods, reason = "how old a connection is, no Clock says")]
fn instant() -> Instant {
    Instant::now()
}
