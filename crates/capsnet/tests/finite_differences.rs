//! Gradients against central differences `(f(x + h) - f(x - h)) / 2h` in f64: layers, losses and whole networks.
//!
//! With `h = 1e-5` truncation (`h^2 f'''/6`) and rounding (`1e-16 f / h`) both stay near 1e-10, so that a tolerance of
//! 1e-7 of the largest gradient leaves no room for a wrong term.

mod support;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::DType;
use capsnet::layer::squash;
use capsnet::loss::{MarginLoss, SpreadLoss, reconstruction_loss, sigmoid_cross_entropy};
use capsnet::model::{AnyNetwork, Model, ModelConfig, Network, Output};
use capsnet::routing::{Number, Routing, Upper, Votes, algorithms};
use support::networks::{SmallCapsNets, in_f64};
use support::{assert_close, classes, fixture, tensor, values, waves};

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-7;

/// Checks the gradient of `loss` at `at`, in every entry.
fn check<const N: usize>(what: &str, at: Vec<f64>, shape: [usize; N], loss: impl Fn(Tensor<N>) -> Tensor<1>) {
    let device = Device::flex().autodiff();
    let input = |values: Vec<f64>| tensor::<N>(values, shape.to_vec(), &device);
    let x = input(at.clone()).require_grad();
    let found = values(x.grad(&loss(x.clone()).backward()).unwrap());
    let shifted = |k: usize, by: f64| {
        let mut values = at.clone();
        values[k] += by;
        loss(input(values)).into_scalar::<f64>()
    };
    let differences: Vec<f64> = (0..at.len())
        .map(|k| (shifted(k, STEP) - shifted(k, -STEP)) / (2.0 * STEP))
        .collect();
    assert!(
        differences.iter().any(|d| d.abs() > 1e-3),
        "{what}: no gradient to speak of"
    );
    assert_close(what, &found, &differences, TOLERANCE, 0.0);
}

/// A scalar that depends on every entry of `output` in a different way.
fn mixed<const N: usize>(output: Tensor<N>) -> Tensor<1> {
    let shape = output.dims().to_vec();
    let weights = waves(shape.iter().product(), 0.3);
    let device = output.device();
    (output * tensor(weights, shape, &device)).sum()
}

#[test]
fn squash_has_the_right_gradient() {
    check("squash", waves(24, 0.1), [2, 3, 4], |s| mixed(squash(s)));
}

#[test]
fn routing_has_the_right_gradient() {
    let forms = algorithms().into_iter().flat_map(|algorithm| match algorithm.number {
        Number::Iterations => (0..=5).map(|r| format!("{}:{r}", algorithm.name)).collect(),
        Number::None | Number::Seed => vec![algorithm.name.to_owned()],
    });
    for text in forms {
        let routing: Routing = text.parse().unwrap();
        let activations = |device: &Device| {
            let values = waves(8, 0.9).iter().map(|x| 0.5 + 0.4 * x).collect();
            tensor::<2>(values, vec![2, 4], device)
        };
        let loss = |votes: Votes| {
            let upper = routing.forward(votes);
            // EM's activations hardly depend on what it trains in its first iterations.
            mixed(upper.v.clone()) + mixed(upper.activation()) * 100.0
        };
        let u_hat = waves(2 * 3 * 4 * 2, 0.2);
        check(&text, u_hat.clone(), [2, 3, 4, 2], |u_hat| {
            let activations = activations(&u_hat.device());
            loss(Votes::from(u_hat).with_activations(activations))
        });
        let votes = |device: &Device| Votes::from(tensor::<4>(u_hat.clone(), vec![2, 3, 4, 2], device));
        if routing.algorithm().uses_activations() {
            let at = values(activations(&Device::flex()));
            check(&format!("{text} by activations"), at, [2, 4], |activations| {
                loss(votes(&activations.device()).with_activations(activations))
            });
        }
        let parameters = routing.algorithm().parameters(votes(&Device::flex()).sizes());
        for (number, parameter) in parameters.iter().enumerate() {
            let count = parameter.len();
            let what = format!("{text} by {}", parameter.name);
            check(&what, waves(count, 0.5), [count], |value| {
                let device = value.device();
                let start = parameters.iter().map(|parameter| parameter.start(&device, DType::F64));
                let mut all: Vec<Tensor<1>> = start.collect();
                all[number] = value;
                let votes = votes(&device).with_activations(activations(&device));
                loss(votes.with_parameters(all))
            });
        }
    }
}

