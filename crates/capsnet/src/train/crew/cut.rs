//! Which images of a batch are whose.

use std::ops::Range;

use burn::prelude::Device;

use crate::Error;

/// A batch's cut into parts, of which this process has some neighbouring ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::train) struct Cut {
    /// Parts of a batch.
    parts: usize,
    /// This process's first.
    first: usize,
    /// How many it has.
    own: usize,
}

impl Cut {
    /// The batch as one part.
    pub(in crate::train) const WHOLE: Self = Self {
        parts: 1,
        first: 0,
        own: 1,
    };

    /// The share of one of `ranks` processes, whose number divides that of the parts.
    pub(in crate::train) fn of(parts: usize, rank: usize, ranks: usize) -> Self {
        let own = parts / ranks;
        Self {
            parts,
            first: rank * own,
            own,
        }
    }

    /// Whether nothing is cut.
    pub(in crate::train) fn is_whole(&self) -> bool {
        *self == Self::WHOLE
    }

    /// Insists that parts can be computed on a device: the kernels that keep step are the CPU's.
    pub(in crate::train) fn expect_possible(&self, device: &Device) -> Result<(), Error> {
        if self.is_whole() || device.clone().inner() == Device::flex() {
            return Ok(());
        }
        Err(Error::Setting {
            field: "micro-batches",
            value: self.parts.to_string(),
            rule: "only the CPU computes a batch in parts; leave --device out, or --micro-batches and mpirun"
                .to_owned(),
        })
    }

    /// How many parts this process has.
    pub(in crate::train) fn own(&self) -> usize {
        self.own
    }

    /// This process's parts of a batch. Of a batch that has fewer images than parts, some parts are given its first
    /// image, of which they only keep step: see [`shares`](Self::shares).
    pub(in crate::train) fn slices<'b>(self, batch: &'b [usize]) -> impl Iterator<Item = &'b [usize]> + use<'b> {
        self.ranges(batch.len()).map(|range| match range.is_empty() {
            true => &batch[..1],
            false => &batch[range],
        })
    }

    /// The share that each of them has in a batch of so many images; 0 for one without images.
    pub(in crate::train) fn shares(self, images: usize) -> impl Iterator<Item = f64> {
        self.ranges(images).map(move |range| range.len() as f64 / images as f64)
    }

    fn ranges(self, images: usize) -> impl Iterator<Item = Range<usize>> {
        let start = move |part: usize| part * images / self.parts;
        (self.first..self.first + self.own).map(move |part| start(part)..start(part + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_batch_whoever_has_them() {
        for images in [1, 2, 3, 8, 10, 128] {
            let batch: Vec<usize> = (100..100 + images).collect();
            for ranks in [1, 2, 4] {
                let (mut seen, mut shares) = (Vec::new(), 0.0);
                for rank in 0..ranks {
                    let cut = Cut::of(4, rank, ranks);
                    for (slice, share) in cut.slices(&batch).zip(cut.shares(images)) {
                        assert!(!slice.is_empty());
                        shares += share;
                        match share {
                            0.0 => assert_eq!(slice, [100]),
                            share => {
                                assert_eq!(slice.len(), (share * images as f64).round() as usize);
                                seen.extend_from_slice(slice);
                            }
                        }
                    }
                }
                assert_eq!(seen, batch, "{ranks} ranks");
                assert!((shares - 1.0).abs() < 1e-12);
            }
        }
        assert_eq!(Cut::WHOLE.slices(&[7, 8]).collect::<Vec<_>>(), [[7, 8]]);
    }
}
