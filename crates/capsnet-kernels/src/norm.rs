//! The sum of squares of many numbers: a gradient's norm is its root.

use rayon::prelude::*;

/// Values that a task adds up: few enough that a large tensor is shared among threads, many enough to be worth a task.
const VALUES_A_TASK: usize = 1 << 16;
/// Sums that run side by side, so that the compiler can keep them in one register.
const LANES: usize = 8;

/// The sum of the squares of `values`, added up in double precision. It doesn't depend on the number of threads.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    if values.len() <= VALUES_A_TASK {
        return sum(values);
    }
    let parts: Vec<f64> = values.par_chunks(VALUES_A_TASK).map(sum).collect();
    parts.iter().sum()
}

fn sum(values: &[f32]) -> f64 {
    let mut lanes = [0.0; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(x) * f64::from(x);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_one_by_one() {
        for count in [0, 1, 7, 8, 1003, VALUES_A_TASK + 3, 3 * VALUES_A_TASK] {
            let values: Vec<f32> = (0..count).map(|k| (k % 7) as f32 - 2.5).collect();
            let one_by_one: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
            // Multiples of a quarter are exact in any order.
            assert_eq!(sum_of_squares(&values), one_by_one, "{count} values");
        }
    }
}
