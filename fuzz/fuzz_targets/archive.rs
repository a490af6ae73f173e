//! Bytes as an archive: whatever it holds, only files and folders appear, below the folder that was meant, and no more than allowed.
#![no_main]

#[path = "../../xtask/src/progress.rs"]
mod progress;
#[path = "../../xtask/src/datasets/unpack.rs"]
mod unpack;

use libfuzzer_sys::fuzz_target;
use std::fs;
use std::path::Path;

const MOST: u64 = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, target) = (folder.path().join("archive"), folder.path().join("a/b/target"));
    fs::write(&file, bytes).expect("the folder can be written");
    fs::create_dir_all(&target).expect("the folder can be written");
    let result = unpack::unpack(&file, &target, MOST);
    // What was refused may have been written up to its first byte too many.
    let most = if result.is_ok() { MOST } else { MOST + 1 };
    assert!(size(&target) <= most);
    for (outer, names) in [("", 2), ("a", 1), ("a/b", 1)] {
        let entries = fs::read_dir(folder.path().join(outer)).expect("it is there").count();
        assert_eq!(entries, names, "something lies beside the target");
    }
});

/// Bytes of all files; nothing else but folders may be there.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| {
            let path = entry.expect("a folder").path();
            let metadata = path.symlink_metadata().expect("it is there");
            assert!(metadata.is_file() || metadata.is_dir(), "{path:?}");
            if metadata.is_dir() { size(&path) } else { metadata.len() }
        })
        .sum()
}
