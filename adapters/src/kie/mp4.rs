//! As much of MP4 as it takes to tell a finished video from something else, and how long it plays: boxes, each a size
//! and a type, and the movie's header (ISO/IEC 14496-12, sections 4.2 and 8.2.2).

use std::{
    io::{self, Read, Seek, SeekFrom},
    time::Duration,
};

/// Enough to tell an MP4: a box size and a box type.
pub(super) const HEAD_BYTES: usize = 8;

/// The most boxes looked at in a file; a plain video has a handful, one in fragments two for each second or so.
const BOXES_MAX: usize = 20_000;

/// Whether the first box is `ftyp`, with which every MP4 file begins (ISO/IEC 14496-12, section 4.3).
pub(super) fn is_mp4(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}

/// Why a file that begins as an MP4 is no video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The box that says what the movie is made of is missing, or has no header.
    NoMovie,
    /// A box is longer than what it lies in.
    CutOff,
    /// It plays for no time.
    NoTime,
}

impl Flaw {
    /// The flaw, for logs and the attempt's record.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NoMovie => "the result is not a video: it has no moov box with a header",
            Self::CutOff => "the result is not a whole video: a box of it is cut off",
            Self::NoTime => "the result is not a video: it plays for 0 seconds",
        }
    }
}

/// How a look at a file failed.
#[derive(Debug)]
pub(super) enum Unplayable {
    /// It is no video.
    Flaw(Flaw),
    /// It cannot be read.
    Unread(io::Error),
}

impl From<Flaw> for Unplayable {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

impl From<io::Error> for Unplayable {
    fn from(error: io::Error) -> Self {
        Self::Unread(error)
    }
}

/// How long a file plays; `None` when its header leaves that open. Only headers are read, whatever lies between them is
/// skipped.
///
/// # Errors
/// [`Unplayable`] when it is no video, or cannot be read.
pub(super) fn playing_time(file: &mut (impl Read + Seek)) -> Result<Option<Duration>, Unplayable> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut boxes = Boxes::new(0, end);
    let mut time = None;
    while let Some(found) = boxes.next(file)? {
        if &found.kind == b"moov" && time.is_none() {
            time = Some(movie_time(file, &found)?);
        }
    }
    time.ok_or_else(|| Flaw::NoMovie.into())
}

fn movie_time(file: &mut (impl Read + Seek), movie: &Box) -> Result<Option<Duration>, Unplayable> {
    let mut boxes = Boxes::new(movie.body, movie.end);
    let (mut header, mut is_in_fragments) = (None, false);
    while let Some(found) = boxes.next(file)? {
        match &found.kind {
            b"mvhd" if header.is_none() => header = Some(read_header(file, &found)?),
            b"mvex" => is_in_fragments = true,
            _ => {}
        }
    }
    match header.ok_or(Flaw::NoMovie)? {
        // Each fragment says its own time; the header may say nothing (section 8.8.2).
        Some(Duration::ZERO) if is_in_fragments => Ok(None),
        Some(Duration::ZERO) => Err(Flaw::NoTime.into()),
        time => Ok(time),
    }
}

/// The width and height at which a file is shown, in pixels: those its first track with a picture says (section 8.3.2).
/// `None` when none does, or the file cannot be read so far.
pub(crate) fn picture_size(file: &mut (impl Read + Seek)) -> Option<(u32, u32)> {
    let end = file.seek(SeekFrom::End(0)).ok()?;
    let mut boxes = Boxes::new(0, end);
    let movie = boxes.find(file, *b"moov")?;
    let mut tracks = Boxes::new(movie.body, movie.end);
    while let Some(track) = tracks.find(file, *b"trak") {
        let header = Boxes::new(track.body, track.end).find(file, *b"tkhd")?;
        // Both stand at the end of the header, with 16 bits each behind the point.
        let mut sizes = [0; 8];
        file.seek(SeekFrom::Start(header.end.checked_sub(8).filter(|at| *at >= header.body)?)).ok()?;
        file.read_exact(&mut sizes).ok()?;
        let [a, b, _, _, c, d, _, _] = sizes.map(u32::from);
        let (width, height) = (a << 8 | b, c << 8 | d);
        if width > 0 && height > 0 {
            return Some((width, height));
        }
    }
    None
}

