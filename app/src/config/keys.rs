//! The keys there are.

use serde_json::Value;

use super::ConfigError;

/// Every key. `.env.example` explains each; a test holds the two together.
pub(super) const KNOWN: &[&str] = &[
    "model",
    "models_file",
    "work_dir",
    "database.url",
    "database.max_connections",
    "database.directory",
    "database.bin_dir",
    "kie.keys",
    "kie.fallback",
    "kie.api_base",
    "kie.upload_base",
    "kie.proxy",
    "kie.webhook_key",
    "kie.running_max",
    "kie.creates_max",
    "kie.window_s",
    "kie.connect_timeout_s",
    "kie.create_timeout_s",
    "kie.poll_timeout_s",
    "kie.upload_timeout_s",
    "kie.download_timeout_s",
    "llm.api_key",
    "llm.base_url",
    "llm.model",
    "llm.proxy",
    "llm.timeout_s",
    "telegram.token",
    "telegram.username",
    "telegram.api_base",
    "telegram.proxy",
    "telegram.webhook_url",
    "telegram.webhook_secret",
    "telegram.admins",
    "telegram.support",
    "telegram.terms_url",
    "telegram.privacy_url",
    "telegram.samples_url",
    "telegram.packages",
    "telegram.starter_credits",
    "telegram.referral_credits",
    "telegram.transfer_timeout_s",
    "http.public_url",
    "http.metrics",
    "http.listen",
    "worker.slots",
    "worker.message_slots",
    "worker.lease_s",
    "worker.step_deadline_s",
    "worker.grace_s",
    "worker.safety_poll_s",
    "retry.delays_s",
    "retry.delivery_delays_s",
    "retry.lost_answer_grace_s",
    "retry.lost_answers_max",
    "retry.unknown_task_grace_s",
    "retry.patience_s",
    "retry.upload_valid_for_s",
    "retry.cooling_billing_s",
    "retry.cooling_rejected_s",
    "retry.cooling_rate_limited_s",
    "retry.cooling_model_s",
    "retry.outage_breaker",
    "delivery.dir",
    "delivery.language",
    "delivery.video_bytes_max",
    "log.format",
    "log.filter",
];

/// A key as a variable of the environment.
pub(super) fn variable(key: &str) -> String {
    format!("KADR_{}", key.replace('.', "__").to_uppercase())
}

/// Refuses the first key nobody reads.
pub(super) fn check_known(tree: &Value) -> Result<(), ConfigError> {
    for key in leaves(tree) {
        if !KNOWN.contains(&key.as_str()) {
            let nearest = nearest(&key).to_owned();
            return Err(ConfigError::UnknownKey { variable: variable(&key), key, nearest });
        }
    }
    Ok(())
}

/// The dotted keys of everything in the tree that is no table, sorted.
fn leaves(tree: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(table) if !table.is_empty() => {
                for (name, value) in table {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(value, &path, found);
                }
            }
            // An empty table says nothing.
            Value::Object(_) => {}
            _ => found.push(path.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(tree, "", &mut found);
    found.sort();
    found
}

fn nearest(key: &str) -> &'static str {
    KNOWN.iter().copied().min_by_key(|known| distance(key, known)).unwrap_or("model")
}

/// How many characters have to be added, dropped or replaced to get from one text to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, have) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, want) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(have != *want);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits() {
        assert_eq!(distance("kie.kyes", "kie.keys"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn the_nearest_key_is_what_was_meant() {
        for (typed, meant) in
            [("worker.slot", "worker.slots"), ("kie.key", "kie.keys"), ("databse.url", "database.url")]
        {
            assert_eq!(nearest(typed), meant);
        }
    }
}
