//! Inputs that somebody else made: strange names, damaged images, files that are not what they claim.

use crate::bench::{Bench, TINY, number};
use crate::extractor::{squeezenet, write_safetensors};
use crate::images::{HEIGHT, WIDTH, defective, save, texture, write_cloth};
use image::{GrayImage, Luma};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Names that files can have on Linux.
#[cfg(target_os = "linux")]
const STRANGE_NAMES: [&[u8]; 7] = [
    b"a b.png",
    b"it's.png",
    b"\"q\",c.png",
    b"[x]*.png",
    b"new\nline.png",
    b"\xff\xfe.png",
    b"\xff\xfd.png",
];

/// The folder `line`: images of strange names, three damaged ones, and what is no image.
#[cfg(target_os = "linux")]
fn write_strange_line(bench: &Bench) {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let line = bench.path("line");
    fs::create_dir(&line).unwrap();
    save(&bench.path("image.png"), &defective(3));
    let whole = bench.bytes("image.png");
    for name in STRANGE_NAMES {
        fs::write(line.join(OsStr::from_bytes(name)), &whole).unwrap();
    }
    fs::write(line.join("cut.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(line.join("empty.png"), "").unwrap();
    fs::write(line.join("bad\nname.png"), "no image").unwrap();
    fs::create_dir(line.join("folder.png")).unwrap();
    std::os::unix::fs::symlink("loop.png", line.join("loop.png")).unwrap();
    fs::write(line.join("notes.txt"), "").unwrap();
}

/// Strange names do no harm, a bad file in a batch is reported, and the others are inspected.
#[cfg(target_os = "linux")]
#[test]
fn a_batch_of_strange_names_and_damaged_images() {
    let bench = Bench::with_model();
    write_strange_line(&bench);
    let run = bench.run("predict model line --out results --json --quiet --threshold -100");
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 3, "{}", run.stderr);
    for (name, expected) in
        [("cut.png", "PNG"), ("empty.png", "an empty file"), ("bad\\nname.png", "something else")]
    {
        let names = |line: &&str| line.contains(&format!("line/{name}")) && line.contains(expected);
        assert_eq!(run.stderr.lines().filter(names).count(), 1, "{name}: {}", run.stderr);
    }
    let predictions = run.json();
    assert_eq!(predictions.len(), STRANGE_NAMES.len());
    let ids: Vec<&str> = predictions.iter().map(|line| line["id"].as_str().unwrap()).collect();
    for id in &ids {
        let (_, size) = bench.map(&format!("results/{id}.tiff"));
        assert_eq!(size, (WIDTH as usize, HEIGHT as usize));
    }
    let lines = bench.text("results/predictions.jsonl");
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    let mut table = csv::Reader::from_path(bench.path("results/regions.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == 11));
    for id in ids {
        assert!(rows.iter().any(|row| &row[0] == id), "{id}");
    }
}

/// A recursive pattern through folders that contain themselves ends.
#[cfg(unix)]
#[test]
fn folders_that_contain_themselves() {
    let bench = Bench::with_model();
    save(&bench.path("line/deep/a.png"), &texture(3));
    std::os::unix::fs::symlink("..", bench.path("line/deep/up")).unwrap();
    let run = bench.run("predict model line/**/*.png --out results --json").done();
    assert!(run.json().iter().any(|line| line["image"] == "line/deep/a.png"), "{}", run.stdout);
}

/// Images without any contrast, and with all that there is, have finite scores by every method.
#[test]
fn flat_and_saturated_images_have_finite_scores() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    write_safetensors(&bench.path("squeezenet.safetensors"), &squeezenet());
    write_without_contrast_and_with_all(&bench.path("line"));
    let features = "--set features.extractor=squeezenet --features-weights squeezenet.safetensors";
    for (method, options) in
        [("l2", ""), ("ssim", ""), ("vae", "--set vae.samples=2"), ("feature-matching", features)]
    {
        bench.train(method, &format!("--method {method} {options} --set preset=paper"));
        for averaging in ["reconstruction", "residual", "recommended"] {
            match averaging {
                "recommended" => {
                    set_averaging(&bench, method, "reconstruction");
                    bench.run(&format!("calibrate {method} --set preset=recommended")).done();
                }
                averaging => set_averaging(&bench, method, averaging),
            }
            let run = bench.run(&format!("predict {method} line --out found --threshold 9 --json"));
            for line in run.done().json() {
                assert!(number(&line, "score").is_finite());
                let (map, _) = bench.map(&format!("found/{}.tiff", line["id"].as_str().unwrap()));
                assert!(
                    map.iter()
                        .all(|&score| score.is_finite()
                            && (score >= 0.0 || averaging == "recommended")),
                    "{method}: {line}"
                );
            }
        }
    }
}

fn write_without_contrast_and_with_all(folder: &Path) {
    let flat = |value| GrayImage::from_pixel(WIDTH, HEIGHT, Luma([value]));
    let saturated =
        |x: u32, y: u32| Luma([if (x / 3 + y / 5).is_multiple_of(2) { 255 } else { 0 }]);
    for (name, image) in [
        ("black", flat(0)),
        ("grey", flat(128)),
        ("white", flat(255)),
        ("saturated", GrayImage::from_fn(WIDTH, HEIGHT, saturated)),
    ] {
        save(&folder.join(format!("{name}.png")), &image);
    }
}

/// As an editor would in the configuration of a model.
fn set_averaging(bench: &Bench, model: &str, averaging: &str) {
    let file = format!("{model}/config.toml");
    let lines = bench
        .text(&file)
        .lines()
        .map(|line| match line.starts_with("averaging = ") {
            true => format!("averaging = \"{averaging}\"\n"),
            false => format!("{line}\n"),
        })
        .collect::<String>();
    fs::write(bench.path(&file), lines).unwrap();
}

/// A training on images without contrast comes to an end, too.
#[test]
fn flat_images_can_be_trained_on() {
    let bench = Bench::new();
    for (index, value) in [0, 255, 128, 128].into_iter().enumerate() {
        let image = GrayImage::from_pixel(WIDTH, HEIGHT, Luma([value]));
        save(&bench.path(&format!("flat/{index}.png")), &image);
    }
    for method in ["l2", "ssim", "vae"] {
        bench.run(&format!("train --data flat --out {method} --method {method} {TINY}")).done();
    }
}

/// A pickle that would run a command, had it a Python to run in.
#[test]
fn a_pickle_that_calls_something_is_refused() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let mut archive = zip::ZipWriter::new(fs::File::create(bench.path("evil.pth")).unwrap());
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("archive/data.pkl", options).unwrap();
    archive.write_all(b"\x80\x02cposix\nsystem\nX\x0a\0\0\0touch gone\x85R.").unwrap();
    archive.finish().unwrap();
    let message = bench.error(&format!(
        "train --data cloth --out model {TINY} --method feature-matching --features-weights evil.pth"
    ));
    assert!(message.contains("evil.pth") && message.contains("does not call"), "{message}");
    assert!(!bench.path("gone").exists() && !bench.path("model").exists());
}
