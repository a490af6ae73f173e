//! Inputs that somebody else made: strange names, damaged images, files that are not what they claim.

use crate::bench::{Bench, TINY, number};
use crate::extractor::{squeezenet, write_safetensors};
#[cfg(unix)]
use crate::images::texture;
use crate::images::{HEIGHT, WIDTH, defective, save, write_cloth};
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

/// Two links that lead back double the ways at each level.
#[cfg(unix)]
#[test]
fn an_image_that_links_lead_to_again_is_inspected_once() {
    let bench = Bench::with_model();
    save(&bench.path("line/deep/a.png"), &texture(3));
    for name in ["up", "too"] {
        std::os::unix::fs::symlink("..", bench.path(&format!("line/deep/{name}"))).unwrap();
    }
    let run = bench.run("predict model line/**/*.png --out results --json").done();
    let images: Vec<_> = run.json().iter().map(|line| line["image"].clone()).collect();
    assert_eq!(images, ["line/deep/a.png"]);
}

/// A name cannot pass for a message of the program, nor steer the terminal.
#[cfg(target_os = "linux")]
#[test]
fn names_forge_no_lines() {
    let bench = Bench::with_model();
    let names = ["good\nfake.png: good, score 0.0000.png", "\u{1b}[2J\r.png", "\u{202e}gnp.a.png"];
    for name in names {
        save(&bench.path(&format!("line/{name}")), &texture(3));
    }
    fs::write(bench.path("line/bad\nerror: none.png"), "no image").unwrap();
    let run = bench.run("predict model line --out results --threshold 1e9");
    assert_eq!((run.code, run.stdout.lines().count()), (2, names.len()), "{}", run.stdout);
    let said = format!("{}{}", run.stdout, run.stderr);
    let is_plain = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
    assert!(said.chars().all(is_plain), "{said:?}");
    assert!(run.stdout.contains("line/good\\nfake.png: good, score 0.0000.png: good"), "{said}");
    // Other commands name files, too.
    for arguments in [
        "train --data a\nb --out model2",
        "info a\nb",
        "ssim a\nb c\nd",
        "evaluate model --data a\u{1b}b --out e",
        "predict model --watch a\nb --out e",
        "config --config a\nb",
    ] {
        let message = bench.error_of(&arguments.split(' ').collect::<Vec<_>>());
        assert!(message.contains("a\\nb") || message.contains("a\\u{1b}b"), "{message:?}");
        assert!(message.chars().all(|c| !c.is_control()), "{message:?}");
    }
}

/// A spreadsheet would compute what begins like a formula.
#[test]
fn names_are_no_formulas() {
    let bench = Bench::with_model();
    for name in ["=1+1", "@a", "-b", "+c"] {
        save(&bench.path(&format!("cloth/test/hole/{name}.png")), &defective(3));
        fs::copy(
            bench.path("cloth/ground_truth/hole/001_mask.png"),
            bench.path(&format!("cloth/ground_truth/hole/{name}_mask.png")),
        )
        .unwrap();
        fs::copy(
            bench.path(&format!("cloth/test/hole/{name}.png")),
            bench.path(&format!("{name}.png")),
        )
        .unwrap();
    }
    bench.run("predict model ./-b.png =1+1.png @a.png +c.png --out found --threshold -100").done();
    bench.run("evaluate model --out measured").done();
    let cells =
        ["found/predictions.csv", "found/regions.csv", "measured/images.csv"].map(|table| {
            let mut reader = csv::Reader::from_path(bench.path(table)).unwrap();
            let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            assert!(rows.iter().any(|row| row.iter().any(|cell| cell == "'=1+1")), "{table}");
            rows.iter()
                .flat_map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        });
    let is_formula = |cell: &&String| {
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err()
    };
    assert_eq!(cells.iter().flatten().find(is_formula), None);
}

