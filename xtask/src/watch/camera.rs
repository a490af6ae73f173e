//! Images that appear, change and disappear in a folder, as on a production line.

use super::ledger::{Content, Ledger};
use anyhow::Result;
use detector::files::sha256;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Width and height of the images.
const SIDE: usize = 64;

/// Images that stay in the folder, as where another program takes them away.
const STAYING: usize = 200;

/// The bytes before the pixels of an 8-bit BMP file: two headers and a palette.
const HEADERS: usize = 54 + 4 * 256;

/// A folder that images arrive in, and what is known about those that are there.
pub struct Camera {
    folder: PathBuf,
    /// In the order of their arrival, with the time of change that each was given, if any.
    there: Vec<(String, Option<Duration>)>,
    made: u64,
    random: Random,
    /// A file of which a half is written.
    unfinished: Option<(String, Vec<u8>)>,
    pub tally: Tally,
}

/// How often the camera did what.
#[derive(Clone, Copy, Default, serde::Serialize)]
pub struct Tally {
    pub arrived: u64,
    /// Written half first, half later.
    pub slowly: u64,
    pub replaced: u64,
    /// By an image of the same size and time of change.
    pub replaced_alike: u64,
    pub rights_changed: u64,
    pub deleted: u64,
}

impl Camera {
    pub fn new(folder: PathBuf, seed: u64) -> Self {
        let (there, made) = (Vec::new(), 0);
        let (random, tally) = (Random(seed | 1), Tally::default());
        Self { folder, there, made, random, unfinished: None, tally }
    }

    /// Does one thing, mostly to take another image. Only images that have been inspected are replaced or deleted: of others, there may
    /// be a record or not.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn act(&mut self, ledger: &mut Ledger) -> Result<()> {
        if let Some((name, rest)) = self.unfinished.take() {
            return Ok(File::options()
                .append(true)
                .open(self.folder.join(name))?
                .write_all(&rest)?);
        }
        let known = self.there.iter().position(|(name, _)| ledger.is_inspected(name));
        match (self.random.below(20), known) {
            (0, Some(index)) => self.replace(index, ledger),
            (1, Some(index)) => self.replace_alike(index, ledger),
            (2, Some(index)) => self.change_rights(index),
            (3, _) => self.arrive_slowly(ledger),
            (_, Some(index)) if self.there.len() > STAYING => self.delete(index),
            _ => self.arrive(ledger),
        }
    }

    fn arrive(&mut self, ledger: &mut Ledger) -> Result<()> {
        let name = format!("{:08}.bmp", self.made);
        self.put(&name, None, ledger)?;
        self.there.push((name, None));
        self.tally.arrived += 1;
        Ok(())
    }

    /// The second half comes with the next act.
    fn arrive_slowly(&mut self, ledger: &mut Ledger) -> Result<()> {
        let name = format!("{:08}.bmp", self.made);
        let mut image = self.image();
        ledger.expect(&name, Content(sha256(&image)));
        let rest = image.split_off(image.len() / 2);
        fs::write(self.folder.join(&name), image)?;
        self.there.push((name.clone(), None));
        self.unfinished = Some((name, rest));
        self.tally.arrived += 1;
        self.tally.slowly += 1;
        Ok(())
    }

    fn replace(&mut self, index: usize, ledger: &mut Ledger) -> Result<()> {
        let (name, _) = self.there.remove(index);
        self.put(&name, None, ledger)?;
        self.there.push((name, None));
        self.tally.replaced += 1;
        Ok(())
    }

    /// By an image of the same size and, from the second time on, of the same time of change.
    fn replace_alike(&mut self, index: usize, ledger: &mut Ledger) -> Result<()> {
        let (name, time) = self.there.remove(index);
        self.tally.replaced_alike += u64::from(time.is_some());
        let time = time.unwrap_or(Duration::from_secs(1_000_000 + self.made));
        self.put(&name, Some(time), ledger)?;
        // In front, so that it is replaced again.
        self.there.insert(0, (name, Some(time)));
        self.tally.replaced += 1;
        Ok(())
    }

    fn change_rights(&mut self, index: usize) -> Result<()> {
        let path = self.folder.join(&self.there[index].0);
        let mut rights = fs::metadata(&path)?.permissions();
        rights.set_readonly(!rights.readonly());
        fs::set_permissions(&path, rights)?;
        self.tally.rights_changed += 1;
        Ok(())
    }

    fn delete(&mut self, index: usize) -> Result<()> {
        let (name, _) = self.there.remove(index);
        fs::remove_file(self.folder.join(name))?;
        self.tally.deleted += 1;
        Ok(())
    }

    /// Writes an image under another name, and renames it.
    fn put(&mut self, name: &str, time: Option<Duration>, ledger: &mut Ledger) -> Result<()> {
        let (image, part) = (self.image(), self.folder.join(".arriving"));
        ledger.expect(name, Content(sha256(&image)));
        let mut file = File::create(&part)?;
        file.write_all(&image)?;
        time.map_or(Ok(()), |time| file.set_modified(UNIX_EPOCH + time))?;
        Ok(fs::rename(part, self.folder.join(name))?)
    }

    /// An image of noise, other than all before: all have the same size.
    fn image(&mut self) -> Vec<u8> {
        self.made += 1;
        let mut bytes = Vec::with_capacity(HEADERS + SIDE * SIDE);
        bytes.extend(b"BM");
        for field in [HEADERS + SIDE * SIDE, 0, HEADERS, 40, SIDE, SIDE] {
            bytes.extend((field as u32).to_le_bytes());
        }
        // Planes, bits, and then compression, bytes, resolution, colours.
        bytes.extend([1, 0, 8, 0]);
        for field in [0, SIDE * SIDE, 2835, 2835, 256, 0] {
            bytes.extend((field as u32).to_le_bytes());
        }
        (0..=255).for_each(|level| bytes.extend([level, level, level, 0]));
        bytes.extend((0..SIDE * SIDE).map(|_| 96 + self.random.below(64) as u8));
        bytes
    }
}

/// Numbers of a linear congruential generator (Knuth's MMIX).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Saves an image, for a model to be trained on.
///
/// # Errors
/// If that is not possible.
pub fn save_images(folder: &Path, count: u64) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut camera = Camera::new(folder.to_owned(), 7);
    (0..count)
        .try_for_each(|number| Ok(fs::write(folder.join(format!("{number}.bmp")), camera.image())?))
}