#[test]
fn margin_loss_has_the_right_gradient() {
    // From 0.02 to 0.98, on both sides of both margins and at neither.
    let lengths: Vec<f64> = waves(15, 0.7).iter().map(|x| 0.5 + 0.48 * x).collect();
    check("margin loss", lengths, [3, 5], |lengths| {
        let labels = classes(&[4, 0, 2], &lengths.device());
        MarginLoss::default().forward(lengths, labels)
    });
}

#[test]
fn spread_loss_has_the_right_gradient() {
    let activations: Vec<f64> = waves(15, 0.7).iter().map(|x| 0.5 + 0.48 * x).collect();
    // Margins of 0.214, 0.595 and nearly 0.99.
    for step in [0, 200_000, 700_000] {
        check("spread loss", activations.clone(), [3, 5], |activations| {
            let labels = classes(&[4, 0, 2], &activations.device());
            SpreadLoss::default().forward(activations, labels, step)
        });
        check("spread loss of pairs", activations.clone(), [3, 5], |activations| {
            let device = activations.device();
            let labels = [classes(&[4, 0, 2], &device), classes(&[1, 3, 0], &device)];
            SpreadLoss::default().forward_pairs(activations, labels, step)
        });
    }
}

#[test]
fn losses_of_two_present_classes_have_the_right_gradient() {
    let truth = |device: &Device| {
        let present = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0];
        tensor::<2>(present.to_vec(), vec![2, 5], device)
    };
    let lengths: Vec<f64> = waves(10, 0.7).iter().map(|x| 0.5 + 0.48 * x).collect();
    check("margin loss of pairs", lengths, [2, 5], |lengths| {
        let truth = truth(&lengths.device());
        MarginLoss::default().forward_present(lengths, truth)
    });
    let logits: Vec<f64> = waves(10, 0.2).iter().map(|x| 4.0 * x).collect();
    check("sigmoid cross-entropy", logits, [2, 5], |logits| {
        let truth = truth(&logits.device());
        sigmoid_cross_entropy(logits, truth)
    });
}

/// Through the lengths and through both decodings.
#[test]
fn the_loss_of_pairs_has_the_right_gradient_by_the_capsules() {
    let device = Device::flex().autodiff();
    for case in fixture::<SmallCapsNets>("small_capsnet").networks {
        let network = in_f64(case.model(&device).network);
        let (AnyNetwork::CapsNet(capsnet), ModelConfig::CapsNet(config)) = (network, case.config()) else {
            panic!("{} is no CapsNet", case.name)
        };
        let shape = [2, config.classes, config.class_dimensions];
        let pixels = config.image.pixels();
        check("pair loss", waves(shape.iter().product(), 0.6), shape, |v| {
            let device = v.device();
            let parts = [0.1, 0.8].map(|phase| tensor::<2>(waves(2 * pixels, phase), vec![2, pixels], &device));
            let labels = [classes(&[0, 2], &device), classes(&[1, 0], &device)];
            let output = Output {
                scores: capsnet.scores(&Upper::by_length(v.clone())),
                capsules: Some(v),
            };
            capsnet.pair_loss(&output, parts, labels)
        });
    }
}

#[test]
fn reconstruction_loss_has_the_right_gradient() {
    check("reconstruction loss", waves(12, 0.4), [2, 6], |image| {
        let target = tensor(waves(12, 1.1), vec![2, 6], &image.device());
        reconstruction_loss(image, target)
    });
}

