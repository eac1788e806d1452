//! Matrix capsules with EM routing: poses of 4 x 4, convolutional layers of capsules, every iteration written out.
//!
//! Shapes, with `P` positions of parents, `K` offsets in a kernel, `L` types of children, `J` of parents, `N = K L`:
//! votes `[B, P, J, N, 16]`, shares `[B, P, J, 1, N]`, parents `[B, P, J, 1, 16]`. So sums over children are products
//! of matrices, and only the votes and their squared distances are large. Which children a parent sees, and which
//! parents compete for a child, are tables of constants.

use burn::prelude::*;
use capsnet::layer::{EmShape, MatrixCapsules};
use capsnet::model::{Architecture, EmCapsNetConfig, Model};
use capsnet::ops::EmForm;

use super::ExportError;
use super::em::{Cost, damped, prior, summed_logs};
use super::graph::{Builder, Value, With};

/// Capsules at positions.
struct Capsules {
    /// `[B, positions, types, 16]`
    poses: Value,
    /// `[B, positions, types]`
    activations: Value,
}

/// The scores of EM-CapsNet, `[B, classes]`.
pub(super) fn em_capsnet(builder: &mut Builder, x: &Value, config: &EmCapsNetConfig) -> Result<Value, ExportError> {
    let network = Model::from_weights(config.clone(), builder.weights(), &Device::flex())?.network;
    let conv = builder.conv(x, "conv1", 2, 1)?;
    let mut features = builder.relu(&conv);
    if config.batch_norm {
        features = builder.batch_norm(&features, "bn1", 1e-3)?;
    }
    let mut capsules = primary(builder, &features, config.types[0])?;
    let layers = [
        ("capsules1", &network.capsules1),
        ("capsules2", &network.capsules2),
        ("classes", &network.classes),
    ];
    for (name, layer) in layers {
        capsules = MatrixLayer::new(name, layer).parents(builder, &capsules)?;
    }
    // There is one position of classes.
    let classes = config.input().classes as i64;
    Ok(builder.reshape(&capsules.activations, &[0, classes]))
}

fn primary(builder: &mut Builder, features: &Value, types: usize) -> Result<Capsules, ExportError> {
    let types = types as i64;
    let poses = builder.conv(features, "primary.pose", 1, 1)?;
    let poses = builder.reshape(&poses, &[0, types, 16, -1]);
    let poses = builder.transpose(&poses, &[0, 3, 1, 2]);
    let logits = builder.conv(features, "primary.activation", 1, 1)?;
    let activations = builder.node("Sigmoid", &[&logits], &[]);
    let activations = builder.reshape(&activations, &[0, types, -1]);
    let activations = builder.transpose(&activations, &[0, 2, 1]);
    Ok(Capsules { poses, activations })
}

/// A layer that is being written.
struct MatrixLayer<'a> {
    name: &'a str,
    layer: &'a MatrixCapsules,
    shape: &'a EmShape,
    form: EmForm,
    /// Of each pair of a position and an offset, the place of its child.
    child: Vec<usize>,
    rivals: Rivals,
}

impl<'a> MatrixLayer<'a> {
    fn new(name: &'a str, layer: &'a MatrixCapsules) -> Self {
        let (shape, form) = (layer.shape(), layer.form());
        let child = (0..shape.positions())
            .flat_map(|position| (0..shape.offsets()).map(move |offset| shape.child(position, offset)))
            .collect();
        Self {
            name,
            layer,
            shape,
            form,
            child,
            rivals: Rivals::new(&form.rivals(shape)),
        }
    }

