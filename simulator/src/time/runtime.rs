//! The runtime that moves virtual time.

use std::{
    future::poll_fn,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use tokio::{runtime::Runtime, task::JoinError};

use super::{InFlight, SimClock};

/// Why a simulated run did not end as it should.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// Every task waits for another one: nothing is in flight and nobody sleeps.
    #[error(
        "the simulation stalled at {now_ms} ms: nothing is in flight and nobody sleeps, so nothing can ever happen. \
         Some task waits for a thing that no port call and no sleep will bring; is a port not decorated?"
    )]
    Stalled {
        /// Virtual time of the stall, in milliseconds since the Unix epoch.
        now_ms: i64,
    },
    /// The simulated program panicked or was aborted.
    #[error("the simulated program did not finish")]
    Crashed(#[from] JoinError),
    /// The runtime could not be started.
    #[error("the simulation's runtime could not be started")]
    Runtime(#[from] io::Error),
}

/// A single-threaded runtime under a [`SimClock`].
///
/// Everything runs in spawned tasks. When the thread is about to park and no call is in flight, the next sleeper
/// is woken; when there is none, the run ends with [`SimError::Stalled`] rather than hanging.
#[derive(Debug)]
pub struct SimRuntime {
    runtime: Runtime,
    clock: SimClock,
    in_flight: InFlight,
    stalled: Arc<AtomicBool>,
    /// Whether a program is running whose end is not yet known to the driver.
    running: Arc<AtomicBool>,
}

impl SimRuntime {
    /// Builds the runtime for a clock and a counter of calls in flight.
    ///
    /// # Errors
    /// The operating system refuses the runtime its resources.
    pub fn new(clock: &SimClock, in_flight: &InFlight) -> io::Result<Self> {
        Self::build(clock, in_flight, true)
    }

    /// Builds the runtime for programs that never wait for anything real: without sockets to look at, a jump of the
    /// clock costs no system call.
    ///
    /// # Errors
    /// The operating system refuses the runtime its resources.
    pub fn in_memory(clock: &SimClock) -> io::Result<Self> {
        Self::build(clock, &InFlight::default(), false)
    }

    fn build(clock: &SimClock, in_flight: &InFlight, real_calls: bool) -> io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        if real_calls {
            builder.enable_all();
        }
        let stalled = Arc::new(AtomicBool::new(false));
        let running = Arc::new(AtomicBool::new(false));
        let runtime = builder
            .on_thread_park({
                let (clock, in_flight) = (clock.clone(), in_flight.clone());
                let (stalled, running) = (Arc::clone(&stalled), Arc::clone(&running));
                move || {
                    if in_flight.calls() > 0 || !running.load(Ordering::SeqCst) {
                        return;
                    }
                    if !clock.jump() {
                        stalled.store(true, Ordering::SeqCst);
                    }
                    // The woken sleeper may have gone in the meantime, and then nothing would end this parking:
                    // waking the driver leads back here, to the next deadline.
                    in_flight.wake_driver();
                }
            })
            .build()?;
        Ok(Self { runtime, clock: clock.clone(), in_flight: in_flight.clone(), stalled, running })
    }

    /// Runs a program in virtual time.
    ///
    /// # Errors
    /// [`SimError`] when the program panics, or when it and all its tasks wait for ever.
    pub fn run<T: Send + 'static>(
        &self,
        program: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, SimError> {
        self.stalled.store(false, Ordering::SeqCst);
        self.running.store(true, Ordering::SeqCst);
        let ended = Ended(Arc::clone(&self.running));
        let task = self.runtime.spawn(async move {
            let _ended = ended;
            program.await
        });
        let outcome = self.runtime.block_on(async {
            let mut task = pin!(task);
            poll_fn(|cx| {
                self.in_flight.set_driver(cx.waker());
                if let Poll::Ready(outcome) = task.as_mut().poll(cx) {
                    return Poll::Ready(outcome.map_err(SimError::from));
                }
                if self.stalled.load(Ordering::SeqCst) {
                    use ports::Clock as _;
                    return Poll::Ready(Err(SimError::Stalled { now_ms: self.clock.now().as_millis() }));
                }
                Poll::Pending
            })
            .await
        });
        self.running.store(false, Ordering::SeqCst);
        outcome
    }
}

