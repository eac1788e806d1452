//! Pictures of a few pixels are prepared like others, or refused, whatever is in them.

use capsnet_data::picture::Picture;
use capsnet_data::prepare::{Options, prepare};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_picture_is_too_small_to_be_looked_at(
        (width, height, levels) in (1..16usize, 1..16usize).prop_flat_map(|(width, height)| {
            let levels = prop::collection::vec(any::<u8>(), width * height);
            (Just(width), Just(height), levels)
        }),
    ) {
        let picture = Picture::grey(height, width, &levels).unwrap();
        if let Ok(prepared) = prepare(&picture, 28, 28, &Options::default()) {
            prop_assert_eq!(prepared.image.len(), 28 * 28);
        }
    }
}
