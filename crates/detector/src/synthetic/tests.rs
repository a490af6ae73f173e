#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::scene::Scene;
use super::source::{Source, Split};
use super::*;
use crate::data::{Dataset, Layout, list_images};
use crate::error::message;
use crate::images::{read_image, read_mask};
use inspect::Image;

const KINDS: [SyntheticKind; 3] =
    [SyntheticKind::Plain, SyntheticKind::Twill, SyntheticKind::Fibres];
const SIZE: Size = Size { width: 200, height: 160 };

/// The defective image without its defect.
fn good_twin(kind: SyntheticKind, seed: u64, index: usize, size: Size) -> Image {
    let source = Source { kind, seed, split: Split::Defective, index };
    Scene::draw(&source, size).good(&source, size)
}

/// A checksum over the exact bits (FNV-1a).
fn checksum(image: &Image) -> u64 {
    let bytes = image.data().iter().flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Literals, so that they hold across machines, builds and versions; whoever changes them raises
/// [`GENERATOR_VERSION`].
fn write_set(spec: &Spec, folder: &Path) -> crate::Result<()> {
    generate(spec, folder, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn pixels_are_the_same_everywhere() {
    assert_eq!(GENERATOR_VERSION, 1);
    let checksums = KINDS.map(|kind| {
        let defective = render_defective(kind, 7, 2, SIZE);
        [checksum(&render_good(kind, 7, 3, SIZE)), checksum(&defective.image)]
    });
    assert_eq!(checksums, CHECKSUMS);
}

const CHECKSUMS: [[u64; 2]; 3] = [
    [10_515_517_896_525_538_217, 14_376_396_629_554_827_690],
    [11_600_032_426_833_233_410, 13_392_821_198_996_568_071],
    [5_348_860_367_612_246_721, 10_352_377_367_623_934_135],
];

#[test]
fn seed_index_split_and_kind_each_change_the_image() {
    let image = render_good(SyntheticKind::Plain, 1, 0, SIZE);
    assert_ne!(image, render_good(SyntheticKind::Plain, 2, 0, SIZE));
    assert_ne!(image, render_good(SyntheticKind::Plain, 1, 1, SIZE));
    assert_ne!(image, render_good(SyntheticKind::Twill, 1, 0, SIZE));
    assert_ne!(image, good_twin(SyntheticKind::Plain, 1, 0, SIZE));
}

/// Outside the mask nothing differs, not even the noise; inside, most pixels differ visibly, since
/// only gaps of a yarn's width are filled.
#[test]
fn masks_mark_what_the_defect_changed() {
    for kind in KINDS {
        for index in 0..12 {
            let Rendering { image, mask } = render_defective(kind, 5, index, SIZE);
            let twin = good_twin(kind, 5, index, SIZE);
            let difference: Vec<f32> =
                image.data().iter().zip(twin.data()).map(|(a, b)| (a - b).abs()).collect();
            let (inside, outside): (Vec<_>, Vec<_>) =
                difference.iter().zip(mask.data()).partition(|(_, defective)| **defective);
            assert!(outside.iter().all(|(difference, _)| **difference == 0.0), "{kind:?} {index}");
            let changed = inside.iter().filter(|(difference, _)| **difference > 0.025).count();
            assert!(inside.len() >= 100, "{kind:?} {index}: {} pixels", inside.len());
            assert!(2 * changed > inside.len(), "{kind:?} {index}: {changed} of {}", inside.len());
            assert!(
                4 * inside.len() < image.data().len(),
                "{kind:?} {index}: {} pixels",
                inside.len()
            );
        }
    }
}

#[test]
fn images_are_textured_and_within_bounds() {
    for kind in KINDS {
        let image = render_good(kind, 3, 0, SIZE);
        assert!(image.data().iter().all(|value| (0.0..=1.0).contains(value)), "{kind:?}");
        let count = image.data().len() as f32;
        let mean = image.data().iter().sum::<f32>() / count;
        let variance = image.data().iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
        assert!((0.25..0.65).contains(&mean), "{kind:?}: mean {mean}");
        assert!((0.06..0.35).contains(&variance.sqrt()), "{kind:?}: deviation {}", variance.sqrt());
    }
}

#[test]
fn tiny_images_are_rendered_too() {
    for kind in KINDS {
        for (width, height) in [(1, 1), (2, 9), (16, 16)] {
            let size = Size { width, height };
            for index in 0..4 {
                let rendering = render_defective(kind, 1, index, size);
                assert_eq!((rendering.image.width(), rendering.mask.height()), (width, height));
            }
        }
    }
}

fn small(kind: SyntheticKind) -> Spec {
    let defective_size = Size { width: 96, height: 72 };
    Spec {
        good: 3,
        good_size: Size { width: 96, height: 80 },
        defective: 4,
        defective_size,
        ..Spec::full(kind, 1)
    }
}

/// All files below `folder` with their contents.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let pattern = folder.join("**/*");
    let paths = glob::glob(pattern.to_str().unwrap()).unwrap().map(Result::unwrap);
    let files = paths.filter(|path| path.is_file());
    files
        .map(|path| (path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn sets_have_the_layout_sizes_and_counts_of_those_they_stand_for() {
    for (kind, layout) in [
        (SyntheticKind::Plain, Layout::WovenTextures),
        (SyntheticKind::Twill, Layout::WovenTextures),
        (SyntheticKind::Fibres, Layout::NanoTwice),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write_set(&small(kind), folder.path()).unwrap();
        let dataset = Dataset::open(folder.path(), None).unwrap();
        assert_eq!((dataset.layout, dataset.train.len(), dataset.test.len()), (layout, 3, 4));
        let good = read_image(&dataset.train[0]).unwrap();
        assert_eq!((good.width(), good.height()), (96, 80));
        for sample in &dataset.test {
            let image = read_image(&sample.image).unwrap();
            let mask = sample.mask(image.size()).unwrap().unwrap();
            assert_eq!((image.width(), image.height()), (96, 72));
            assert!(mask.data().contains(&true) && mask.data().contains(&false), "{}", sample.id);
        }
    }
    let counts = KINDS.map(|kind| (Spec::full(kind, 0).good, Spec::full(kind, 0).defective));
    assert_eq!(counts, [(100, 50), (100, 50), (5, 40)]);
}

#[test]
fn files_hold_what_is_rendered() {
    let folder = tempfile::tempdir().unwrap();
    let spec = small(SyntheticKind::Twill);
    write_set(&spec, folder.path()).unwrap();
    let rendering = render_defective(spec.kind, spec.seed, 2, spec.defective_size);
    let image = read_image(&folder.path().join("test/defective/002.png")).unwrap();
    for (read, rendered) in image.data().iter().zip(rendering.image.data()) {
        // Half a grey level, and the rounding of the division.
        assert!((read - rendered).abs() <= 0.5 / 255.0 + 1e-6);
    }
    assert_eq!(
        read_mask(&folder.path().join("ground_truth/defective/002.png")).unwrap(),
        rendering.mask
    );
}

#[test]
fn files_are_the_same_with_any_number_of_threads_and_again() {
    let folders = [1, 3].map(|threads| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write_set(&small(SyntheticKind::Fibres), folder.path())).unwrap();
        folder
    });
    let before = contents(folders[0].path());
    assert_eq!(before.len(), 3 + 2 * 4 + 1);
    assert_eq!(before, contents(folders[1].path()));
    write_set(&small(SyntheticKind::Fibres), folders[0].path()).unwrap();
    assert_eq!(before, contents(folders[0].path()));
}

#[test]
fn the_folder_says_that_it_is_synthetic() {
    let folder = tempfile::tempdir().unwrap();
    write_set(&small(SyntheticKind::Plain), folder.path()).unwrap();
    let note = fs::read_to_string(folder.path().join("SYNTHETIC.md")).unwrap();
    assert!(note.starts_with("# Synthetic data set"));
    assert!(note.contains("generator: version 1, Plain, seed 1"), "{note}");
}

#[test]
fn what_a_folder_holds_already_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "").unwrap();
    let refused = |folder: &Path| {
        let message = message(&write_set(&small(SyntheticKind::Plain), folder).unwrap_err());
        assert!(message.contains("expected an empty folder"), "{message}");
    };
    refused(folder.path());
    assert!(list_images(folder.path()).is_err());
    let other = tempfile::tempdir().unwrap();
    write_set(&Spec { seed: 9, ..small(SyntheticKind::Plain) }, other.path()).unwrap();
    refused(other.path());
}

#[test]
fn an_unwritable_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("file");
    fs::write(&occupied, "").unwrap();
    let out = occupied.join("set");
    let message = message(&write_set(&small(SyntheticKind::Plain), &out).unwrap_err());
    assert!(
        message.starts_with(&format!("cannot write {}", out.join("SYNTHETIC.md").display())),
        "{message}"
    );
}