    fn parents(&self, builder: &mut Builder, children: &Capsules) -> Result<Capsules, ExportError> {
        let [positions, upper] = [self.shape.positions(), self.shape.upper].map(|size| size as i64);
        let pairs = (self.shape.offsets() * self.shape.lower) as i64;
        let child: Vec<i64> = self.child.iter().map(|&place| place as i64).collect();
        let votes = self.votes(builder, &children.poses, &child);
        let activations = builder.gather(&children.activations, &child, 1);
        let activations = builder.reshape(&activations, &[0, positions, 1, 1, pairs]);
        let mut beta = |name: &str| {
            let beta = builder.weight(&format!("{}.{name}", self.name))?;
            Ok::<_, ExportError>(builder.unsqueeze(&beta, &[0, 1, 3, 4])) // [1, 1, J, 1, 1]
        };
        let [beta_u, beta_a] = [beta("beta_u")?, beta("beta_a")?];
        let betas = [beta_u, builder.times(&beta_a, self.layer.beta_a_unit() as f32)];

        let mut shares = self.first_shares(builder);
        let mut before: Option<Value> = None;
        let rounds = self.shape.iterations.max(1);
        for round in 0..rounds {
            let weights = builder.mul(&activations, &shares); // [B, P, J or 1, 1, N]
            let sum = builder.sum(&weights, -1);
            let mass = builder.plus(&sum, EmShape::LEAST_MASS as f32); // [B, P, J or 1, 1, 1]
            let sum = builder.node("MatMul", &[&weights, &votes], &[]);
            let mut mean = builder.div(&sum, &mass);
            let mut lambda = EmShape::inverse_temperature(round);
            let least_variance = self.form.least_variance() as f32;
            if self.form == EmForm::Official {
                mean = damped(builder, &mean, before.as_ref());
                if self.shape.shared {
                    lambda *= self.form.class_layer();
                }
            }
            let apart = builder.sub(&votes, &mean);
            let squares = builder.mul(&apart, &apart);
            let sum = builder.node("MatMul", &[&weights, &squares], &[]);
            let variance = builder.div(&sum, &mass);
            let variance = builder.plus(&variance, least_variance);
            let logs = summed_logs(builder, &variance);
            let cost = Cost {
                mass: &mass,
                logs: &logs,
                betas: &betas,
                dimensions: 16,
                lambda,
            };
            let logit = match self.form {
                EmForm::Paper => cost.paper(builder, self.shape.mass_scale()),
                EmForm::Official => cost.official(builder),
            };
            if round + 1 == rounds {
                let activations = builder.node("Sigmoid", &[&logit], &[]);
                return Ok(Capsules {
                    poses: builder.reshape(&mean, &[0, positions, upper, 16]),
                    activations: builder.reshape(&activations, &[0, positions, upper]),
                });
            }
            let prior = prior(builder, &logit, &logs, 16);
            let one = builder.floats(&[], &[1.0]);
            let precision = builder.div(&one, &variance);
            let precision = builder.transpose(&precision, &[0, 1, 2, 4, 3]);
            let distance = builder.node("MatMul", &[&squares, &precision], &[]); // [B, P, J, N, 1]
            let distance = builder.divide_by(&distance, 2.0);
            let density = builder.sub(&prior, &distance);
            shares = self.compete(builder, &density);
            before = Some(mean);
        }
        unreachable!("the last round returns")
    }

    /// The poses of all children that parents see, times their matrices.
    fn votes(&self, builder: &mut Builder, poses: &Value, child: &[i64]) -> Value {
        let EmShape { lower, upper, .. } = *self.shape;
        let [positions, offsets] = [self.shape.positions(), self.shape.offsets()].map(|size| size as i64);
        let (types, parents) = (lower as i64, upper as i64);
        let seen = builder.gather(poses, child, 1);
        let seen = builder.reshape(&seen, &[0, positions, offsets, types, 4, 4]);
        let seen = builder.transpose(&seen, &[2, 3, 0, 1, 4, 5]); // [K, L, B, P, 4, 4]
        let rows = builder.reshape(&seen, &[offsets, types, -1, 4]);
        // A row of the pose times the columns of all matrices; one offset's serve all where they are shared.
        let own = self.shape.weight_offsets();
        let matrices = self.layer.weight.val().reshape([own, lower, upper, 4, 4]);
        let matrices = matrices.permute([0, 1, 3, 2, 4]).reshape([own, lower, 4, upper * 4]);
        let matrices = builder.tensor(matrices);
        let votes = builder.node("MatMul", &[&rows, &matrices], &[]); // [K, L, B P 4, J 4]
        let pairs = offsets * types;
        let votes = builder.reshape(&votes, &[pairs, -1, positions, 4, parents, 4]);
        let votes = builder.transpose(&votes, &[1, 2, 4, 0, 3, 5]);
        let votes = builder.reshape(&votes, &[-1, positions, parents, pairs, 16]);
        match self.places() {
            Some(places) => {
                let places = builder.floats(&[1, self.shape.positions(), 1, pairs as usize, 16], &places);
                builder.add(&votes, &places)
            }
            None => votes,
        }
    }

    /// Where children sit, as it is added to their votes: `[P, N, 16]`.
    fn places(&self) -> Option<Vec<f32>> {
        let centres = self.shape.centres?;
        let mut added = Vec::with_capacity(self.child.len() * self.shape.lower * 16);
        for place in &self.child {
            let [row, column] = centres.of(place / self.shape.width, place % self.shape.width);
            let mut vote = [0.0; 16];
            (vote[3], vote[7]) = (row as f32, column as f32);
            added.extend(vote.repeat(self.shape.lower));
        }
        Some(added)
    }

