//! `kadr models` and `kadr models check`.

use domain::id::ModelId;
use serde_json::{Value, json};

use super::{Ended, failure::Failure, output::Output, signals};
use crate::{
    compose::{self, ModelCheck},
    config::Config,
};

pub(super) fn run(config: &Config, out: &mut Output) -> Ended {
    let models = compose::models(config)?;
    let width = models.iter().map(|model| model.video.id.as_str().len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for model in &models {
        let video = &model.video;
        let mark = if model.is_default { "*" } else { " " };
        let (credits, usd) = &model.price;
        let state = match (video.enabled, &video.off_reason) {
            (true, _) => String::new(),
            (false, Some(reason)) => format!("  OFF: {reason}"),
            (false, None) => "  OFF".to_owned(),
        };
        let seconds = video.clip_seconds;
        lines.push(format!(
            "{mark} {:<width$}  {seconds:>2} s  {credits} KIE credits (${usd})  {}{state}",
            video.id.as_str(),
            model.slug
        ));
        if let Some(notice) = &model.notice {
            lines.push(format!("  {:<width$}  note: {notice}", ""));
        }
    }
    lines.push("* is used when an order names none; choose with --model or KADR_MODEL".to_owned());
    let values: Vec<_> = models
        .iter()
        .map(|model| {
            json!({
                "id": model.video.id.as_str(),
                "default": model.is_default,
                "enabled": model.video.enabled,
                "off_reason": model.video.off_reason,
                "slug": model.slug,
                "clip_seconds": model.video.clip_seconds,
                "prompt_chars_min": model.video.prompt_chars.0,
                "prompt_chars_max": model.video.prompt_chars.1,
                "photo_formats": model.video.photo_formats.iter().map(|f| f.as_str()).collect::<Vec<_>>(),
                "photo_bytes_max": model.video.photo_bytes_max,
                "price_kie_credits": model.price.0,
                "price_usd": model.price.1,
                "checked": model.checked,
                "notice": model.notice,
            })
        })
        .collect();
    out.show(&json!({ "models": values }), &lines)?;
    Ok(0)
}

/// Compares entries with what the provider says; 1 when one that is switched on cannot be used.
pub(super) async fn check(config: &Config, named: &[ModelId], out: &mut Output) -> Ended {
    if named.is_empty() {
        out.note("asking KIE about every model of the catalogue: two questions each, one a second");
    }
    let mut checks = Vec::new();
    let mut told_of = |check| checks.push(check);
    tokio::select! {
        biased;
        asked = compose::check_models(config, named, &mut told_of) => asked?,
        () = signals::first() => return Err(Failure::interrupted("interrupted")),
    }
    let width = checks.iter().map(|check| check.id.as_str().len()).max().unwrap_or(0);
    let mut lines: Vec<_> = checks.iter().flat_map(|check| told(check, width)).collect();
    let broken: Vec<_> = checks.iter().filter(|check| check.enabled && !is_usable(check)).collect();
    if !broken.is_empty() {
        let names = broken.iter().map(|check| check.id.as_str()).collect::<Vec<_>>().join(", ");
        lines.push(format!(
            "switched on and not usable: {names}; set enabled = false in a catalogue of your own \
             (KADR_MODELS_FILE), or name models that may stand in with KADR_KIE__FALLBACK"
        ));
    }
    let values: Vec<_> = checks.iter().map(value).collect();
    out.show(&json!({ "models": values }), &lines)?;
    Ok(u8::from(!broken.is_empty()))
}

/// Whether orders of the model can be made: the provider offers it and misses nothing in our request. What it does not
/// know of our request it may ignore.
fn is_usable(check: &ModelCheck) -> bool {
    check.state == "ok" && !check.fields.iter().any(|told| !told.ends_with("not known"))
}

fn told(check: &ModelCheck, width: usize) -> Vec<String> {
    let verdict = match (check.state, check.fields.is_empty(), check.price.is_none()) {
        ("ok", false, _) => "fields differ",
        ("ok", true, false) => "price differs",
        (state, ..) => state,
    };
    let off = if check.enabled { "" } else { "  OFF in the catalogue" };
    let bare = if check.is_described { "" } else { "  (KIE does not describe its fields)" };
    let mut lines = vec![format!("{:<width$}  {verdict}{off}{bare}", check.id.as_str())];
    let below = |text: &str| format!("{:<width$}    {text}", "");
    lines.extend(check.seen.iter().map(|seen| below(seen)));
    lines.extend(check.fields.iter().map(|field| below(field)));
    lines.extend(check.price.iter().map(|said| below(&format!("KIE on the price: {said}"))));
    lines
}

fn value(check: &ModelCheck) -> Value {
    json!({
        "id": check.id.as_str(),
        "enabled": check.enabled,
        "state": check.state,
        "usable": is_usable(check),
        "seen": check.seen,
        "fields_described": check.is_described,
        "fields": check.fields,
        "price": check.price,
    })
}
