//! Sets that are fetched from a local server, or by hand, and what becomes of interrupted and wrong ones.

use super::*;
use crate::download::test_server::{Manner, Server, serve};
use crate::download::tests::HASTY;
use detector::files::sha256_of_file;
use std::fs;
use std::io::{Cursor, Write};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A good image, and a defective one with its mask.
const FILES: [&str; 3] =
    ["train/good/000.png", "test/hole/000.png", "ground_truth/hole/000_mask.png"];

/// A zip archive of the files of a set with two categories, below a folder, and another file beside.
fn archive(leave_out: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let names = ["a", "b"].iter().flat_map(|set| FILES.map(|file| format!("top/{set}/{file}")));
    for name in names.filter(|name| name != leave_out).chain(["LICENCE".to_owned()]) {
        writer.start_file(&name, SimpleFileOptions::default()).expect("a new entry");
        writer.write_all(name.as_bytes()).expect("memory is there");
    }
    writer.finish().expect("memory is there").into_inner()
}

/// The manifest of the set `set`, with this archive.
fn manifest(archive: &str) -> String {
    format!(
        "name = 'Set'\ndescription = 'D'\nlicence = 'L'\ncitation = 'C'\nmasks = 'M'\nroot = 'top'\n\
         categories = ['a', 'b']\n{archive}\n[counts]\ntrain = 1\ntest = 1\n\
         [config.data]\nlayout = 'mvtec-ad'\n"
    )
}

/// A store in a folder of its own with the manifest of the set `set`.
fn places(manifest: &str) -> (TempDir, Places) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (manifests, store) = (folder.path().join("manifests"), folder.path().join("store"));
    fs::create_dir(&manifests).expect("the folder can be written");
    fs::write(manifests.join("set.toml"), manifest).expect("the folder can be written");
    (folder, Places { manifests, store })
}

fn served(content: &[u8], manners: &[Manner], more: &str) -> (Server, TempDir, Places) {
    let server = serve(content, manners);
    let (folder, places) =
        places(&manifest(&format!("[[archive]]\nurl = '{}'\n{more}", server.url)));
    (server, folder, places)
}

fn fetch(places: &Places, args: fetch::Args) -> Result<()> {
    fetch::fetch(&fetch::Args { name: "set".to_owned(), ..args }, places, &HASTY)
}

fn plain(places: &Places) -> Result<()> {
    fetch(places, fetch::Args::default())
}

fn by_hand(places: &Places, root: &Path) -> Result<()> {
    fetch(places, fetch::Args { root: Some(root.to_owned()), ..fetch::Args::default() })
}

fn verify(places: &Places) -> Result<()> {
    verify::verify(&verify::Args { name: "set".to_owned() }, places)
}

/// The names of the files in the store, without the lock.
fn stored(places: &Places) -> Vec<String> {
    let entries = fs::read_dir(&places.store).expect("the store is there");
    let names = entries.map(|entry| entry.expect("it is there").file_name());
    let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    names.retain(|name| name != ".set.lock");
    names.sort();
    names
}

fn message<T>(result: Result<T>) -> String {
    let error = format!("{:#}", result.map(drop).expect_err("it must fail"));
    assert!(!error.contains('\n'), "{error}");
    error
}

/// Writes the files of a category below `folder`.
fn write_files(folder: &Path) {
    for file in FILES {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("it has one")).expect("the folder can be written");
        fs::write(path, file).expect("the folder can be written");
    }
}

#[test]
fn a_set_is_fetched_opened_and_verified() {
    let manners = [Manner::Redirects, Manner::Truncates(300), Manner::Good];
    let (server, _folder, places) = served(&archive(""), &manners, "");
    plain(&places).expect("the second try succeeds");
    assert_eq!(stored(&places), ["set"]);
    verify(&places).expect("it was fetched just now");
    let set = open_in("set/b", &places).expect("it is there");
    assert_eq!((set.name.as_str(), set.licence.as_str(), set.synthetic), ("Set: b", "L", false));
    assert_eq!(set.root, places.store.join("set/top/b"));
    let server_requests = || server.requests.lock().expect("no thread panicked").len();
    let requests = server_requests();
    let record = places.stored("set").expect("a record").expect("it is there").record;
    assert_eq!(record.archives[0].bytes, archive("").len() as u64);
    assert_eq!(set.source, format!("archive with SHA-256 {}", record.archives[0].sha256));
    plain(&places).expect("it is there");
    assert_eq!(server_requests(), requests);
    assert!(message(open_in("set", &places)).contains("set/a, set/b"));
    assert!(message(open_in("set/c", &places)).contains("(a, b), got `c`"));
    assert!(message(open_in("other", &places)).contains("(set), got `other`"));
}

#[test]
fn an_absent_set_says_how_to_fetch_it() {
    let (_server, _folder, places) = served(&archive(""), &[], "");
    assert!(message(open_in("set/a", &places)).contains("`cargo xtask datasets fetch set`"));
    assert!(message(verify(&places)).contains("`cargo xtask datasets fetch set`"));
}

#[test]
fn what_is_not_the_whole_set_leaves_nothing() {
    let web_page = b"<html>The file has moved.</html>".to_vec();
    let no_mask = archive("top/b/ground_truth/hole/000_mask.png");
    let cases = [
        (web_page, "got a file that begins with \"<html>\""),
        (no_mask, "top/b/test/hole/000.png: expected a mask of this test image"),
        (archive("top/a/train/good/000.png"), "top/a: expected a folder"),
        (archive("top/a/test/hole/000.png"), "0 of 1 test images"),
        (archive("")[..400].to_vec(), "cannot unpack"),
    ];
    for (content, expected) in cases {
        let (_server, _folder, places) = served(&content, &[], "");
        let error = message(plain(&places));
        assert!(error.contains(expected), "{error}");
        assert_eq!(stored(&places), [""; 0], "{expected}");
    }
    let pinned = format!("sha256 = '{}'", "0".repeat(64));
    let (_server, _folder, places) = served(&archive(""), &[], &pinned);
    assert!(message(plain(&places)).contains(&"0".repeat(64)));
    let (_server, _folder, places) = served(&archive(""), &[], "unpacked_bytes = 10");
    assert!(message(plain(&places)).contains("at most 10 bytes"));
    assert_eq!(stored(&places), [""; 0]);
}

