//! Writing down what has already happened outside.

use std::time::Duration;

use ports::{Clock, ErrorKind, PortError};

/// Pauses between tries, together well below a lease: a longer outage loses the lease anyway.
const PAUSES_MS: [u64; 7] = [100, 200, 400, 800, 1_600, 3_200, 6_400];

/// Repeats a store's write until it succeeds, is refused, or the pauses are used up.
///
/// For writes that follow an outside call: that call cannot be taken back and must not be made again, so its
/// result is worth waiting for. A lost answer is repeated too, because writes are guarded by a lease number: the
/// second one meets a conflict when the first one arrived.
pub(crate) async fn insist<Write, Writing>(clock: &dyn Clock, mut write: Write) -> Result<(), PortError>
where
    Write: FnMut() -> Writing,
    Writing: Future<Output = Result<(), PortError>>,
{
    for pause_ms in PAUSES_MS {
        match write().await {
            Err(error) if matches!(error.kind(), ErrorKind::Transient | ErrorKind::AnswerLost) => {
                tracing::warn!(
                    pause_ms,
                    error = &error as &dyn std::error::Error,
                    "the store did not take a result, trying again"
                );
                clock.sleep_until(clock.now().after(Duration::from_millis(pause_ms))).await;
            }
            ended => return ended,
        }
    }
    write().await
}
