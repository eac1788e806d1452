//! How far a picture is.

/// A step of what takes a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is done: "asking the models".
    pub doing: &'static str,
    /// A word for one of them: "digit".
    pub unit: &'static str,
    /// How many are done.
    pub done: usize,
    /// How many there are; there may be an end before.
    pub total: usize,
}

impl Step {
    /// Tells `progress` of every number done of `total`.
    pub(crate) fn each<'a>(
        doing: &'static str,
        unit: &'static str,
        total: usize,
        progress: &'a mut dyn FnMut(Self),
    ) -> impl FnMut(usize) + 'a {
        move |done| {
            progress(Self {
                doing,
                unit,
                done,
                total,
            });
        }
    }
}
