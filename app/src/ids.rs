//! New identifiers. Each kind draws from a stream of its own, so that a simulation can replay one without the other.

use domain::id::{AttemptId, JobId, OrderId, WorkerId, time_ordered};

use crate::Ports;

fn draw(ports: &Ports, stream: &'static str) -> u128 {
    time_ordered(ports.clock.now(), ports.entropy.bits(stream))
}

pub(crate) fn order(ports: &Ports) -> OrderId {
    OrderId::new(draw(ports, "order-id"))
}

pub(crate) fn job(ports: &Ports) -> JobId {
    JobId::new(draw(ports, "job-id"))
}

pub(crate) fn attempt(ports: &Ports) -> AttemptId {
    AttemptId::new(draw(ports, "attempt-id"))
}

pub(crate) fn worker(ports: &Ports) -> WorkerId {
    WorkerId::new(draw(ports, "worker-id"))
}

/// A reference nobody used before, for confirmations and grants that came without one.
pub(crate) fn reference(ports: &Ports, kind: &str) -> String {
    format!("{kind}:{:032x}", draw(ports, "reference"))
}
