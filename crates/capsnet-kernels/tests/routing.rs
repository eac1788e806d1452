//! Routing against its definition in f64 and the definition's adjoint, which finite differences hold to it.

mod routing_reference;
mod support;

use capsnet_kernels::{CouplingsOver, FrozenVoteRouting, KernelError, RoutingShape, VoteRouting};
use proptest::prelude::*;
use routing_reference::Definition;
use routing_reference::agreement::{Operands, Passes, shape};

fn run(shape: RoutingShape, operands: &Operands) -> Result<Passes, KernelError> {
    let routing = VoteRouting::new(shape)?;
    // NaN shows what isn't overwritten; the second round, what is left in the scratch memory.
    let nan = |len| vec![f32::NAN; len];
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let mut passes = Passes {
            v: nan(shape.upper_len()),
            du: nan(shape.lower_len()),
            dw: nan(shape.weight_len()),
        };
        let mut sums = nan(shape.sums_len());
        routing.forward(&operands.u, &operands.w, &mut passes.v, Some(&mut sums))?;
        let mut alone = nan(shape.upper_len());
        routing.forward(&operands.u, &operands.w, &mut alone, None)?;
        assert_eq!(alone, passes.v, "with and without sums");
        let Passes { du, dw, .. } = &mut passes;
        routing.backward(&operands.u, &operands.w, &sums, &operands.dv, du, dw)?;
        rounds.push(passes);
    }
    assert!(rounds[0] == rounds[1], "two rounds of {shape:?}");
    Ok(rounds.swap_remove(0))
}

fn assert_matches_definition(shape: RoutingShape) {
    let operands = Operands::new(&shape);
    let passes = run(shape, &operands).expect("a valid shape");
    passes.assert_match_the_definition(&shape, &operands);
}

fn any_shape() -> impl Strategy<Value = RoutingShape> {
    let lower = (1..150usize, 1..14usize);
    // The squash of a long vector of one dimension has a gradient of almost nothing, the difference of two large
    // numbers.
    let upper = (1..12usize, 2..20usize);
    (1..14usize, lower, upper, 1..6usize, any::<bool>()).prop_map(|(batch, lower, upper, iterations, inputs)| {
        let couplings_over = if inputs {
            CouplingsOver::Inputs
        } else {
            CouplingsOver::Outputs
        };
        RoutingShape {
            iterations,
            couplings_over,
            ..shape(batch, [lower.0, lower.1], [upper.0, upper.1])
        }
    })
}

