//! One vocabulary of vector arithmetic, several instruction sets, chosen at run time.
//!
//! Every buffer of the fast kernels is a slice of [`Lanes`]: sixteen floats on one cache line. An instruction set
//! handles a `Lanes` in [`Simd::PARTS`] registers (AVX-512: one, AVX2: two, portable: two arrays of eight that the
//! compiler vectorises as it can). Kernels are written once, generic over [`Simd`], and enter through [`dispatch`],
//! which compiles the whole kernel with the features of the instruction set at hand. A plain release build is therefore
//! as fast as one made for the machine it runs on.
//!
//! The environment variable `CAPSNET_SIMD` (`portable`, `avx2` or `avx512`) caps the choice; it is read once.

mod exp;
mod ln;
mod masks;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use half::bf16;
use std::ops::{Add, Mul, Neg, Sub};
use std::sync::OnceLock;

pub(crate) use exp::exp;
pub(crate) use ln::ln;
pub(crate) use masks::Masks;

/// Number of floats in a [`Lanes`], and of channels in a channel block.
pub(crate) const LANES: usize = 16;

/// Sixteen floats on one cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [f32; LANES]);

impl Lanes {
    /// Sixteen zeros.
    pub(crate) const ZERO: Self = Self([0.0; LANES]);

    /// The floats of consecutive `Lanes`.
    pub(crate) fn flat(lanes: &[Self]) -> &[f32] {
        // SAFETY: `Lanes` is `repr(C)` over sixteen floats without padding (its size equals its alignment), so `n` of
        // them are `16 n` initialised floats; the lifetime is carried over.
        unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len() * LANES) }
    }

    /// The floats of consecutive `Lanes`, mutably.
    pub(crate) fn flat_mut(lanes: &mut [Self]) -> &mut [f32] {
        // SAFETY: as in `flat`; the exclusive borrow is carried over.
        unsafe { std::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast(), lanes.len() * LANES) }
    }

    /// The sum of the sixteen, by halves.
    #[inline(always)]
    pub(crate) fn sum(mut self) -> f32 {
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            for lane in 0..width {
                self.0[lane] += self.0[lane + width];
            }
        }
        self.0[0]
    }
}

/// Arithmetic on one register.
pub(crate) trait Vector:
    Masks + Add<Output = Self> + Sub<Output = Self> + Neg<Output = Self> + Mul<f32, Output = Self>
{
    /// `self + factor * x`, fused where the instruction set fuses.
    fn plus(self, factor: f32, x: Self) -> Self;
    /// `self + a * b`, fused where the instruction set fuses.
    fn plus_product(self, a: Self, b: Self) -> Self;
    /// Lane-wise maximum with zero.
    fn relu(self) -> Self;
}

/// An instruction set. A value of the type is the proof that the processor has it.
pub(crate) trait Simd: Copy + Send + Sync {
    /// A register of `LANES / PARTS` floats.
    type V: Vector;
    /// Registers in a [`Lanes`].
    const PARTS: usize;

    /// All lanes equal to `value`.
    fn splat(self, value: f32) -> Self::V;
    /// Part `part < PARTS` of `lanes`.
    fn load(self, lanes: &Lanes, part: usize) -> Self::V;
    /// Overwrites part `part < PARTS` of `lanes`.
    fn store(self, value: Self::V, lanes: &mut Lanes, part: usize);

    /// Reads a register from memory.
    ///
    /// # Safety
    /// `LANES / PARTS` floats must be readable at `src`.
    unsafe fn load_from(self, src: *const f32) -> Self::V;
    /// Reads a register from numbers in bfloat16, which are exact in f32.
    ///
    /// # Safety
    /// `LANES / PARTS` of them must be readable at `src`.
    unsafe fn widen_from(self, src: *const bf16) -> Self::V;
    /// Writes a register to memory.
    ///
    /// # Safety
    /// `LANES / PARTS` floats must be writable at `dst`.
    unsafe fn store_to(self, value: Self::V, dst: *mut f32);

    /// Asks for the cache line at an address, which need not be one that can be read. Only time depends on it.
    #[inline(always)]
    fn prefetch(self, _address: *const f32) {}

    /// How many rows the micro-kernel should take next when `left > 0` remain: one of 16, 8, 6, 4, 2, 1 and at most
    /// `left`. Sized so that the accumulators fill the register file without spilling.
    fn tile_rows(left: usize) -> usize;

    /// Runs `kernel` compiled with this instruction set's features.
    fn run<K: Kernel>(self, kernel: K);
}

