//! `cargo xtask watch`: a long watch under adverse conditions.

mod camera;
mod ledger;
mod program;

use crate::command::{built_bench_cli, repository};
use crate::terminal::{note, tell};
use crate::{files, machine};
use anyhow::{Context, Result, ensure};
use camera::{Camera, Random, Tally, save_images};
use ledger::{Findings, Ledger};
use program::{Place, Usage, Watch};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Feed `bench-cli predict --watch` with images while it is killed and its disk fills, and check that each has one record.
///
/// Images arrive at once or by halves, are replaced, by others of the same size and time of change, too, have their rights changed
/// and are deleted. At the end, each content that was there must have exactly one record. Prints the figures as JSON.
#[derive(clap::Args)]
pub struct Args {
    /// How long images arrive.
    #[arg(long, value_name = "MINUTES", default_value_t = 60.0, value_parser = positive)]
    minutes: f64,
    /// Images per second.
    #[arg(long, default_value_t = 20.0, value_parser = positive)]
    rate: f64,
    /// Seconds that the watch is measured for without anything to do.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    idle: u64,
    /// How often the watch looks.
    #[arg(long, value_name = "SECONDS", default_value = "0.5")]
    poll: String,
    /// Take this program instead of building it.
    #[arg(long, value_name = "FILE")]
    bench_cli: Option<PathBuf>,
    /// Folder for images and results, which is emptied; by default the repository's `target/watch`.
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Of the order of events.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// A number that a time can be made of.
fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (1e-3..=1e6).contains(number));
    number.ok_or_else(|| format!("expected a number between 0.001 and 1000000, got {text}"))
}

/// Images that may wait for the watch: the camera waits then, too, so that a slow machine is measured at its own pace.
const MOST_WAITING: u64 = 500;

/// Seconds from one adversity to the next, at most.
const CALM: u64 = 60;

/// How long the end waits for the next record: a busy machine is no reason to call an image lost.
const PATIENCE: Duration = Duration::from_secs(300);

/// Seconds that a disk stays full.
const FULL: Duration = Duration::from_secs(5);

/// The figures of a run.
#[derive(serde::Serialize)]
struct Figures {
    commit: String,
    date: String,
    processor: String,
    minutes: f64,
    camera: Tally,
    kills: u64,
    restarts: u64,
    full_disks: u64,
    #[serde(flatten)]
    findings: Findings,
    /// After the first minute of a watch that had been started anew, and at the end of the same watch.
    resident_mb_early: f64,
    resident_mb_late: f64,
    /// Records that the last watch wrote.
    records_of_last_watch: u64,
    /// Processor time while nothing arrived, as a part of one core.
    idle: f64,
    idle_files: usize,
}

/// The fate of the watch.
#[derive(Default)]
struct Adversities {
    kills: u64,
    restarts: u64,
    full_disks: u64,
}

/// # Errors
/// If the watch ends by itself, or an image has no record or several.
pub fn watch(args: &Args) -> Result<()> {
    let bench_cli = match &args.bench_cli {
        Some(program) => std::path::absolute(program)?,
        None => built_bench_cli(&[])?,
    };
    let work = args.work.clone().unwrap_or_else(|| repository().join("target").join("watch"));
    files::remove(&work)?;
    let place = Place { bench_cli, work: std::path::absolute(work)?, poll: args.poll.clone() };
    prepare(&place)?;
    let figures = Run::new(place, args.seed)?.go(args)?;
    tell!("{}", serde_json::to_string_pretty(&figures)?);
    let Findings { lost, repeated, strangers, .. } = figures.findings;
    ensure!(
        (lost, repeated, strangers) == (0, 0, 0),
        "expected one record of each image, got {lost} without one, {repeated} too many, {strangers} of images that were never there"
    );
    Ok(())
}

/// Makes a model that takes milliseconds for an image; what it finds does not matter.
fn prepare(place: &Place) -> Result<()> {
    save_images(&place.work.join("good"), 12)?;
    std::fs::create_dir_all(place.work.join("line"))?;
    let sets = ["model.patch_size=32", "model.latent_dim=8", "training.batch_size=4"];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let words = ["train", "--data", "good", "--out", "model", "--patches", "8", "--quiet"];
    place.run(&words.into_iter().chain(sets).collect::<Vec<_>>())
}

struct Run {
    place: Place,
    camera: Camera,
    ledger: Ledger,
    random: Random,
    watch: Option<Watch>,
    adversities: Adversities,
}