/// The time a movie's header says; `None` when all its bits are set, which stands for unknown (section 8.2.2.3).
fn read_header(file: &mut (impl Read + Seek), header: &Box) -> Result<Option<Duration>, Unplayable> {
    file.seek(SeekFrom::Start(header.body))?;
    let mut body = Vec::with_capacity(32);
    file.take(32.min(header.end - header.body)).read_to_end(&mut body)?;
    let number = |from: usize, bytes: usize| {
        let read = body.get(from..from + bytes)?.iter();
        Some(read.fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    // Version and flags, when it was made and changed, then the units of time in a second and the time in units.
    let read = match body.first() {
        Some(0) => (number(12, 4), number(16, 4), u64::from(u32::MAX)),
        Some(1) => (number(20, 4), number(24, 8), u64::MAX),
        _ => return Err(Flaw::NoMovie.into()),
    };
    let (Some(units), Some(time), unknown) = read else { return Err(Flaw::CutOff.into()) };
    if units == 0 {
        return Err(Flaw::NoTime.into());
    }
    // Rounded up: some time is never no time.
    let nanoseconds = (u128::from(time % units) * 1_000_000_000).div_ceil(u128::from(units));
    let part = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0));
    Ok((time != unknown).then(|| Duration::from_secs(time / units).saturating_add(part)))
}

/// A box: where what is in it begins and ends.
#[derive(Debug)]
struct Box {
    kind: [u8; 4],
    body: u64,
    end: u64,
}

/// The boxes between two places of a file, one after the other.
struct Boxes {
    at: u64,
    end: u64,
    left: usize,
}

impl Boxes {
    const fn new(at: u64, end: u64) -> Self {
        Self { at, end, left: BOXES_MAX }
    }

    /// The next box of this kind; `None` as well when the file is broken before it.
    fn find(&mut self, file: &mut (impl Read + Seek), kind: [u8; 4]) -> Option<Box> {
        while let Some(found) = self.next(file).ok()? {
            if found.kind == kind {
                return Some(found);
            }
        }
        None
    }

    fn next(&mut self, file: &mut (impl Read + Seek)) -> Result<Option<Box>, Unplayable> {
        let inside = self.end.saturating_sub(self.at);
        // Writers pad with less than a box.
        if inside < HEAD_BYTES as u64 || self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        file.seek(SeekFrom::Start(self.at))?;
        let mut head = [0; HEAD_BYTES];
        file.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        let (size, head_bytes) = match u32::from_be_bytes([a, b, c, d]) {
            // Up to the end.
            0 => (inside, 8),
            // The size follows.
            1 if inside >= 16 => {
                let mut size = [0; 8];
                file.read_exact(&mut size)?;
                (u64::from_be_bytes(size), 16)
            }
            size => (u64::from(size), 8),
        };
        if size < head_bytes || size > inside {
            return Err(Flaw::CutOff.into());
        }
        let (body, end) = (self.at + head_bytes, self.at + size);
        self.at = end;
        Ok(Some(Box { kind, body, end }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], kind, body].concat()
    }

    fn header(units: u32, time: u32) -> Vec<u8> {
        boxed(b"mvhd", &[&[0; 12][..], &units.to_be_bytes(), &time.to_be_bytes(), &[0; 80]].concat())
    }

    fn long_header(units: u32, time: u64) -> Vec<u8> {
        let body = [&[1, 0, 0, 0][..], &[0; 16], &units.to_be_bytes(), &time.to_be_bytes(), &[0; 80]];
        boxed(b"mvhd", &body.concat())
    }

