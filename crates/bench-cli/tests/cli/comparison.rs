//! `bench-cli ssim`

use crate::bench::{Bench, keys, number};
use image::{GrayImage, Luma};

/// Two images of 20×14 pixels.
fn pair() -> Bench {
    let bench = Bench::new();
    let a = GrayImage::from_fn(20, 14, |x, y| Luma([(x * 13 + y * 29) as u8]));
    let b = GrayImage::from_fn(20, 14, |x, y| Luma([(x * 11 + y * 31 + (x * y) % 7) as u8]));
    a.save(bench.path("a.png")).unwrap();
    b.save(bench.path("b.png")).unwrap();
    bench
}

/// ```python
/// # numpy 2.4.6, scikit-image 0.26.0
/// y, x = np.mgrid[0:14, 0:20]
/// a = ((x * 13 + y * 29) % 256) / 255
/// b = ((x * 11 + y * 31 + (x * y) % 7) % 256) / 255
/// structural_similarity(a, b, win_size=7, use_sample_covariance=False, data_range=1.0)
/// structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0)
/// # and with full=True, for win_size=7: full[0, 0], full.mean()
/// ```
/// The program computes in f32; 1e-5 is what the crate `ssim` promises for every pixel.
#[test]
fn agrees_with_scikit_image() {
    let bench = pair();
    for (options, expected) in [
        ("--window uniform:7", 0.813_717_116_265_550_8),
        ("--window gaussian:11:1.5", 0.851_667_282_848_89),
        ("--window uniform:7 --border reflect", 0.787_754_461_837_373_9),
    ] {
        let report = bench.run(&format!("ssim a.png b.png {options} --json")).done().last();
        assert!((number(&report, "ssim") - expected).abs() < 1e-5, "{options}: {report}");
    }
    bench.run("ssim a.png b.png --window uniform:7 --border reflect --maps maps").done();
    let (ssim, size) = bench.map("maps/ssim.tiff");
    assert_eq!(size, (20, 14));
    assert!((f64::from(ssim[0]) - 0.994_569_777_801_853_5).abs() < 1e-5, "{}", ssim[0]);
}

#[test]
fn identical_images_have_similarity_one() {
    let report = pair().run("ssim a.png a.png --json").done().last();
    assert_eq!(
        keys(&report),
        [
            "border",
            "c1",
            "c2",
            "contrast",
            "height",
            "luminance",
            "ssim",
            "structure",
            "width",
            "window"
        ]
    );
    for component in ["ssim", "luminance", "contrast", "structure"] {
        // Numerator and denominator are the same sums, rounded apart by a few f32 steps at most.
        assert!((number(&report, component) - 1.0).abs() < 1e-6, "{component}: {report}");
    }
    assert_eq!((&report["window"], &report["border"]), (&"uniform:11".into(), &"valid".into()));
    assert_eq!((&report["width"], &report["height"]), (&10.into(), &4.into()));
    assert_eq!((number(&report, "c1"), number(&report, "c2")), (1e-4, 9e-4));
}

#[test]
fn the_maps_multiply_to_the_similarity() {
    let bench = pair();
    bench.run("ssim a.png b.png --constants paper --maps maps").done();
    assert_eq!(
        bench.names("maps"),
        ["contrast.tiff", "luminance.tiff", "ssim.tiff", "structure.tiff"]
    );
    let [ssim, luminance, contrast, structure] = ["ssim", "luminance", "contrast", "structure"]
        .map(|name| bench.map(&format!("maps/{name}.tiff")).0);
    assert_eq!(ssim.len(), 10 * 4);
    for i in 0..ssim.len() {
        let product = luminance[i] * contrast[i] * structure[i];
        // Four factors below 1, each off by a few f32 steps.
        assert!((ssim[i] - product).abs() < 1e-6, "{} for {product}", ssim[i]);
    }
}

#[test]
fn bad_comparisons_are_refused() {
    let bench = pair();
    GrayImage::new(20, 13).save(bench.path("low.png")).unwrap();
    GrayImage::new(5, 5).save(bench.path("small.png")).unwrap();
    for (arguments, expected) in [
        ("a.png low.png", "a.png has 20x14 pixels, but low.png has 20x13"),
        ("a.png none.png", "none.png"),
        ("small.png small.png", "small.png"),
        ("a.png b.png --maps a.png", "a.png"),
    ] {
        let message = bench.error(&format!("ssim {arguments}"));
        assert!(message.contains(expected), "{message}");
    }
    for (arguments, expected) in [
        ("--window uniform:10", "odd"),
        ("--window round:11", "round:11"),
        ("--constants 1", "constants"),
        ("--border wrap", "wrap"),
    ] {
        let run = bench.run(&format!("ssim a.png b.png {arguments}"));
        assert!(run.code == 2 && run.stderr.contains(expected), "{arguments}: {}", run.stderr);
    }
}
