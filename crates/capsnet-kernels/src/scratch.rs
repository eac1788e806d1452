//! Scratch memory that is reused from call to call.

use crate::simd::Lanes;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Scratch memory of the kernels, reused from call to call.
///
/// Every plan has some of its own, unless it is given another's: clones share their memory, and plans that don't run at
/// the same time then need no more than the most demanding of them.
#[derive(Clone, Default)]
pub struct Scratch {
    /// Buffers that are not in use.
    free: Arc<Mutex<Vec<Vec<Lanes>>>>,
}

impl Scratch {
    /// A buffer of `len` elements with unspecified contents; it comes back when dropped.
    pub(crate) fn take(&self, len: usize) -> Buffer<'_> {
        let taken = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let fitting = (0..free.len())
                .filter(|&i| free[i].len() >= len)
                .min_by_key(|&i| free[i].len());
            // Where none is large enough, the new one takes the place of the largest: it will do for all that that one
            // did for.
            let chosen = fitting.or_else(|| (0..free.len()).max_by_key(|&i| free[i].len()));
            chosen.map(|i| free.swap_remove(i))
        };
        let lanes = match taken {
            Some(lanes) if lanes.len() >= len => lanes,
            too_small => {
                drop(too_small);
                vec![Lanes::ZERO; len]
            }
        };
        Buffer { lanes, len, home: self }
    }

    /// Bytes that it holds and that are not in use.
    #[cfg(test)]
    fn free_bytes(&self) -> usize {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.iter().map(|lanes| size_of_val(&lanes[..])).sum()
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scratch").finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_that_of_the_most_demanding_round() {
        let scratch = Scratch::default();
        let other = scratch.clone();
        let line = size_of::<Lanes>();
        for _ in 0..3 {
            drop((scratch.take(10), scratch.take(2)));
            drop((other.take(7), other.take(1), other.take(20)));
            drop((scratch.take(3), scratch.take(3), scratch.take(3)));
        }
        // Three at a time at most, of which 20, 10 and 7 were the largest asked for.
        assert!(scratch.free_bytes() <= (20 + 10 + 7) * line, "{}", scratch.free_bytes());
        assert_eq!(scratch.free_bytes(), other.free_bytes());
        let before = scratch.free_bytes();
        let held = [scratch.take(20), scratch.take(3)];
        assert!(scratch.free_bytes() < before);
        assert_eq!(held.each_ref().map(|buffer| buffer.len()), [20, 3]);
        drop(held);
        assert_eq!(scratch.free_bytes(), before);
    }
}
