//! One picture of each sort.

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use super::{pictures::*, *};

/// The colours in the middle of each quarter are those of the upright picture.
fn assert_upright(photo: &Photo, row: &str) {
    let image = seen(photo);
    let (width, height) = image.dimensions();
    assert!(width < height, "{row}: {width}x{height}");
    for (corner, colour) in CORNERS.iter().enumerate() {
        let x = if corner % 2 == 0 { width / 4 } else { width * 3 / 4 };
        let y = if corner < 2 { height / 4 } else { height * 3 / 4 };
        let there = image.get_pixel(x, y).0;
        let is_near = there.iter().zip(colour).all(|(a, b)| a.abs_diff(*b) < 16);
        assert!(is_near, "{row}, corner {corner}: {there:?} instead of {colour:?}");
    }
}

#[test]
fn a_photo_is_upright_however_the_camera_was_held() {
    for orientation in 1..=8 {
        let camera = held(orientation, &upright());
        for (row, file) in [
            ("JPEG", with_segments(&jpeg(&camera), orientation)),
            ("PNG", with_chunks(&png(&camera), &[chunk(b"eXIf", &exif(orientation))])),
            ("WebP", webp(&camera, Some(exif(orientation)))),
        ] {
            let photo = prepare(file, &terms()).unwrap();
            assert_clean(&photo);
            assert_upright(&photo, &format!("{row}, orientation {orientation}"));
        }
    }
}

#[test]
fn what_needs_no_change_is_stored_pixel_by_pixel() {
    let image = upright();
    let (plain_jpeg, plain_png, plain_webp) = (jpeg(&image), png(&image), webp(&image, None));
    for (row, plain, full) in [
        ("JPEG", &plain_jpeg, with_segments(&plain_jpeg, 1)),
        ("JPEG with more behind its end", &plain_jpeg, [&plain_jpeg[..], b"SECRET", &plain_jpeg].concat()),
        (
            "PNG",
            &plain_png,
            with_chunks(
                &plain_png,
                &[
                    chunk(b"tEXt", b"Author\0SECRET"),
                    chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0SECRET"),
                    chunk(b"tIME", &[7, 0xea, 1, 1, 0, 0, 0]),
                    chunk(b"eXIf", &exif(1)),
                    chunk(b"prVt", b"SECRET"),
                ],
            ),
        ),
        ("WebP", &plain_webp, webp(&image, Some(exif(1)))),
    ] {
        let photo = prepare(full, &terms()).unwrap();
        assert_clean(&photo);
        assert_eq!(seen(&photo), image::load_from_memory(plain).unwrap().into_rgb8(), "{row}");
        if photo.format != PhotoFormat::Webp {
            assert_eq!(photo.bytes, *plain, "{row}: nothing but the metadata is gone");
        }
        assert_eq!(prepare(plain.clone(), &terms()).unwrap().bytes.len(), plain.len(), "{row}");
    }
}

#[test]
fn several_pictures_in_one_jpeg_become_the_first_one() {
    let (first, second) = (with_segments(&jpeg(&upright()), 1), jpeg(&noise(640, 640)));
    let photo = prepare([first, second].concat(), &terms()).unwrap();
    assert_upright(&photo, "MPO");
    assert_eq!(seen(&photo).dimensions(), (320, 400));
}

#[test]
fn other_pictures_are_converted() {
    let image = DynamicImage::from(upright());
    for format in [ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff] {
        let photo = prepare(file(&image, format), &terms()).unwrap();
        assert_eq!(photo.format, PhotoFormat::Jpeg, "{format:?}");
        assert_clean(&photo);
        assert_upright(&photo, &format!("{format:?}"));
    }
}

#[test]
fn a_format_the_model_does_not_read_is_converted_to_one_it_does() {
    let only = |format| PhotoTerms { formats: vec![format], bytes_max: 10_000_000 };
    let files = [jpeg(&upright()), png(&upright()), webp(&upright(), None)];
    for format in PhotoFormat::ALL {
        for file in &files {
            let photo = prepare(file.clone(), &only(format)).unwrap();
            assert_eq!(photo.format, format);
            assert_clean(&photo);
            assert_upright(&photo, &format!("to {format}"));
        }
    }
}

#[test]
fn what_is_clear_becomes_white_when_a_picture_is_written_anew() {
    let half = RgbaImage::from_fn(400, 400, |x, _| Rgba([200, 0, 0, if x < 200 { 0 } else { 255 }]));
    let file = file(&half.into(), ImageFormat::Png);
    let jpeg_only = PhotoTerms { formats: vec![PhotoFormat::Jpeg], bytes_max: 10_000_000 };
    let image = seen(&prepare(file.clone(), &jpeg_only).unwrap());
    assert!(image.get_pixel(100, 200).0.iter().all(|c| *c > 250), "{:?}", image.get_pixel(100, 200));
    assert!(image.get_pixel(300, 200).0[1] < 10, "{:?}", image.get_pixel(300, 200));
    assert_eq!(prepare(file, &terms()).unwrap().format, PhotoFormat::Png, "kept as it is where it may be");
}

