//! `kadr models`.

use serde_json::json;

use super::{Ended, output::Output};
use crate::{compose, config::Config};

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
