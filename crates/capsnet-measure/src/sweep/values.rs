//! The values of a sweep: all of them, or as many as a table or a row of pictures has room for.

use super::{Sweep, SweepPoint};

impl Sweep {
    /// All values at which any model was measured, in order.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let mut values: Vec<f64> = points.map(SweepPoint::value).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }

    /// At most `most` of the values, and at least one if there is any: the ends and what lies evenly between them in
    /// the list. The value that changes nothing is among them if it was measured.
    #[must_use]
    pub fn spread(&self, most: usize) -> Vec<f64> {
        let values = self.values();
        let count = values.len().min(most.max(1));
        if count < 2 {
            let unchanged = values.iter().find(|&&value| Some(value) == self.family.identity);
            return unchanged.or(values.first()).copied().into_iter().collect();
        }
        let place = |index: usize| (index * (values.len() - 1) + (count - 1) / 2) / (count - 1);
        let mut places: Vec<usize> = (0..count).map(place).collect();
        if let Some(unchanged) = values.iter().position(|&value| Some(value) == self.family.identity)
            && let Some(nearest) = places.iter_mut().min_by_key(|place| place.abs_diff(unchanged))
        {
            *nearest = unchanged;
        }
        places.into_iter().map(|place| values[place]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Score;
    use crate::sweep::{Family, SweepCurve};
    use proptest::prelude::*;

    fn sweep(values: impl IntoIterator<Item = f64>) -> Sweep {
        let point = |value| SweepPoint::new(value, Score::new(10, 5)).unwrap();
        let mut sweep = Sweep::new(Family::degrees("rotation"));
        let points = values.into_iter().map(point).collect();
        sweep.curves.push(SweepCurve::new("a", points));
        sweep
    }

    #[test]
    fn the_ends_and_the_middle() {
        let turn = sweep((-36..=36).map(|step| f64::from(5 * step)));
        assert_eq!(turn.spread(5), [-180.0, -90.0, 0.0, 90.0, 180.0]);
        assert_eq!(turn.spread(3), [-180.0, 0.0, 180.0]);
        assert_eq!(turn.spread(1), [0.0]);
        assert_eq!(turn.spread(0), [0.0]);
        assert_eq!(turn.spread(100), turn.values());
        // What changes nothing takes the nearest one's place.
        assert_eq!(sweep([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0]).spread(3), [0.0, 2.0, 4.0]);
        assert_eq!(sweep([]).spread(3), [0.0; 0]);
        assert_eq!(sweep([7.0]).spread(3), [7.0]);
    }

    proptest! {
        #[test]
        fn they_are_some_of_the_values_in_order(
            values in prop::collection::btree_set(-50..50i32, 1..40),
            most in 1..50usize,
        ) {
            let sweep = sweep(values.iter().map(|&value| f64::from(value)));
            let (all, some) = (sweep.values(), sweep.spread(most));
            prop_assert_eq!(some.len(), all.len().min(most));
            prop_assert!(some.is_sorted_by(|a, b| a < b), "{:?}", some);
            prop_assert!(some.iter().all(|value| all.contains(value)));
            prop_assert_eq!(some.contains(&0.0), all.contains(&0.0));
        }
    }
}
