//! Times of blocks of steps, and the memory that the process took.

use std::fs;
use std::time::Duration;

/// Milliseconds a step: of the fastest block, and of the one in the middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Times {
    pub min_ms: f64,
    pub median_ms: f64,
}

impl Times {
    /// From the times of blocks of `group` steps each.
    ///
    /// # Panics
    ///
    /// If there is no block.
    pub(super) fn of(blocks: &[Duration], group: usize) -> Self {
        let mut times: Vec<f64> = blocks
            .iter()
            .map(|block| block.as_secs_f64() * 1e3 / group as f64)
            .collect();
        times.sort_by(f64::total_cmp);
        let middle = times.len() / 2;
        let median_ms = if times.len().is_multiple_of(2) {
            (times[middle - 1] + times[middle]) / 2.0
        } else {
            times[middle]
        };
        Self {
            min_ms: times[0],
            median_ms,
        }
    }
}

/// The most memory that this process has had resident, in units of 2^20 bytes; `None` where the system doesn't say.
pub(super) fn peak_rss_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    high_water_mark(&status).map(|kib| kib as f64 / 1024.0)
}

/// The kibibytes in the line `VmHWM:   123 kB`.
fn high_water_mark(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_one_step() {
        let blocks = [30, 10, 80, 20].map(Duration::from_millis);
        let times = Times::of(&blocks, 10);
        assert!((times.min_ms - 1.0).abs() < 1e-12 && (times.median_ms - 2.5).abs() < 1e-12);
        assert!((Times::of(&blocks[..3], 10).median_ms - 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_high_water_mark_is_read_from_its_line() {
        assert_eq!(
            high_water_mark("VmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nVmRSS: 7 kB\n"),
            Some(2048)
        );
        assert_eq!(high_water_mark("VmRSS: 7 kB\n"), None);
    }
}