impl Run {
    fn new(place: Place, seed: u64) -> Result<Self> {
        let (camera, ledger) =
            (Camera::new(place.work.join("line"), seed), Ledger::new(place.records()));
        let (watch, random) = (Some(place.start()?), Random(seed ^ 0x5eed));
        Ok(Self { place, camera, ledger, random, watch, adversities: Adversities::default() })
    }

    fn go(mut self, args: &Args) -> Result<Figures> {
        let length = Duration::from_secs_f64(60.0 * args.minutes);
        // Adversities in the first half; then one watch is left alone, whose memory is measured.
        self.feed(length / 2, args.rate, true)?;
        self.catch_up()?;
        self.restart()?;
        self.feed((length / 2).min(Duration::from_secs(60)), args.rate, false)?;
        let (early, before) = (self.running()?.usage()?, self.ledger.findings().records);
        self.feed((length / 2).saturating_sub(Duration::from_secs(60)), args.rate, false)?;
        self.catch_up()?;
        let (late, findings) = (self.running()?.usage()?, self.ledger.findings());
        let idle = self.idle(Duration::from_secs(args.idle))?;
        let idle_files = std::fs::read_dir(self.place.work.join("line"))?.count();
        self.stop()?.end()?;
        self.place.expect_whole()?;
        let Adversities { kills, restarts, full_disks } = self.adversities;
        Ok(Figures {
            commit: machine::commit()?,
            date: machine::date(),
            processor: machine::processor(),
            minutes: args.minutes,
            camera: self.camera.tally,
            kills,
            restarts,
            full_disks,
            findings,
            resident_mb_early: early.resident_mb,
            resident_mb_late: late.resident_mb,
            records_of_last_watch: findings.records - before,
            idle,
            idle_files,
        })
    }

    /// Lets images arrive.
    fn feed(&mut self, length: Duration, rate: f64, with_adversities: bool) -> Result<()> {
        let (start, mut acts) = (Instant::now(), 0_u32);
        let mut adversity = start + self.calm();
        let mut reported = start;
        while start.elapsed() < length {
            self.ledger.read()?;
            if with_adversities && Instant::now() >= adversity {
                self.adversity()?;
                adversity = Instant::now() + self.calm();
            }
            if self.ledger.open() < MOST_WAITING {
                self.camera.act(&mut self.ledger)?;
            }
            acts += 1;
            let next = start + Duration::from_secs_f64(f64::from(acts) / rate);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            self.running()?;
            if reported.elapsed() >= Duration::from_secs(60) {
                reported = Instant::now();
                let Findings { images, records, .. } = self.ledger.findings();
                note!("{images} images, {records} records");
            }
        }
        Ok(())
    }

    fn calm(&mut self) -> Duration {
        Duration::from_secs(1 + self.random.below(CALM))
    }

    fn adversity(&mut self) -> Result<()> {
        match self.random.below(4) {
            0 => self.fill_disk(),
            1 => self.restart(),
            _ => self.kill(),
        }
    }

    fn kill(&mut self) -> Result<()> {
        self.adversities.kills += 1;
        self.stop()?.kill()?;
        self.start()
    }

    fn restart(&mut self) -> Result<()> {
        self.adversities.restarts += 1;
        self.stop()?.end()?;
        self.start()
    }

    fn start(&mut self) -> Result<()> {
        self.watch = Some(self.place.start()?);
        Ok(())
    }

    fn stop(&mut self) -> Result<Watch> {
        self.watch.take().context("a watch runs")
    }

    fn running(&mut self) -> Result<&Watch> {
        let watch = self.watch.as_mut().context("a watch runs")?;
        watch.expect_running()?;
        Ok(watch)
    }

    /// For a while, no file of the watch grows beyond the records as they are.
    fn fill_disk(&mut self) -> Result<()> {
        self.adversities.full_disks += 1;
        let length = std::fs::metadata(self.place.records()).map_or(0, |metadata| metadata.len());
        let length = length + self.random.below(2000);
        self.running()?.limit_files(Some(length))?;
        std::thread::sleep(FULL);
        self.running()?.limit_files(None)
    }

    /// Waits until all images have records, or no more come.
    fn catch_up(&mut self) -> Result<()> {
        let (mut open, mut since) = (u64::MAX, Instant::now());
        while open > 0 && since.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(200));
            self.running()?;
            self.ledger.read()?;
            let now = self.ledger.open();
            if now < open {
                (open, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// The part of a core that the watch takes while nothing arrives.
    fn idle(&mut self, length: Duration) -> Result<f64> {
        let (before, start) = (self.running()?.usage()?, Instant::now());
        std::thread::sleep(length);
        let Usage { seconds, .. } = self.running()?.usage()?;
        Ok((seconds - before.seconds) / start.elapsed().as_secs_f64())
    }
}
