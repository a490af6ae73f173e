//! Files that are written completely or not at all, folders that one process at a time writes to, and hashes and names of files.

mod atomic;
mod hash;
mod identity;
mod lock;
mod read;
mod set;
mod shown;

pub use atomic::{
    prepare_folder, remove_if_present, remove_parts, write_atomic, write_durable, write_json,
};
pub use hash::{hex, sha256, sha256_of_file};
pub use identity::{folder_of, is_at, is_same_folder};
pub use lock::{FolderLock, refuse_link};
pub use read::{BYTE_ORDER_MARK, path_of_bytes, read_file, read_text};
pub use set::FileSet;
pub use shown::{
    cell, quoted, shown, shown_argument, shown_lines, shown_text, shown_word, text_of_cell,
};
