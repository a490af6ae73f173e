//! Archives as they should be, and others.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use std::io::Write;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const MOST: u64 = 1 << 20;

/// Unpacks bytes; the error, or all files with their lengths.
fn unpacked(archive: &[u8], most: u64) -> Result<Vec<(String, u64)>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, target) = (folder.path().join("archive"), folder.path().join("target"));
    fs::write(&file, archive).expect("the folder can be written");
    fs::create_dir(&target).expect("the folder can be written");
    unpack(&file, &target, most)?;
    let hashes = crate::datasets::hashes::of(&target, &[""])?;
    let length = |name: &String| fs::metadata(target.join(name)).map(|metadata| metadata.len());
    Ok(hashes.keys().map(|name| (name.clone(), length(name).expect("it is there"))).collect())
}

fn refusal(archive: &[u8], most: u64) -> String {
    let error = unpacked(archive, most).map(drop).expect_err("it is hostile");
    format!("{error:#}")
}

/// A zip archive of files with these names, which hold their names.
fn zip(names: &[&str]) -> Vec<u8> {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    for name in names {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a new entry");
        writer.write_all(name.as_bytes()).expect("memory is there");
    }
    writer.finish().expect("memory is there").into_inner()
}

/// A tar archive of one entry of this kind and name, whatever they are.
fn tar(kind: EntryType, name: &str, content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, kind, name, content);
    builder.into_inner().expect("memory is there")
}

fn append(builder: &mut tar::Builder<Vec<u8>>, kind: EntryType, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    // Written by hand, as the library refuses names that lead out of the folder.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_link_name("/etc/passwd").expect("it fits");
    header.set_mode(0o644);
    header.set_cksum();
    builder.append(&header, content).expect("memory is there");
}

fn gz(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).expect("memory is there");
    encoder.finish().expect("memory is there")
}

fn xz(tar: &[u8]) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).expect("a preset");
    writer.write_all(tar).expect("memory is there");
    writer.finish().expect("memory is there")
}

#[test]
fn archives_are_told_by_their_first_bytes() {
    let files = [("a/b.png".to_owned(), 7), ("c".to_owned(), 1)];
    assert_eq!(unpacked(&zip(&["a/b.png", "c"]), MOST).expect("a zip"), files);
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, EntryType::Directory, "a/", b"");
    append(&mut builder, EntryType::Regular, "a/b.png", b"a/b.png");
    append(&mut builder, EntryType::Regular, "./c", b"c");
    let tar = builder.into_inner().expect("memory is there");
    assert_eq!(unpacked(&gz(&tar), MOST).expect("a tar.gz"), files);
    assert_eq!(unpacked(&xz(&tar), MOST).expect("a tar.xz"), files);
    let error = refusal(b"<!DOCTYPE html>", MOST);
    assert!(error.contains("tar.xz") && error.contains("<!DOC"), "{error}");
    assert!(refusal(b"", MOST).contains("\"\""));
    assert!(refusal(&gz(b"not a tar archive"), MOST).contains("archive"));
}

