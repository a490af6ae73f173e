#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
use super::*;
use crate::progress::Progress;

/// An image whose pixels tell their place: `100 · y + x`.
fn image(width: usize, height: usize) -> TrainingImage {
    let pixels = (0..width * height).map(|i| (100 * (i / width) + i % width) as f32).collect();
    TrainingImage { width, height, pixels, places: None }
}

fn source(images: Vec<TrainingImage>) -> Result<PatchSource> {
    PatchSource::new(images, 32, Corruption::Blocks, 5, &Device::Cpu)
}

fn batch(source: &PatchSource, patches: &[u64]) -> Tensor {
    let epoch = source.epoch(patches.to_vec()).unwrap();
    source.batch(&epoch, 0..patches.len()).unwrap()
}

/// The inputs and the patches of an epoch of 200, as a run sees them after `seen` patches.
fn corrupted(source: &PatchSource, seen: u64) -> [Vec<Vec<f32>>; 2] {
    let log = LossLog::new(&Device::Cpu).unwrap();
    log.restart(Progress { patches: seen, ..Progress::default() }).unwrap();
    let epoch = source.epoch((0..200).collect()).unwrap();
    let Batch { patches, inputs } = source.next_batch(&epoch, 0..200, seen, &log).unwrap();
    [inputs, patches].map(|batch| batch.flatten(1, 3).unwrap().to_vec2().unwrap())
}

#[test]
fn blocks_cover_a_part_of_what_the_network_sees() {
    // White columns are not to be trained on.
    let inside: Vec<bool> = (0..64 * 64).map(|i| i % 64 >= 6).collect();
    let pixels = inside.iter().map(|&inside| if inside { 0.5 } else { 1.0 }).collect();
    let places = CropPlaces::within((64, 64), &inside, 32, 1.0);
    let source = source(vec![TrainingImage { width: 64, height: 64, pixels, places }]).unwrap();
    let [inputs, patches] = corrupted(&source, 0);
    assert!(patches.iter().flatten().all(|&pixel| pixel == 0.5), "the target is the patch");
    let changed = inputs.iter().map(|input| input.iter().filter(|&&p| p != 0.5).count());
    let changed: Vec<usize> = changed.collect();
    // One patch of five has no block, and some have only blocks of another patch, which is as grey; blocks are at most 11 pixels wide.
    let clean = changed.iter().filter(|&&count| count == 0).count();
    assert!((40..100).contains(&clean), "{clean}");
    assert!(changed.iter().all(|&count| count <= 4 * 11 * 11));
    assert!(inputs.iter().flatten().all(|pixel| (0.0..1.0).contains(pixel)), "not of outside");
    assert_eq!(corrupted(&source, 0)[0], inputs);
    // What a run sees later has other blocks, also where patches are the same in each epoch.
    assert_eq!(corrupted(&source, 1)[0][..199], inputs[1..]);
    assert_ne!(corrupted(&source, 200)[0], inputs);
}

#[test]
fn devices_corrupt_patches_alike() {
    let dim = |width, height| {
        let mut image = image(width, height);
        image.pixels.iter_mut().for_each(|pixel| *pixel /= 6000.0);
        image
    };
    let images = || vec![dim(40, 37), dim(33, 50)];
    let here = source(images()).unwrap();
    let there = source(images()).unwrap().on_device().unwrap();
    for source in [source(images()).unwrap(), source(images()).unwrap().on_device().unwrap()] {
        let [inputs, patches] =
            corrupted(&PatchSource { corruption: Corruption::None, ..source }, 200);
        assert_eq!(inputs, patches, "without corruption");
    }
    let [expected, patches] = corrupted(&here, 200);
    assert_eq!(corrupted(&there, 200), [expected.clone(), patches.clone()]);
    assert_ne!(expected, patches);
}

#[test]
fn patches_are_cut_where_the_seed_says() {
    let source = source(vec![image(40, 37)]).unwrap();
    let batch = batch(&source, &[0, 1, 2, 3]);
    assert_eq!(batch.dims(), [4, 1, 32, 32]);
    for patch in batch.flatten(1, 3).unwrap().to_vec2::<f32>().unwrap() {
        let (top, left) = ((patch[0] / 100.0).floor(), patch[0] % 100.0);
        assert!(top <= 5.0 && left <= 8.0);
        let expected: Vec<f32> = (0..32 * 32)
            .map(|i| 100.0 * (top + (i / 32) as f32) + left + (i % 32) as f32)
            .collect();
        assert_eq!(patch, expected);
    }
    let again = self::batch(&source, &[3]);
    let third = batch.get(3).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(again.flatten_all().unwrap().to_vec1::<f32>().unwrap(), third);
}

#[test]
fn every_place_is_reached() {
    let patches: Vec<u64> = (0..200).collect();
    let mut corners: Vec<u32> = batch(&source(vec![image(34, 33)]).unwrap(), &patches)
        .flatten(1, 3)
        .unwrap()
        .to_vec2::<f32>()
        .unwrap()
        .iter()
        .map(|patch| patch[0] as u32)
        .collect();
    corners.sort_unstable();
    corners.dedup();
    assert_eq!(corners, [0, 1, 2, 100, 101, 102]);
}

#[test]
fn patches_are_cut_where_they_may_be() {
    let inside: Vec<bool> = (0..40 * 37).map(|i| i % 40 >= 6).collect();
    let places = CropPlaces::within((40, 37), &inside, 32, 1.0);
    let images = vec![TrainingImage { places: places.clone(), ..image(40, 37) }];
    let patches = batch(&source(images).unwrap(), &(0..200).collect::<Vec<_>>());
    let corners = patches.flatten(1, 3).unwrap().to_vec2::<f32>().unwrap();
    let lefts: std::collections::BTreeSet<u32> =
        corners.iter().map(|patch| patch[0] as u32 % 100).collect();
    assert_eq!(lefts.into_iter().collect::<Vec<_>>(), [6, 7, 8]);
    assert!(source(vec![TrainingImage { places, ..image(41, 37) }]).is_err());
}

#[test]
fn devices_cut_the_same_patches() {
    let images = || vec![image(40, 37), image(33, 50), image(32, 32)];
    let here = source(images()).unwrap();
    let there = source(images()).unwrap().on_device().unwrap();
    let [here, there] = [here, there].map(|source| {
        let epoch = source.epoch((5..25).collect()).unwrap();
        let batch = source.batch(&epoch, 3..17).unwrap();
        assert_eq!(batch.dims(), [14, 1, 32, 32]);
        batch.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    });
    assert_eq!(here, there);
}

#[test]
fn fixed_epochs_hold_the_same_patches_in_another_order() {
    let first = epoch_order(Sampling::Fixed, 0, 50, 1);
    let second = epoch_order(Sampling::Fixed, 1, 50, 1);
    assert_ne!(first, second);
    let sorted = |mut order: Vec<u64>| {
        order.sort_unstable();
        order
    };
    assert_eq!(sorted(first), sorted(second));
    assert_eq!(epoch_order(Sampling::Fresh, 2, 3, 1), [6, 7, 8]);
}

#[test]
fn images_that_no_patch_fits_into_are_refused() {
    let error = source(vec![image(40, 40), image(64, 31)]).unwrap_err();
    assert!(matches!(error, Error::ImageTooSmall { index: 1, height: 31, .. }));
    assert!(matches!(source(vec![]), Err(Error::NoImages)));
}
