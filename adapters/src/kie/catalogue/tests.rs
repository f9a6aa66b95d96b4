use serde_json::json;

use super::*;

fn builtin() -> Catalogue {
    Catalogue::builtin().unwrap()
}

fn model(id: &str) -> CatalogueModel {
    builtin().model(&ModelId::new(id).unwrap()).unwrap().clone()
}

#[test]
fn the_builtin_catalogue_is_sound() {
    let catalogue = builtin();
    assert_eq!(catalogue.default_model().as_str(), "sora-2");
    let default = catalogue.model(catalogue.default_model()).unwrap();
    assert!(default.notice.as_deref().unwrap().starts_with("KIE paused every sora-2 slug in June 2026"));
    assert!(catalogue.models().filter(|model| model.video.enabled).count() >= 9);
    assert_eq!((default.price.to_string(), default.price.usd()), ("30".to_owned(), "0.15".to_owned()));
    assert_eq!(model("seedance-1.5").prices[&12].to_string(), "42");
    assert_eq!(default.checked, "2026-10-06");
}

/// The example bodies of KIE's documentation (docs.kie.ai, market/* and veo3-api), with our own prompt and photo.
#[test]
fn each_entry_builds_the_documented_body() {
    let (prompt, photo) = ("Slow orbit", "https://h/p.jpg");
    let market = |slug: &str, input: Value| json!({ "model": slug, "input": input });
    for (id, seconds, expected) in [
        (
            "sora-2",
            10,
            market(
                "sora-2-image-to-video",
                json!({"prompt": prompt, "image_urls": [photo], "aspect_ratio": "portrait", "n_frames": "10",
                       "remove_watermark": true, "upload_method": "s3"}),
            ),
        ),
        (
            "sora-2-pro",
            10,
            market(
                "sora-2-pro-image-to-video",
                json!({"prompt": prompt, "image_urls": [photo], "aspect_ratio": "portrait", "n_frames": "10",
                       "remove_watermark": true, "upload_method": "s3", "size": "standard"}),
            ),
        ),
        (
            "hailuo-2.3",
            6,
            market(
                "hailuo/2-3-image-to-video-standard",
                json!({"prompt": prompt, "image_url": photo, "duration": "6", "resolution": "768P"}),
            ),
        ),
        (
            "kling-2.6",
            5,
            market(
                "kling-2.6/image-to-video",
                json!({"prompt": prompt, "image_urls": [photo], "sound": false, "duration": "5"}),
            ),
        ),
        (
            "kling-v3-turbo",
            5,
            market(
                "kling/v3-turbo-image-to-video",
                json!({"prompt": prompt, "image_urls": [photo], "duration": "5", "resolution": "720p"}),
            ),
        ),
        (
            "seedance-1.5",
            4,
            market(
                "bytedance/seedance-1.5-pro",
                json!({"prompt": prompt, "input_urls": [photo], "aspect_ratio": "9:16", "duration": 4,
                       "resolution": "720p", "generate_audio": false}),
            ),
        ),
        (
            "wan-2.6",
            5,
            market(
                "wan/2-6-image-to-video",
                json!({"prompt": prompt, "image_urls": [photo], "duration": "5", "resolution": "720p",
                       "multi_shots": false}),
            ),
        ),
        (
            "grok-imagine",
            6,
            market(
                "grok-imagine/image-to-video",
                json!({"prompt": prompt, "image_urls": [photo], "mode": "normal", "duration": "6",
                       "resolution": "720p"}),
            ),
        ),
        (
            "happyhorse",
            5,
            market(
                "happyhorse/image-to-video",
                json!({"prompt": prompt, "image_urls": [photo], "resolution": "720p", "duration": 5}),
            ),
        ),
        (
            "veo-3.1-lite",
            4,
            json!({"model": "veo3_lite", "prompt": prompt, "imageUrls": [photo],
                   "generationType": "FIRST_AND_LAST_FRAMES_2_VIDEO", "aspect_ratio": "9:16", "duration": 4,
                   "resolution": "720p"}),
        ),
    ] {
        let model = model(id);
        assert_eq!(model.request_body_for(prompt, photo, seconds), expected, "{id}");
        let default = model.request_body(prompt, photo);
        assert_eq!(default, model.request_body_for(prompt, photo, model.video.clip_seconds), "{id}");
    }
}

/// A small sound catalogue, with one thing replaced.
fn with(from: &str, to: &str) -> String {
    const TEXT: &str = r#"
default_model = "a"
[api.market]
create = "/c"
poll = "/p"
fields_under = "input"
state = { field = "state", running = ["waiting"], done = ["success"], failed = ["fail"] }
urls = ["resultJson.resultUrls"]
failure = { code = "failCode", text = "failMsg" }
[[model]]
id = "a"
slug = "a/b"
api = "market"
enabled = true
checked = 2026-10-06
photo = { field = "image_url", shape = "string", formats = ["jpeg"], max_bytes = 1_000 }
prompt = { field = "prompt", min = 1, max = 100 }
duration = { field = "duration", json = "string", values = [6, 10], default = 6 }
aspect = { field = "ratio", map = { portrait = "9:16" } }
constants = { resolution = "768P" }
price = { per_clip = { "6" = "30", "10" = "50" } }
timing = { first_poll_s = 30, every_s = 10, typical_s = 150, give_up_s = 1800 }
"#;
    assert!(TEXT.contains(from), "{from}");
    TEXT.replacen(from, to, 1)
}

