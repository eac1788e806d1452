//! Matrix capsules with EM routing against the formulas in plain f64 loops, gradients against finite differences of
//! these.

use capsnet_kernels::{Centres, EmForm, EmGradients, EmRouting, EmShape, KernelError};

const CAPSULE: usize = 17;

/// What the formulas say, pair by pair, with nothing shared.
fn reference(shape: &EmShape, children: &[f64], weight: &[f64], betas: &[f64]) -> Vec<f64> {
    let (types, offsets, positions) = (shape.upper, shape.offsets(), shape.positions());
    let official = shape.form == EmForm::Official;
    let columns = (shape.width - shape.kernel[1]) / shape.stride + 1;
    // The place that a pair competes for: the child's, or that which it would have if the stride were 1.
    let place = |p: usize, k: usize| {
        let stride = if official { 1 } else { shape.stride };
        (
            p / columns * stride + k / shape.kernel[1],
            p % columns * stride + k % shape.kernel[1],
        )
    };
    let pairs: Vec<(usize, usize)> = (0..offsets)
        .flat_map(|k| (0..shape.lower).map(move |b| (k, b)))
        .collect();
    let capsules = shape.height * shape.width * shape.lower * CAPSULE;
    let scale = shape.mass_scale();
    let mut out = Vec::new();
    for children in children.chunks(capsules) {
        let child_of = |p: usize, (k, b): (usize, usize)| shape.child(p, k) * shape.lower + b;
        let vote = |p: usize, pair: (usize, usize), j: usize| {
            let pose = &children[child_of(p, pair) * CAPSULE..][..16];
            let offset = if shape.shared { 0 } else { pair.0 };
            let w = &weight[((offset * shape.lower + pair.1) * types + j) * 16..][..16];
            let mut v = [0.0; 16];
            for (d, v) in v.iter_mut().enumerate() {
                *v = (0..4).map(|k| pose[d / 4 * 4 + k] * w[4 * k + d % 4]).sum();
            }
            if let Some(centres) = shape.centres {
                let place = shape.child(p, pair.0);
                let [row, column] = centres.of(place / shape.width, place % shape.width);
                v[3] += row;
                v[7] += column;
            }
            v
        };
        let each = |f: &dyn Fn(usize, usize, usize) -> f64| -> Vec<Vec<Vec<f64>>> {
            let of_parent = |p: usize, j: usize| (0..pairs.len()).map(|i| f(p, i, j)).collect();
            (0..positions)
                .map(|p| (0..types).map(|j| of_parent(p, j)).collect())
                .collect()
        };
        let mut shares = each(&|p, i, _| {
            let wanted = place(p, pairs[i].0);
            let all = (0..positions).flat_map(|q| (0..offsets).map(move |k| (q, k)));
            let rivals = all.filter(|&(q, k)| place(q, k) == wanted).count();
            1.0 / (rivals * if official { 1 } else { types }) as f64
        });
        let mut means = vec![[0.0; 16]; positions * types];
        let rounds = shape.iterations.max(1);
        for t in 0..rounds {
            let lambda = EmShape::inverse_temperature(t) * if official && shape.shared { 0.25 } else { 1.0 };
            let mut parents = Vec::new();
            for (p, shares) in shares.iter_mut().enumerate() {
                for (j, shares) in shares.iter_mut().enumerate() {
                    let votes: Vec<[f64; 16]> = pairs.iter().map(|&pair| vote(p, pair, j)).collect();
                    let weights: Vec<f64> = pairs
                        .iter()
                        .zip(&*shares)
                        .map(|(&pair, share)| share * children[child_of(p, pair) * CAPSULE + 16])
                        .collect();
                    let mass = weights.iter().sum::<f64>() + 1e-8;
                    let average = |f: &dyn Fn(&[f64; 16]) -> f64| {
                        votes.iter().zip(&weights).map(|(v, w)| w * f(v)).sum::<f64>() / mass
                    };
                    let old = &mut means[p * types + j];
                    let mean: Vec<f64> = (0..16)
                        .map(|d| match official {
                            true => 0.9 * average(&|v| v[d]) + 0.1 * old[d],
                            false => average(&|v| v[d]),
                        })
                        .collect();
                    old.copy_from_slice(&mean);
                    let least = if official { 5e-4 } else { 1e-6 };
                    let variance: Vec<f64> = (0..16)
                        .map(|d| average(&|v| (v[d] - mean[d]).powi(2)) + least)
                        .collect();
                    let logit = if official {
                        let entropy: f64 = variance
                            .iter()
                            .map(|x| x.ln() + betas[j] * (std::f64::consts::TAU.ln() + 1.0))
                            .sum();
                        -lambda * (5000.0 * betas[types + j] + mass * entropy)
                    } else {
                        let cost: f64 = variance.iter().map(|x| (betas[j] + x.ln() / 2.0) * mass * scale).sum();
                        lambda * (betas[types + j] - cost)
                    };
                    let prior = -(1.0 + (-logit).exp()).ln();
                    for (share, v) in shares.iter_mut().zip(&votes) {
                        let of = |d: usize| {
                            (v[d] - mean[d]).powi(2) / variance[d] + (std::f64::consts::TAU * variance[d]).ln()
                        };
                        *share = prior - 0.5 * (0..16).map(of).sum::<f64>();
                    }
                    parents.extend(mean);
                    parents.push(1.0 / (1.0 + (-logit).exp()));
                }
            }
            if t + 1 == rounds {
                out.extend(parents);
                break;
            }
            let logits = shares.clone();
            shares = each(&|p, i, j| {
                let (k, child) = pairs[i];
                let mut rivals = Vec::new();
                for (q, of_position) in logits.iter().enumerate() {
                    for (_, of_type) in of_position
                        .iter()
                        .enumerate()
                        .filter(|(kind, _)| !official || *kind == j)
                    {
                        let same = pairs
                            .iter()
                            .zip(of_type)
                            .filter(|((at, other), _)| place(q, *at) == place(p, k) && *other == child);
                        rivals.extend(same.map(|(_, z)| *z));
                    }
                }
                let most = rivals.iter().copied().fold(f64::MIN, f64::max);
                let sum: f64 = rivals.iter().map(|z| (z - most).exp()).sum();
                (logits[p][j][i] - most).exp() / sum
            });
        }
    }
    out
}

