//! What the machine can do at most, as a measure for what the kernels do: multiply-adds, dot products of bfloat16, and
//! reading memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::simd::{self, Kernel, LANES, Lanes, Simd, Vector, dispatch};

/// The most that was measured, by all threads of the rayon pool together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Multiplications and additions of f32 in 10^9 a second, a fused multiply-add being two.
    pub f32_gflops: f64,
    /// The same of products of bfloat16 that are summed in f32, by AVX-512's dot products; `None` where the instruction
    /// set has none. Tiles (AMX) have no part in it.
    pub bf16_gflops: Option<f64>,
    /// Reading memory that is in no cache, in 10^9 bytes a second.
    pub read_gb_per_s: f64,
}

/// Sums that are added to in turns: as many as hide the time that one multiply-add takes.
const SUMS: usize = 12;
/// Multiply-adds of each sum in one go, some milliseconds of work.
const ROUNDS: usize = 1 << 20;
/// More than caches hold: 256 MiB.
const FLOATS: usize = 1 << 26;

/// Measures, for about so long in all; more time finds a machine's quieter moments.
pub fn peak(time: Duration) -> Peak {
    let share = time / 3;
    let f32_sums = SUMS * ROUNDS * 2;
    let f32_gflops = {
        let lanes = f32_lanes();
        let work = || {
            black_box(multiply_adds(black_box([1e-3, 1.0]), ROUNDS));
        };
        rate(share, on_all_threads(&work), f32_sums * lanes)
    };
    let bf16_gflops = simd::has_dot_products().then(|| {
        let work = || {
            black_box(simd::dot_products::<SUMS>(black_box([1e-3, 1.0]), ROUNDS));
        };
        // Two products to a lane.
        rate(share, on_all_threads(&work), f32_sums * LANES * 2)
    });
    let memory = vec![Lanes([1.0; LANES]); FLOATS / LANES];
    let part = memory.len().div_ceil(rayon::current_num_threads()).max(1);
    let mut read = || {
        black_box(memory.par_chunks(part).map(sum).sum::<f32>());
    };
    let read_gb_per_s = best(share, &mut read).recip() * (FLOATS * size_of::<f32>()) as f64 / 1e9;
    Peak {
        f32_gflops,
        bf16_gflops,
        read_gb_per_s,
    }
}

/// The same work by every thread of the pool at once.
fn on_all_threads(work: &(impl Fn() + Sync)) -> impl FnMut() {
    move || {
        rayon::broadcast(|_| work());
    }
}

/// 10^9 operations a second, of `operations` by each thread.
fn rate(time: Duration, mut work: impl FnMut(), operations: usize) -> f64 {
    let threads = rayon::current_num_threads() as f64;
    threads * operations as f64 / best(time, &mut work) / 1e9
}

/// The least seconds that the work took, of as many times as there is time for, and at least two.
fn best(time: Duration, work: &mut impl FnMut()) -> f64 {
    work();
    let began = Instant::now();
    let mut least = f64::INFINITY;
    while least.is_infinite() || began.elapsed() < time {
        let began = Instant::now();
        work();
        least = least.min(began.elapsed().as_secs_f64());
    }
    least
}

/// Floats in a register.
fn f32_lanes() -> usize {
    struct Width<'a>(&'a mut usize);
    impl Kernel for Width<'_> {
        #[inline(always)]
        fn run<S: Simd>(self, _simd: S) {
            *self.0 = LANES / S::PARTS;
        }
    }
    let mut lanes = 0;
    dispatch(Width(&mut lanes));
    lanes
}

/// `rounds` times `a * b` added to each of the sums, all lanes and sums together.
fn multiply_adds([a, b]: [f32; 2], rounds: usize) -> f32 {
    struct MultiplyAdds<'a> {
        factors: [f32; 2],
        rounds: usize,
        total: &'a mut f32,
    }
    impl Kernel for MultiplyAdds<'_> {
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let [a, b] = self.factors.map(|factor| simd.splat(factor));
            let mut sums = [simd.splat(0.0); SUMS];
            for _ in 0..self.rounds {
                for sum in &mut sums {
                    *sum = sum.plus_product(a, b);
                }
            }
            *self.total = sums.into_iter().map(|sum| lanes_of(simd, sum)).sum();
        }
    }
    let mut total = 0.0;
    dispatch(MultiplyAdds {
        factors: [a, b],
        rounds,
        total: &mut total,
    });
    total
}

/// The sum of many floats.
fn sum(lanes: &[Lanes]) -> f32 {
    struct Sum<'a> {
        lanes: &'a [Lanes],
        total: &'a mut f32,
    }
    impl Kernel for Sum<'_> {
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let mut sums = [simd.splat(0.0); SUMS];
            let chunks = self.lanes.chunks_exact(SUMS / 2);
            let rest: f32 = chunks.remainder().iter().map(|lanes| lanes.sum()).sum();
            for chunk in chunks {
                for (lanes, pair) in chunk.iter().zip(sums.chunks_exact_mut(2)) {
                    for (part, sum) in pair.iter_mut().enumerate().take(S::PARTS) {
                        *sum = *sum + simd.load(lanes, part);
                    }
                }
            }
            *self.total = rest + sums.into_iter().map(|sum| lanes_of(simd, sum)).sum::<f32>();
        }
    }
    let mut total = 0.0;
    dispatch(Sum {
        lanes,
        total: &mut total,
    });
    total
}

/// The sum of a register's lanes.
#[inline(always)]
fn lanes_of<S: Simd>(simd: S, register: S::V) -> f32 {
    let mut lanes = Lanes::ZERO;
    simd.store(register, &mut lanes, 0);
    lanes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is counted is what is done.
    #[test]
    fn every_multiply_add_counts() {
        // Small multiples of a power of two are exact.
        let done = multiply_adds([0.5, 0.25], 1000) / 0.125;
        assert_eq!(done, (1000 * SUMS * f32_lanes()) as f32);
        if simd::has_dot_products() {
            let done = simd::dot_products::<SUMS>([0.5, 0.25], 1000) / 0.125;
            assert_eq!(done, (1000 * SUMS * LANES * 2) as f32);
        }
    }

    #[test]
    fn every_float_is_read() {
        for count in [1, 5, 6, 1003] {
            let lanes: Vec<Lanes> = (0..count).map(|k| Lanes([(k % 7) as f32; LANES])).collect();
            let one_by_one: f32 = Lanes::flat(&lanes).iter().sum();
            assert_eq!(sum(&lanes), one_by_one, "{count} lanes");
        }
    }
}
