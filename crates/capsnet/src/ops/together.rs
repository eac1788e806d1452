//! What operations on a part of a batch need of the other parts.
//!
//! A batch that is cut into parts is computed by a thread a part. An operation whose result depends on all images, as
//! batch norm's does, then needs sums over all parts, and waits for them here. Who the others are, threads or
//! processes, is the business of whoever cut the batch.

use std::cell::RefCell;
use std::rc::Rc;

/// The place of this thread's part among the parts of its batch.
pub(crate) trait Together {
    /// The sums over all parts, which all must ask for alike; waits for them.
    fn sum(&self, values: Vec<f64>) -> Vec<f64>;

    /// Whether this part's images are part of the batch; of a batch with more parts than images some have one that
    /// isn't, so that they can keep step.
    fn counts(&self) -> bool;

    /// Whether this part notes what is the same for all, such as running statistics.
    fn notes(&self) -> bool;
}

thread_local! {
    static PART: RefCell<Option<Rc<dyn Together>>> = const { RefCell::new(None) };
}

/// Makes this thread one that computes a part of a batch, for the rest of its life.
pub(crate) fn compute_part(of: Rc<dyn Together>) {
    PART.set(Some(of));
}

/// The part that this thread computes, if it isn't the whole batch.
pub(super) fn part() -> Option<Rc<dyn Together>> {
    PART.with_borrow(Clone::clone)
}

/// Whether this thread computes a part of a batch.
pub(crate) fn in_part() -> bool {
    part().is_some()
}