fn waves(count: usize, phase: f64) -> Vec<f64> {
    (0..count)
        .map(|k| (k as f64 * 1.7 + phase + (k as f64 * 0.37).sin() * 3.0).sin())
        .collect()
}

struct Case {
    shape: EmShape,
    children: Vec<f64>,
    weight: Vec<f64>,
    betas: Vec<f64>,
    upstream: Vec<f64>,
}

impl Case {
    fn new(shape: EmShape) -> Self {
        let mut children = waves(shape.children_len(), 0.1);
        for capsule in children.chunks_mut(CAPSULE) {
            capsule[16] = 0.5 + 0.45 * capsule[16];
        }
        let mut upstream = waves(shape.parents_len(), 0.7);
        for parent in upstream.chunks_mut(CAPSULE) {
            // Activations hardly depend on anything in the first iterations.
            parent[16] *= 30.0;
        }
        Self {
            shape,
            children,
            weight: waves(shape.weight_len(), 0.4).iter().map(|x| 0.6 * x).collect(),
            betas: waves(2 * shape.upper, 0.9),
            upstream,
        }
    }

    fn loss(&self, children: &[f64], weight: &[f64], betas: &[f64]) -> f64 {
        let out = reference(&self.shape, children, weight, betas);
        out.iter().zip(&self.upstream).map(|(x, by)| x * by).sum()
    }

    /// Parents and the gradients of children, weight and betas.
    fn run(&self) -> [Vec<f32>; 4] {
        let [children, weight, betas, upstream] =
            [&self.children, &self.weight, &self.betas, &self.upstream].map(|values| singles(values));
        let routing = EmRouting::new(self.shape).unwrap();
        let mut parents = vec![f32::NAN; self.shape.parents_len()];
        let kept = routing
            .forward(&children, &weight, &betas, &mut parents, true)
            .unwrap()
            .unwrap();
        let mut again = vec![f32::NAN; self.shape.parents_len()];
        let nothing = routing.forward(&children, &weight, &betas, &mut again, false).unwrap();
        assert!(nothing.is_none() && again == parents);
        let mut gradients = [&children, &weight, &betas].map(|of| vec![f32::NAN; of.len()]);
        let [of_children, of_weight, of_betas] = &mut gradients;
        let into = EmGradients {
            children: of_children,
            weight: of_weight,
            betas: of_betas,
        };
        routing
            .backward(&children, &weight, &betas, &kept, &upstream, into)
            .unwrap();
        let [of_children, of_weight, of_betas] = gradients;
        [parents, of_children, of_weight, of_betas]
    }

    /// Every `step`th entry of the gradients against central differences of the reference.
    fn check(&self, step: usize) {
        let [parents, of_children, of_weight, of_betas] = self.run();
        let expected = reference(&self.shape, &self.children, &self.weight, &self.betas);
        close("parents", &self.shape, &parents, &expected, 1e-4);
        let differences = |which: usize| -> Vec<f64> {
            let operands = [&self.children, &self.weight, &self.betas];
            let shifted = |k: usize, by: f64| {
                let mut moved = operands.map(Clone::clone);
                moved[which][k] += by;
                self.loss(&moved[0], &moved[1], &moved[2])
            };
            let entries = (0..operands[which].len()).step_by(if which == 2 { 1 } else { step });
            entries.map(|k| (shifted(k, 1e-5) - shifted(k, -1e-5)) / 2e-5).collect()
        };
        let some = |values: &[f32]| -> Vec<f32> { values.iter().step_by(step).copied().collect() };
        close("children", &self.shape, &some(&of_children), &differences(0), 2e-3);
        close("weight", &self.shape, &some(&of_weight), &differences(1), 2e-3);
        close("betas", &self.shape, &of_betas, &differences(2), 2e-3);
    }
}

