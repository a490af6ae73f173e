//! The modules of a crate, and which of their files use which.
//!
//! A file uses another one if its code names an item that the other one defines: in a path such as `super::kernel::Kernel` or
//! `kernel::run`, or by an import. Paths are followed through re-exports to the file that defines the item, so that
//! `use crate::Error` is a use of `error.rs`. No uses are
//!
//! - the declaration of a module, and a re-export (`pub use`) whose name the file's own code does not need;
//! - what a module names of the modules around it. A parent and its children are one unit, whose children see even the parent's
//!   private items: shared types of a folder may stand in its `mod.rs`, which calls the other files of the folder;
//! - methods, since a call names no file, and tests.

use super::graph::Graph;
use super::tokens::{group, tokens};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The circles of the files below `source`, the folder of a package's sources: a line each.
pub fn uses(source: &Path) -> Vec<String> {
    let mut roots = vec![source.join("lib.rs"), source.join("main.rs")];
    collect(&source.join("bin"), &mut roots);
    roots
        .iter()
        .filter(|root| root.exists())
        .flat_map(|root| Crate::read(root).graph().circles())
        .collect()
}

/// Appends all Rust files below a folder, but for build outputs.
pub fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a file of the repository").path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

/// All modules of a crate; the first one is its root.
struct Crate {
    modules: Vec<Module>,
}

#[derive(Default)]
struct Module {
    file: PathBuf,
    parent: usize,
    children: BTreeMap<String, usize>,
    /// The paths of imported names: several where features decide.
    imports: BTreeMap<String, Vec<Import>>,
    /// Paths of `use …::*`.
    globs: Vec<Vec<String>>,
    defined: BTreeSet<String>,
    /// All paths of the code outside of imports, those of a single name included.
    paths: BTreeSet<Vec<String>>,
}

struct Import {
    path: Vec<String>,
    is_public: bool,
}

/// Something that a path names.
#[derive(Clone, Copy)]
enum Target {
    Module(usize),
    /// An item of the module.
    Item(usize),
}

impl Crate {
    fn read(root: &Path) -> Self {
        let mut this = Self { modules: Vec::new() };
        let folder = root.parent().expect("a file has a folder");
        this.read_file(root, folder, 0);
        this
    }

    /// Reads a module and its children, which lie in `folder`.
    fn read_file(&mut self, file: &Path, folder: &Path, parent: usize) -> usize {
        let text =
            fs::read_to_string(file).unwrap_or_else(|_| panic!("{}: missing", file.display()));
        self.read_module(&tokens(&text), file, folder, parent)
    }

    fn read_module(&mut self, tokens: &[&str], file: &Path, folder: &Path, parent: usize) -> usize {
        let index = self.modules.len();
        self.modules.push(Module { file: file.to_owned(), parent, ..Module::default() });
        let mut at = 0;
        while at < tokens.len() {
            at += match tokens[at..] {
                ["mod", name, ";", ..] => {
                    let inner = folder.join(name);
                    let single = folder.join(format!("{name}.rs"));
                    let child = if single.exists() { single } else { inner.join("mod.rs") };
                    let child = self.read_file(&child, &inner, index);
                    self.modules[index].children.insert(name.to_owned(), child);
                    3
                }
                ["mod", name, "{", ..] => {
                    let length = group(&tokens[at + 2..]);
                    let content = &tokens[at + 3..at + 1 + length];
                    let child = self.read_module(content, file, &folder.join(name), index);
                    self.modules[index].children.insert(name.to_owned(), child);
                    2 + length
                }
                ["use", ..] => {
                    let length = tokens[at..].iter().position(|&t| t == ";").expect("it ends");
                    let is_public = at > 0 && ["pub", ")"].contains(&tokens[at - 1]);
                    self.modules[index].import(&[], &tokens[at + 1..at + length], is_public);
                    length
                }
                [keyword, name, ..] if is_definition(keyword, name) => {
                    self.modules[index].defined.insert(name.to_owned());
                    2
                }
                ["macro_rules", "!", name, ..] => {
                    self.modules[index].defined.insert(name.to_owned());
                    3
                }
                _ => {
                    self.modules[index].path(&tokens[at..], at.checked_sub(1).map(|at| tokens[at]))
                }
            };
        }
        index
    }

