#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use inspect::{Image, Mask};
use tempfile::TempDir;

use super::*;
use crate::error::message as text;
use crate::images::{write_grey_png, write_grey_tiff, write_mask_png};

const WIDTH: usize = 6;
const HEIGHT: usize = 4;

/// A folder that holds the given files: masks for names below `ground_truth` and `gt`, images for
/// the others.
fn tree(names: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in names {
        let path = root.path().join(name);
        if name.contains("ground_truth/") || name.contains("gt/") {
            write_mask_png(&path, &Mask::from_fn(WIDTH, HEIGHT, |x, y| x > y)).unwrap();
        } else if name.ends_with(".tif") {
            write_grey_tiff(&path, &Image::filled(WIDTH, HEIGHT, 0.5)).unwrap();
        } else {
            write_grey_png(&path, &Image::filled(WIDTH, HEIGHT, 0.5)).unwrap();
        }
    }
    root
}

fn names(root: &TempDir, paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
}

fn open_error(root: &Path, layout: Option<Layout>) -> String {
    let message = text(&Dataset::open(root, layout).unwrap_err());
    assert!(message.contains(&root.display().to_string()) && !message.contains('\n'), "{message}");
    message
}

/// Of a data set that can be trained on.
fn test_error(root: &TempDir) -> String {
    text(&Dataset::open(root.path(), None).unwrap().check_test().unwrap_err())
}

