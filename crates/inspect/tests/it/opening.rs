use inspect::{Disk, Image, Plane, open};
use proptest::prelude::*;

use crate::fixtures::{SCORES, at_least, images, levels, mirrored, plane, transposed};
use crate::naive;

#[test]
fn agrees_with_opencv() {
    let scores: Image = plane(SCORES);
    let expected = [
        (2, include_str!("../data/opened_2.txt")),
        (3, include_str!("../data/opened_3.txt")),
        (4, include_str!("../data/opened_4.txt")),
        (5, include_str!("../data/opened_5.txt")),
        (6, include_str!("../data/opened_6.txt")),
        (9, include_str!("../data/opened_9.txt")),
    ];
    for (diameter, text) in expected {
        assert_eq!(
            open(&scores, Disk::with_diameter(diameter)),
            plane(text),
            "diameter {diameter}"
        );
    }
}

#[test]
fn diameters_up_to_one_change_nothing() {
    let scores: Image = plane(SCORES);
    for diameter in [0, 1] {
        assert_eq!(open(&scores, Disk::with_diameter(diameter)), scores);
    }
}

#[test]
fn removes_what_is_smaller_than_the_disk_and_keeps_the_disk_where_it_was() {
    for diameter in 2..9 {
        let disk = Disk::with_diameter(diameter);
        let footprint = disk.footprint();
        let size = diameter + 8;
        let inside = |x: usize, y: usize| {
            let (x, y) = (x.wrapping_sub(4), y.wrapping_sub(4));
            x < diameter && y < diameter && footprint.get(x, y)
        };
        let whole = Plane::from_fn(size, size, inside);
        assert_eq!(open(&whole, disk), whole, "diameter {diameter}");

        let first = whole.data().iter().position(|&p| p).unwrap();
        let mut bitten = whole.clone();
        bitten.data_mut()[first] = false;
        assert_eq!(open(&bitten, disk), Plane::filled(size, size, false), "diameter {diameter}");
    }
}

/// The part of a disk that lies inside is enough, as long as its centre pixel is inside: three columns at the left
/// border for diameter 5, and not two.
#[test]
fn a_disk_may_hang_over_the_border_up_to_its_centre() {
    let disk = Disk::with_diameter(5);
    let columns = |n| Plane::from_fn(9, 9, |x, _| x < n);
    assert_eq!(open(&columns(3), disk), columns(3));
    assert_eq!(open(&columns(2), disk), columns(0));
}

#[test]
fn empty_planes_and_disks_larger_than_the_image_do_no_harm() {
    for (width, height) in [(0, 0), (0, 3), (3, 0)] {
        let empty = Image::filled(width, height, 0.0);
        assert_eq!(open(&empty, Disk::with_diameter(4)), empty);
    }
    let image = Image::new(3, 1, vec![0.3, 0.1, 0.2]).unwrap();
    assert_eq!(open(&image, Disk::with_diameter(usize::MAX / 4)), Image::filled(3, 1, 0.1));
}

/// The ROC of the opened masks, computed mask by mask, is the ROC of the opened map.
#[test]
fn one_grey_scale_opening_gives_the_roc_of_all_opened_masks() {
    let scores: Image = plane(SCORES);
    let disk = Disk::with_diameter(4);
    let opened = open(&scores, disk);
    let truth = |index: usize| index % 40 > 20;
    let point = |mask: Plane<bool>| {
        let flagged = |defective| {
            let pixels = mask.data().iter().enumerate();
            pixels.filter(|&(i, &flag)| flag && truth(i) == defective).count()
        };
        (flagged(false), flagged(true))
    };
    let by_mask = levels(&scores).into_iter().map(|t| point(open(&at_least(&scores, t), disk)));
    let by_map = levels(&scores).into_iter().map(|t| point(at_least(&opened, t)));
    let (by_mask, by_map): (Vec<_>, Vec<_>) = (by_mask.collect(), by_map.collect());
    assert!(
        by_map.windows(2).filter(|p| p[0] != p[1]).count() > 20,
        "the curve should have many points"
    );
    assert_eq!(by_mask, by_map);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn fast_equals_naive(image in images(), diameter in 2usize..12) {
        prop_assert_eq!(open(&image, Disk::with_diameter(diameter)), naive::open(&image, diameter));
    }

    #[test]
    fn commutes_with_thresholding(image in images(), diameter in 0usize..8) {
        let disk = Disk::with_diameter(diameter);
        let opened = open(&image, disk);
        for t in levels(&image) {
            prop_assert_eq!(at_least(&opened, t), open(&at_least(&image, t), disk));
        }
    }

    #[test]
    fn is_anti_extensive_and_idempotent(image in images(), diameter in 0usize..8) {
        let disk = Disk::with_diameter(diameter);
        let opened = open(&image, disk);
        prop_assert!(opened.data().iter().zip(image.data()).all(|(o, i)| o <= i));
        prop_assert_eq!(open(&opened, disk), opened);
    }

    #[test]
    fn is_increasing(image in images(), diameter in 0usize..8, seed in any::<u64>()) {
        let disk = Disk::with_diameter(diameter);
        let mut higher = image.clone();
        for (i, value) in higher.data_mut().iter_mut().enumerate() {
            *value += f32::from((seed >> (i % 64)) as u8 & 1) / 4.0;
        }
        let (low, high) = (open(&image, disk), open(&higher, disk));
        prop_assert!(low.data().iter().zip(high.data()).all(|(l, h)| l <= h));
    }

    /// Rows and columns are treated alike for every diameter, left and right for odd ones. (For even ones a border
    /// differs; see the documentation of `open`.)
    #[test]
    fn has_the_symmetries_of_the_disk(image in images(), half in 0usize..4) {
        for diameter in [2 * half, 2 * half + 1] {
            let disk = Disk::with_diameter(diameter);
            prop_assert_eq!(open(&transposed(&image), disk), transposed(&open(&image, disk)));
        }
        let odd = Disk::with_diameter(2 * half + 1);
        prop_assert_eq!(open(&mirrored(&image), odd), mirrored(&open(&image, odd)));
    }
}
