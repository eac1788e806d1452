//! Choosing the images of a picture.

use capsnet_data::dataset::Dataset;
use capsnet_report::number::count;

/// Which images of a data set: by their numbers, or the first ones, of all or of a class.
///
/// ```
/// use capsnet_data::embedded;
/// use capsnet_pictures::Choice;
///
/// let data = embedded::digits();
/// let sevens = Choice { class: Some(7), ..Choice::default() }.several(&data, 3)?;
/// assert!(sevens.len() == 3 && sevens.iter().all(|&index| data.label(index) == 7));
/// # Ok::<(), capsnet_pictures::ChoiceError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Their numbers, counted from 0; where there are any, the rest of the choice doesn't matter.
    pub indices: Vec<usize>,
    /// Those of a class only.
    pub class: Option<usize>,
    /// How many, if not as many as the picture usually has.
    pub count: Option<usize>,
}

/// Images that can't be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// An image that isn't there.
    #[error("there is no image {index}; {dataset} has {} test images here, 0 to {}", count(*images as u64), images - 1)]
    NoImage {
        /// The number asked for.
        index: usize,
        /// The data set.
        dataset: String,
        /// How many images there are.
        images: usize,
    },
    /// A class that isn't there.
    #[error("there is no class {class}; they are 0 to {}", classes - 1)]
    NoClass {
        /// The class asked for.
        class: usize,
        /// How many there are.
        classes: usize,
    },
    /// A class without an image.
    #[error("none of the {} test images of {dataset} is of class {class}", count(*images as u64))]
    NoneOfClass {
        /// The class asked for.
        class: usize,
        /// The data set.
        dataset: String,
        /// How many images there are.
        images: usize,
    },
    /// Several images for a picture of one.
    #[error("this picture shows one digit, not {0}")]
    Several(usize),
}

impl Choice {
    /// The images of a picture that shows several, `usual` of them where no count is given; fewer if there are no more.
    ///
    /// # Errors
    ///
    /// If there is no such image or class.
    pub fn several(&self, data: &Dataset, usual: usize) -> Result<Vec<usize>, ChoiceError> {
        if !self.indices.is_empty() {
            check_images(data, &self.indices)?;
            return Ok(self.indices.clone());
        }
        let candidates = self.candidates(data)?.into_iter();
        Ok(candidates.take(self.count.unwrap_or(usual)).collect())
    }

    /// The image of a picture that shows one.
    ///
    /// # Errors
    ///
    /// If several are asked for, or there is no such image or class.
    pub fn one(&self, data: &Dataset) -> Result<usize, ChoiceError> {
        let asked = self.indices.len().max(self.count.unwrap_or(1));
        match asked > 1 {
            true => Err(ChoiceError::Several(asked)),
            false => Ok(self.several(data, 1)?[0]),
        }
    }

    /// All images that may be shown, those of the class.
    ///
    /// # Errors
    ///
    /// If there is no such class, or no image of it.
    pub fn candidates(&self, data: &Dataset) -> Result<Vec<usize>, ChoiceError> {
        let all = 0..data.len();
        let Some(class) = self.class else {
            return Ok(all.collect());
        };
        check_class(data.class_names().len(), class)?;
        let found: Vec<usize> = all.filter(|&index| usize::from(data.label(index)) == class).collect();
        if found.is_empty() {
            return Err(ChoiceError::NoneOfClass {
                class,
                dataset: data.name().to_owned(),
                images: data.len(),
            });
        }
        Ok(found)
    }
}

/// Refuses images that aren't there.
///
/// # Errors
///
/// [`ChoiceError::NoImage`].
pub fn check_images(data: &Dataset, indices: &[usize]) -> Result<(), ChoiceError> {
    match indices.iter().find(|&&index| index >= data.len()) {
        None => Ok(()),
        Some(&index) => Err(ChoiceError::NoImage {
            index,
            dataset: data.name().to_owned(),
            images: data.len(),
        }),
    }
}

/// Refuses a class that isn't one of so many.
///
/// # Errors
///
/// [`ChoiceError::NoClass`].
pub fn check_class(classes: usize, class: usize) -> Result<(), ChoiceError> {
    match class < classes {
        true => Ok(()),
        false => Err(ChoiceError::NoClass { class, classes }),
    }
}

#[cfg(test)]
mod tests {
    use capsnet_data::embedded;

    use super::*;

    fn of(indices: &[usize], class: Option<usize>, count: Option<usize>) -> Choice {
        let indices = indices.to_vec();
        Choice { indices, class, count }
    }

    #[test]
    fn numbers_come_before_the_first_ones() {
        let data = embedded::digits();
        assert_eq!(of(&[], None, None).several(&data, 3), Ok(vec![0, 1, 2]));
        assert_eq!(of(&[], None, Some(2)).several(&data, 3), Ok(vec![0, 1]));
        assert_eq!(of(&[8, 5], None, None).several(&data, 3), Ok(vec![8, 5]));
        assert_eq!(of(&[8], None, None).one(&data), Ok(8));
        let four = of(&[], Some(4), None).one(&data).unwrap();
        assert_eq!((0..=four).filter(|&index| data.label(index) == 4).count(), 1);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let data = embedded::digits();
        let said = |choice: Choice| choice.several(&data, 1).unwrap_err().to_string();
        let (images, last) = (count(data.len() as u64), data.len() - 1);
        let expected = format!(
            "there is no image {0}; mnist has {images} test images here, 0 to {last}",
            data.len()
        );
        assert_eq!(said(of(&[data.len()], None, None)), expected);
        assert_eq!(said(of(&[], Some(10), None)), "there is no class 10; they are 0 to 9");
        assert_eq!(of(&[1, 2], None, None).one(&data), Err(ChoiceError::Several(2)));
        assert_eq!(of(&[], None, Some(3)).one(&data), Err(ChoiceError::Several(3)));
        let zeros: Vec<usize> = of(&[], Some(0), None).candidates(&data).unwrap();
        let none = data.slice(0..zeros[0].max(1));
        if zeros[0] > 0 {
            assert!(of(&[], Some(0), None).one(&none).is_err());
        }
    }
}
