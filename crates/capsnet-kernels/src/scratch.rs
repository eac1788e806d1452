//! Scratch memory that is reused from call to call.

use crate::simd::Lanes;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    free: Mutex<Vec<Vec<Lanes>>>,
}

impl Scratch {
    /// A buffer of `len` elements with unspecified contents; it comes back when dropped.
    pub(crate) fn take(&self, len: usize) -> Buffer<'_> {
        let fitting = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let best = (0..free.len())
                .filter(|&i| free[i].len() >= len)
                .min_by_key(|&i| free[i].len());
            best.map(|i| free.swap_remove(i))
        };
        let lanes = fitting.unwrap_or_else(|| vec![Lanes::ZERO; len]);
        Buffer { lanes, len, home: self }
    }
}

/// A borrowed buffer.
pub(crate) struct Buffer<'a> {
    lanes: Vec<Lanes>,
    len: usize,
    home: &'a Scratch,
}

impl Deref for Buffer<'_> {
    type Target = [Lanes];
    fn deref(&self) -> &[Lanes] {
        &self.lanes[..self.len]
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut [Lanes] {
        &mut self.lanes[..self.len]
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let mut free = self.home.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(std::mem::take(&mut self.lanes));
    }
}