#[test]
fn mvtec_ad() {
    let root = tree(&[
        "train/good/001.png",
        "train/good/000.png",
        "test/good/000.png",
        "test/hole/000.png",
        "test/cut/003.png",
        "ground_truth/hole/000_mask.png",
        "ground_truth/cut/003_mask.png",
    ]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert_eq!(dataset.layout, Layout::MvtecAd);
    assert_eq!(names(&root, &dataset.train), ["train/good/000.png", "train/good/001.png"]);
    let samples = dataset
        .test
        .iter()
        .map(|sample| (sample.defect.as_str(), sample.id.as_str(), sample.is_good()));
    assert_eq!(
        samples.collect::<Vec<_>>(),
        [("cut", "003", false), ("good", "000", true), ("hole", "000", false)]
    );
    assert_eq!(dataset.test[0].masks, [root.path().join("ground_truth/cut/003_mask.png")]);
    let mask = dataset.test[0].mask((WIDTH, HEIGHT)).unwrap().unwrap();
    assert_eq!((mask.get(2, 1), mask.get(1, 2)), (true, false));
    let empty = dataset.test[1].mask((WIDTH, HEIGHT)).unwrap();
    assert_eq!(empty, Some(Mask::filled(WIDTH, HEIGHT, false)));
}

#[test]
fn woven_textures() {
    let root =
        tree(&["train/good/000.png", "test/defective/007.png", "ground_truth/defective/007.png"]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert_eq!(dataset.layout, Layout::WovenTextures);
    assert_eq!(dataset.test[0].masks, [root.path().join("ground_truth/defective/007.png")]);
    assert_eq!(dataset.test[0].defect, "defective");
}

#[test]
fn nanotwice() {
    let root = tree(&["Normal/N1.tif", "Anomalous/images/A1.tif", "Anomalous/gt/A1_gt.png"]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert_eq!(dataset.layout, Layout::NanoTwice);
    assert_eq!(names(&root, &dataset.train), ["Normal/N1.tif"]);
    assert_eq!((dataset.test[0].defect.as_str(), dataset.test[0].id.as_str()), ("anomalous", "A1"));
    assert!(dataset.test[0].mask((WIDTH, HEIGHT)).unwrap().is_some());
}

/// NanoTWICE keeps its anomalous images in a folder of theirs.
#[test]
fn normal_and_anomalous_images_are_folders_like_others() {
    let root = tree(&["Normal/a.png", "Normal/b.png", "Anomalous/c.png"]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert_eq!((dataset.layout, dataset.train.len()), (Layout::Folders, 2));
    assert_eq!((&*dataset.test[0].defect, &*dataset.test[0].id), ("Anomalous", "c"));
}

#[test]
fn a_folder_of_images_can_be_trained_on() {
    let root = tree(&["b.png", "a.png"]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert_eq!((dataset.layout, dataset.test.len()), (Layout::Flat, 0));
    assert_eq!(names(&root, &dataset.train), ["a.png", "b.png"]);
}

#[test]
fn a_data_set_may_have_no_test_images() {
    let root = tree(&["train/good/000.png"]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert_eq!((dataset.layout, dataset.test.len()), (Layout::MvtecAd, 0));
}

#[test]
fn a_given_layout_overrides_what_is_found() {
    let root =
        tree(&["train/good/000.png", "test/defective/007.png", "ground_truth/defective/007.png"]);
    let dataset = Dataset::open(root.path(), Some(Layout::MvtecAd)).unwrap();
    assert_eq!(dataset.unmasked().map(|sample| &*sample.id).collect::<Vec<_>>(), ["007"]);
    assert_eq!(dataset.test[0].mask((WIDTH, HEIGHT)).unwrap(), None);
    assert!(open_error(root.path(), Some(Layout::NanoTwice)).contains("Normal"));
}

#[test]
fn folders_without_data_are_explained() {
    let empty = tempfile::tempdir().unwrap();
    assert!(open_error(empty.path(), None).ends_with("expected a data set, got an empty folder"));

    let missing = empty.path().join("missing");
    assert!(open_error(&missing, None).ends_with("expected the folder of a data set, got nothing"));

    let without_good = tree(&["train/bad/000.png"]);
    assert!(open_error(without_good.path(), None).contains("expected a folder `train/good`"));

    let empty_good = tempfile::tempdir().unwrap();
    fs::create_dir_all(empty_good.path().join("train/good")).unwrap();
    let message = open_error(empty_good.path(), None);
    assert!(
        message
            .contains("train/good: expected images (PNG, TIFF, BMP, JPEG) in the folder, got none"),
        "{message}"
    );

    let all_categories = tree(&["carpet/train/good/000.png"]);
    let message = open_error(all_categories.path(), None);
    assert!(message.ends_with("carpet has one: name that folder"), "{message}");
}

#[test]
fn names_that_results_could_not_tell_apart_are_refused() {
    let names = ["train/good/0.png", "test/hole/0.png", "test/hole/0.tif", "test/good/0.png"];
    let root = tree(&[&names[..], &["ground_truth/hole/0_mask.png"]].concat());
    let message = test_error(&root);
    assert!(message.contains("test/hole/0.tif: expected names that differ in more"), "{message}");
    assert!(message.contains("test/hole/0.png, too"), "{message}");
}

#[test]
fn results_are_no_defects() {
    let root = tree(&["good/0.png", "cut/0.png", "model/region.png", "found/0_overlay.png"]);
    let model = ["model/config.toml", "model/log.jsonl"];
    let prediction = ["found/predictions.jsonl", "found/run.json"];
    // A configuration alone may be another program's.
    for record in [&model[..], &prediction, &["cut/config.toml"]].concat() {
        fs::write(root.path().join(record), "").unwrap();
    }
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert_eq!((dataset.test.len(), &*dataset.test[0].defect), (1, "cut"));
    let left_out: Vec<_> = dataset.left_out.iter().map(|of| &*of.reason).collect();
    assert_eq!(left_out, ["its folder has results of this program"; 2]);
}

/// One mask without the suffix, as of an export that was edited by hand, makes no other layout.
#[test]
fn numbered_masks_are_those_of_mvtec_ad() {
    for suffix in ["_mask1", "_Mask"] {
        let mask = format!("ground_truth/bad/0{suffix}.png");
        let root =
            tree(&["train/good/0.png", "test/bad/0.png", "ground_truth/bad/copy.png", &mask]);
        let dataset = Dataset::open(root.path(), None).unwrap();
        assert_eq!(dataset.layout, Layout::MvtecAd);
        assert_eq!(names(&root, &dataset.test[0].masks), [mask]);
    }
}

#[test]
fn masks_of_a_folder_of_their_own_go_before_those_of_all() {
    let root = tree(&["good/0.png", "cut/0.png", "hole/0.png", "gt/cut/0.png", "gt/0.png"]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    let masks: Vec<_> = dataset.test.iter().map(|sample| names(&root, &sample.masks)).collect();
    assert_eq!(masks, [["gt/cut/0.png"], ["gt/0.png"]]);
    dataset.check_test().unwrap();
    fs::remove_file(root.path().join("gt/cut/0.png")).unwrap();
    let message = test_error(&root);
    assert!(message.contains("gt/0.png: expected the mask of one image, got that of"), "{message}");
    assert!(message.contains("cut/0.png and") && message.contains("hole/0.png"), "{message}");
}

#[test]
fn masks_beside_few_images_are_no_images() {
    let root =
        tree(&["good/0.png", "NG/0.png", "NG/1.png", "NG/2.png", "NG/3.png", "NG/0_mask.png"]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    let ids: Vec<&str> = dataset.test.iter().map(|sample| &*sample.id).collect();
    assert_eq!(ids, ["0", "1", "2", "3"]);
    assert_eq!((dataset.test[0].masks.len(), dataset.unmasked().count()), (1, 3));
}

#[test]
fn folders_that_are_not_used_are_named() {
    let root = tree(&[
        "good/lot1/0.png",
        "good/1.png",
        "OK/2.png",
        "NG/3.png",
        "NG/lot2/4.png",
        "label/5.png",
        "6.png",
        "masks/3.png",
    ]);
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert_eq!(dataset.layout, Layout::Folders);
    assert_eq!(names(&root, &dataset.train), ["OK/2.png", "good/1.png", "good/lot1/0.png"]);
    assert_eq!(dataset.test.len(), 1);
    let reason = |name: &str| {
        let path = root.path().join(name);
        let left_out = dataset.left_out.iter().find(|left_out| left_out.image == path);
        left_out.unwrap().reason.clone()
    };
    assert_eq!(dataset.left_out.len(), 3);
    assert!(reason("6.png").contains("beside the folders"));
    assert!(reason("NG/lot2/4.png").contains("not in folders below"));
    assert!(reason("label/5.png").contains("as a file of `label` it is taken for a mask"));
}

#[test]
fn a_mask_of_another_size_is_refused() {
    let root = tree(&["train/good/000.png", "test/hole/000.png", "ground_truth/hole/000_mask.png"]);
    let path = root.path().join("ground_truth/hole/000_mask.png");
    write_mask_png(&path, &Mask::filled(5, 3, true)).unwrap();
    let dataset = Dataset::open(root.path(), None).unwrap();
    let message = text(&dataset.test[0].mask((WIDTH, HEIGHT)).unwrap_err());
    assert!(message.starts_with(&format!("mask {} has 5x3 pixels", path.display())), "{message}");
    assert!(message.ends_with("test/hole/000.png has 6x4"), "{message}");
}

#[test]
fn lists_name_a_file_a_folder_or_a_pattern() {
    let root = tree(&["b.PNG", "a.tif", ".hidden.png", "sub/c.png", "10.png", "9.png"]);
    fs::write(root.path().join("notes.txt"), "").unwrap();
    let list = |name: &str| list_images(&root.path().join(name)).map(|paths| names(&root, &paths));
    assert_eq!(list("").unwrap(), ["10.png", "9.png", "a.tif", "b.PNG"]);
    assert_eq!(list("a.tif").unwrap(), ["a.tif"]);
    assert_eq!(list("*.png").unwrap(), ["10.png", "9.png"]);
    assert_eq!(list("**/*.png").unwrap(), ["10.png", "9.png", "sub/c.png"]);
    for (name, expected) in [
        ("x.png", "expected an image, a folder of images, a list or a pattern, got nothing"),
        ("notes.txt", "notes.txt: expected paths of images, got none"),
        ("*.bmp", "expected images (PNG, TIFF, BMP, JPEG) that match, got none"),
        ("[", "malformed pattern"),
    ] {
        let message = text(&list(name).unwrap_err());
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_fingerprint_depends_on_names_contents_and_order_alone() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let write = |root: &TempDir, name: &str, content: &str| {
        let path = root.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let a = write(&first, "a", "1");
    let same = write(&second, "a", "1");
    // `hashlib.sha256((1).to_bytes(8, "little") + b"a" + (1).to_bytes(8, "little") +
    // b"1").hexdigest()`
    let expected = "9fe2af4305790bd0709766d7e53ab693ea9925630833d3c465e6b5d7f517c36f";
    assert_eq!(fingerprint(std::slice::from_ref(&a)).unwrap(), expected);
    assert_eq!(fingerprint(&[same]).unwrap(), expected);
    let b = write(&first, "b", "1");
    assert_ne!(fingerprint(std::slice::from_ref(&b)).unwrap(), expected);
    assert_ne!(
        fingerprint(&[a.clone(), b.clone()]).unwrap(),
        fingerprint(&[b, a.clone()]).unwrap()
    );
    write(&first, "a", "2");
    assert_ne!(fingerprint(&[a]).unwrap(), expected);
    let gone = first.path().join("gone");
    assert!(text(&fingerprint(&[gone]).unwrap_err()).contains("gone"));
}

#[test]
fn ten_thousand_images_are_listed_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for index in (0..10_000).rev() {
        fs::write(folder.path().join(format!("{index:05}.png")), "").unwrap();
    }
    let listed = list_images(folder.path()).unwrap();
    assert_eq!(listed.len(), 10_000);
    assert!(listed.is_sorted() && listed[9_999].ends_with("09999.png"));
    assert_eq!(Dataset::open(folder.path(), None).unwrap().train, listed);
}

#[cfg(target_os = "linux")]
#[test]
fn masks_are_found_by_names_that_are_not_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let root = tree(&["train/good/0.png", "test/hole/0.png", "ground_truth/hole/0_mask.png"]);
    for (from, to) in [
        ("test/hole/0.png", &b"test/hole/\xff.png"[..]),
        ("ground_truth/hole/0_mask.png", b"ground_truth/hole/\xff_mask.png"),
    ] {
        let to = root.path().join(std::ffi::OsStr::from_bytes(to));
        fs::rename(root.path().join(from), to).unwrap();
    }
    let dataset = Dataset::open(root.path(), None).unwrap();
    assert!(dataset.test[0].mask((WIDTH, HEIGHT)).unwrap().is_some());
}
