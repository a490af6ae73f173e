//! Downloads from a local server with the faults of real ones.

use super::test_server::{Manner, serve};
use super::*;
use detector::files::sha256;
use std::path::PathBuf;
use tempfile::TempDir;

/// Does not wait long.
pub const HASTY: Patience = Patience {
    connect: Duration::from_secs(5),
    stall: Duration::from_secs(3),
    retries: 2,
    delay: Duration::from_millis(1),
    total: Duration::from_secs(60),
    proxy: false,
};

/// Bytes that are not the same in reverse.
fn content() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("set.part");
    (folder, file)
}

/// Downloads in these manners; what came, and the first byte of each request.
fn in_manners(manners: &[Manner], hash: bool) -> (Result<Vec<u8>>, Vec<usize>) {
    let (_folder, file) = place();
    let server = serve(&content(), manners);
    let sha256 = hash.then(|| sha256(&content()));
    let wanted =
        Wanted { url: &server.url, sha256: sha256.as_deref(), most_bytes: 1 << 20, otherwise: "" };
    let result = download(&wanted, &file, &HASTY).map(|done| {
        let bytes = fs::read(&file).expect("it was downloaded");
        assert_eq!(done.bytes, bytes.len() as u64);
        bytes
    });
    let requests = server.requests.lock().expect("no thread panicked");
    (result, requests.iter().map(|(_, start)| *start).collect())
}

#[test]
fn what_is_interrupted_goes_on_where_it_stopped() {
    use Manner::*;
    let cases: &[(&[Manner], &[usize])] = &[
        (&[Good], &[0]),
        (&[Truncates(70_000), Good], &[0, 70_000]),
        (&[Truncates(70_000), Truncates(10_000), Good], &[0, 70_000, 80_000]),
        (&[Status(503), Status(429), Good], &[0, 0, 0]),
        (&[Truncates(70_000), IgnoresRanges], &[0, 70_000]),
        (&[Redirects, Truncates(70_000), Redirects, Good], &[0, 0, 70_000, 70_000]),
    ];
    for &(manners, starts) in cases {
        for hash in [true, false] {
            let (result, requests) = in_manners(manners, hash);
            assert!(result.is_ok_and(|bytes| bytes == content()), "{manners:?}");
            assert_eq!(requests, starts, "{manners:?}");
        }
    }
}

#[test]
fn a_silent_server_is_asked_again() {
    let (result, requests) = in_manners(&[Manner::Stalls(70_000), Manner::Good], true);
    assert!(result.is_ok_and(|bytes| bytes == content()));
    assert_eq!(requests, [0, 70_000]);
}

#[test]
fn a_file_that_changed_meanwhile_is_begun_again() {
    let (result, requests) = in_manners(&[Manner::Truncates(70_000), Manner::Changed], false);
    let changed: Vec<u8> = content().into_iter().rev().collect();
    assert!(result.is_ok_and(|bytes| bytes == changed));
    assert_eq!(requests, [0, 70_000]);
}

#[test]
fn patience_ends_and_the_next_call_goes_on() {
    let (folder, file) = place();
    let dead = [Manner::Truncates(0); 3];
    let server = serve(&content(), &[&[Manner::Truncates(70_000)][..], &dead[..]].concat());
    let wanted = Wanted { url: &server.url, sha256: None, most_bytes: 1 << 20, otherwise: "" };
    let error = download(&wanted, &file, &HASTY).map_err(|error| format!("{error:#}"));
    assert!(error.is_err_and(|error| error.contains("beyond byte 70000")));
    assert_eq!(fs::read(&file).expect("the beginning is kept"), content()[..70_000]);
    let done = download(&wanted, &file, &HASTY).expect("the server is good now");
    assert_eq!(done.sha256, sha256(&content()));
    let requests = server.requests.lock().expect("no thread panicked").len();
    download(&wanted, &file, &HASTY).expect("nothing is missing");
    assert_eq!(server.requests.lock().expect("no thread panicked").len(), requests);
    forget(&file).expect("it can be removed");
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0);
}

/// Each piece comes in time, and there is progress in each attempt.
#[test]
fn a_server_that_drips_for_ever_is_given_up_and_the_next_call_goes_on() {
    let (_folder, file) = place();
    let server = serve(&content(), &[Manner::Drips, Manner::Drips]);
    let wanted = Wanted { url: &server.url, sha256: None, most_bytes: 1 << 20, otherwise: "" };
    let patience = Patience { total: Duration::from_millis(300), ..HASTY };
    let start = Instant::now();
    let error = download(&wanted, &file, &patience).map(drop).expect_err("it takes minutes");
    assert!(start.elapsed() < Duration::from_secs(20));
    let error = format!("{error:#}");
    assert!(error.contains(&server.url) && error.contains("--patience MINUTES"), "{error}");
    let there = fs::metadata(&file).expect("the beginning is kept").len();
    assert!(there > 0 && there < 200_000, "{there}");
    let server = serve(&content(), &[]);
    let wanted = Wanted { url: &server.url, ..wanted };
    assert!(download(&wanted, &file, &HASTY).is_ok());
}

#[test]
fn what_does_not_fit_is_refused_and_not_kept() {
    let (_folder, file) = place();
    let refused = |manners: &[Manner], sha256: Option<&str>, most_bytes| {
        let server = serve(&content(), manners);
        let wanted = Wanted { url: &server.url, sha256, most_bytes, otherwise: "go elsewhere" };
        let error = download(&wanted, &file, &HASTY).map(drop).expect_err("it does not fit");
        assert!(!file.exists());
        let error = format!("{error:#}");
        assert!(error.contains(&server.url), "{error}");
        error
    };
    let error = refused(&[], Some("0123abcd"), 1 << 20);
    assert!(error.contains("0123abcd") && error.contains(&sha256(&content())));
    let hash = sha256(&content());
    assert!(refused(&[Manner::Changed], Some(&hash), 1 << 20).contains(&hash));
    assert!(refused(&[], None, 1000).contains("at most 1000 bytes"));
    assert!(refused(&[Manner::Endless], None, 1000).contains("at most 1000 bytes"));
    assert!(refused(&[Manner::Status(404)], None, 1 << 20).contains("404; go elsewhere"));
    assert!(refused(&[Manner::Redirects; 20], None, 1 << 20).contains("redirect"));
}

#[test]
fn bytes_of_unknown_origin_are_not_gone_on_from() {
    let (_folder, file) = place();
    fs::write(&file, "something else").expect("the folder can be written");
    let server = serve(&content(), &[]);
    let wanted = Wanted { url: &server.url, sha256: None, most_bytes: 1 << 20, otherwise: "" };
    let done = download(&wanted, &file, &HASTY).expect("the server is good");
    assert_eq!(done.sha256, sha256(&content()));
}
