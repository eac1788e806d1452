//! What a ReLU remembers of a register: one bit a lane.

/// Masks of one register, lane `i` in bit `i`, and the sum over its lanes.
pub(crate) trait Masks: Copy {
    /// Lane-wise ReLU, and the lanes that it let through: those greater than zero, and NaN, lest a failure goes unseen.
    fn rectified(self) -> (Self, u16);
    /// The lanes of `mask`; zero elsewhere.
    fn keep(self, mask: u16) -> Self;
    /// The sum of all lanes.
    fn sum(self) -> f32;
}