#[test]
fn a_killed_fetch_is_taken_up() {
    let (_server, _folder, places) =
        served(&archive(""), &[Manner::Truncates(300), Manner::Status(404)], "");
    assert!(message(plain(&places)).contains("404"));
    assert_eq!(stored(&places), ["set.archive-0.part", "set.archive-0.part.toml"]);
    write_files(&places.unpacking("set"));
    assert!(places.stored("set").expect("nothing is broken").is_none());
    plain(&places).expect("the server is good now");
    assert_eq!(stored(&places), ["set"]);
}

#[test]
fn two_fetches_of_a_set_do_not_meet() {
    let (_server, _folder, places) = served(&archive(""), &[], "");
    let _lock = places.lock("set").expect("nobody else has it");
    assert!(message(plain(&places)).contains("another process"));
}

#[test]
fn a_local_archive_does_in_place_of_the_download() {
    let (folder, places) = places(&manifest("[[archive]]\nurl = 'http://127.0.0.1:9/gone.zip'"));
    let file = folder.path().join("mine");
    fs::write(&file, archive("")).expect("the folder can be written");
    let local = |sha256: &str| {
        let sha256 = vec![sha256.to_owned()];
        fetch(
            &places,
            fetch::Args { archive: vec![file.clone()], sha256, ..fetch::Args::default() },
        )
    };
    assert!(message(local("abc")).contains("64 digits"));
    assert!(message(local(&"0".repeat(64))).contains("mine: expected the SHA-256 000"));
    local(&sha256_of_file(&file).expect("it is there")).expect("it is the right one");
    verify(&places).expect("it was unpacked just now");
    assert!(file.exists());
    let error = message(local(&"0".repeat(64)));
    assert!(error.contains("remove it"), "{error}");
}

#[test]
fn changes_are_found() {
    let (_server, _folder, places) = served(&archive(""), &[], "");
    plain(&places).expect("the server is good");
    let image = places.store.join("set/top/a/train/good/000.png");
    fs::write(&image, "changed").expect("it is there");
    fs::write(image.with_file_name("note.txt"), "new").expect("the folder is there");
    assert!(message(verify(&places)).contains("(2)"));
    fs::remove_file(image).expect("it is there");
    assert!(message(verify(&places)).contains("(2)"));
}

#[test]
fn a_folder_given_by_hand_stays_where_it_is() {
    let (folder, places) = places(&manifest(""));
    let mine = folder.path().join("mine");
    assert!(message(plain(&places)).contains("--root DIR"));
    assert!(message(by_hand(&places, &mine)).contains("mine"));
    fs::create_dir(&mine).expect("the folder can be written");
    assert!(message(by_hand(&places, &mine)).contains("a, b, got an empty folder"));
    write_files(&mine.join("a"));
    by_hand(&places, &mine).expect("one category will do");
    assert_eq!(stored(&places), ["set.sha256", "set.toml"]);
    verify(&places).expect("nothing has changed");
    let set = open_in("set/a", &places).expect("it is there");
    assert_eq!(set.root, mine.join("a"));
    assert_eq!(set.source, "folder given by hand");
    assert!(message(open_in("set/b", &places)).contains("datasets fetch set --root DIR"));
    fs::remove_dir_all(mine.join("a/test")).expect("it is there");
    by_hand(&places, &mine).expect("a part will do");
    let set = open_in("set/a", &places).expect("it is there");
    assert!(set.source.contains("0 of 1 test images"), "{}", set.source);
    // Moved away: it is not as if nothing were wrong.
    fs::rename(&mine, folder.path().join("elsewhere")).expect("the folder can be written");
    let message = message(plain(&places));
    assert!(
        message.contains("set.toml: expected the images of set in") && message.contains("--root"),
        "{message}"
    );
}

#[test]
fn a_manifest_is_drafted_from_a_folder_and_never_overwritten() {
    let (folder, places) = places(&manifest(""));
    let root = folder.path().join("mine");
    write_files(&root.join("x"));
    write_files(&root.join("y"));
    let args = |key: &str, root: &Path| add::Args {
        key: key.to_owned(),
        root: root.to_owned(),
        url: Some("https://example.org/a.zip".to_owned()),
        sha256: None,
    };
    add::add(&args("new", &root), &places.manifests).expect("it is new");
    let (manifest, _) = places.find("new").expect("it can be read");
    assert_eq!(manifest.sets(), ["new/x", "new/y"]);
    assert_eq!(manifest.count("x"), Some(manifest::Count { train: 1, test: 1 }));
    assert!(manifest.licence.contains("FILL IN"));
    add::add(&args("one", &root.join("x")), &places.manifests).expect("it is new");
    assert_eq!(places.find("one").expect("it can be read").0.sets(), ["one"]);
    assert!(message(add::add(&args("new", &root), &places.manifests)).contains("new.toml"));
    assert!(message(add::add(&args("../up", &root), &places.manifests)).contains("../up"));
    assert!(
        message(add::add(&args("none", folder.path()), &places.manifests))
            .contains("expected a folder")
    );
}