/// Pipes that nobody writes to and devices that never end, wherever a file is expected.
#[cfg(target_os = "linux")]
#[test]
fn what_never_ends_is_no_file() {
    let bench = Bench::with_model();
    let pipe = bench.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let expected = "got a device, a pipe or a socket";
    for place in ["pipe", "/dev/zero"] {
        for arguments in [
            format!("config --config {place}"),
            format!("train --data cloth --out m --config {place}"),
            format!(
                "train --data cloth --out m {TINY} --method feature-matching --features-weights {place}"
            ),
            format!("predict model {place} --out found"),
        ] {
            let message = bench.error(&arguments);
            assert!(message.contains(expected) && message.contains(place), "{message}");
        }
    }
    for file in ["config.toml", "model.safetensors", "calibration.json", "training.json"] {
        bench.train("other", "--overwrite");
        fs::remove_file(bench.path(&format!("other/{file}"))).unwrap();
        std::os::unix::fs::symlink("/dev/zero", bench.path(&format!("other/{file}"))).unwrap();
        let run = bench.run("predict other cloth/test/good --out found");
        assert!(run.code == 2 || file == "training.json", "{file}: {}", run.stderr);
        assert!(run.stderr.lines().count() <= 1, "{file}: {}", run.stderr);
        fs::remove_file(bench.path(&format!("other/{file}"))).unwrap();
    }
    let zeros = fs::File::open("/dev/zero").unwrap();
    for options in [&["-"][..], &["-", "--null"]] {
        let output = std::process::Command::new(crate::bench::program())
            .args(["predict", "model", "--out", "found", "--quiet"])
            .args(options)
            .current_dir(bench.path("."))
            .stdin(zeros.try_clone().unwrap())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains("is no list"), "{stderr}");
    }
}

/// Numbers that would exhaust the memory, or overflow, on the command line and in the folder of a model.
#[test]
fn settings_have_bounds() {
    let bench = Bench::with_model();
    let huge = usize::MAX >> 1;
    let settings = [
        ("model.latent_dim", format!("{huge}")),
        ("vae.samples", format!("{huge}")),
        ("data.size", format!("[{huge},{huge}]")),
        ("data.size", "[32768,32768]".to_owned()),
        ("data.margins.left", format!("{huge}")),
        ("training.batch_size", format!("{huge}")),
        ("inspection.batch_size", format!("{huge}")),
        ("inspection.smoothing", "[1e12]".to_owned()),
        ("inspection.opening_diameter", format!("{huge}")),
        ("residual.window", "uniform:999999999".to_owned()),
        ("residual.window", "gaussian:999999999:1".to_owned()),
        ("residual.constants", "[\"nan,1\"]".to_owned()),
        ("calibration.min_area", format!("{huge}")),
        ("calibration.threshold", "{rule=\"quantile\",q=1.5}".to_owned()),
        ("calibration.threshold", "{rule=\"false_alarms\",images=0.5}".to_owned()),
        ("calibration.threshold", format!("{{rule=\"largest_region\",max_area={huge}}}")),
    ];
    for (key, value) in &settings {
        let setting = format!("{key}={value}");
        let arguments: Vec<&str> = "train --data cloth --out other --set".split(' ').collect();
        let tiny = TINY.split(' ').filter(|word| !word.starts_with(key));
        let arguments: Vec<&str> =
            arguments.into_iter().chain([&*setting]).chain(tiny_settings(tiny)).collect();
        let message = bench.error_of(&arguments);
        let name = key.rsplit('.').next().unwrap();
        assert!(message.contains(name) || message.contains("residual"), "{setting}: {message}");
        assert!(!bench.path("other").exists(), "{setting}");
    }
    // As somebody else's model may have them.
    let config = bench.text("model/config.toml");
    for (key, value) in [("latent_dim", &*format!("{huge}")), ("samples", "9999999"), ("q", "7")] {
        let lines = config.lines().map(|line| match line.split_once(" = ") {
            Some((found, _)) if found == key => format!("{key} = {value}\n"),
            _ => format!("{line}\n"),
        });
        fs::write(bench.path("model/config.toml"), lines.collect::<String>()).unwrap();
        for arguments in ["info model", "predict model cloth/test/good --out found"] {
            let run = bench.run(arguments);
            assert!(run.code == 2 || key == "q", "{key}: {}", run.stderr);
        }
    }
    for arguments in ["info model --threads 99999999", "bench ssim --size 99999999x99999999"] {
        assert_eq!(bench.run(arguments).code, 2, "{arguments}");
    }
}

/// The settings of [`TINY`] but for those that were left out.
fn tiny_settings<'a>(words: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    words.filter(|word| *word != "--set").flat_map(|word| ["--set", word])
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
