//! Votes and dynamic routing on a graphics processor: the plan and its launches.

use cubecl::prelude::*;
use cubecl::server::Handle;

use super::{routing_backward, routing_forward};
use crate::{CouplingsOver, RoutingShape};

/// Samples that a cube has beside each other, one a lane of a plane on most devices.
const TILE: usize = 32;

/// The same where gradients of the votes are exchanged, which takes more shared memory.
const GRADIENT_TILE: usize = 16;

/// Units of a cube at most: more of them hold up each other at every barrier.
const UNITS: usize = 512;

/// Chunks of lower capsules whose sums are added up at the end: enough to occupy a large device. They don't depend on
/// the batch, and so a sample's result doesn't either.
const CHUNKS: usize = 96;

/// Units that share the adding of the chunks.
const SLICES: usize = 8;

/// What the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Layer {
    pub(super) lower: usize,
    pub(super) lower_dimensions: usize,
    pub(super) upper: usize,
    pub(super) upper_dimensions: usize,
    /// Capsules that share what each pair starts from, a coupling of one over their number.
    pub(super) sharing: usize,
    /// Elements of a vector of a lower capsule, by which it is read.
    pub(super) lower_width: usize,
    /// Elements of a vector of an upper capsule.
    pub(super) upper_width: usize,
    /// Samples of a cube.
    pub(super) tile: usize,
}

impl Layer {
    fn columns(&self) -> usize {
        self.upper * self.upper_dimensions
    }

    /// Bytes of shared memory of the passes over the lower capsules.
    fn pass_memory(&self) -> usize {
        let (capsules, units) = (self.tile * self.lower_dimensions, self.tile * self.upper);
        4 * (2 * self.lower_dimensions * self.columns() + 2 * capsules + 4 * units)
    }

    /// Bytes of shared memory of the gradient of the operands.
    fn gradient_memory(&self) -> usize {
        let (capsules, units) = (self.tile * self.lower_dimensions, self.tile * self.upper);
        let weights = self.lower_dimensions * self.columns();
        4 * (weights + capsules + 4 * units + self.tile * (self.columns() + 1) + self.upper * capsules)
    }

    /// Bytes of shared memory where chunks are added up.
    fn sum_memory(&self) -> usize {
        4 * SLICES * self.upper_dimensions * self.tile
    }

    /// The layer with the largest tile of at most `most` samples that a device has room for.
    fn fit(self, most: usize, units: usize, memory: usize, bytes: impl Fn(&Self) -> usize) -> Option<Self> {
        let tiles = std::iter::successors(Some(most), |tile| (*tile > 1).then(|| tile / 2));
        tiles
            .map(|tile| Self { tile, ..self })
            .find(|layer| layer.tile * layer.upper <= units && bytes(layer) <= memory)
    }
}

/// A fully connected layer of capsules with routing by agreement (Sabour, Frosst, Hinton 2017, equation 2 and procedure
/// 1), as [`VoteRouting`](crate::VoteRouting) is on the CPU: no votes are in the device's memory, and the adjoint is
/// written by hand.
#[derive(Clone, Debug)]
pub struct GpuRouting {
    shape: RoutingShape,
    /// The passes over the lower capsules, and the sums of their chunks.
    pass: Layer,
    /// The gradient of the operands.
    gradient: Layer,
    /// Units of the kernels that add up chunks.
    slices: usize,
    chunk: usize,
    chunks: usize,
}

/// What routing came to.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The upper capsules, `[B, J, D]`.
    pub v: Handle,
    /// What the adjoint needs of the forward pass.
    pub kept: Kept,
}

/// What the adjoint needs of the forward pass: two buffers of [`GpuRouting::kept_len`] elements.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The weighted sums of votes of every round.
    pub sums: Handle,
    /// The sums of the outputs of all rounds before each.
    pub totals: Handle,
}

