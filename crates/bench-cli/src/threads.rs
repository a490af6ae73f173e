//! The number of threads that compute.
#![expect(unsafe_code, reason = "candle asks the environment for the number of its own threads")]

use anyhow::{Context as _, Result, ensure};

/// The most threads. Of many more, starting them would end the process.
const MOST: usize = 4096;

/// Limits the number of threads that compute, in rayon's pool and in candle's own.
///
/// To be called before the process has other threads.
///
/// # Errors
/// If there are none, or they have been started.
pub fn limit(threads: usize) -> Result<()> {
    ensure!((1..=MOST).contains(&threads), "--threads must be 1 to {MOST}, got {threads}");
    for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        // SAFETY: no other thread reads or writes the environment meanwhile, since there is none, by the caller's promise.
        unsafe { std::env::set_var(name, threads.to_string()) };
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().context("cannot start threads")
}