/// Says that the program has ended, before the driver hears of it: in between, a parking thread must not call
/// the silence a stall.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use domain::time::Timestamp;
    use ports::Clock;

    use super::*;

    fn world() -> (SimClock, InFlight, SimRuntime) {
        let clock = SimClock::starting_at(Timestamp::from_millis(1_000));
        let in_flight = InFlight::default();
        let runtime = SimRuntime::new(&clock, &in_flight).unwrap();
        (clock, in_flight, runtime)
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// A call to the real world that takes real time.
    async fn real_call(millis: u64) {
        tokio::task::spawn_blocking(move || {
            #[expect(clippy::disallowed_methods, reason = "the test needs a call that takes real time")]
            std::thread::sleep(Duration::from_millis(millis));
        })
        .await
        .unwrap();
    }

    #[test]
    fn a_day_of_sleep_passes_at_once_and_lands_exactly() {
        let (clock, _, runtime) = world();
        let day = 24 * 60 * 60 * 1_000;
        let slept = clock.clone();
        runtime.run(async move { slept.sleep_until(at(1_000 + day)).await }).unwrap();
        assert_eq!(clock.now(), at(1_000 + day));
        assert_eq!((clock.jumps(), clock.sleepers()), (1, 0));
    }

    #[test]
    fn a_deadline_that_has_passed_does_not_move_the_clock() {
        let (clock, _, runtime) = world();
        let slept = clock.clone();
        runtime.run(async move { slept.sleep_until(at(5)).await }).unwrap();
        assert_eq!(clock.now(), at(1_000));
        assert_eq!(clock.jumps(), 0);
    }

    #[test]
    fn sleepers_wake_by_deadline_and_at_one_instant_in_sleeping_order() {
        let (clock, _, runtime) = world();
        let woken = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&woken);
        runtime
            .run(async move {
                let tasks: Vec<_> = [(1, 5_000), (2, 3_000), (3, 5_000), (4, 2_000), (5, 5_000)]
                    .map(|(name, due)| {
                        let (clock, heard) = (clock.clone(), Arc::clone(&heard));
                        tokio::spawn(async move {
                            clock.sleep_until(at(due)).await;
                            heard.lock().unwrap().push((name, clock.now().as_millis()));
                        })
                    })
                    .into();
                for task in tasks {
                    task.await.unwrap();
                }
            })
            .unwrap();
        let expected = [(4, 2_000), (2, 3_000), (1, 5_000), (3, 5_000), (5, 5_000)];
        assert_eq!(*woken.lock().unwrap(), expected);
    }

    #[test]
    fn a_dropped_sleep_never_moves_the_clock() {
        let (clock, _, runtime) = world();
        let raced = clock.clone();
        runtime
            .run(async move {
                tokio::select! {
                    biased;
                    () = raced.sleep_until(at(2_000)) => {}
                    () = raced.sleep_until(at(9_000_000)) => {}
                }
                assert_eq!(raced.sleepers(), 0);
                raced.sleep_until(at(3_000)).await;
            })
            .unwrap();
        assert_eq!(clock.now(), at(3_000));
    }

    #[test]
    fn time_stands_still_while_a_call_is_in_flight() {
        let (clock, in_flight, runtime) = world();
        let (slept, counted) = (clock.clone(), in_flight.clone());
        let seen = runtime
            .run(async move {
                let sleeper = tokio::spawn({
                    let slept = slept.clone();
                    async move { slept.sleep_until(at(60_000)).await }
                });
                tokio::task::yield_now().await;
                counted.during(real_call(30)).await;
                let seen = slept.now();
                sleeper.await.unwrap();
                seen
            })
            .unwrap();
        assert_eq!(seen, at(1_000), "the call took no virtual time");
        assert_eq!(clock.now(), at(60_000));
        assert_eq!((in_flight.calls(), in_flight.total()), (0, 1));
    }

    #[test]
    fn a_call_that_ends_on_another_thread_lets_time_go_on() {
        let (clock, in_flight, runtime) = world();
        let slept = clock.clone();
        let holding = in_flight.hold();
        let elsewhere = std::thread::spawn(move || {
            #[expect(clippy::disallowed_methods, reason = "the test needs a call that takes real time")]
            std::thread::sleep(Duration::from_millis(30));
            drop(holding);
        });
        runtime.run(async move { slept.sleep_until(at(60_000)).await }).unwrap();
        elsewhere.join().unwrap();
        assert_eq!(clock.now(), at(60_000));
    }

    #[test]
    fn a_sleep_whose_task_has_gone_does_not_hang_the_run() {
        let (clock, _, runtime) = world();
        let slept = clock.clone();
        runtime
            .run(async move {
                // Polled once inside a task that then ends: its waker wakes nobody.
                let mut orphan: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = {
                    let slept = slept.clone();
                    Box::pin(async move { slept.sleep_until(at(2_000)).await })
                };
                let kept = Arc::new(Mutex::new(None));
                let keeper = Arc::clone(&kept);
                tokio::spawn(async move {
                    poll_fn(|cx| {
                        assert!(orphan.as_mut().poll(cx).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                    *keeper.lock().unwrap() = Some(orphan);
                })
                .await
                .unwrap();
                assert_eq!(slept.sleepers(), 1);
                slept.sleep_until(at(3_000)).await;
            })
            .unwrap();
        assert_eq!(clock.now(), at(3_000));
    }

    #[test]
    fn a_program_that_waits_for_ever_is_a_stall_and_not_a_hang() {
        let (clock, _, runtime) = world();
        let slept = clock.clone();
        let outcome = runtime.run(async move {
            slept.sleep_until(at(7_000)).await;
            std::future::pending::<()>().await;
        });
        assert!(matches!(outcome, Err(SimError::Stalled { now_ms: 7_000 })), "{outcome:?}");
    }

    #[test]
    fn a_panic_inside_is_an_error_outside() {
        let (_, _, runtime) = world();
        let outcome = runtime.run(async { panic!("inside") });
        assert!(matches!(outcome, Err(SimError::Crashed(_))));
    }

    #[test]
    fn one_runtime_runs_one_program_after_another() {
        let (clock, _, runtime) = world();
        for due in [2_000, 4_000] {
            let slept = clock.clone();
            runtime.run(async move { slept.sleep_until(at(due)).await }).unwrap();
            assert_eq!(clock.now(), at(due));
        }
    }
}
