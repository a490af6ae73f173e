//! A browser, and what was seen in it.

use anyhow::{Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Names of browsers that the script can drive.
const NAMES: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/// The first browser on the PATH.
pub fn installed() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let mut candidates =
        NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|path| path.is_file())
}

/// The report of `check.py`.
#[derive(Default, Deserialize)]
pub struct Seen {
    /// Addresses that a page asked for.
    pub requests: Vec<String>,
    /// Errors of scripts.
    pub errors: Vec<String>,
    /// Pages wider than their window.
    pub wide: Vec<String>,
    /// Pages with pictures that do not load.
    pub broken: Vec<String>,
    /// Positions of the sliders, by pages.
    pub positions: BTreeMap<String, Vec<Position>>,
    pub work: Option<Work>,
    pub without_script: Option<WithoutScript>,
    pub browser: String,
}

/// The work with the report.
#[derive(Deserialize)]
pub struct Work {
    /// Images left by each choice of an outcome.
    pub choices: BTreeMap<String, usize>,
    /// Whether the highest score came first where that was chosen.
    pub sorted: bool,
    pub views: Views,
}

/// The layers that each view of the closer look showed.
#[derive(Deserialize)]
pub struct Views {
    image: Vec<String>,
    reconstruction: Vec<String>,
    wipe: Vec<String>,
    map: Vec<String>,
    mask: Vec<String>,
    zoomed: bool,
}

/// A position of the sliders.
#[derive(Clone, Deserialize)]
pub struct Position {
    pub level: usize,
    pub command: String,
    pub counts: BTreeMap<String, String>,
    /// The points on curves, and where their first axis ends; `None` if there is no such point.
    pub points: BTreeMap<String, Option<[f64; 3]>>,
}

/// Elements that are seen where scripts do not run.
#[derive(Deserialize)]
pub struct WithoutScript {
    pub pictures: usize,
    pub sliders: usize,
    pub counts: usize,
    pub charts: usize,
}

impl Seen {
    /// All that was seen.
    ///
    /// # Errors
    /// If nothing was.
    pub fn joined(all: impl IntoIterator<Item = Self>) -> Result<Self> {
        let mut joined = Self::default();
        for seen in all {
            joined.requests.extend(seen.requests);
            joined.errors.extend(seen.errors);
            joined.wide.extend(seen.wide);
            joined.broken.extend(seen.broken);
            joined.positions.extend(seen.positions);
            joined.work = joined.work.or(seen.work);
            joined.without_script = joined.without_script.or(seen.without_script);
            joined.browser = seen.browser;
        }
        ensure!(!joined.browser.is_empty(), "no page was looked at");
        Ok(joined)
    }

    /// # Errors
    /// If a page is not as it should be.
    pub fn check(&self) -> Result<()> {
        let Self { requests, errors, wide, broken, .. } = self;
        for (what, found) in [
            ("requests", requests),
            ("errors", errors),
            ("too wide", wide),
            ("broken pictures", broken),
        ] {
            ensure!(found.is_empty(), "{what}: {}", found.join("; "));
        }
        let work = self.work.as_ref().filter(|work| work.sorted && work.views.are_right());
        ensure!(work.is_some(), "the report does not sort or switch as it should");
        let plain = self.without_script.as_ref();
        let is_readable = plain.is_some_and(|plain| {
            plain.sliders == 0
                && [plain.pictures, plain.counts, plain.charts].iter().all(|&n| n > 0)
        });
        ensure!(is_readable, "without scripts the report does not show what it should");
        Ok(())
    }
}

impl Views {
    fn are_right(&self) -> bool {
        self.image == ["image"]
            && self.reconstruction == ["reconstruction"]
            && self.wipe == ["image", "reconstruction"]
            && self.map == ["map"]
            && self.mask == ["mask"]
            && self.zoomed
    }
}
