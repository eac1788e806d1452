//! Where the time of steps goes, and what the machine could do in it.

use std::time::Duration;

use capsnet_kernels::Peak;

use super::{MachinePeak, ProfileLine, StepProfile};
use crate::ops::{Profile, Way, end_profile};

/// How long the machine's peak is measured.
const PEAK_TIME: Duration = Duration::from_millis(1500);

/// What the machine can do at most with the threads of this process, measured for a second and a half.
#[must_use]
pub fn machine_peak() -> MachinePeak {
    let Peak {
        f32_gflops,
        bf16_gflops,
        read_gb_per_s,
    } = capsnet_kernels::peak(PEAK_TIME);
    MachinePeak {
        threads: rayon::current_num_threads(),
        instruction_set: capsnet_kernels::instruction_set(),
        f32_gflops,
        bf16_gflops,
        read_gb_per_s,
    }
}

/// The mean of so many steps, which took `time` in all since [`begin_profile`](crate::ops::begin_profile).
pub(super) fn step_profile(time: Duration, steps: usize) -> StepProfile {
    // The peak comes after the steps, lest they find the caches and the clock as it left them.
    summary(&end_profile(), machine_peak(), time, steps)
}

fn summary(profile: &Profile, peak: MachinePeak, time: Duration, steps: usize) -> StepProfile {
    let steps = steps as f64;
    let total = time.as_secs_f64();
    let ms = |seconds: f64| seconds * 1e3 / steps;
    let of_peak = |gflops: f64| gflops / peak.f32_gflops;
    let mut lines: Vec<ProfileLine> = profile
        .iter()
        .map(|((name, way), spent)| {
            let seconds = spent.time.as_secs_f64();
            let gflops = (spent.operations > 0.0).then(|| spent.operations / seconds / 1e9);
            ProfileLine {
                name: (*name).to_owned(),
                way: Some(match way {
                    Way::Forward => "forward",
                    Way::Backward => "backward",
                }),
                calls: Some(spent.calls as f64 / steps),
                ms: ms(seconds),
                share: seconds / total,
                gflops,
                share_of_peak: gflops.map(of_peak),
            }
        })
        .collect();
    lines.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    let rest = total - profile.values().map(|spent| spent.time.as_secs_f64()).sum::<f64>();
    lines.push(ProfileLine {
        name: "everything else".to_owned(),
        way: None,
        calls: None,
        ms: ms(rest),
        share: rest / total,
        gflops: None,
        share_of_peak: None,
    });
    let operations: f64 = profile.values().map(|spent| spent.operations).sum();
    StepProfile {
        step_ms: ms(total),
        gflop: operations / steps / 1e9,
        peak,
        share_of_peak: of_peak(operations / total / 1e9),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Spent;

    #[test]
    fn a_step_is_the_mean_of_all_and_what_is_left_is_said() {
        let peak = MachinePeak {
            threads: 2,
            instruction_set: "avx2",
            f32_gflops: 100.0,
            bf16_gflops: None,
            read_gb_per_s: 10.0,
        };
        let spent = |calls, ms, operations| Spent {
            calls,
            time: Duration::from_millis(ms),
            operations,
        };
        let profile = Profile::from([
            (("Adam", Way::Backward), spent(40, 10, 0.0)),
            (("convolution", Way::Forward), spent(20, 50, 4e9)),
        ]);
        let found = summary(&profile, peak, Duration::from_millis(100), 10);
        assert!((found.step_ms - 10.0).abs() < 1e-12 && (found.gflop - 0.4).abs() < 1e-12);
        assert!((found.share_of_peak - 0.4).abs() < 1e-12);
        let lines: Vec<_> = found
            .lines
            .iter()
            .map(|line| (line.name.as_str(), line.calls))
            .collect();
        assert_eq!(
            lines,
            [
                ("convolution", Some(2.0)),
                ("Adam", Some(4.0)),
                ("everything else", None)
            ]
        );
        // 4e9 operations in 50 ms.
        let [convolution, adam, rest] = &found.lines[..] else {
            unreachable!()
        };
        assert!((convolution.gflops.unwrap() - 80.0).abs() < 1e-9);
        assert!((convolution.share_of_peak.unwrap() - 0.8).abs() < 1e-9);
        assert_eq!(adam.gflops, None);
        assert!((rest.ms - 4.0).abs() < 1e-9 && (rest.share - 0.4).abs() < 1e-9);
    }
}