    /// The uses of the files.
    fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        for (index, module) in self.modules.iter().enumerate() {
            let private = module.imports.values().flatten().filter(|import| !import.is_public);
            let paths = private.map(|import| &import.path).chain(&module.paths);
            for path in paths.chain(&module.globs) {
                for target in self.resolve(index, path, 0) {
                    if let Target::Item(target) = target
                        && !self.is_around(target, index)
                    {
                        graph.add(&module.file, &self.modules[target].file, &path.join("::"));
                    }
                }
            }
        }
        graph
    }

    /// Whether a module is the other one's parent, or that one's parent, and so on.
    fn is_around(&self, outer: usize, inner: usize) -> bool {
        let parent = self.modules[inner].parent;
        inner != 0 && (parent == outer || self.is_around(outer, parent))
    }

    /// Follows a path from a module. Nothing comes of one that leads out of the crate or names something local; several targets
    /// come of one whose import depends on features.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let module = &self.modules[from];
        match first.as_str() {
            "crate" => self.descend(0, rest, depth),
            "self" => self.descend(from, rest, depth),
            "super" => self.descend(module.parent, rest, depth),
            name => match module.children.get(name) {
                Some(&child) => self.descend(child, rest, depth),
                None => self.imported(from, name, rest, depth),
            },
        }
    }

    /// Follows a path inside a module.
    fn descend(&self, module: usize, path: &[String], depth: usize) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else { return vec![Target::Module(module)] };
        let Module { parent, children, imports, defined, globs, .. } = &self.modules[module];
        if first == "super" {
            return self.descend(*parent, rest, depth);
        }
        if let Some(&child) = children.get(first) {
            return self.descend(child, rest, depth);
        }
        if defined.contains(first) {
            return vec![Target::Item(module)];
        }
        if imports.contains_key(first) {
            return self.imported(module, first, rest, depth);
        }
        let globbed = globs.iter().flat_map(|glob| self.through(module, glob, path, depth));
        globbed.collect()
    }

    /// Follows the imports of a name.
    fn imported(&self, module: usize, name: &str, rest: &[String], depth: usize) -> Vec<Target> {
        let imports = self.modules[module].imports.get(name).into_iter().flatten();
        imports.flat_map(|import| self.through(module, &import.path, rest, depth)).collect()
    }

    /// Follows a path, and then another one from there.
    fn through(&self, from: usize, path: &[String], rest: &[String], depth: usize) -> Vec<Target> {
        // An import of its own name, as of another crate, leads nowhere.
        if depth > 10 {
            return Vec::new();
        }
        let targets = self.resolve(from, path, depth + 1).into_iter();
        let follow = |target| match target {
            Target::Module(module) => self.descend(module, rest, depth + 1),
            item => vec![item],
        };
        targets.flat_map(follow).collect()
    }
}

/// Whether a keyword is followed by the name of an item, other than in `const fn`.
fn is_definition(keyword: &str, name: &str) -> bool {
    let keywords = ["fn", "struct", "enum", "trait", "type", "const", "static", "union"];
    keywords.contains(&keyword) && !["fn", "unsafe", "extern"].contains(&name)
}

impl Module {
    /// Takes over the names of a `use`, without that word and the semicolon.
    fn import(&mut self, prefix: &[String], tree: &[&str], is_public: bool) {
        let mut path = prefix.to_vec();
        let mut at = 0;
        while at < tree.len() {
            match tree[at] {
                "::" => {}
                "{" => {
                    let content = &tree[at + 1..at + group(&tree[at..]) - 1];
                    for part in parts(content) {
                        self.import(&path, part, is_public);
                    }
                    return;
                }
                "*" => return self.globs.push(path),
                "as" => {
                    let imports = self.imports.entry(tree[at + 1].to_owned()).or_default();
                    return imports.push(Import { path, is_public });
                }
                "self" if !path.is_empty() => {}
                name => path.push(name.to_owned()),
            }
            at += 1;
        }
        if let Some(name) = path.last().cloned() {
            self.imports.entry(name).or_default().push(Import { path, is_public });
        }
    }

    /// Takes over the path that the tokens begin with, if they do; its length. After a dot there are fields and methods.
    fn path(&mut self, tokens: &[&str], before: Option<&str>) -> usize {
        let is_word = |token: &&str| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let mut path = Vec::new();
        let mut at = 0;
        while let Some(word) = tokens.get(at).filter(|token| is_word(token)) {
            path.push((*word).to_owned());
            at += 1;
            match tokens.get(at) {
                Some(&"::") => at += 1,
                _ => break,
            }
        }
        if !path.is_empty() && before != Some(".") && before != Some("::") {
            self.paths.insert(path);
        }
        at.max(1)
    }
}

/// The parts between the commas that are in no braces.
fn parts<'a, 'b>(tokens: &'b [&'a str]) -> Vec<&'b [&'a str]> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        match tokens[at] {
            "," => {
                parts.push(&tokens[start..at]);
                start = at + 1;
                at += 1;
            }
            "{" => at += group(&tokens[at..]),
            _ => at += 1,
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}
