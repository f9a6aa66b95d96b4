//! `kadr run`: the worker.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

use super::{Ended, failure::Failure, output::Output, signals};
use crate::{
    compose::{self, House},
    config::Config,
    services::run_step::sweep_work_dir,
    workers::{self, Stop},
};

/// Far longer than any delivery takes.
const LEFTOVER_AGE: Duration = Duration::from_secs(3_600);

pub(super) async fn run(config: &Config, out: &mut Output) -> Ended {
    need_keys(config)?;
    let house = open(config, out).await?;
    let ended = work(config, &house, out).await;
    house.close().await?;
    ended
}

async fn open(config: &Config, out: &mut Output) -> Result<House, Failure> {
    let messages = out.messages();
    let mut note = out.noting();
    tokio::select! {
        biased;
        house = House::open(config, messages, &mut note) => Ok(house?.with_bot(config)?),
        () = signals::first() => Err(Failure::interrupted("interrupted")),
    }
}

/// Without a key nothing can be rendered, and every order would be refunded.
pub(super) fn need_keys(config: &Config) -> Result<(), Failure> {
    if config.kie.keys.0.is_empty() {
        return Err(Failure::usage(
            "no KIE key is configured: set KADR_KIE__KEYS=account:key (make one at kie.ai/api-key), or try everything \
             without one: cargo sim try",
        ));
    }
    Ok(())
}

async fn work(config: &Config, house: &House, out: &mut Output) -> Ended {
    house.check_delivery()?;
    let listener = house.bind_web(config).await?;
    introduce(config, house, out)?;
    sweep_work_dir(&config.work_dir, house.ports.clock.now(), LEFTOVER_AGE);
    let stop = Stop::new();
    tokio::select! {
        biased;
        ((), (), ()) = async {
            tokio::join!(
                workers::work(&house.ports, &house.policy, &stop),
                converse(house, &stop),
                house.serve_web(config, listener, stop.asked())
            )
        } => {}
        () = signals::pass_on(&stop, out.noting()) => {}
        () = house.listen() => {}
    }
    out.note("stopped");
    Ok(0)
}

/// The bot's loops and its updates; nothing without a bot.
async fn converse(house: &House, stop: &Stop) {
    let Some(bot) = &house.bot else { return };
    tokio::join!(workers::converse(&house.ports, &bot.ports, &house.policy, stop), bot.receive(stop));
}

/// What runs, with what, as an operator wants to see it before walking away.
fn introduce(config: &Config, house: &House, out: &mut Output) -> Result<(), Failure> {
    let models = compose::models(config)?;
    let model = models.iter().find(|model| model.is_default);
    let (id, notice) = model.map_or(("", None), |m| (m.video.id.as_str(), m.notice.as_deref()));
    let keys = &house.policy.roster.keys;
    let accounts: BTreeSet<_> = keys.iter().map(|key| key.account.as_str()).collect();
    let prompts = house.writer.as_deref().unwrap_or("the templates' own (KADR_LLM__API_KEY is not set)");
    let slots = house.policy.worker.job_slots;
    let mut lines = vec![
        format!("kadr {}", env!("CARGO_PKG_VERSION")),
        format!("database  {}", house.database),
        format!("model     {id}"),
    ];
    lines.extend(notice.map(|notice| format!("          note: {notice}")));
    lines.extend([
        format!("keys      {} on {} account(s)", keys.len(), accounts.len()),
        format!("prompts   {prompts}"),
        match &house.bot {
            Some(bot) => format!("bot       updates {}", bot.way_in()),
            None => format!(
                "videos    to {} (no bot: KADR_TELEGRAM__TOKEN is not set)",
                config.delivery.dir.display()
            ),
        },
        format!("worker    {slots} steps at once; stop with Ctrl-C or SIGTERM"),
    ]);
    lines.extend(web(config).map(|told| format!("web       {told}")));
    if house.writer.is_none() {
        tracing::warn!("no language model is configured: prompts come from the templates");
    }
    let value = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "database": house.database,
        "model": id,
        "model_notice": notice,
        "keys": keys.len(),
        "accounts": accounts.len(),
        "writer": house.writer,
        "bot": house.bot.as_ref().map(compose::Bot::way_in),
        "delivery_dir": config.delivery.dir.display().to_string(),
        "slots": slots,
        "web": web(config),
    });
    out.show(&value, &lines)
}

/// What is served, in one line; `None` when nothing is.
fn web(config: &Config) -> Option<String> {
    let http = &config.http;
    let callbacks = http.public_url.as_ref().map(|url| format!("callbacks for {url}"));
    let updates = config.telegram.webhook_url.as_ref().map(|url| format!("updates of Telegram for {url}"));
    let metrics = http.metrics.then(|| "/metrics".to_owned());
    let served = callbacks.into_iter().chain(updates).chain(metrics).chain(["/healthz".to_owned()]);
    let served: Vec<_> = served.collect();
    compose::is_served(config).then(|| format!("http://{}: {}", http.listen, served.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HttpAddress;

    #[test]
    fn everything_that_is_served_is_named() {
        let mut config = Config::default();
        assert_eq!(web(&config), None);
        config.telegram.webhook_url = Some(HttpAddress("https://kadr.example".parse().unwrap()));
        let told = web(&config).unwrap();
        assert!(
            told.starts_with("http://127.0.0.1:8080: updates of Telegram for https://kadr.example"),
            "{told}"
        );
        assert!(told.ends_with(", /healthz"), "{told}");
        config.http.metrics = true;
        assert!(web(&config).unwrap().ends_with(", /metrics, /healthz"));
    }
}