/// Of a size that an interpreter gets through: for Miri.
#[test]
fn tiny_layers_match_the_definition() {
    for couplings_over in [CouplingsOver::Outputs, CouplingsOver::Inputs] {
        assert_matches_definition(RoutingShape {
            iterations: 2,
            couplings_over,
            ..shape(1, [3, 2], [2, 2])
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn it_matches_the_definition(shape in any_shape()) {
        assert_matches_definition(shape);
    }
}

#[test]
fn every_number_of_iterations_matches_the_definition() {
    for couplings_over in [CouplingsOver::Outputs, CouplingsOver::Inputs] {
        for iterations in 1..=5 {
            assert_matches_definition(RoutingShape {
                iterations,
                couplings_over,
                ..shape(7, [67, 5], [3, 6])
            });
        }
    }
}

#[test]
fn the_networks_routing_matches_the_definition() {
    assert_matches_definition(shape(1, [1152, 8], [10, 16]));
    assert_matches_definition(shape(5, [1152, 8], [10, 16]));
}

/// More samples than one group of the backward pass.
#[test]
fn long_batches_match_the_definition() {
    assert_matches_definition(shape(133, [20, 3], [4, 5]));
}

#[test]
fn capsules_of_one_dimension_match_the_definition() {
    assert_matches_definition(shape(3, [5, 1], [4, 1]));
    assert_matches_definition(shape(2, [3, 2], [1, 1]));
}

#[test]
fn the_definitions_gradients_are_its_finite_differences() {
    const STEP: f64 = 1e-5;
    for couplings_over in [CouplingsOver::Outputs, CouplingsOver::Inputs] {
        for iterations in 1..=5 {
            let shape = RoutingShape {
                iterations,
                couplings_over,
                ..shape(2, [4, 2], [3, 3])
            };
            let Operands { u, w, dv } = Operands::new(&shape);
            let (u, w): (Vec<f64>, Vec<f64>) = (
                u.into_iter().map(f64::from).collect(),
                w.into_iter().map(f64::from).collect(),
            );
            let loss = |u: &[f64], w: &[f64]| -> f64 {
                let v = Definition::new(&shape, u, w).v();
                v.iter().zip(&dv).map(|(v, &g)| v * f64::from(g)).sum()
            };
            let (du, dw) = Definition::new(&shape, &u, &w).gradients(&dv);
            for (of_w, gradient) in [(false, du), (true, dw)] {
                for (k, gradient) in gradient.iter().enumerate() {
                    let shifted = |by: f64| {
                        let (mut u, mut w) = (u.clone(), w.clone());
                        (if of_w { &mut w } else { &mut u })[k] += by;
                        loss(&u, &w)
                    };
                    let difference = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
                    assert!(
                        (difference - gradient).abs() < 1e-7 * gradient.abs().max(1.0),
                        "{shape:?}: {difference} {gradient}"
                    );
                }
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for couplings_over in [CouplingsOver::Outputs, CouplingsOver::Inputs] {
        // The batches are shared out differently: by chunks, by tiles, by tiles with few threads only.
        for batch in [1, 7, 33, 131] {
            let shape = RoutingShape {
                couplings_over,
                ..shape(batch, [200, 4], [5, 6])
            };
            let operands = Operands::new(&shape);
            let with_threads = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .expect("a thread pool");
                pool.install(|| run(shape, &operands)).expect("a valid shape")
            };
            let one = with_threads(1);
            for threads in [2, 3] {
                assert!(with_threads(threads) == one, "{shape:?} with {threads} threads");
            }
        }
    }
}

/// A sample's capsules and gradients are the same bytes in any company.
#[test]
fn samples_are_independent() {
    let many = shape(9, [70, 8], [10, 16]);
    let operands = Operands::new(&many);
    let together = run(many, &operands).expect("a valid shape");
    let one = RoutingShape { batch: 1, ..many };
    for sample in 0..many.batch {
        let part = |all: &[f32], len: usize| all[sample * len..(sample + 1) * len].to_vec();
        let operands = Operands {
            u: part(&operands.u, one.lower_len()),
            w: operands.w.clone(),
            dv: part(&operands.dv, one.upper_len()),
        };
        let alone = run(one, &operands).expect("a valid shape");
        assert_eq!(alone.v, part(&together.v, one.upper_len()));
        assert_eq!(alone.du, part(&together.du, one.lower_len()));
    }
}

#[test]
fn bad_calls_are_errors() {
    let good = shape(2, [3, 4], [5, 6]);
    let error = |shape| VoteRouting::new(shape).expect_err("a bad shape");
    assert_eq!(
        error(RoutingShape { iterations: 0, ..good }),
        KernelError::ZeroDimension { field: "iterations" }
    );
    assert_eq!(
        error(RoutingShape { lower: 0, ..good }),
        KernelError::ZeroDimension { field: "lower" }
    );
    assert!(matches!(
        error(RoutingShape {
            lower: usize::MAX,
            ..good
        }),
        KernelError::TooManyElements { .. }
    ));
    let routing = VoteRouting::new(good).expect("a valid shape");
    let (u, w, mut v) = (
        vec![0.0; good.lower_len()],
        vec![0.0; good.weight_len()],
        vec![0.0; good.upper_len()],
    );
    assert_eq!(
        routing.forward(&u[1..], &w, &mut v, None),
        Err(KernelError::WrongLength {
            tensor: "u",
            expected: u.len(),
            actual: u.len() - 1
        })
    );
    assert!(routing.forward(&u, &w, &mut v, None).is_ok());
    assert!(v.iter().all(|&v| v == 0.0), "votes of zero");
}

/// Weights that were copied before give the same bytes, and don't follow what becomes of the original.
#[test]
fn frozen_weights_route_as_others_do() {
    for couplings_over in [CouplingsOver::Outputs, CouplingsOver::Inputs] {
        for batch in [1, 3, 9] {
            let shape = RoutingShape {
                couplings_over,
                ..shape(batch, [70, 8], [10, 16])
            };
            let Operands { u, mut w, .. } = Operands::new(&shape);
            let frozen = FrozenVoteRouting::new(shape, &w).expect("a valid shape");
            let (mut expected, mut got) = (vec![f32::NAN; shape.upper_len()], vec![f32::NAN; shape.upper_len()]);
            let routing = VoteRouting::new(shape).expect("a valid shape");
            routing.forward(&u, &w, &mut expected, None).expect("good lengths");
            w.fill(0.0);
            frozen.forward(&u, &mut got).expect("good lengths");
            assert!(got == expected, "{shape:?}");

            let short = frozen.forward(&u[1..], &mut got);
            assert!(matches!(short, Err(KernelError::WrongLength { tensor: "u", .. })));
            assert!(FrozenVoteRouting::new(shape, &w[1..]).is_err());
        }
    }
}
