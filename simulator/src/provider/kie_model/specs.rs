//! The video models the provider knows: fields, types and prices.
//!
//! From KIE's live schemas and price pages as extracted on 2026-10-06 (`trevorotts1/openclaw-onboarding`, model
//! registry) and its model pages; Sora 2 from its page before it was paused. Prices move, and nothing here depends
//! on them but the simulated bill. This list is written apart from Kadr's own catalogue on purpose: where the two
//! disagree, the simulated provider refuses the request, and a test fails.

use super::{
    credit::{Per, Price, Rate},
    spec::{Field, Kind, Spec},
};

/// Models of the jobs API.
pub(super) static MARKET: &[Spec] = &[
    Spec {
        slug: "sora-2-image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(10_000) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(1) },
            Field { name: "aspect_ratio", required: false, kind: Kind::Word(&["portrait", "landscape"]) },
            Field { name: "n_frames", required: false, kind: Kind::Word(&["10", "15"]) },
            Field { name: "remove_watermark", required: false, kind: Kind::Bool },
            Field { name: "upload_method", required: false, kind: Kind::Word(&["s3", "oss"]) },
        ],
        refuses: &[],
        seconds: "n_frames",
        price: Price(&[Rate { when: None, per: Per::ClipUpTo(&[(10, 3_000), (15, 4_500)]) }]),
    },
    Spec {
        slug: "sora-2-pro-image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(10_000) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(1) },
            Field { name: "aspect_ratio", required: false, kind: Kind::Word(&["portrait", "landscape"]) },
            Field { name: "n_frames", required: false, kind: Kind::Word(&["10", "15"]) },
            Field { name: "size", required: false, kind: Kind::Word(&["standard", "high"]) },
            Field { name: "remove_watermark", required: false, kind: Kind::Bool },
            Field { name: "upload_method", required: false, kind: Kind::Word(&["s3", "oss"]) },
        ],
        refuses: &[],
        seconds: "n_frames",
        price: Price(&[Rate { when: None, per: Per::ClipUpTo(&[(10, 15_000), (15, 27_000)]) }]),
    },
    Spec {
        slug: "kling-2.6/image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(1_000) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(1) },
            Field { name: "sound", required: true, kind: Kind::Bool },
            Field { name: "duration", required: true, kind: Kind::Word(&["5", "10"]) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[Rate { when: None, per: Per::ClipUpTo(&[(5, 5_500), (10, 11_000)]) }]),
    },
    Spec {
        slug: "kling-3.0/video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(2_500) },
            Field { name: "image_urls", required: false, kind: Kind::Photos(2) },
            Field { name: "sound", required: true, kind: Kind::Bool },
            Field { name: "duration", required: true, kind: Kind::NumberWord(3, 15) },
            Field { name: "aspect_ratio", required: true, kind: Kind::Word(&["16:9", "9:16", "1:1"]) },
            Field { name: "mode", required: true, kind: Kind::Word(&["std", "pro", "4K"]) },
            Field { name: "multi_shots", required: true, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("mode", "pro")), per: Per::Second(1_800) },
            Rate { when: Some(("mode", "4K")), per: Per::Second(6_700) },
            Rate { when: None, per: Per::Second(1_400) },
        ]),
    },
    Spec {
        slug: "kling/v3-turbo-image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(2_500) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(1) },
            Field { name: "duration", required: true, kind: Kind::NumberWord(3, 15) },
            Field { name: "resolution", required: true, kind: Kind::Word(&["720p", "1080p"]) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "1080p")), per: Per::Second(2_250) },
            Rate { when: None, per: Per::Second(1_800) },
        ]),
    },
    Spec {
        slug: "kling-3.0-omni/image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(3_072) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(7) },
            Field { name: "duration", required: false, kind: Kind::Int(3, 15) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p", "4k"]) },
            Field { name: "audio", required: false, kind: Kind::Bool },
            Field { name: "customize_multi_shots", required: false, kind: Kind::Bool },
            Field {
                name: "aspect_ratio",
                required: false,
                kind: Kind::Word(&["auto", "16:9", "9:16", "1:1"]),
            },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "1080p")), per: Per::Second(1_800) },
            Rate { when: Some(("resolution", "4k")), per: Per::Second(6_700) },
            Rate { when: None, per: Per::Second(1_400) },
        ]),
    },
    Spec {
        slug: "bytedance/seedance-1.5-pro",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(20_000) },
            Field { name: "input_urls", required: false, kind: Kind::Photos(2) },
            Field {
                name: "aspect_ratio",
                required: true,
                kind: Kind::Word(&["1:1", "4:3", "3:4", "16:9", "9:16", "21:9"]),
            },
            Field { name: "duration", required: true, kind: Kind::Int(4, 12) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["480p", "720p", "1080p"]) },
            Field { name: "generate_audio", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "480p")), per: Per::Second(175) },
            Rate { when: Some(("resolution", "1080p")), per: Per::Second(750) },
            Rate { when: None, per: Per::Second(350) },
        ]),
    },
    Spec {
        slug: "bytedance/seedance-2",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(20_000) },
            Field { name: "first_frame_url", required: false, kind: Kind::Photo },
            Field {
                name: "aspect_ratio",
                required: false,
                kind: Kind::Word(&["1:1", "4:3", "3:4", "16:9", "9:16", "21:9", "adaptive"]),
            },
            Field { name: "duration", required: false, kind: Kind::Int(4, 15) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["480p", "720p", "1080p", "4k"]) },
            Field { name: "generate_audio", required: false, kind: Kind::Bool },
            Field { name: "web_search", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "480p")), per: Per::Second(1_900) },
            Rate { when: Some(("resolution", "1080p")), per: Per::Second(10_200) },
            Rate { when: Some(("resolution", "4k")), per: Per::Second(20_800) },
            Rate { when: None, per: Per::Second(4_100) },
        ]),
    },
    Spec {
        slug: "bytedance/seedance-2-fast",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(20_000) },
            Field { name: "first_frame_url", required: false, kind: Kind::Photo },
            Field {
                name: "aspect_ratio",
                required: false,
                kind: Kind::Word(&["1:1", "4:3", "3:4", "16:9", "9:16", "21:9", "adaptive"]),
            },
            Field { name: "duration", required: false, kind: Kind::Int(4, 15) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["480p", "720p", "1080p", "4k"]) },
            Field { name: "generate_audio", required: false, kind: Kind::Bool },
            Field { name: "web_search", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "480p")), per: Per::Second(1_170) },
            Rate { when: Some(("resolution", "1080p")), per: Per::Second(2_480) },
            Rate { when: Some(("resolution", "4k")), per: Per::Second(2_480) },
            Rate { when: None, per: Per::Second(2_480) },
        ]),
    },
    Spec {
        slug: "bytedance/seedance-2-mini",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(20_000) },
            Field { name: "first_frame_url", required: false, kind: Kind::Photo },
            Field {
                name: "aspect_ratio",
                required: false,
                kind: Kind::Word(&["1:1", "4:3", "3:4", "16:9", "9:16", "21:9", "adaptive"]),
            },
            Field { name: "duration", required: false, kind: Kind::Int(4, 15) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["480p", "720p", "1080p", "4k"]) },
            Field { name: "generate_audio", required: false, kind: Kind::Bool },
            Field { name: "web_search", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "480p")), per: Per::Second(380) },
            Rate { when: Some(("resolution", "1080p")), per: Per::Second(820) },
            Rate { when: Some(("resolution", "4k")), per: Per::Second(820) },
            Rate { when: None, per: Per::Second(820) },
        ]),
    },
    Spec {
        slug: "bytedance/seedance-2-5",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(30_000) },
            Field { name: "first_frame_url", required: false, kind: Kind::Photo },
            Field {
                name: "aspect_ratio",
                required: false,
                kind: Kind::Word(&["1:1", "4:3", "3:4", "16:9", "9:16", "21:9", "adaptive"]),
            },
            Field { name: "duration", required: false, kind: Kind::Int(4, 30) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["480p", "720p", "1080p"]) },
            Field { name: "generate_audio", required: false, kind: Kind::Bool },
            Field { name: "web_search", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "480p")), per: Per::Second(2_800) },
            Rate { when: Some(("resolution", "1080p")), per: Per::Second(15_800) },
            Rate { when: None, per: Per::Second(6_300) },
        ]),
    },
    Spec {
        slug: "wan/2-6-image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(5_000) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(1) },
            Field { name: "duration", required: false, kind: Kind::Word(&["5", "10", "15"]) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p"]) },
            Field { name: "multi_shots", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate {
                when: Some(("resolution", "720p")),
                per: Per::ClipUpTo(&[(5, 7_000), (10, 14_000), (15, 20_950)]),
            },
            Rate { when: None, per: Per::ClipUpTo(&[(5, 10_450), (10, 20_950), (15, 31_500)]) },
        ]),
    },
    Spec {
        slug: "wan/2-7-image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(5_000) },
            Field { name: "first_frame_url", required: false, kind: Kind::Photo },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p"]) },
            Field { name: "duration", required: false, kind: Kind::Int(2, 15) },
            Field { name: "prompt_extend", required: false, kind: Kind::Bool },
            Field { name: "watermark", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "720p")), per: Per::Second(1_600) },
            Rate { when: None, per: Per::Second(2_400) },
        ]),
    },
    Spec {
        slug: "wan/3-0-video",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(20_000) },
            Field { name: "first_frame_url", required: false, kind: Kind::Photo },
            Field { name: "resolution", required: false, kind: Kind::Word(&["480P", "720P", "1080P"]) },
            Field {
                name: "aspect_ratio",
                required: false,
                kind: Kind::Word(&["adaptive", "16:9", "4:3", "1:1", "3:4", "9:16"]),
            },
            Field { name: "duration", required: false, kind: Kind::Int(2, 30) },
            Field { name: "audio", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "480P")), per: Per::Second(800) },
            Rate { when: Some(("resolution", "1080P")), per: Per::Second(3_200) },
            Rate { when: None, per: Per::Second(1_600) },
        ]),
    },
    Spec {
        slug: "grok-imagine/image-to-video",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(5_000) },
            Field { name: "image_urls", required: false, kind: Kind::Photos(7) },
            Field { name: "mode", required: false, kind: Kind::Word(&["fun", "normal", "spicy"]) },
            Field { name: "duration", required: false, kind: Kind::NumberWord(6, 30) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["480p", "720p", "1080p"]) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "480p")), per: Per::Second(240) },
            Rate { when: Some(("resolution", "1080p")), per: Per::Second(800) },
            Rate { when: None, per: Per::Second(450) },
        ]),
    },
    Spec {
        slug: "grok-imagine-video-1-5-preview",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(4_096) },
            Field { name: "image_urls", required: false, kind: Kind::Photos(1) },
            Field {
                name: "aspect_ratio",
                required: false,
                kind: Kind::Word(&["auto", "1:1", "16:9", "9:16", "3:2", "2:3"]),
            },
            Field { name: "resolution", required: false, kind: Kind::Word(&["480p", "720p"]) },
            Field { name: "duration", required: false, kind: Kind::Int(1, 15) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "480p")), per: Per::Second(240) },
            Rate { when: None, per: Per::Second(450) },
        ]),
    },
    Spec {
        slug: "hailuo/2-3-image-to-video-standard",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(5_000) },
            Field { name: "image_url", required: true, kind: Kind::Photo },
            Field { name: "duration", required: false, kind: Kind::Word(&["6", "10"]) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["768P", "1080P"]) },
        ],
        refuses: &["aspect_ratio"],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "1080P")), per: Per::Clip(5_000) },
            Rate { when: None, per: Per::ClipUpTo(&[(6, 3_000), (10, 5_000)]) },
        ]),
    },
    Spec {
        slug: "hailuo/2-3-image-to-video-pro",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(5_000) },
            Field { name: "image_url", required: true, kind: Kind::Photo },
            Field { name: "duration", required: false, kind: Kind::Word(&["6", "10"]) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["768P", "1080P"]) },
        ],
        refuses: &["aspect_ratio"],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "1080P")), per: Per::Clip(8_000) },
            Rate { when: None, per: Per::ClipUpTo(&[(6, 4_500), (10, 9_000)]) },
        ]),
    },
    Spec {
        slug: "happyhorse/image-to-video",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(5_000) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(1) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p"]) },
            Field { name: "duration", required: false, kind: Kind::Int(3, 15) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "720p")), per: Per::Second(2_800) },
            Rate { when: None, per: Per::Second(4_800) },
        ]),
    },
    Spec {
        slug: "happyhorse-1-1/image-to-video",
        fields: &[
            Field { name: "prompt", required: false, kind: Kind::Text(5_000) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(1) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p"]) },
            Field { name: "duration", required: false, kind: Kind::Int(3, 15) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "720p")), per: Per::Second(2_250) },
            Rate { when: None, per: Per::Second(2_900) },
        ]),
    },
    Spec {
        slug: "minimax-h3/image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(7_000) },
            Field { name: "first_frame_url", required: true, kind: Kind::Photo },
            Field { name: "duration", required: true, kind: Kind::Int(4, 15) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["768P", "2K"]) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "768P")), per: Per::Second(800) },
            Rate { when: None, per: Per::Second(1_300) },
        ]),
    },
    Spec {
        slug: "pixverse-v6/image-to-video",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(5_000) },
            Field { name: "image_urls", required: true, kind: Kind::Photos(1) },
            Field { name: "quality", required: true, kind: Kind::Word(&["360p", "540p", "720p", "1080p"]) },
            Field { name: "duration", required: true, kind: Kind::Int(1, 15) },
            Field { name: "generate_audio_switch", required: false, kind: Kind::Bool },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("quality", "360p")), per: Per::Second(400) },
            Rate { when: Some(("quality", "540p")), per: Per::Second(560) },
            Rate { when: Some(("quality", "1080p")), per: Per::Second(1_440) },
            Rate { when: None, per: Per::Second(720) },
        ]),
    },
    Spec {
        slug: "veo-3-1",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(20_000) },
            Field { name: "image_urls", required: false, kind: Kind::Photos(2) },
            Field {
                name: "generation_type",
                required: false,
                kind: Kind::Word(&["FIRST_AND_LAST_FRAMES_2_VIDEO", "TEXT_2_VIDEO", "REFERENCE_2_VIDEO"]),
            },
            Field { name: "aspect_ratio", required: false, kind: Kind::Word(&["16:9", "9:16", "Auto"]) },
            Field { name: "duration", required: false, kind: Kind::Int(4, 8) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p", "4k"]) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "1080p")), per: Per::Clip(6_500) },
            Rate { when: Some(("resolution", "4k")), per: Per::Clip(18_000) },
            Rate { when: None, per: Per::Clip(6_000) },
        ]),
    },
];