impl GpuRouting {
    /// A plan for a device, if the kernels can be run there: a cube has units for the upper capsules and memory for a
    /// lower capsule's weights, and the couplings sum to one over the upper capsules where they are made from votes.
    pub fn new(client: &Client, shape: RoutingShape) -> Option<Self> {
        let sizes = [
            shape.batch,
            shape.lower,
            shape.lower_dimensions,
            shape.upper,
            shape.upper_dimensions,
        ];
        let sharing = match shape.couplings_over {
            CouplingsOver::Outputs => shape.upper,
            CouplingsOver::Inputs if shape.iterations <= 1 => shape.lower,
            CouplingsOver::Inputs => return None,
        };
        if sizes.contains(&0) {
            return None;
        }
        let hardware = &client.properties().hardware;
        let (most, memory) = (hardware.max_units_per_cube as usize, hardware.max_shared_memory_size);
        let units = if shape.upper > UNITS { most } else { UNITS.min(most) };
        let layer = Layer {
            lower: shape.lower,
            lower_dimensions: shape.lower_dimensions,
            upper: shape.upper,
            upper_dimensions: shape.upper_dimensions,
            sharing,
            lower_width: width(shape.lower_dimensions),
            upper_width: width(shape.upper_dimensions),
            tile: 1,
        };
        let pass = layer.fit(TILE, units, memory, |of| of.pass_memory().max(of.sum_memory()))?;
        let gradient = layer.fit(GRADIENT_TILE, units, memory, Layer::gradient_memory)?;
        let chunk = shape.lower.div_ceil(CHUNKS);
        let plan = Self {
            shape,
            pass,
            gradient,
            slices: SLICES.min(most / pass.tile),
            chunk,
            chunks: shape.lower.div_ceil(chunk),
        };
        // The kernels count in 32 bits.
        let longest = [
            shape.lower_len(),
            shape.weight_len(),
            plan.kept_len(),
            plan.chunks * shape.upper_len(),
        ];
        let cubes = [
            (shape.lower.max(shape.upper), hardware.max_cube_count.0),
            (shape.batch.div_ceil(pass.tile), hardware.max_cube_count.1),
        ];
        let fits = longest.iter().all(|&length| u32::try_from(length).is_ok())
            && cubes.iter().all(|&(count, most)| count <= most as usize);
        fits.then_some(plan)
    }

    /// Elements of each buffer of [`Kept`].
    pub fn kept_len(&self) -> usize {
        self.shape.iterations.max(1) * self.shape.upper_len()
    }

    /// Routes lower capsules `u`, `[B, I, E]`, by `weight`, `[I, E, J D]`; both lie in order.
    ///
    /// # Panics
    ///
    /// If a buffer is too small.
    pub fn forward(&self, client: &Client, u: &Handle, weight: &Handle) -> Routed {
        let (shape, pass) = (self.shape, self.pass);
        let (m, n) = (pass.lower_width, pass.upper_width);
        let upper = shape.upper_len();
        let rounds = shape.iterations.max(1);
        let partial = floats(client, self.chunks * upper);
        let kept = Kept {
            sums: floats(client, self.kept_len()),
            totals: floats(client, self.kept_len()),
        };
        let v = floats(client, upper);
        for round in 0..rounds {
            let [pass_count, sum_count] = self.counts();
            // SAFETY: `argument` checks the lengths, which are those that the layouts in the kernels' documentation
            // have; lower capsules, samples, chunks and rounds stay below their numbers.
            unsafe {
                routing_forward::weighted_sums::launch_unchecked(
                    client,
                    pass_count,
                    dim(pass.tile, pass.upper),
                    m,
                    n,
                    argument(u, shape.lower_len()),
                    argument(weight, shape.weight_len()),
                    argument(&kept.totals, self.kept_len()),
                    argument(&partial, self.chunks * upper),
                    shape.batch,
                    round,
                    self.chunk,
                    pass,
                    round == 0,
                );
                routing_forward::squash_sums::launch_unchecked(
                    client,
                    sum_count,
                    dim(pass.tile, self.slices),
                    n,
                    argument(&partial, self.chunks * upper),
                    argument(&kept.sums, self.kept_len()),
                    argument(&kept.totals, self.kept_len()),
                    argument(&v, upper),
                    shape.batch,
                    round,
                    self.chunks,
                    self.chunks.div_ceil(self.slices),
                    pass,
                    self.slices,
                    round + 1 == rounds,
                );
            }
        }
        Routed { v, kept }
    }