#[test]
fn a_picture_of_too_many_pixels_a_side_is_scaled_down() {
    let photo = prepare(jpeg(&quarters(1_700, 4_250)), &terms()).unwrap();
    assert_eq!(seen(&photo).dimensions(), (1_639, 4_096));
    assert_upright(&photo, "scaled");
    assert_clean(&photo);
}

#[test]
fn a_picture_of_too_many_bytes_is_made_smaller_until_it_fits() {
    let file = png(&noise(600, 600));
    let limit = |bytes_max| PhotoTerms { bytes_max, ..terms() };
    assert_eq!(prepare(file.clone(), &limit(file.len() as u64)).unwrap().bytes.len(), file.len());
    for bytes_max in [file.len() as u64 - 1, 250_000, 100_000] {
        let photo = prepare(file.clone(), &limit(bytes_max)).unwrap();
        assert_eq!(photo.format, PhotoFormat::Jpeg);
        assert!(photo.bytes.len() as u64 <= bytes_max, "{} of {bytes_max}", photo.bytes.len());
        assert!(seen(&photo).width() >= domain::photo::PHOTO_SIDE_MIN);
    }
    let refused = prepare(file, &limit(2_000)).unwrap_err();
    assert!(matches!(refused, PhotoError::TooLarge { max: 2_000, bytes } if bytes > 2_000), "{refused}");
}

#[test]
fn a_bomb_is_refused_by_what_it_declares() {
    // The header of a PNG of 60000x60000, and nothing to fill it.
    let mut bomb = png(&upright());
    bomb.splice(8..33, chunk(b"IHDR", &[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 2, 0, 0, 0]));
    let refused = prepare(bomb, &terms()).unwrap_err();
    assert!(matches!(refused, PhotoError::TooManyPixels { width: 60_000, .. }), "{refused}");
    // 16 bits a colour: 48 megapixels of eight bytes.
    let mut deep = png(&upright());
    deep.splice(8..33, chunk(b"IHDR", &[0, 0, 0x1f, 0x40, 0, 0, 0x17, 0x70, 16, 6, 0, 0, 0]));
    let refused = prepare(deep, &terms()).unwrap_err();
    assert!(matches!(refused, PhotoError::TooManyPixels { max: 25_000_000, .. }), "{refused}");
}

#[test]
fn what_no_model_takes_is_refused_before_it_is_opened() {
    let small = prepare(png(&quarters(299, 400)), &terms()).unwrap_err();
    assert_eq!(small, PhotoError::TooSmall { width: 299, height: 400, min: 300 });
    let stretched = prepare(jpeg(&quarters(300, 800)), &terms()).unwrap_err();
    assert_eq!(stretched, PhotoError::TooStretched { width: 300, height: 800 });
}

#[test]
fn what_breaks_off_or_cannot_be_read_is_refused() {
    for (row, whole) in [
        ("JPEG", jpeg(&noise(320, 400))),
        ("PNG", png(&noise(320, 400))),
        ("WebP", webp(&noise(320, 400), None)),
    ] {
        for cut in [whole.len() / 4, whole.len() / 2, whole.len() * 9 / 10] {
            let told = prepare(whole[..cut].to_vec(), &terms()).unwrap_err().to_string();
            assert!(told.contains("cut off"), "{row} cut at {cut}: {told}");
        }
    }
    let mut torn = png(&noise(320, 400));
    let middle = torn.len() / 2;
    torn[middle..middle + 64].fill(0);
    assert!(matches!(prepare(torn, &terms()), Err(PhotoError::Damaged { .. })));
    assert!(matches!(
        prepare(b"GIF89a\x40\x01\x40\x01\0\0\0".to_vec(), &terms()),
        Err(PhotoError::Damaged { .. })
    ));
}

#[test]
fn a_colour_profile_for_screens_is_kept_and_one_for_print_is_not() {
    use image::{ImageEncoder, codecs::jpeg::JpegEncoder};
    let with = |space: &[u8; 4]| {
        let profile = [&[0; 16][..], space, &[0; 108]].concat();
        let (image, mut bytes) = (held(6, &upright()), Vec::new());
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 92);
        encoder.set_icc_profile(profile).unwrap();
        encoder.encode_image(&image).unwrap();
        prepare(with_segments(&bytes, 6), &terms()).unwrap()
    };
    assert!(parts(&with(b"RGB ")).contains(&"e2".to_owned()));
    assert!(!parts(&with(b"CMYK")).contains(&"e2".to_owned()));
}
