//! Names of tensors changed by pattern: `conv1.*=conv0.*`.

use std::fmt;
use std::str::FromStr;

use crate::error::WeightsError;
use crate::state_dict::StateDict;

/// A name and what it becomes; nothing, if the tensor is left out. Each `*` stands for any text, the longest that fits,
/// and the `*`s of the new name take these texts in their order.
///
/// ```
/// use capsnet_weights::Rename;
///
/// let rename: Rename = "encoder.*.W=*.weight".parse()?;
/// assert_eq!(rename.apply("encoder.conv1.W").as_deref(), Some("conv1.weight"));
/// assert_eq!(rename.apply("conv1.W"), None);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    from: String,
    to: String,
}

impl Rename {
    /// Whether a tensor of this name is to be left out.
    pub fn leaves_out(&self, name: &str) -> bool {
        self.to.is_empty() && matches(&self.from, name, &mut Vec::new())
    }

    /// The new name of a tensor, if the pattern is one of its; an empty one if it is left out.
    pub fn apply(&self, name: &str) -> Option<String> {
        let mut texts = Vec::new();
        if !matches(&self.from, name, &mut texts) {
            return None;
        }
        let mut texts = texts.into_iter();
        let mut pieces = self.to.split('*');
        let mut renamed = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            renamed.push_str(texts.next().unwrap_or_default());
            renamed.push_str(piece);
        }
        Some(renamed)
    }
}

/// Whether `name` fits the pattern; the texts of its `*`s are appended in order.
fn matches<'n>(pattern: &str, name: &'n str, texts: &mut Vec<&'n str>) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(after) = name.strip_prefix(start) else {
        return false;
    };
    let ends = after.char_indices().map(|(end, _)| end).chain([after.len()]);
    for end in ends.collect::<Vec<_>>().into_iter().rev() {
        let height = texts.len();
        texts.push(&after[..end]);
        if matches(rest, &after[end..], texts) {
            return true;
        }
        texts.truncate(height);
    }
    false
}

/// Most `*`s of a pattern, since each multiplies the ways in which it can be tried.
const MOST_STARS: usize = 3;

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('=').ok_or("FROM=TO is needed, as in conv1.*=conv0.*")?;
        let stars = |text: &str| text.matches('*').count();
        if from.is_empty() {
            return Err("a name is needed before the =, as in conv1.*=conv0.*".to_owned());
        }
        if stars(from) > MOST_STARS {
            return Err(format!("at most {MOST_STARS} `*` are possible"));
        }
        if stars(to) > stars(from) {
            return Err(format!(
                "`{to}` has more `*` than `{from}`, so there is nothing to put there"
            ));
        }
        Ok(Self {
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.from, self.to)
    }
}

impl StateDict {
    /// The same tensors under other names, or left out: each by the first pattern that fits.
    ///
    /// # Errors
    /// [`Problem::DuplicateName`](crate::Problem::DuplicateName) if two tensors would have one name.
    pub fn renamed(self, renames: &[Rename]) -> Result<Self, WeightsError> {
        let mut state = self;
        let first = |name: &str| renames.iter().find(|rename| rename.apply(name).is_some());
        let is_left_out = |name: &&str| first(name).is_some_and(|rename| rename.leaves_out(name));
        let left_out: Vec<String> = state
            .iter()
            .map(|(name, _)| name)
            .filter(is_left_out)
            .map(str::to_owned)
            .collect();
        for name in left_out {
            state.remove(&name);
        }
        state.with_names(|name| first(name).and_then(|rename| rename.apply(name)))
    }

    /// The same tensors without what all their names begin with, up to a point: `module.` of `nn.DataParallel`,
    /// `_orig_mod.` of `torch.compile`, `model.` of Lightning. None if they begin with nothing in common.
    ///
    /// The counter that `torch.optim.swa_utils.AveragedModel` keeps beside its `module.` goes with the prefix.
    pub fn without_prefix(&self) -> Option<Self> {
        let names = || self.iter().map(|(name, _)| name).filter(|&name| name != AVERAGED);
        let (prefix, _) = names().next()?.split_once('.')?;
        let prefix = format!("{prefix}.");
        if !names().all(|name| name.len() > prefix.len() && name.starts_with(&prefix)) {
            return None;
        }
        let mut state = self.clone();
        state.remove(AVERAGED);
        // What differed differs without its beginning.
        state
            .with_names(|name| name.strip_prefix(&prefix).map(str::to_owned))
            .ok()
    }
}

const AVERAGED: &str = "n_averaged";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state_dict::{NamedTensor, TensorValues};

    fn state(names: &[&str]) -> StateDict {
        let mut state = StateDict::new();
        for (number, name) in (0..).zip(names) {
            let values = TensorValues::I64(vec![number]);
            state.insert(*name, NamedTensor::new(vec![1], values).unwrap()).unwrap();
        }
        state
    }

    fn names(state: &StateDict) -> Vec<&str> {
        state.iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn patterns_fit_and_fill() {
        for (rename, name, renamed) in [
            ("a=b", "a", Some("b")),
            ("a=b", "aa", None),
            ("*=net.*", "a.b", Some("net.a.b")),
            ("*.*.gamma=*.norm.*.weight", "x.y.z.gamma", Some("x.y.norm.z.weight")),
            ("conv*=c", "conv1.weight", Some("c")),
            ("*a*=*b*", "banana", Some("bananb")),
            ("é*=*", "éa", Some("a")),
        ] {
            let rename: Rename = rename.parse().unwrap();
            assert_eq!(rename.apply(name).as_deref(), renamed, "{rename} of {name}");
        }
        for text in ["a", "=a", "=", "a=*", "*=**", "****=a"] {
            assert!(text.parse::<Rename>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_that_move_up_by_one_do_not_run_into_one_another() {
        let renames = ["fc2.*=fc1.*", "fc1.*=fc0.*"].map(|text| text.parse().unwrap());
        let renamed = state(&["fc1.w", "fc2.w", "fc3.w"]).renamed(&renames).unwrap();
        assert_eq!(names(&renamed), ["fc0.w", "fc1.w", "fc3.w"]);
        assert_eq!(renamed.get("fc0.w").unwrap().as_i64(), Some(&[0][..]));
        let twice = state(&["a", "b"]).renamed(&["*=c".parse().unwrap()]).unwrap_err();
        assert!(twice.to_string().contains("`c` twice"), "{twice}");
    }

    #[test]
    fn what_becomes_nothing_is_left_out() {
        let renames = ["loss.*=", "model.*=*", "*.total="].map(|text| text.parse().unwrap());
        let renamed = state(&["loss.weight", "model.fc.w", "model.loss.w", "train.total"]).renamed(&renames);
        // By the first that fits.
        assert_eq!(names(&renamed.unwrap()), ["fc.w", "loss.w"]);
    }

    #[test]
    fn what_all_names_begin_with_is_dropped() {
        let bare = state(&["module.conv.w", "module.fc.w", "n_averaged"])
            .without_prefix()
            .unwrap();
        assert_eq!(names(&bare), ["conv.w", "fc.w"]);
        for kept in [
            &["conv.w", "fc.w"][..],
            &["w"],
            &["module.", "module.a"],
            &[],
            &["a.w", "ab.w"],
        ] {
            assert!(state(kept).without_prefix().is_none(), "{kept:?}");
        }
    }
}