/// Work that is generic over the instruction set. Implementations mark `run` `#[inline(always)]`, as must all that they
/// call in their hot loops: code can only use an instruction set once it is inlined into [`Simd::run`].
pub(crate) trait Kernel {
    /// Does the work.
    fn run<S: Simd>(self, simd: S);
}

/// Runs `kernel` on the best instruction set that the processor has and `CAPSNET_SIMD` allows.
pub(crate) fn dispatch<K: Kernel>(kernel: K) {
    match level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(simd) => simd.run(kernel),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(simd) => simd.run(kernel),
        Level::Portable => portable::Portable.run(kernel),
    }
}

/// Like [`dispatch`], for work whose registers hold channels: where registers of sixteen floats would leave more than
/// half of the last one empty, those of eight are taken. [`channel_lanes`] tells the size.
pub(crate) fn dispatch_channels<K: Kernel>(channels: usize, kernel: K) {
    match level_for(channels) {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(simd) => simd.run(kernel),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(simd) => simd.run(kernel),
        Level::Portable => portable::Portable.run(kernel),
    }
}

/// Floats in a register of the instruction set that [`dispatch_channels`] takes.
pub(crate) fn channel_lanes(channels: usize) -> usize {
    match level_for(channels) {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(_) => LANES / x86::Avx512::PARTS,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(_) => LANES / x86::Avx2::PARTS,
        Level::Portable => LANES / portable::Portable::PARTS,
    }
}

#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables))]
fn level_for(channels: usize) -> Level {
    match level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(simd) if (1..=LANES / 2).contains(&(channels % LANES)) => Level::Avx2(simd.narrow()),
        level => level,
    }
}

/// The names of the instruction sets that there are kernels for, of which a machine may have some.
pub const INSTRUCTION_SETS: [&str; 3] = ["portable", "avx2", "avx512"];

/// The environment variable that names the instruction set to use, where the machine's best isn't wanted.
pub const SIMD_VARIABLE: &str = "CAPSNET_SIMD";

/// An environment variable that can't be meant: see [`check_environment`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{SIMD_VARIABLE} is `{value}`, but the instruction sets are {}", INSTRUCTION_SETS.join(", "))]
pub struct UnknownInstructionSet {
    /// What the variable says.
    pub value: String,
}

/// Checks that the environment variable [`SIMD_VARIABLE`], if there is one, names an instruction set. The kernels
/// themselves pass over what they don't know.
///
/// # Errors
///
/// What the variable says, and what it may.
pub fn check_environment() -> Result<(), UnknownInstructionSet> {
    match std::env::var_os(SIMD_VARIABLE) {
        Some(value) if !INSTRUCTION_SETS.iter().any(|&known| value == known) => Err(UnknownInstructionSet {
            value: value.to_string_lossy().into_owned(),
        }),
        _ => Ok(()),
    }
}

/// The name of the instruction set that the kernels use in this process: `avx512`, `avx2` or `portable`.
pub fn instruction_set() -> &'static str {
    match level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(_) => "avx512",
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(_) => "avx2",
        Level::Portable => "portable",
    }
}

/// Whether the instruction set in use has dot products of bfloat16.
pub(crate) fn has_dot_products() -> bool {
    match level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(simd) => simd.has_dot_products(),
        _ => false,
    }
}

/// `rounds` times `a * b`, in bfloat16, added twice to each of `16 SUMS` sums in f32; the sum of all.
///
/// # Panics
///
/// If [`has_dot_products`] doesn't hold.
pub(crate) fn dot_products<const SUMS: usize>(factors: [f32; 2], rounds: usize) -> f32 {
    match level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(simd) => simd.dot_products::<SUMS>(factors, rounds),
        _ => unreachable!("asked of {factors:?}, {rounds} times, where there are none"),
    }
}

#[derive(Clone, Copy)]
enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    Portable,
}

fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| detect(std::env::var(SIMD_VARIABLE).ok().as_deref()))
}

/// The best level not above `cap`. An unknown cap is no cap: a library has nobody to complain to.
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables))]
fn detect(cap: Option<&str>) -> Level {
    #[cfg(target_arch = "x86_64")]
    if cap != Some("portable") {
        if cap != Some("avx2")
            && let Some(simd) = x86::Avx512::detect()
        {
            return Level::Avx512(simd);
        }
        if let Some(simd) = x86::Avx2::detect() {
            return Level::Avx2(simd);
        }
    }
    Level::Portable
}