#[test]
fn what_macos_adds_is_left_out() {
    let archive = zip(&["__MACOSX/a/._b.png", "a/.DS_Store", "a/b.png"]);
    assert_eq!(unpacked(&archive, MOST).expect("a zip"), [("a/b.png".to_owned(), 7)]);
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused() {
    let names =
        ["../a", "a/../../b", "/etc/a", "C:/a", "C:a", "..\\a", "a\\..\\..\\b", "a\nb", ".."];
    for name in names {
        for archive in [zip(&[name]), gz(&tar(EntryType::Regular, name, b"x"))] {
            let error = refusal(&archive, MOST);
            assert!(error.contains("below the folder") && !error.contains('\n'), "{name}: {error}");
        }
    }
}

#[test]
fn anything_but_files_and_folders_is_refused() {
    let kinds =
        [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Block, EntryType::Fifo];
    for kind in kinds {
        let error = refusal(&gz(&tar(kind, "a", b"")), MOST);
        assert!(error.contains("files and folders only"), "{error}");
    }
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    writer.add_symlink("a", "/etc/passwd", SimpleFileOptions::default()).expect("a new entry");
    let link = writer.finish().expect("memory is there").into_inner();
    assert!(refusal(&link, MOST).contains("files and folders only"));
}

#[test]
fn a_name_that_comes_twice_is_refused() {
    let mut builder = tar::Builder::new(Vec::new());
    for name in ["a/b", "a/./b"] {
        append(&mut builder, EntryType::Regular, name, b"x");
    }
    let error = refusal(&gz(&builder.into_inner().expect("memory is there")), MOST);
    assert!(error.contains("exists"), "{error}");
    assert!(refusal(&zip(&["a/b", "a/./b"]), MOST).contains("exists"));
    // The library writes no name twice.
    let mut archive = zip(&["a/b", "a/c"]);
    let places = archive.windows(3).enumerate().filter(|(_, name)| *name == b"a/c");
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    places.into_iter().for_each(|place| archive[place + 2] = b'b');
    let error = refusal(&archive, MOST);
    assert!(error.contains("come twice"), "{error}");
}

/// The name of an entry before it, as GNU's tar and as POSIX have it.
fn with_long_name(name: &str, attribute: &str) -> [Vec<u8>; 2] {
    let record = format!(" {attribute}={name}\n");
    // The length counts its own digits.
    let length = (1..)
        .map(|digits| digits + record.len())
        .find(|l| l.to_string().len() + record.len() == *l);
    let record = format!("{}{record}", length.expect("there is one"));
    let kinds = [
        (EntryType::GNULongName, "././@LongLink", format!("{name}\0")),
        (EntryType::XHeader, "PaxHeaders/a", record),
    ];
    kinds.map(|(kind, place, content)| {
        let mut builder = tar::Builder::new(Vec::new());
        append(&mut builder, kind, place, content.as_bytes());
        append(&mut builder, EntryType::Regular, "short", b"x");
        gz(&builder.into_inner().expect("memory is there"))
    })
}

#[test]
fn long_names_are_read_up_to_a_length() {
    let folder = "f".repeat(200);
    let name = format!("{folder}/{folder}/{folder}");
    for archive in with_long_name(&name, "path") {
        assert_eq!(unpacked(&archive, MOST).expect("a tar.gz"), [(name.clone(), 1)]);
    }
    for archive in with_long_name(&"a/".repeat(1000), "path") {
        assert!(refusal(&archive, MOST).contains("at most 1024 bytes, got 2000"));
    }
    // Some kilobytes of archive.
    for archive in with_long_name(&"a".repeat(20 << 20), "path") {
        assert!(archive.len() < 200_000);
        assert!(refusal(&archive, 1 << 30).contains("bytes of attributes"));
    }
    let [_, sparse] = with_long_name("1", "GNU.sparse.major");
    assert!(refusal(&sparse, MOST).contains("GNU.sparse.major"));
}

#[test]
fn more_bytes_than_allowed_are_refused_whatever_the_headers_say() {
    let zeros = vec![0; 1 << 20];
    let bombs =
        [gz(&tar(EntryType::Regular, "a", &zeros)), xz(&tar(EntryType::Regular, "a", &zeros))];
    for bomb in bombs {
        assert!(bomb.len() < 10_000);
        assert!(refusal(&bomb, (1 << 20) - 1).contains("at most 1048575 bytes"));
        assert!(unpacked(&bomb, 1 << 20).is_ok());
    }
    assert!(refusal(&zip(&["abc", "def"]), 5).contains("at most 5 bytes"));
    assert!(unpacked(&zip(&["abc", "def"]), 6).is_ok());
}

#[test]
fn more_entries_than_anybody_needs_are_refused() {
    let folder = tar(EntryType::Directory, "a/", b"");
    let many: Vec<u8> = folder[..512].repeat(MOST_ENTRIES + 1);
    assert!(refusal(&gz(&many), MOST).contains("at most 100000 entries"));
    // The folders of names count, too.
    let mut builder = tar::Builder::new(Vec::new());
    for number in 0..100 {
        append(&mut builder, EntryType::Regular, &format!("{number}/b/c/d"), b"");
    }
    let archive = gz(&builder.into_inner().expect("memory is there"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut target = Target { folder: folder.path(), most_bytes: 0, bytes: 0, entries: 0 };
    target.take_tar(MultiGzDecoder::new(&*archive)).expect("a tar.gz");
    assert_eq!(target.entries, 400);
}

#[test]
fn what_is_cut_off_or_changed_is_refused() {
    let noise: Vec<u8> =
        (0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let tar = tar(EntryType::Regular, "a", &noise);
    for archive in [gz(&tar), xz(&tar), zip(&["abcdefghijklmnopqrstuvwxyz-0123456789"])] {
        for length in (0..archive.len()).step_by(archive.len() / 20) {
            assert!(unpacked(&archive[..length], MOST).is_err(), "cut off at {length}");
        }
        // Inside the content of each.
        let mut changed = archive.clone();
        changed[archive.len() / 3] ^= 1;
        assert!(unpacked(&changed, MOST).is_err());
    }
}
