//! The equivariant capsule network: a polar map, convolutions that wrap around it, and capsules that turn.
//!
//! The map is read between pixels without an operator for that, which not every reader has: the pixel in row `r` and
//! column `c` weighs `max(0, 1 - |y - r|) max(0, 1 - |x - c|)` at the point `(x, y)`, which is bilinear interpolation.

use burn::prelude::*;
use capsnet::layer::polar::PolarSampling;
use capsnet::model::{Architecture, EquivariantCapsNetConfig, ImageShape, Model};

use super::ExportError;
use super::capsules::votes;
use super::graph::{Builder, Value, With};
use super::routing::Layer;
use super::squash::squash;

/// The scores of the equivariant network, `[B, classes]`.
pub(super) fn equivariant(
    builder: &mut Builder,
    x: &Value,
    config: &EquivariantCapsNetConfig,
) -> Result<Value, ExportError> {
    // What isn't among the weights but made of them: the grid, and the vote matrices at every angle.
    let network = Model::from_weights(config.clone(), builder.weights(), &Device::flex())?.network;
    let [radii, angles] = [config.radii, config.angles];
    let map = polar_map(builder, x, config, &network.sampling);
    let x = with_radius(builder, &map, radii);
    let conv = |builder: &mut Builder, x: &Value, layer: &str, angles: usize, relu: bool| {
        let mut y = polar_conv(builder, x, layer, angles)?;
        if relu {
            y = builder.relu(&y);
        }
        match config.batch_norm {
            true => builder.batch_norm(&y, &format!("{layer}.norm"), 1e-5),
            false => Ok(y),
        }
    };
    let x = conv(builder, &x, "conv1", angles, true)?;
    let x = halved(builder, &x, config.channels[0], angles);
    let x = conv(builder, &x, "conv2", angles / 2, true)?;
    let x = halved(builder, &x, config.channels[1], angles / 2);
    let x = conv(builder, &x, "conv3", angles / 4, true)?;
    let s = conv(builder, &x, "primary_capsules", angles / 4, false)?;

    let (kinds, coordinates) = (config.primary_kinds, 2 * config.primary_dimensions);
    let positions = radii / 4 * (angles / 4);
    let layer = Layer {
        name: "class_capsules",
        lower: kinds * positions,
        upper: config.classes,
        dimensions: 2 * config.orders.len(),
    };
    let s = builder.reshape(&s, &[0, kinds as i64, coordinates as i64, positions as i64]);
    let s = builder.node("Transpose", &[&s], &[With::Ints("perm", &[0, 1, 3, 2])]);
    let s = builder.reshape(&s, &[0, layer.lower as i64, coordinates as i64]);
    let u = squash(builder, &s);
    // [I, E, J * D] to [J, I, E, D].
    let matrices = network.class_capsules.vote_matrices();
    let matrices = matrices.reshape([layer.lower, coordinates, layer.upper, layer.dimensions]);
    let matrices = builder.tensor(matrices.permute([2, 0, 1, 3]));
    let votes = votes(builder, &u, &matrices);
    let routed = layer.route(builder, &votes, &u, &config.routing)?;
    let Some(upright) = &network.upright else {
        return Ok(routed.activation);
    };
    // How upright a capsule stands: its coordinates of order 1 along a direction, the others along nothing.
    let direction = upright.val();
    let norm = (direction.clone().square().sum_dim(1) + 1e-12).sqrt();
    let [still, turning, twice] = config.orders.0.map(|count| 2 * count);
    let part = |size: usize| Tensor::<2>::zeros([layer.upper, size], &direction.device());
    let along = direction.clone() / norm * config.upright_weight;
    let along = Tensor::cat(vec![part(still), along, part(twice)], 1);
    debug_assert_eq!(along.dims()[1], still + turning + twice);
    let along = builder.tensor(along.reshape([1, layer.upper, 1, layer.dimensions]));
    let products = builder.mul(&routed.v, &along);
    let sum = builder.sum(&products, -1);
    let upright = builder.reshape(&sum, &[0, layer.upper as i64]);
    Ok(builder.add(&routed.activation, &upright))
}

