//! Models as operators meet them: a new one, one that is paused, and what `kadr models check` says.

use std::sync::Arc;

use adapters::system::SystemClock;
use domain::job::StateName;
use simulator::{
    provider::kie_model::RenderTime,
    world::{Outside, OutsideSettings},
};

use super::process::{Place, mug, said};
use crate::make::s;

const SORA: &str = "sora-2-image-to-video";

/// The services with quick renders; `paused` are slugs the provider does not offer.
async fn outside(paused: &[&str]) -> Outside {
    let mut settings = OutsideSettings::healthy(1);
    settings.kie.render_time = RenderTime::Fixed(s(1));
    settings.kie.paused = paused.iter().map(|slug| (*slug).to_owned()).collect();
    Outside::start(settings, Arc::new(SystemClock::new())).await.unwrap()
}

fn order<'a>(photo: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["order", "--user", "7", "--template", "ad", "--brief", "A steel mug"];
    arguments.extend(["--count", "1", "--wait", "--photo", photo]);
    arguments.extend(more);
    arguments
}

fn grant(place: &Place) {
    place.run(&["credits", "grant", "--user", "7", "--amount", "5"]);
}

/// `kling-3.0/video` is no model of the built-in catalogue; the simulated provider knows it from KIE's own schema.
const ONE_MORE: &str = r#"
[[model]]
id = "kling-3"
slug = "kling-3.0/video"
api = "market"
enabled = true
checked = 2026-10-06
photo = { field = "image_urls", shape = "list", formats = ["jpeg", "png"], max_bytes = 10_000_000 }
prompt = { field = "prompt", min = 1, max = 2_500 }
duration = { field = "duration", json = "string", values = [5], default = 5 }
aspect = { field = "aspect_ratio", map = { portrait = "9:16" } }
constants = { sound = false, mode = "std", multi_shots = false }
price = { per_second = "14" }
timing = { first_poll_s = 1, every_s = 1, typical_s = 2, give_up_s = 60 }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_added_by_one_catalogue_entry_and_makes_a_video() {
    let outside = outside(&[]).await;
    let place = Place::new(&outside).await;
    let file = place.dir.path().join("models.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{ONE_MORE}")).unwrap();
    grant(&place);
    let photo = mug().display().to_string();
    place.run(&order(&photo, &["--model", "kling-3"]));
    let jobs = place.jobs().await;
    assert_eq!(jobs[0].job.state.name(), StateName::Done);
    assert_eq!(jobs[0].job.model.as_ref().map(|model| model.as_str()), Some("kling-3"));
    // 5 s of 14 credits each.
    assert_eq!(
        outside.kie.model().bill(domain::time::Timestamp::from_millis(i64::MAX)).charged.to_string(),
        "70"
    );
    place.stores.assert_audit_is_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_models_order_is_made_by_its_stand_in_and_the_next_one_asks_it_at_once() {
    let outside = outside(&[SORA]).await;
    let place = Place::new(&outside).await;
    grant(&place);
    let photo = mug().display().to_string();
    // Kling costs more than what was ordered, so it is passed over.
    let fallback = ("KADR_KIE__FALLBACK", "kling-2.6,hailuo-2.3");
    let mut calls = Vec::new();
    for _ in 0..2 {
        let output = place.kadr(&order(&photo, &[])).envs([fallback]).output().unwrap();
        let said = said(&output);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("hailuo-2.3"), "whoever gets it is told which model made it: {said}");
        calls.push(outside.kie.model().creations().len());
    }
    assert_eq!(calls, [2, 3], "one refused call in all");
    for record in place.jobs().await {
        let job = record.job;
        assert_eq!((job.state.name(), job.retries), (StateName::Done, 0));
        assert_eq!(job.model.as_ref().map(|model| model.as_str()), Some("hailuo-2.3"));
        assert_eq!(place.stores.orders.order(job.order).await.unwrap().unwrap().model.as_str(), "sora-2");
    }
    place.stores.assert_audit_is_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_tells_paused_unknown_and_changed_models_from_usable_ones() {
    let outside = outside(&[SORA]).await;
    let place = Place::new(&outside).await;
    let good = place.run(&["models", "check", "hailuo-2.3", "veo-3.1-lite"]);
    let text = said(&good);
    assert!(text.contains("hailuo-2.3    ok"), "{text}");

    let check = |ids: &[&str]| {
        let arguments = ["--json", "models", "check"].iter().chain(ids).copied().collect::<Vec<_>>();
        let output = place.kadr(&arguments).output().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), value["models"].clone())
    };
    let (code, told) = check(&["sora-2"]);
    assert_eq!((code, &told[0]["state"], &told[0]["usable"]), (Some(1), &"paused".into(), &false.into()));

    let file = place.dir.path().join("models.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text
        .replace("slug = \"kling-2.6/image-to-video\"", "slug = \"kling-9/image-to-video\"")
        .replace("constants = { resolution = \"768P\" }", "constants = { resolution = \"768p\" }")
        .replace("price = { per_clip = { \"5\" = \"70\"", "price = { per_clip = { \"5\" = \"7\"");
    std::fs::write(&file, changed).unwrap();
    let (code, told) = check(&["kling-2.6", "hailuo-2.3", "wan-2.6"]);
    assert_eq!((code, &told[0]["state"]), (Some(1), &"unknown".into()));
    let field = told[1]["fields"][0].as_str().unwrap();
    assert!(field.contains("resolution") && field.contains("768p"), "{field}");
    assert!(told[2]["price"].as_str().unwrap().contains("70"), "{}", told[2]);
    assert_eq!(
        outside.kie.model().bill(domain::time::Timestamp::from_millis(i64::MAX)).tasks,
        0,
        "no task was made"
    );
}

#[test]
fn a_fallback_that_cannot_work_is_refused_with_its_key() {
    let dir = tempfile::tempdir().unwrap();
    for (value, names) in
        [("sora-9", "sora-9"), ("sora-2-pro", "takes no orders"), ("grok-imagine,grok-imagine", "twice")]
    {
        let output = super::process::bare_kadr(dir.path(), &["models"])
            .env("KADR_KIE__FALLBACK", value)
            .output()
            .unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("kie.fallback") && said.contains(names), "{said}");
    }
}
