//! Adam against a reference in f64, and the laws of its partition.

use capsnet_kernels::AdamStep;
use proptest::prelude::*;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

fn step(learning_rate: f64, t: u64) -> AdamStep {
    AdamStep::new(BETA_1, BETA_2, EPSILON, learning_rate, t)
}

/// Parameter and moments of one element, and its largest gradient so far.
#[derive(Clone, Copy)]
struct Element {
    p: f64,
    m: f64,
    v: f64,
    largest: f64,
}

impl Element {
    /// Algorithm 1 of the paper, with both moments corrected before use.
    fn moved(self, g: f64, learning_rate: f64, t: i32) -> Self {
        let m = BETA_1 * self.m + (1.0 - BETA_1) * g;
        let v = BETA_2 * self.v + (1.0 - BETA_2) * g * g;
        let corrected_m = m / (1.0 - BETA_1.powi(t));
        let corrected_v = v / (1.0 - BETA_2.powi(t));
        let p = self.p - learning_rate * corrected_m / (corrected_v.sqrt() + EPSILON);
        let largest = self.largest.max(g.abs());
        Self { p, m, v, largest }
    }
}

/// Values of many sizes, both signs, and zeros.
fn values(len: usize, salt: u64) -> Vec<f32> {
    let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let value = |_| {
        let (mantissa, exponent) = (next() * 2.0 - 1.0, (next() * 8.0).floor() as i32 - 6);
        if mantissa.abs() < 0.05 {
            0.0
        } else {
            mantissa * 10f32.powi(exponent)
        }
    };
    (0..len).map(value).collect()
}

#[derive(Clone, Debug, PartialEq)]
struct State {
    p: Vec<f32>,
    m: Vec<f32>,
    v: Vec<f32>,
}

/// Several steps from zero moments.
fn run(len: usize, steps: u64) -> State {
    let (p, m, v) = (values(len, 99), vec![0.0; len], vec![0.0; len]);
    let mut state = State { p, m, v };
    for t in 1..=steps {
        let gradient = values(len, t);
        step(1e-3, t)
            .apply(&mut state.p, &gradient, &mut state.m, &mut state.v)
            .unwrap();
    }
    state
}

fn assert_follows_the_paper(len: usize, steps: u64) {
    let found = run(len, steps);
    let mut expected: Vec<Element> = values(len, 99)
        .iter()
        .map(|&p| Element {
            p: f64::from(p),
            m: 0.0,
            v: 0.0,
            largest: 0.0,
        })
        .collect();
    for t in 1..=steps {
        for (element, g) in expected.iter_mut().zip(values(len, t)) {
            *element = element.moved(f64::from(g), 1e-3, t as i32);
        }
    }
    for (i, e) in expected.iter().enumerate() {
        let close = |name: &str, found: f32, expected: f64, tolerance: f64| {
            let error = (f64::from(found) - expected).abs();
            assert!(error <= tolerance, "{name}[{i}] of {len}: {found} for {expected}");
        };
        // Moments of opposite signs cancel, the rounding of what they were does not.
        close("m", found.m[i], e.m, 5e-7 * e.largest);
        close("v", found.v[i], e.v, 2e-6 * e.v);
        close("p", found.p[i], e.p, 1e-6 * e.p.abs() + 1e-7);
    }
}

#[test]
fn several_steps_follow_the_paper() {
    for len in [0, 1, 7, 16, 33, 1000] {
        assert_follows_the_paper(len, 12);
    }
    // Past the length from which threads share the work, with a last chunk that is short.
    assert_follows_the_paper(5 * (1 << 14) + 13, 3);
}

/// Of a size that an interpreter gets through: for Miri.
#[test]
fn tiny_parameters_follow_the_paper() {
    assert_follows_the_paper(19, 2);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(100_003, 3))
    };
    assert!(with_threads(1) == with_threads(2));
}

#[test]
fn lengths_must_agree() {
    let step = step(1e-3, 1);
    let (mut p, mut m, mut v) = ([1.0; 4], [0.0; 4], [0.0; 4]);
    let message = |result: Result<(), capsnet_kernels::KernelError>| result.unwrap_err().to_string();
    assert!(message(step.apply(&mut p, &[1.0; 3], &mut m, &mut v)).contains("gradient has 3"));
    assert!(message(step.apply(&mut p, &[1.0; 4], &mut m[..2], &mut v)).contains("first has 2"));
    assert!(message(step.apply(&mut p, &[1.0; 4], &mut m, &mut v[..1])).contains("second has 1"));
    assert_eq!(p, [1.0; 4]);
}

proptest! {
    /// Every element is computed on its own, wherever it stands in the slice.
    #[test]
    fn a_part_of_a_slice_moves_as_it_does_in_the_whole(len in 1usize..200, cut in 0usize..200, salt in 0u64..1000) {
        let cut = cut % len;
        let gradient = values(len, salt);
        let start = State { p: values(len, salt + 1), m: values(len, salt + 2), v: values(len, salt + 3) };
        let start = State { v: start.v.iter().map(|v| v.abs()).collect(), ..start };
        let (mut whole, mut parts) = (start.clone(), start);
        step(0.1, 5).apply(&mut whole.p, &gradient, &mut whole.m, &mut whole.v).unwrap();
        for range in [0..cut, cut..len] {
            let (p, m, v) = (&mut parts.p[range.clone()], &mut parts.m[range.clone()], &mut parts.v[range.clone()]);
            step(0.1, 5).apply(p, &gradient[range], m, v).unwrap();
        }
        prop_assert_eq!(whole, parts);
    }
}