#[test]
fn a_wrong_catalogue_gets_one_line_with_place_key_and_fix() {
    assert!(Catalogue::parse(&with("a/b", "a/c")).is_ok());
    let twice = with("", "")
        + &with("", "").split_once("[[model]]").map(|(_, entry)| format!("[[model]]{entry}")).unwrap();
    for (text, expected) in [
        (
            with("default_model = \"a\"", "default_model = \"b\""),
            "top level, key `default_model`: `b` is not in the catalogue: choose one of a",
        ),
        (with("enabled = true", "enabled = false"), "`a` is switched off: enable it or choose another one"),
        (twice, "model `a`, key `id`: is used twice"),
        (
            with("default = 6", "default = 7"),
            "model `a`, key `duration.default`: 7 is not in duration.values (6, 10): choose one of them",
        ),
        (with("values = [6, 10]", "values = [6, 6]"), "key `duration.values`: 6 is listed twice"),
        (with("values = [6, 10]", "values = [0, 6]"), "key `duration.values`: 0 is no clip's length"),
        (with(", \"10\" = \"50\"", ""), "key `price.per_clip`: has no price for 10 s: add \"10\""),
        (
            with("\"10\" = \"50\"", "\"10\" = \"50\", \"15\" = \"1\""),
            "key `price.per_clip`: prices a clip of 15 s",
        ),
        (with("\"30\"", "\"3O\""), "key `price.per_clip`: `3O` is not a price"),
        (
            with("per_clip = { \"6\" = \"30\", \"10\" = \"50\" }", ""),
            "key `price`: needs either per_clip or per_second",
        ),
        (
            with("resolution = \"768P\"", "prompt = \"x\""),
            "key `constants.prompt`: has the name of a bound field: remove the constant",
        ),
        (with("resolution = \"768P\"", "day = 2026-01-01"), "key `constants.day`: has no JSON form"),
        (
            with("api = \"market\"", "api = \"veo\""),
            "key `api`: `veo` has no [api.veo] table: use one of market",
        ),
        (
            with("\"input\"", "\"\"").replace("field = \"image_url\"", "field = \"model\""),
            "key `api`: the field `model` holds the slug",
        ),
        (with("field = \"duration\"", "field = \"prompt\""), "key `duration.field`: `prompt` is bound twice"),
        (
            with("[\"jpeg\"]", "[\"heic\"]"),
            "key `photo.formats`: `heic` is not a format Kadr reads: use jpeg, png, webp",
        ),
        (with("[\"jpeg\"]", "[]"), "key `photo.formats`: is empty"),
        (with("max_bytes = 1_000", "max_bytes = 0"), "key `photo.max_bytes`: is 0"),
        (with("min = 1, max = 100", "min = 2, max = 1"), "key `prompt`: 2 to 1 characters fit nothing"),
        (with("portrait", "landscape"), "key `aspect.map`: has no `portrait`"),
        (
            with("portrait = \"9:16\"", "portrait = \"9:16\", tall = \"x\""),
            "key `aspect.map`: `tall` is no aspect",
        ),
        (with("give_up_s = 1800", "give_up_s = 100"), "key `timing.give_up_s`: comes before"),
        (with("every_s = 10", "every_s = 0"), "key `timing.every_s`: 0 is out of range"),
        (with("checked = 2026-10-06", "checked = 10:00:00"), "key `checked`: is not a day"),
        (
            with("id = \"a\"", "id = \"\"").replace("default_model = \"a\"", "default_model = \"\""),
            "key `id`: a model id must be 1 to 64 bytes",
        ),
        (with("slug = \"a/b\"", "slug = \" \""), "key `slug`: is empty"),
        (with("\"/c\"", "\"c\""), "api `market`, key `create`: `c` is not a path: begin with `/`"),
        (with("[\"fail\"]", "[]"), "api `market`, key `state.failed`: is empty"),
        (with("[\"fail\"]", "[\"Waiting\"]"), "api `market`, key `state`: `Waiting` is listed twice"),
        (
            with("resultJson.resultUrls", "resultJson..x"),
            "api `market`, key `urls`: `resultJson..x` is not a path",
        ),
        (with("enabled = true", "enabled = true\ncolour = 1"), "line 15 (model `a`): unknown field `colour`"),
        (with("slug = \"a/b\"\n", ""), "(model `a`): missing field `slug`"),
        (with("id = \"a\"\n", ""), "(model number 1): missing field `id`"),
        (
            with("json = \"string\"", "json = \"float\""),
            "unknown variant `float`, expected `string` or `int`",
        ),
        (with("enabled = true", "enabled ="), "line 14"),
        (String::new(), "line 1: missing field `default_model`"),
    ] {
        let error = Catalogue::parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "expected {expected:?} in {error:?}");
        assert!(!error.contains('\n') && error.starts_with("model catalogue, "), "{error:?}");
    }
}

#[test]
fn a_reason_is_kept_only_while_the_model_is_off() {
    let both = with("default_model = \"a\"", "default_model = \"b\"")
        + &with("id = \"a\"", "id = \"b\"\noff_reason = \"x\"")
            .split_once("[[model]]")
            .map(|(_, e)| format!("[[model]]{e}"))
            .unwrap();
    let off = both.replacen("enabled = true", "enabled = false\noff_reason = \"gone\"", 1);
    let catalogue = Catalogue::parse(&off).unwrap();
    let models: Vec<_> =
        catalogue.models().map(|model| (model.video.enabled, model.video.off_reason.clone())).collect();
    assert_eq!(models, [(false, Some("gone".to_owned())), (true, None)]);
}
