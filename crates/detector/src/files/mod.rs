//! Files that are written completely or not at all, and hashes of what they hold.

mod atomic;
mod hash;
mod shown;

pub use atomic::{
    prepare_folder, remove_if_present, remove_parts, write_atomic, write_durable, write_json,
};
pub use hash::{hex, sha256, sha256_of_file};
pub use shown::shown;
