//! Circles of files that use each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// Which file uses which, and a path of the code that shows it.
#[derive(Default)]
pub struct Graph(BTreeMap<PathBuf, BTreeMap<PathBuf, String>>);

impl Graph {
    pub fn add(&mut self, from: &Path, to: &Path, path: &str) {
        if from != to {
            let uses = self.0.entry(from.to_owned()).or_default();
            uses.entry(to.to_owned()).or_insert_with(|| path.to_owned());
        }
    }

    /// The groups of files that use each other: of each the shortest circle, and how many files are in the group.
    pub fn circles(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for file in self.0.keys() {
            let group = self.group(file);
            if group.len() > 1 && seen.is_disjoint(&group) {
                circles.push(self.shortest(&group));
            }
            seen.extend(group);
        }
        circles
    }

    /// The file and all others that use it and are used by it, also through others.
    fn group<'a>(&'a self, file: &'a Path) -> BTreeSet<&'a Path> {
        let used = self.reachable(file);
        used.keys().copied().filter(|other| self.reachable(other).contains_key(file)).collect()
    }

    /// All files that `file` uses, also through others, itself only if it is one of them; each with the file before it on a
    /// shortest way.
    fn reachable<'a>(&'a self, file: &'a Path) -> BTreeMap<&'a Path, &'a Path> {
        let mut before = BTreeMap::new();
        let mut open = VecDeque::from([file]);
        while let Some(from) = open.pop_front() {
            for to in self.0.get(from).into_iter().flat_map(BTreeMap::keys) {
                if !before.contains_key(to.as_path()) {
                    before.insert(to.as_path(), from);
                    open.push_back(to);
                }
            }
        }
        before
    }

    fn shortest(&self, group: &BTreeSet<&Path>) -> String {
        let circles = group.iter().map(|&file| {
            let before = self.reachable(file);
            let mut circle = vec![file];
            let mut at = before[file];
            while at != file {
                circle.push(at);
                at = before[at];
            }
            circle.push(file);
            circle.reverse();
            circle
        });
        let circle = circles.min_by_key(Vec::len).unwrap_or_default();
        let steps = circle.windows(2).map(|pair| {
            let path = &self.0[pair[0]][pair[1]];
            format!("  {} names {path} of {}", short(pair[0]), short(pair[1]))
        });
        let names: Vec<String> = group.iter().map(|file| short(file)).collect();
        format!("{}\n{}", names.join(" ↔ "), Vec::from_iter(steps).join("\n"))
    }
}

/// The path in the repository.
fn short(path: &Path) -> String {
    let text = path.display().to_string();
    text.split("/../").last().unwrap_or_default().to_owned()
}

#[test]
fn circles_are_found() {
    let mut graph = Graph::default();
    for (from, to) in
        [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "f"), ("f", "e"), ("g", "g")]
    {
        graph.add(Path::new(from), Path::new(to), "x");
    }
    let circles = graph.circles();
    assert_eq!(circles.len(), 2, "{circles:?}");
    assert!(circles[0].starts_with("a ↔ b ↔ c\n") && circles[1].starts_with("e ↔ f\n"));
}
