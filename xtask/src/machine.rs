//! Machine, commit and date of a measurement.

use crate::command::output;
use anyhow::Result;
use time::OffsetDateTime;

/// The name of the processor.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let name = model.and_then(|line| line.split(':').nth(1)).map(str::trim);
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

/// The processor's vector instructions, of those that decide how fast convolutions are.
pub fn instructions() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let sets = [
        ("AVX2", std::arch::is_x86_feature_detected!("avx2")),
        ("FMA", std::arch::is_x86_feature_detected!("fma")),
        ("AVX-512F", std::arch::is_x86_feature_detected!("avx512f")),
        ("AVX-512-BF16", std::arch::is_x86_feature_detected!("avx512bf16")),
    ];
    #[cfg(target_arch = "aarch64")]
    let sets = [("NEON", std::arch::is_aarch64_feature_detected!("neon"))];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let sets = [("", false); 0];
    sets.into_iter().filter(|&(_, present)| present).map(|(name, _)| name).collect()
}

/// The load average of the last minute, where the system reports it.
pub fn load() -> Option<f64> {
    let averages = std::fs::read_to_string("/proc/loadavg").ok()?;
    averages.split_whitespace().next()?.parse().ok()
}

/// The commit, and whether the crates differ from it.
///
/// # Errors
/// If git cannot be run.
pub fn commit() -> Result<String> {
    let git =
        |args: &[&str]| output("git", &args.iter().map(ToString::to_string).collect::<Vec<_>>());
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "crates"])?;
    let changed = if changed.is_empty() { "" } else { " with uncommitted changes" };
    Ok(format!("{}{changed}", commit.trim()))
}

/// Today in UTC, as year-month-day.
pub fn date() -> String {
    OffsetDateTime::now_utc().date().to_string()
}