/// Models of the Veo endpoint of its own, whose fields stand beside `model`.
pub(super) static VEO: &[Spec] = &[
    Spec {
        slug: "veo3_lite",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(20_000) },
            Field { name: "imageUrls", required: false, kind: Kind::Photos(2) },
            Field {
                name: "generationType",
                required: false,
                kind: Kind::Word(&["FIRST_AND_LAST_FRAMES_2_VIDEO", "TEXT_2_VIDEO", "REFERENCE_2_VIDEO"]),
            },
            Field { name: "aspect_ratio", required: false, kind: Kind::Word(&["16:9", "9:16", "Auto"]) },
            Field { name: "duration", required: false, kind: Kind::Int(4, 8) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p", "4k"]) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "1080p")), per: Per::Clip(3_500) },
            Rate { when: Some(("resolution", "4k")), per: Per::Clip(15_000) },
            Rate { when: None, per: Per::Clip(3_000) },
        ]),
    },
    Spec {
        slug: "veo3_fast",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(20_000) },
            Field { name: "imageUrls", required: false, kind: Kind::Photos(2) },
            Field {
                name: "generationType",
                required: false,
                kind: Kind::Word(&["FIRST_AND_LAST_FRAMES_2_VIDEO", "TEXT_2_VIDEO", "REFERENCE_2_VIDEO"]),
            },
            Field { name: "aspect_ratio", required: false, kind: Kind::Word(&["16:9", "9:16", "Auto"]) },
            Field { name: "duration", required: false, kind: Kind::Int(4, 8) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p", "4k"]) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "1080p")), per: Per::Clip(6_500) },
            Rate { when: Some(("resolution", "4k")), per: Per::Clip(18_000) },
            Rate { when: None, per: Per::Clip(6_000) },
        ]),
    },
    Spec {
        slug: "veo3",
        fields: &[
            Field { name: "prompt", required: true, kind: Kind::Text(20_000) },
            Field { name: "imageUrls", required: false, kind: Kind::Photos(2) },
            Field {
                name: "generationType",
                required: false,
                kind: Kind::Word(&["FIRST_AND_LAST_FRAMES_2_VIDEO", "TEXT_2_VIDEO", "REFERENCE_2_VIDEO"]),
            },
            Field { name: "aspect_ratio", required: false, kind: Kind::Word(&["16:9", "9:16", "Auto"]) },
            Field { name: "duration", required: false, kind: Kind::Int(4, 8) },
            Field { name: "resolution", required: false, kind: Kind::Word(&["720p", "1080p", "4k"]) },
        ],
        refuses: &[],
        seconds: "duration",
        price: Price(&[
            Rate { when: Some(("resolution", "1080p")), per: Per::Clip(25_500) },
            Rate { when: Some(("resolution", "4k")), per: Per::Clip(37_000) },
            Rate { when: None, per: Per::Clip(25_000) },
        ]),
    },
];
