//! Queues whose waits a formula gives: what a simulated day can be held against.
//!
//! Times are in any one unit, rates in its inverse. An offered load is a rate times a mean service time, in Erlangs: the
//! servers that would be busy if there were no end of them.

/// Erlang's C formula: the probability that an arrival has to wait in an M/M/c queue (A. K. Erlang, 1917).
///
/// 1 when the servers cannot keep up.
#[must_use]
pub fn erlang_c(servers: u32, offered: f64) -> f64 {
    let count = f64::from(servers);
    if offered >= count {
        return 1.0;
    }
    // Erlang's B formula by its recursion, which neither overflows nor cancels.
    let blocked = (1..=servers).fold(1.0, |blocked, n| {
        let carried = offered * blocked;
        carried / (f64::from(n) + carried)
    });
    count * blocked / (count - offered * (1.0 - blocked))
}

/// The mean wait of all arrivals in an M/M/c queue, those that need not wait included: Erlang C times the mean wait of
/// those that do.
///
/// Infinite when the servers cannot keep up.
#[must_use]
pub fn mean_wait_mmc(servers: u32, arrival_rate: f64, mean_service: f64) -> f64 {
    let offered = arrival_rate * mean_service;
    let spare = f64::from(servers) - offered;
    if spare <= 0.0 { f64::INFINITY } else { erlang_c(servers, offered) * mean_service / spare }
}

/// The wait in an M/M/c queue that a share of all arrivals does not exceed: a wait is longer than `t` with the
/// probability C e^(-(c - a) t / s), and so whoever waits at all waits exponentially long.
///
/// Infinite when the servers cannot keep up, and for a share of 1.
#[must_use]
pub fn wait_quantile_mmc(servers: u32, arrival_rate: f64, mean_service: f64, share: f64) -> f64 {
    let offered = arrival_rate * mean_service;
    let spare = f64::from(servers) - offered;
    if spare <= 0.0 || share >= 1.0 {
        return f64::INFINITY;
    }
    let waits = erlang_c(servers, offered);
    if waits <= 1.0 - share { 0.0 } else { (waits / (1.0 - share)).ln() * mean_service / spare }
}

/// The mean wait in an M/D/1 queue, by the Pollaczek-Khinchine formula for services of one length.
///
/// Infinite when the server cannot keep up.
#[must_use]
pub fn mean_wait_md1(arrival_rate: f64, service: f64) -> f64 {
    let load = arrival_rate * service;
    if load >= 1.0 { f64::INFINITY } else { load * service / (2.0 * (1.0 - load)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, known: f64, digits: i32) {
        let tolerance = 0.500_001 * 10.0_f64.powi(-digits);
        assert!((found - known).abs() <= tolerance, "{found} instead of {known}");
    }

    #[test]
    fn erlang_c_is_that_of_the_tables() {
        for (servers, offered, known) in [
            (1, 0.5, 0.5),
            (1, 0.9, 0.9),
            (2, 1.0, 0.333_3),
            (3, 2.0, 0.444_4),
            (5, 4.0, 0.554_1),
            (10, 5.0, 0.036_1),
            (10, 8.0, 0.409_2),
            (20, 17.0, 0.385_1),
        ] {
            close(erlang_c(servers, offered), known, 4);
        }
        assert_eq!((erlang_c(3, 3.0), erlang_c(3, 0.0)), (1.0, 0.0));
    }

    #[test]
    fn a_thousand_servers_are_no_trouble() {
        let waits = erlang_c(1_000, 950.0);
        assert!(waits > 0.0 && waits < 0.2, "{waits}");
    }

    #[test]
    fn waits_of_many_servers_are_those_of_the_textbook() {
        // One server: rho s / (1 - rho).
        close(mean_wait_mmc(1, 0.8, 1.0), 4.0, 9);
        // Two servers at a load of a half: a third of all arrivals waits one service on average.
        close(mean_wait_mmc(2, 0.5, 2.0), 0.666_7, 4);
        assert_eq!(mean_wait_mmc(2, 1.0, 2.0), f64::INFINITY);
    }

    #[test]
    fn quantiles_are_where_the_tail_says() {
        let [rate, service] = [6_120.0 / 86_400.0, 240.0];
        assert_eq!(wait_quantile_mmc(20, rate, service, 0.5), 0.0);
        let at = wait_quantile_mmc(20, rate, service, 0.95);
        let beyond = erlang_c(20, 17.0) * (-(20.0 - 17.0) * at / service).exp();
        close(beyond, 0.05, 9);
        close(at, 163.0, 0);
        assert_eq!(wait_quantile_mmc(20, rate, service, 1.0), f64::INFINITY);
    }

    #[test]
    fn one_server_with_services_of_one_length_keeps_half_as_many_waiting() {
        close(mean_wait_md1(0.8, 1.0), mean_wait_mmc(1, 0.8, 1.0) / 2.0, 9);
        close(mean_wait_md1(0.8 / 60.0, 60.0), 120.0, 9);
        assert_eq!(mean_wait_md1(2.0, 0.5), f64::INFINITY);
    }
}
