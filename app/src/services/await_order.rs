//! Waiting for an order from outside of the loops.

use std::time::Duration;

use domain::id::OrderId;
use ports::{ErrorKind, JobFilter, JobRecord, PortError};

use crate::Ports;

/// More jobs than any order has.
const JOBS_MAX: u32 = 16;

/// An order's jobs, by number.
///
/// # Errors
/// Those of the store.
pub async fn jobs_of(ports: &Ports, order: OrderId) -> Result<Vec<JobRecord>, PortError> {
    let filter = JobFilter { order: Some(order), limit: JOBS_MAX, ..JobFilter::default() };
    let mut jobs = ports.jobs.list(&filter).await?;
    jobs.sort_by_key(|record| record.job.video);
    Ok(jobs)
}

/// Looks at an order's jobs every `every` until all are finished, and returns them. Whoever calls it runs the
/// worker loops beside it, or relies on another process that does.
///
/// # Errors
/// The store's, when they are not passing ones; [`ErrorKind::Rejected`] for an order without jobs.
pub async fn await_order(
    ports: &Ports,
    order: OrderId,
    every: Duration,
) -> Result<Vec<JobRecord>, PortError> {
    loop {
        match jobs_of(ports, order).await {
            Ok(jobs) if jobs.is_empty() => {
                return Err(PortError::new(ErrorKind::Rejected, format!("there is no order {order}")));
            }
            Ok(jobs) if jobs.iter().all(|record| record.job.state.is_terminal()) => return Ok(jobs),
            Err(error) if error.kind() != ErrorKind::Transient => return Err(error),
            Ok(_) | Err(_) => {}
        }
        ports.clock.sleep_until(ports.clock.now().after(every)).await;
    }
}
