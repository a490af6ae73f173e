//! The number of threads that compute.
#![expect(unsafe_code, reason = "candle asks the environment for the number of its own threads")]

use anyhow::{Context as _, Result, ensure};

/// Limits the number of threads that compute, in rayon's pool and in candle's own.
///
/// To be called before the process has other threads.
///
/// # Errors
/// If there are none, or they have been started.
pub fn limit(threads: usize) -> Result<()> {
    ensure!(threads > 0, "--threads must be at least 1");
    for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        // SAFETY: no other thread reads or writes the environment meanwhile, since there is none, by the caller's promise.
        unsafe { std::env::set_var(name, threads.to_string()) };
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().context("cannot start threads")
}