    /// The same share for all rivals, `[1, P, 1, 1, N]`.
    fn first_shares(&self, builder: &mut Builder) -> Value {
        let types = match self.form {
            EmForm::Paper => self.shape.upper,
            EmForm::Official => 1,
        };
        let share = |group: &usize| vec![1.0 / (self.rivals.sizes[*group] * types) as f32; self.shape.lower];
        let shares: Vec<f32> = self.rivals.group.iter().flat_map(share).collect();
        let (positions, pairs) = (self.shape.positions(), self.shape.offsets() * self.shape.lower);
        builder.floats(&[1, positions, 1, 1, pairs], &shares)
    }

    /// Shares by logarithms of densities, `[B, P, J, N, 1]`: a softmax over rivals; types compete in the paper's form
    /// only.
    fn compete(&self, builder: &mut Builder, density: &Value) -> Value {
        let EmShape { lower, upper, .. } = *self.shape;
        let (positions, offsets) = (self.shape.positions(), self.shape.offsets());
        let [cells, lower, upper] = [positions * offsets, lower, upper].map(|size| size as i64);
        let (positions, pairs) = (positions as i64, offsets as i64 * lower);
        let density = builder.reshape(density, &[0, positions, upper, pairs]);
        let density = builder.transpose(&density, &[0, 1, 3, 2]);
        let density = builder.reshape(&density, &[0, cells, lower, upper]);
        let among_types = self.form == EmForm::Paper;
        let mut largest = density.clone();
        if among_types {
            largest = builder.largest(&largest, 3, true);
        }
        let largest = self.rivals.among(builder, &largest, f32::MIN, |builder, rivals| {
            builder.largest(rivals, 2, false)
        });
        let above = builder.sub(&density, &largest);
        let powers = builder.node("Exp", &[&above], &[]);
        let mut sums = powers.clone();
        if among_types {
            sums = builder.sum(&sums, 3);
        }
        let sums = self.rivals.among(builder, &sums, 0.0, |builder, rivals| {
            let sum = builder.sum(rivals, 2);
            let axes = builder.integers(&[2]);
            builder.node("Squeeze", &[&sum, &axes], &[])
        });
        let shares = builder.div(&powers, &sums);
        let shares = builder.reshape(&shares, &[0, positions, pairs, upper]);
        let shares = builder.transpose(&shares, &[0, 1, 3, 2]);
        builder.reshape(&shares, &[0, positions, upper, 1, pairs])
    }
}

/// Which pairs of a position and an offset compete.
struct Rivals {
    /// Of each pair, its group.
    group: Vec<usize>,
    /// Of each group, how many pairs it has.
    sizes: Vec<usize>,
    /// Of each group, its pairs, as many for each; the number of pairs stands for none.
    table: Vec<i64>,
}

impl Rivals {
    fn new(group: &[usize]) -> Self {
        let groups = group.iter().max().map_or(0, |most| most + 1);
        let mut members = vec![Vec::new(); groups];
        for (pair, &group) in group.iter().enumerate() {
            members[group].push(pair as i64);
        }
        let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
        let most = sizes.iter().copied().max().unwrap_or(0);
        for members in &mut members {
            members.resize(most, group.len() as i64);
        }
        Self {
            group: group.to_vec(),
            sizes,
            table: members.concat(),
        }
    }

    /// Something of all rivals of each pair: `[B, pairs, lower, types]` to the same, by a reduction that takes away the
    /// third of five dimensions.
    fn among(
        &self,
        builder: &mut Builder,
        of_pairs: &Value,
        nothing: f32,
        reduce: impl Fn(&mut Builder, &Value) -> Value,
    ) -> Value {
        if self.sizes.iter().all(|&size| size <= 1) {
            return of_pairs.clone();
        }
        let nothing = builder.floats(&[], &[nothing]);
        // At the end of the second dimension.
        let pads = builder.integers(&[0, 0, 0, 0, 0, 1, 0, 0]);
        let with_nobody = builder.node("Pad", &[of_pairs, &pads, &nothing], &[]);
        let groups = self.sizes.len();
        let table = builder.table(&[groups, self.table.len() / groups], &self.table);
        let rivals = builder.node("Gather", &[&with_nobody, &table], &[With::Int("axis", 1)]);
        let reduced = reduce(builder, &rivals);
        let group: Vec<i64> = self.group.iter().map(|&group| group as i64).collect();
        builder.gather(&reduced, &group, 1)
    }
}
