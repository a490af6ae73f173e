//! How much memory the process has held.

/// The largest resident set of this process so far, in 10⁶ bytes; `None` where the system does not say.
pub fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    peak_of(&status)
}

/// The field `VmHWM` of Linux's `/proc/PID/status`, which counts in units of 1024 bytes.
fn peak_of(status: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_found_among_other_fields() {
        let status = "Name:\tbench-cli\nVmPeak:\t 9 kB\nVmHWM:\t    2000 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(peak_of(status), Some(2.048));
        assert_eq!(peak_of("VmRSS:\t 1 kB\n"), None);
    }
}