fn singles(values: &[f64]) -> Vec<f32> {
    values.iter().map(|x| *x as f32).collect()
}

/// To within `tolerance` of the largest.
fn close(what: &str, shape: &EmShape, found: &[f32], expected: &[f64], tolerance: f64) {
    let scale = expected.iter().fold(0f64, |most, x| most.max(x.abs()));
    assert!(scale > 1e-4, "{what}: nothing to compare");
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(
            error <= tolerance * scale,
            "{what} {k} of {shape:?}: {found} instead of {expected}"
        );
    }
}

fn convolution(iterations: usize) -> EmShape {
    EmShape {
        batch: 2,
        height: 6,
        width: 5,
        lower: 2,
        upper: 3,
        kernel: [3, 3],
        stride: 2,
        shared: false,
        centres: None,
        iterations,
        form: EmForm::Paper,
    }
}

const FORMS: [EmForm; 2] = [EmForm::Paper, EmForm::Official];

#[test]
fn a_convolutional_layer_is_what_the_formulas_say() {
    for form in FORMS {
        for iterations in 0..=5 {
            Case::new(EmShape {
                form,
                ..convolution(iterations)
            })
            .check(23);
        }
    }
}

/// Small enough for an interpreter.
#[test]
fn tiny_layers_are_too() {
    let shape = EmShape {
        batch: 1,
        height: 2,
        width: 3,
        lower: 1,
        upper: 2,
        kernel: [2, 2],
        stride: 1,
        ..convolution(2)
    };
    for form in FORMS {
        Case::new(EmShape { form, ..shape }).check(200);
    }
}

#[test]
fn a_dense_overlap_and_more_types_than_lanes_are_too() {
    let shape = EmShape {
        batch: 1,
        height: 4,
        width: 4,
        lower: 1,
        upper: 18,
        stride: 1,
        ..convolution(3)
    };
    for form in FORMS {
        Case::new(EmShape { form, ..shape }).check(61);
    }
}

#[test]
fn class_capsules_with_shared_matrices_and_places_are_too() {
    let shape = EmShape {
        batch: 3,
        height: 2,
        width: 3,
        lower: 4,
        upper: 5,
        kernel: [2, 3],
        stride: 1,
        shared: true,
        centres: Some(Centres {
            first: [8, 6],
            step: 4,
            size: [28, 30],
        }),
        iterations: 2,
        form: EmForm::Paper,
    };
    for form in FORMS {
        Case::new(EmShape { form, ..shape }).check(7);
    }
}

#[test]
fn hard_cases_stay_finite() {
    for (iterations, form) in (1..=5).flat_map(|iterations| FORMS.map(|form| (iterations, form))) {
        let shape = EmShape {
            form,
            ..convolution(iterations)
        };
        let mut identical = Case::new(shape);
        identical.weight.fill(0.0);
        let mut inactive = Case::new(shape);
        for capsule in inactive.children.chunks_mut(CAPSULE) {
            capsule[16] = 0.0;
        }
        let mut far = Case::new(shape);
        far.children.iter_mut().for_each(|x| *x = x.abs() * 100.0);
        far.children.chunks_mut(CAPSULE).for_each(|capsule| capsule[16] = 1.0);
        let one_child = Case::new(EmShape {
            height: 1,
            width: 1,
            lower: 1,
            kernel: [1, 1],
            ..shape
        });
        for case in [identical, inactive, far, one_child] {
            let all = case.run();
            assert!(
                all.iter().flatten().all(|x| x.is_finite()),
                "{form:?}, {iterations} iterations"
            );
        }
    }
}

/// More samples than a task takes, on several threads and on one.
#[test]
fn results_do_not_depend_on_threads() {
    let case = Case::new(EmShape {
        batch: 19,
        ..convolution(2)
    });
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| case.run())
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn what_does_not_fit_is_refused() {
    let with = |change: fn(&mut EmShape)| {
        let mut shape = convolution(2);
        change(&mut shape);
        EmRouting::new(shape).unwrap_err()
    };
    assert!(matches!(
        with(|shape| shape.lower = 0),
        KernelError::ZeroDimension { field: "lower" }
    ));
    assert!(matches!(
        with(|shape| shape.kernel = [7, 3]),
        KernelError::KernelTooLarge { kernel: 7, .. }
    ));
    assert!(matches!(
        with(|shape| shape.batch = usize::MAX / 8),
        KernelError::TooManyElements { .. }
    ));
    let routing = EmRouting::new(convolution(2)).unwrap();
    let error = routing.forward(&[], &[], &[], &mut [], false).unwrap_err();
    assert!(matches!(error, KernelError::WrongLength { tensor: "children", .. }));
}