/// Every parameter of the small networks of the fixtures, in a sample of entries; batch norm in training mode.
#[test]
fn whole_capsnets_have_the_right_gradient() {
    let device = Device::flex().autodiff();
    for case in fixture::<SmallCapsNets>("small_capsnet").networks {
        let mut model = case.model(&device);
        model.network = in_f64(model.network);
        let (images, labels) = (case.images.tensor::<4>(&device), classes(&case.labels, &device));
        let loss = |model: &Model| {
            let output = model.forward(images.clone());
            model.loss(&output, images.clone(), labels.clone())
        };
        let gradients = GradientsParams::from_grads(loss(&model).backward(), &model.network);
        let parameters = parameters(&model.network, &gradients);
        let names: Vec<&str> = parameters.iter().map(|p| p.path.as_str()).collect();
        let expected = if case.name.starts_with("tutorial") { 13 } else { 11 };
        assert_eq!(names.len(), expected, "{}: {names:?}", case.name);
        for parameter in &parameters {
            let shifted = |entry: usize, by: f64| {
                let mut shift = Shift {
                    id: parameter.id,
                    entry,
                    by,
                };
                let moved = Model {
                    config: model.config.clone(),
                    network: model.network.clone().map(&mut shift),
                    class_names: Vec::new(),
                };
                loss(&moved).into_scalar::<f64>()
            };
            let entries = parameter.sample();
            let found: Vec<f64> = entries.iter().map(|&k| parameter.gradient[k]).collect();
            let differences: Vec<f64> = entries
                .iter()
                .map(|&k| (shifted(k, STEP) - shifted(k, -STEP)) / (2.0 * STEP))
                .collect();
            // A parameter with gradients of 1e-5 is still compared to within the rounding of the differences.
            let what = format!("{}, {}", case.name, parameter.path);
            assert_close(&what, &found, &differences, TOLERANCE, 1e-10);
        }
    }
}

struct Parameter {
    path: String,
    id: ParamId,
    gradient: Vec<f64>,
}

impl Parameter {
    /// Six entries spread over those with a gradient, which a dead unit or a masked capsule may not have.
    fn sample(&self) -> Vec<usize> {
        let live: Vec<usize> = (0..self.gradient.len()).filter(|&k| self.gradient[k] != 0.0).collect();
        assert!(!live.is_empty(), "{} has no gradient", self.path);
        let count = live.len().min(6);
        (0..count).map(|k| live[k * live.len() / count]).collect()
    }
}

/// The parameters that have a gradient.
fn parameters(network: &AnyNetwork, gradients: &GradientsParams) -> Vec<Parameter> {
    struct Collect<'a> {
        gradients: &'a GradientsParams,
        path: Vec<String>,
        parameters: Vec<Parameter>,
    }
    impl ModuleVisitor for Collect<'_> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }

        fn visit_float<const N: usize>(&mut self, param: &Param<Tensor<N>>) {
            if let Some(gradient) = self.gradients.get::<N>(param.id) {
                assert_eq!(gradient.dtype(), DType::F64);
                self.parameters.push(Parameter {
                    path: self.path.join("."),
                    id: param.id,
                    gradient: values(gradient),
                });
            }
        }
    }
    let mut collect = Collect {
        gradients,
        path: Vec::new(),
        parameters: Vec::new(),
    };
    network.visit(&mut collect);
    collect.parameters
}

/// Adds `by` to one entry of one parameter.
struct Shift {
    id: ParamId,
    entry: usize,
    by: f64,
}

impl ModuleMapper for Shift {
    fn map_float<const N: usize>(&mut self, param: Param<Tensor<N>>) -> Param<Tensor<N>> {
        if param.id != self.id {
            return param;
        }
        let shape = param.val().dims().to_vec();
        let device = param.val().device();
        let mut shifted = values(param.val());
        shifted[self.entry] += self.by;
        Param::initialized(param.id, tensor(shifted, shape, &device))
    }
}
