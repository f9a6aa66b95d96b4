//! Carries updates to the bot's webhook.

use std::{sync::Arc, time::Duration};

use adapters::http::{HttpError, HttpOptions, client};
use tokio::task::JoinSet;

use super::{model::Delivery, office::Office};

/// Delivers for as long as it is polled: of a chat one after the other, of several at once.
pub(super) async fn deliver(office: Arc<Office>) -> Result<(), HttpError> {
    let options = HttpOptions {
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(60),
        redirects_max: 0,
        user_agent: String::new(),
        ..HttpOptions::default()
    };
    let client = client(&options)?;
    let mut under_way = JoinSet::new();
    let mut changes = office.changes();
    loop {
        changes.borrow_and_update();
        for delivery in office.look(|model, now| model.deliveries(now)) {
            let Delivery { number, url, secret, body } = delivery;
            let mut request =
                client.post(url).header("Content-Type", "application/json").body(body.to_string());
            if let Some(secret) = secret {
                request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
            }
            under_way.spawn(async move {
                let answer = request.send().await;
                // The address may hold a secret.
                let answer = answer.map(|answer| answer.status().as_u16());
                (number, answer.map_err(|error| error.without_url().to_string()))
            });
        }
        let next = office.look(|model, now| model.next_delivery_at(now));
        let sleep = async {
            match next {
                Some(at) => office.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(Ok((number, answer))) = under_way.join_next() => {
                office.act(|model, now| model.delivered(number, &answer, now));
            }
            _ = changes.changed() => {}
            () = sleep => {}
        }
    }
}