    /// The gradients of lower capsules and weight, from that of the upper capsules, `dv`, `[B, J, D]`.
    ///
    /// # Panics
    ///
    /// If a buffer is too small.
    pub fn backward(&self, client: &Client, u: &Handle, weight: &Handle, kept: &Kept, dv: &Handle) -> [Handle; 2] {
        let (shape, pass) = (self.shape, self.pass);
        let (m, n) = (pass.lower_width, pass.upper_width);
        let upper = shape.upper_len();
        let rounds = shape.iterations.max(1);
        let partial = floats(client, self.chunks * upper);
        let later = floats(client, upper);
        let ds = floats(client, self.kept_len());
        let [du, dw] = [shape.lower_len(), shape.weight_len()].map(|length| floats(client, length));
        for round in (0..rounds).rev() {
            let [pass_count, sum_count] = self.counts();
            // SAFETY: as in the forward pass.
            unsafe {
                routing_backward::sums_gradient::launch_unchecked(
                    client,
                    sum_count,
                    dim(pass.tile, self.slices),
                    n,
                    argument(&partial, self.chunks * upper),
                    argument(dv, upper),
                    argument(&kept.sums, self.kept_len()),
                    argument(&later, upper),
                    argument(&ds, self.kept_len()),
                    shape.batch,
                    round,
                    self.chunks,
                    self.chunks.div_ceil(self.slices),
                    pass,
                    self.slices,
                    round + 1 == rounds,
                    round + 2 == rounds,
                );
                if round > 0 {
                    routing_backward::totals_gradient::launch_unchecked(
                        client,
                        pass_count,
                        dim(pass.tile, pass.upper),
                        m,
                        n,
                        argument(u, shape.lower_len()),
                        argument(weight, shape.weight_len()),
                        argument(&kept.totals, self.kept_len()),
                        argument(&ds, self.kept_len()),
                        argument(&partial, self.chunks * upper),
                        shape.batch,
                        round,
                        self.chunk,
                        pass,
                    );
                }
            }
        }
        // SAFETY: as in the forward pass.
        unsafe {
            routing_backward::operands_gradient::launch_unchecked(
                client,
                CubeCount::Static(shape.lower as u32, 1, 1),
                dim(self.gradient.tile, shape.upper),
                m,
                n,
                argument(u, shape.lower_len()),
                argument(weight, shape.weight_len()),
                argument(&kept.totals, self.kept_len()),
                argument(&ds, self.kept_len()),
                argument(&du, shape.lower_len()),
                argument(&dw, shape.weight_len()),
                shape.batch,
                shape.batch.div_ceil(self.gradient.tile),
                self.gradient,
                rounds,
            );
        }
        [du, dw]
    }

    /// Cubes of a pass over the lower capsules, and of the sum of its chunks.
    fn counts(&self) -> [CubeCount; 2] {
        let tiles = self.shape.batch.div_ceil(self.pass.tile) as u32;
        [self.chunks as u32, self.shape.upper as u32].map(|across| CubeCount::Static(across, tiles, 1))
    }
}

/// The longest vectors that so many elements are whole numbers of.
fn width(elements: usize) -> usize {
    [4, 2]
        .into_iter()
        .find(|size| elements.is_multiple_of(*size))
        .unwrap_or(1)
}

fn dim(x: usize, y: usize) -> CubeDim {
    CubeDim::new_2d(x as u32, y as u32)
}

fn floats(client: &Client, length: usize) -> Handle {
    client.empty(length * size_of::<f32>())
}

/// A buffer of so many numbers as a kernel's argument.
///
/// # Safety
///
/// The kernel reads and writes no further.
unsafe fn argument(buffer: &Handle, length: usize) -> BufferArg {
    let bytes = (length * size_of::<f32>()) as u64;
    assert!(buffer.size_in_used() >= bytes, "a buffer of {bytes} bytes is needed");
    // SAFETY: the buffer is that long.
    unsafe { BufferArg::from_raw_parts(buffer.clone(), length) }
}
