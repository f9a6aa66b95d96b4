//! The little of multipart/form-data (RFC 7578) that an upload needs.

/// One part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content: &'a [u8],
}

/// The parts of a form, or nothing when it is not one.
pub(crate) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    let delimiter = format!("--{}", boundary.trim_matches('"'));
    let mut found = Vec::new();
    let mut rest = after(body, delimiter.as_bytes())?;
    while !rest.starts_with(b"--") {
        let end = find(rest, format!("\r\n{delimiter}").as_bytes())?;
        found.push(part(rest.get(2..end)?)?);
        rest = rest.get(end + 2 + delimiter.len()..)?;
    }
    Some(found)
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let head_end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let disposition =
        head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let parameter = |name: &str| {
        let start = disposition.find(&format!(" {name}=\""))? + name.len() + 3;
        let value = disposition.get(start..)?;
        Some(value.get(..value.find('"')?)?.to_owned())
    };
    Some(Part { name: parameter("name")?, file_name: parameter("filename"), content: &bytes[head_end + 4..] })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

fn after<'a>(bytes: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    bytes.get(find(bytes, what)? + what.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=xyz";

    #[test]
    fn a_form_gives_its_parts() {
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"uploadPath\"\r\n\r\nkadr\r\n\
            --xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\
            Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n\xff\r\n--xyz--\r\n";
        let found = parts(TYPE, body).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), found[0].content), ("uploadPath", b"kadr".as_slice()));
        assert_eq!(found[1].file_name.as_deref(), Some("a.jpg"));
        assert_eq!(found[1].content, b"\xff\xd8\r\n\xff");
    }

    #[test]
    fn anything_else_is_no_form_and_no_panic() {
        let head = b"--xyz\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nx";
        for body in [b"".as_slice(), b"--xyz", b"--xyz\r\n", b"--xyz\r\n\r\n\r\n--xyz--", head] {
            assert_eq!(parts(TYPE, body), None, "{body:?}");
        }
        assert_eq!(parts("application/json", b"{}"), None);
        assert_eq!(parts("multipart/form-data", b"--"), None);
        assert_eq!(parts(TYPE, b"--xyz--"), Some(vec![]));
    }
}