    fn video(movie: &[Vec<u8>]) -> Vec<u8> {
        [boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"moov", &movie.concat()), boxed(b"mdat", &[7; 300])].concat()
    }

    fn time(file: &[u8]) -> Result<Option<Duration>, Flaw> {
        playing_time(&mut Cursor::new(file)).map_err(|unplayable| match unplayable {
            Unplayable::Flaw(flaw) => flaw,
            Unplayable::Unread(error) => panic!("{error}"),
        })
    }

    #[test]
    fn a_video_says_how_long_it_plays_wherever_its_header_lies() {
        let four = Ok(Some(Duration::from_millis(4_040)));
        assert_eq!(time(&video(&[header(1_000, 4_040)])), four);
        assert_eq!(time(&video(&[boxed(b"udta", b"x"), long_header(25, 101)])), four);
        let [first, movie, pixels] =
            [boxed(b"ftyp", b"isom"), boxed(b"moov", &header(1_000, 4_040)), boxed(b"mdat", &[7; 300])];
        assert_eq!(time(&[&first[..], &pixels, &movie].concat()), four, "at the end");
        assert_eq!(time(&[&first[..], &movie, b"\0\0\0\0mdat and so on to the end"].concat()), four);
        let large = [&b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x13abc"[..], &movie].concat();
        assert_eq!(time(&[&first[..], &large].concat()), four, "behind a box with a long size");
        assert_eq!(time(&[&video(&[header(1_000, 4_040)])[..], &[0; 5]].concat()), four, "padded");
    }

    fn track(width: u16, height: u16) -> Vec<u8> {
        let [a, b] = width.to_be_bytes();
        let [c, d] = height.to_be_bytes();
        let mut header = vec![0; 76];
        header.extend([a, b, 0, 0, c, d, 0, 0]);
        boxed(b"trak", &boxed(b"tkhd", &header))
    }

    #[test]
    fn a_video_says_how_large_its_picture_is() {
        let size = |movie: &[Vec<u8>]| picture_size(&mut Cursor::new(video(movie)));
        let sound = track(0, 0);
        assert_eq!(size(&[header(600, 600), sound.clone(), track(720, 1280)]), Some((720, 1_280)));
        assert_eq!(size(&[header(600, 600), sound]), None);
        assert_eq!(size(&[header(600, 600), boxed(b"trak", &boxed(b"tkhd", &[1, 2, 3]))]), None);
        assert_eq!(picture_size(&mut Cursor::new(b"no video".to_vec())), None);
    }

    #[test]
    fn a_time_left_open_is_no_reason_to_refuse_a_video() {
        assert_eq!(time(&video(&[header(1_000, u32::MAX)])), Ok(None));
        assert_eq!(time(&video(&[long_header(1_000, u64::MAX)])), Ok(None));
        assert_eq!(time(&video(&[header(1_000, 0), boxed(b"mvex", b"")])), Ok(None), "in fragments");
    }

    #[test]
    fn what_does_not_play_is_no_video() {
        let ftyp = boxed(b"ftyp", b"isom\0\0\0\0");
        for (row, file, flaw) in [
            ("a head alone", ftyp.clone(), Flaw::NoMovie),
            ("empty", Vec::new(), Flaw::NoMovie),
            ("a movie without a header", video(&[]), Flaw::NoMovie),
            ("a header of no known version", video(&[boxed(b"mvhd", &[9; 100])]), Flaw::NoMovie),
            ("no time", video(&[header(1_000, 0)]), Flaw::NoTime),
            ("no units of time", video(&[header(0, 4_000)]), Flaw::NoTime),
            ("a short header", video(&[boxed(b"mvhd", &[0; 15])]), Flaw::CutOff),
            ("no end", video(&[header(1_000, 4_000)])[..200].to_vec(), Flaw::CutOff),
            ("a box that ends before it begins", [&ftyp[..], b"\0\0\0\x07moov"].concat(), Flaw::CutOff),
        ] {
            assert_eq!(time(&file), Err(flaw), "{row}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_reader(
            mut file in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                Just(video(&[header(1_000, 4_000)])),
                Just(video(&[long_header(90_000, 360_000), boxed(b"mvex", b"")])),
                Just(video(&[track(720, 1_280)])),
            ],
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            for (at, to) in changes {
                if !file.is_empty() {
                    let at = at.index(file.len());
                    file[at] = to;
                }
            }
            file.truncate(file.len() - cut.index(file.len() + 1) / 4);
            is_mp4(&file);
            picture_size(&mut Cursor::new(&file));
            if let Ok(Some(time)) = time(&file) {
                prop_assert!(time > Duration::ZERO);
            }
        }

        #[test]
        fn a_time_is_read_as_it_was_written(units in 1_u32.., time_in_units in 1_u32..u32::MAX) {
            let read = time(&video(&[header(units, time_in_units)])).unwrap().unwrap();
            let written = f64::from(time_in_units) / f64::from(units);
            prop_assert!((read.as_secs_f64() - written).abs() < 1e-6);
        }
    }
}
