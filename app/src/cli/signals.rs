//! SIGTERM and SIGINT.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::workers::Stop;

struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
}

impl Signals {
    fn new() -> Self {
        Self {
            terminate: signal(SignalKind::terminate()).ok(),
            interrupt: signal(SignalKind::interrupt()).ok(),
        }
    }

    async fn next(&mut self) {
        async fn of(signal: Option<&mut Signal>) {
            let heard = match signal {
                Some(signal) => signal.recv().await,
                None => None,
            };
            if heard.is_none() {
                // Signals cannot be heard here; the system's own way of ending the program remains.
                std::future::pending::<()>().await;
            }
        }
        tokio::select! {
            () = of(self.terminate.as_mut()) => {}
            () = of(self.interrupt.as_mut()) => {}
        }
    }
}

/// Returns at the first signal.
pub(super) async fn first() {
    Signals::new().next().await;
}

/// Passes every signal on, for ever: the first one asks for a gentle stop, the second one insists.
pub(super) async fn pass_on(stop: &Stop, mut note: impl FnMut(&str)) {
    let mut signals = Signals::new();
    loop {
        signals.next().await;
        note(if stop.is_asked() {
            "stopping at once: what runs is given back"
        } else {
            "stopping: what runs may finish first (a second signal cuts it short)"
        });
        stop.ask();
    }
}
