//! Votes and three iterations of dynamic routing: 1152 capsules of 8 dimensions to 10 of 16.

use capsnet_kernels::{CouplingsOver, FrozenVoteRouting, RoutingShape, VoteRouting};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::{BATCHES, noise};

const SHAPE: RoutingShape = RoutingShape {
    batch: 1,
    lower: 1152,
    lower_dimensions: 8,
    upper: 10,
    upper_dimensions: 16,
    iterations: 3,
    couplings_over: CouplingsOver::Outputs,
};

/// The batch with either normalisation of the couplings.
const CASES: [(CouplingsOver, usize); 6] = [
    (CouplingsOver::Outputs, 1),
    (CouplingsOver::Outputs, 8),
    (CouplingsOver::Outputs, 128),
    (CouplingsOver::Inputs, 1),
    (CouplingsOver::Inputs, 8),
    (CouplingsOver::Inputs, 128),
];

struct Case {
    shape: RoutingShape,
    routing: VoteRouting,
    u: Vec<f32>,
    w: Vec<f32>,
    v: Vec<f32>,
    sums: Vec<f32>,
}

impl Case {
    fn new((couplings_over, batch): (CouplingsOver, usize)) -> Self {
        let shape = RoutingShape {
            batch,
            couplings_over,
            ..SHAPE
        };
        Self {
            shape,
            routing: VoteRouting::new(shape).expect("a possible shape"),
            u: small(1, shape.lower_len()),
            w: small(2, shape.weight_len()),
            v: vec![0.0; shape.upper_len()],
            sums: vec![0.0; shape.sums_len()],
        }
    }
}

fn small(seed: u64, len: usize) -> Vec<f32> {
    noise(seed, len).map(|v| 0.1 * v).collect()
}

#[divan::bench(args = CASES)]
fn forward(bencher: Bencher, case: (CouplingsOver, usize)) {
    let mut of = Case::new(case);
    bencher.counter(ItemsCount::new(case.1)).bench_local(|| {
        let Case {
            routing, u, w, v, sums, ..
        } = &mut of;
        routing.forward(u, w, v, Some(sums))
    });
}

/// The gradients of capsules and weights.
#[divan::bench(args = CASES)]
fn backward(bencher: Bencher, case: (CouplingsOver, usize)) {
    let mut of = Case::new(case);
    of.routing
        .forward(&of.u, &of.w, &mut of.v, Some(&mut of.sums))
        .expect("slices of the shape");
    let dv = small(3, of.shape.upper_len());
    let (mut du, mut dw) = (vec![0.0; of.shape.lower_len()], vec![0.0; of.shape.weight_len()]);
    bencher
        .counter(ItemsCount::new(case.1))
        .bench_local(|| of.routing.backward(&of.u, &of.w, &of.sums, &dv, &mut du, &mut dw));
}

/// Forward by weights that were laid out before.
#[divan::bench(args = BATCHES)]
fn frozen(bencher: Bencher, batch: usize) {
    let of = Case::new((CouplingsOver::Outputs, batch));
    let routing = FrozenVoteRouting::new(SHAPE, &of.w).expect("a possible shape");
    let mut v = of.v;
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| routing.forward(&of.u, &mut v));
}
