//! A part of a list of work, for several processes or machines.

use crate::files::sha256;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The `index`-th of `count` parts, from 1; as text `I/N`.
///
/// ```
/// let shard: detector::Shard = "2/8".parse()?;
/// assert!(shard.holds(1) && !shard.holds(2));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The number of the part, from 1 to `count`.
    pub index: usize,
    /// The number of parts.
    pub count: usize,
}

impl Shard {
    /// All of the list.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Whether this part has item number `number`, from 0: parts take items in turn.
    pub fn holds(self, number: usize) -> bool {
        number % self.count == self.index - 1
    }

    /// Whether this part has the file of this path. That does not depend on the other files: a hash of the path as it is spelled
    /// decides.
    pub fn holds_path(self, path: &Path) -> bool {
        let hash = sha256(path.as_os_str().as_encoded_bytes());
        // Seven digits fit a `usize` of 32 bits.
        usize::from_str_radix(&hash[..7], 16).is_ok_and(|number| self.holds(number))
    }

    /// The name of a folder of the results of this part: `shard-I-of-N`.
    pub fn folder(self) -> PathBuf {
        format!("shard-{}-of-{}", self.index, self.count).into()
    }

    /// The part that a folder of this name has the results of.
    pub fn of_folder(name: &str) -> Option<Self> {
        let (index, count) = name.strip_prefix("shard-")?.split_once("-of-")?;
        let shard: Self = format!("{index}/{count}").parse().ok()?;
        (shard.folder() == Path::new(name)).then_some(shard)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, count)| {
            Some(Self { index: index.parse().ok()?, count: count.parse().ok()? })
        });
        numbers
            .filter(|shard| (1..=shard.count).contains(&shard.index))
            .ok_or_else(|| "expected I/N with I from 1 to N, for example 2/8".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of `count` that hold an item.
    fn holding(count: usize, holds: impl Fn(Shard) -> bool) -> Vec<usize> {
        (1..=count).filter(|&index| holds(Shard { index, count })).collect()
    }

    #[test]
    fn every_item_is_in_one_shard() {
        for count in 1..5 {
            for number in 0..20 {
                assert_eq!(
                    holding(count, |shard| shard.holds(number)).len(),
                    1,
                    "{number} of {count}"
                );
            }
        }
    }

    #[test]
    fn every_path_is_in_one_shard_and_shards_are_alike_in_size() {
        for count in [1, 3, 8] {
            let mut sizes = vec![0_i32; count];
            for number in 0..8000 {
                let path = format!("archive/{number}.png");
                let holding = holding(count, |shard| shard.holds_path(Path::new(&path)));
                assert_eq!(holding.len(), 1, "{path} of {count}");
                sizes[holding[0] - 1] += 1;
            }
            // Five standard deviations of a binomial distribution are at most 5 sqrt(8000 / 4).
            let expected = 8000 / count as i32;
            assert!(sizes.iter().all(|size| (size - expected).abs() < 224), "{sizes:?}");
        }
        // python3 -c 'import hashlib; print(int(hashlib.sha256(b"archive/a.png").hexdigest()[:7], 16) % 8 + 1)'
        assert_eq!(holding(8, |shard| shard.holds_path(Path::new("archive/a.png"))), [4]);
    }

    #[test]
    fn shards_count_from_one_and_have_folders() {
        let shard = Shard { index: 2, count: 8 };
        assert_eq!("2/8".parse(), Ok(shard));
        assert_eq!(shard.folder(), Path::new("shard-2-of-8"));
        assert_eq!(Shard::of_folder("shard-2-of-8"), Some(shard));
        for text in ["0/8", "9/8", "1/0", "1", "a/b", "", "2/8/8"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        for name in ["shard-9-of-8", "shard-2", "shards", "shard-2-of-8-of-9", "shard-02-of-8"] {
            assert_eq!(Shard::of_folder(name), None, "{name}");
        }
    }
}