/// The ink around its centre of mass on the polar grid, `[B, channels, radii, angles]`.
fn polar_map(builder: &mut Builder, x: &Value, config: &EquivariantCapsNetConfig, sampling: &PolarSampling) -> Value {
    let ImageShape {
        channels,
        height,
        width,
    } = config.input().image;
    let pixels = builder.flatten(x);
    let axes = [With::Ints("axes", &[1]), With::Int("keepdims", 1)];
    let darkest = builder.node("ReduceMin", &[&pixels], &axes);
    let pixels = builder.sub(&pixels, &darkest);
    let size = [0, channels, height, width].map(|size| size as i64);
    let ink = builder.reshape(&pixels, &size);

    let reach = (sampling.gaussian().dims()[2] / 2) as i64;
    let gaussian = builder.tensor(sampling.gaussian().repeat_dim(0, channels));
    let with = [
        With::Ints("dilations", &[1, 1]),
        With::Int("group", channels as i64),
        With::Ints("pads", &[reach; 4]),
        With::Ints("strides", &[1, 1]),
    ];
    let smooth = builder.node("Conv", &[&ink, &gaussian], &with);

    let sum = builder.sum(&pixels, 1);
    let mass = builder.plus(&sum, 1e-6);
    // [B, 1, points, side]: how much each column (row) of pixels weighs at each point of the grid.
    let mut weights = |axis: usize, side: usize, place: &dyn Fn(usize) -> usize| {
        let middle = (side - 1) as f32 / 2.0;
        let from_middle: Vec<f32> = (0..channels * height * width)
            .map(|pixel| place(pixel) as f32 - middle)
            .collect();
        let from_middle = builder.floats(&[from_middle.len(), 1], &from_middle);
        let moment = builder.node("MatMul", &[&pixels, &from_middle], &[]);
        let offset = builder.div(&moment, &mass);
        let centre = builder.plus(&offset, middle);
        let centre = builder.unsqueeze(&centre, &[2, 3]); // [B, 1, 1, 1]
        let points = config.radii * config.angles;
        let offsets = sampling
            .offsets()
            .slice_dim(3, axis..axis + 1)
            .reshape([1, 1, points, 1]);
        let offsets = builder.tensor(offsets);
        let points = builder.add(&centre, &offsets);
        let places: Vec<f32> = (0..side).map(|place| place as f32).collect();
        let places = builder.floats(&[1, 1, 1, side], &places);
        let away = builder.sub(&points, &places);
        let away = builder.node("Abs", &[&away], &[]);
        let one = builder.floats(&[], &[1.0]);
        let near = builder.sub(&one, &away);
        builder.relu(&near)
    };
    let by_column = weights(0, width, &|pixel| pixel % width);
    let by_row = weights(1, height, &|pixel| pixel / width % height);
    let rows = builder.node("MatMul", &[&by_row, &smooth], &[]); // [B, channels, points, width]
    let products = builder.mul(&rows, &by_column);
    let map = builder.sum(&products, -1);
    let size = [0, channels, config.radii, config.angles].map(|size| size as i64);
    builder.reshape(&map, &size)
}

/// The map with a channel more that holds the radius, 0 at the centre and 1 at the rim.
fn with_radius(builder: &mut Builder, map: &Value, radii: usize) -> Value {
    let radius: Vec<f32> = (0..radii).map(|r| (r as f32 + 0.5) / radii as f32).collect();
    let radius = builder.floats(&[1, 1, radii, 1], &radius);
    // As many as there are maps.
    let sum = builder.sum(map, 1);
    let nothing = builder.times(&sum, 0.0);
    let radius = builder.add(&nothing, &radius);
    builder.concat(&[map.clone(), radius], 1)
}

/// A convolution as large as its input: around the circle, on at the opposite angle inside, nothing outside.
fn polar_conv(builder: &mut Builder, map: &Value, layer: &str, angles: usize) -> Result<Value, ExportError> {
    let weight = format!("{layer}.weight");
    let (shape, _) = builder.values(&weight)?;
    let reach = shape[2] / 2;
    let inside: Vec<i64> = (0..reach as i64).rev().collect();
    let opposite: Vec<i64> = (0..angles)
        .map(|angle| ((angle + angles / 2) % angles) as i64)
        .collect();
    let inside = builder.gather(map, &inside, 2);
    let inside = builder.gather(&inside, &opposite, 3);
    let x = builder.concat(&[inside, map.clone()], 2);
    let x = wrapped(builder, &x, angles, reach);
    let inputs = [builder.weight(&weight)?, builder.weight(&format!("{layer}.bias"))?];
    let with = [
        With::Ints("dilations", &[1, 1]),
        With::Int("group", 1),
        // Top, left, bottom, right.
        With::Ints("pads", &[0, 0, reach as i64, 0]),
        With::Ints("strides", &[1, 1]),
    ];
    Ok(builder.node("Conv", &[&x, &inputs[0], &inputs[1]], &with))
}

/// Half the radii, averaged in pairs, and half the angles, smoothed by 1 3 3 1.
fn halved(builder: &mut Builder, map: &Value, channels: usize, angles: usize) -> Value {
    let x = wrapped(builder, map, angles, 1);
    let row = [0.0625, 0.1875, 0.1875, 0.0625];
    let kernel: Vec<f32> = row.iter().cycle().take(8 * channels).copied().collect();
    let kernel = builder.floats(&[channels, 1, 2, 4], &kernel);
    let with = [
        With::Ints("dilations", &[1, 1]),
        With::Int("group", channels as i64),
        With::Ints("pads", &[0; 4]),
        With::Ints("strides", &[2, 2]),
    ];
    builder.node("Conv", &[&x, &kernel], &with)
}

/// So many more angles at both ends, around the circle.
fn wrapped(builder: &mut Builder, map: &Value, angles: usize, reach: usize) -> Value {
    let around: Vec<i64> = (0..angles + 2 * reach)
        .map(|angle| ((angle + angles - reach) % angles) as i64)
        .collect();
    builder.gather(map, &around, 3)
}
