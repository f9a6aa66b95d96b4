//! Whatever is sent, what comes out is a photo or a reason.

use std::sync::LazyLock;

use domain::photo::size_to_store;
use image::{DynamicImage, ImageFormat};
use ports::{PhotoStudio, Prepared};
use proptest::prelude::*;

use super::{pictures::*, *};
use crate::photo::ImageStudio;

/// One whole file of every kind, with metadata where the kind has any.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let image = quarters(302, 301);
    let any = DynamicImage::from(image.clone());
    vec![
        with_segments(&jpeg(&image), 6),
        with_segments(&jpeg(&image), 1),
        with_chunks(&png(&image), &[chunk(b"tEXt", b"Author\0SECRET"), chunk(b"eXIf", &exif(3))]),
        webp(&image, Some(exif(8))),
        webp(&image, None),
        file(&any, ImageFormat::Gif),
        file(&any, ImageFormat::Bmp),
        file(&any, ImageFormat::Tiff),
    ]
});

/// What happens to a file on its way.
#[derive(Debug, Clone)]
enum Accident {
    Changed(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Lost(prop::sample::Index, u8),
    Inserted(prop::sample::Index, Vec<u8>),
}

impl Accident {
    fn strike(&self, file: &mut Vec<u8>) {
        if file.is_empty() {
            return;
        }
        // Half of what happens, happens in the head, where the structure is.
        let place = |at: &prop::sample::Index| {
            let anywhere = at.index(file.len() * 2);
            if anywhere < file.len() { anywhere } else { anywhere % file.len().min(400) }
        };
        match self {
            Self::Changed(at, to) => {
                let at = place(at);
                file[at] = *to;
            }
            Self::Cut(at) => file.truncate(place(at)),
            Self::Lost(at, many) => {
                let at = place(at);
                let end = (at + usize::from(*many)).min(file.len());
                file.drain(at..end);
            }
            Self::Inserted(at, bytes) => {
                let at = place(at);
                file.splice(at..at, bytes.iter().copied());
            }
        }
    }
}

fn accidents() -> impl Strategy<Value = Vec<Accident>> {
    let at = any::<prop::sample::Index>;
    let accident = prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, to)| Accident::Changed(at, to)),
        1 => at().prop_map(Accident::Cut),
        1 => (at(), any::<u8>()).prop_map(|(at, many)| Accident::Lost(at, many)),
        1 => (at(), prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(at, b)| Accident::Inserted(at, b)),
    ];
    prop::collection::vec(accident, 1..6)
}

fn any_terms() -> impl Strategy<Value = PhotoTerms> {
    let formats = prop::sample::subsequence(PhotoFormat::ALL.to_vec(), 1..=3);
    (formats, prop_oneof![Just(10_000_000), 3_000_u64..200_000])
        .prop_map(|(formats, bytes_max)| PhotoTerms { formats, bytes_max })
}

/// The laws of a photo that is ready.
fn assert_lawful(photo: &Photo, terms: &PhotoTerms) {
    assert!(terms.formats.contains(&photo.format));
    assert!(photo.bytes.len() as u64 <= terms.bytes_max);
    let size = seen(photo).dimensions();
    assert_eq!(size_to_store(size), Ok(size));
    assert_clean(photo);
    assert_eq!(domain::photo::inspect(&photo.bytes).unwrap().photo_format(), Some(photo.format));
    assert_eq!(prepare(photo.bytes.to_vec(), terms).as_ref(), Ok(photo), "a photo is prepared already");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whole_pictures_become_photos_within_any_terms(which in 0..8_usize, terms in any_terms()) {
        match prepare(FILES[which].clone(), &terms) {
            Ok(photo) => assert_lawful(&photo, &terms),
            Err(PhotoError::TooLarge { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
        prop_assert_eq!(prepare(FILES[which].clone(), &terms), prepare(FILES[which].clone(), &terms));
    }

    #[test]
    fn broken_pictures_become_photos_or_reasons(
        which in 0..8_usize,
        accidents in accidents(),
        terms in any_terms(),
    ) {
        let mut file = FILES[which].clone();
        for accident in &accidents {
            accident.strike(&mut file);
        }
        if let Ok(photo) = prepare(file, &terms) {
            assert_lawful(&photo, &terms);
        }
    }

    #[test]
    fn arbitrary_bytes_become_photos_or_reasons(
        head in prop::sample::select(vec![
            &b""[..], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"RIFF\x20\0\0\0WEBPVP8X", b"GIF89a",
            b"BM\x40\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", b"II\x2a\0\x08\0\0\0", b"MM\0\x2a\0\0\0\x08",
        ]),
        body in prop::collection::vec(any::<u8>(), 0..600),
        tail in prop::sample::select(vec![&b""[..], b"\xff\xd9", b"\0\0\0\0IEND\xaeB`\x82"]),
    ) {
        if let Ok(photo) = prepare([head, &body, tail].concat(), &terms()) {
            assert_lawful(&photo, &terms());
        }
    }
}

#[tokio::test]
async fn the_studio_answers_with_a_photo_or_a_reason() {
    let studio = ImageStudio::default();
    let ready = studio.prepare(FILES[0].clone().into(), &terms()).await.unwrap();
    assert_eq!(ready, Prepared::Ready(prepare(FILES[0].clone(), &terms()).unwrap()));
    let refused = studio.prepare(Bytes::from_static(b"hello"), &terms()).await.unwrap();
    assert_eq!(refused, Prepared::Refused(PhotoError::NotAnImage));
}

#[tokio::test]
async fn more_photos_than_fit_into_memory_at_once_are_all_prepared() {
    let studio = ImageStudio::default();
    let large = Bytes::from(jpeg(&quarters(2_400, 2_400)));
    let all = (0..14).map(|_| {
        let (studio, file) = (studio.clone(), large.clone());
        async move { studio.prepare(file, &terms()).await }
    });
    for prepared in futures_util::future::join_all(all).await {
        assert!(matches!(prepared, Ok(Prepared::Ready(_))));
    }
}
