//! How a parameter of ours lies in a weights file.
//!
//! Three of our parameters differ from PyTorch's: linear layers are stored `[in, out]`, the convolution of the primary
//! capsules is one where files hold one per capsule coordinate, and vote matrices are laid out for one batched product.
//! The conversions move numbers and never change them, so that a round trip is exact.

/// The relation between a parameter and its tensors in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The same on both sides.
    Plain,
    /// `[in, out]` here, `[out, in]` there.
    Transposed,
    /// One dimension here, two there, the first of them of this size; dimensions behind it stay.
    Rows(usize),
    /// One tensor here, `n` of equal size along the first dimension there; `{}` in the name is the number.
    Groups(usize),
    /// Vote matrices: `[I, E, J * D]` here, `[J, I, E, D]` there.
    Votes {
        /// The number of upper capsules `J`.
        upper: usize,
    },
}

impl Layout {
    /// Names and shapes in a file of a parameter with `shape`.
    pub fn pieces(self, name: &str, shape: &[usize]) -> Vec<(String, Vec<usize>)> {
        match self {
            Layout::Plain => vec![(name.to_owned(), shape.to_vec())],
            Layout::Rows(rows) => {
                let split = [&[rows, shape[0] / rows], &shape[1..]].concat();
                vec![(name.to_owned(), split)]
            }
            Layout::Transposed => vec![(name.to_owned(), vec![shape[1], shape[0]])],
            Layout::Groups(count) => {
                let mut piece = shape.to_vec();
                piece[0] /= count;
                (0..count)
                    .map(|k| (name.replace("{}", &k.to_string()), piece.clone()))
                    .collect()
            }
            Layout::Votes { upper } => {
                let [lower, lower_dimensions, votes] = [shape[0], shape[1], shape[2]];
                vec![(name.to_owned(), vec![upper, lower, lower_dimensions, votes / upper])]
            }
        }
    }

    /// The values of each piece, in the order of [`pieces`](Self::pieces).
    pub fn split(self, values: Vec<f32>, shape: &[usize]) -> Vec<Vec<f32>> {
        match self {
            Layout::Plain | Layout::Rows(_) => vec![values],
            Layout::Transposed => vec![transpose(&values, shape[0], shape[1])],
            Layout::Groups(count) => values.chunks(values.len() / count).map(<[f32]>::to_vec).collect(),
            // [I * E, J, D] to [J, I * E, D]
            Layout::Votes { upper } => vec![swap_outer(&values, shape[0] * shape[1], upper)],
        }
    }

    /// The parameter's values from those of its pieces; undoes [`split`](Self::split).
    pub fn join(self, pieces: &[&[f32]], shape: &[usize]) -> Vec<f32> {
        match self {
            Layout::Plain | Layout::Rows(_) => pieces[0].to_vec(),
            Layout::Transposed => transpose(pieces[0], shape[1], shape[0]),
            Layout::Groups(_) => pieces.concat(),
            Layout::Votes { upper } => swap_outer(pieces[0], upper, shape[0] * shape[1]),
        }
    }
}

/// `[rows, columns]` to `[columns, rows]`.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| values[row * columns + column]));
    }
    out
}

/// `[first, second, rest]` to `[second, first, rest]`.
fn swap_outer(values: &[f32], first: usize, second: usize) -> Vec<f32> {
    let rest = values.len() / (first * second);
    let mut out = Vec::with_capacity(values.len());
    for s in 0..second {
        for f in 0..first {
            let at = (f * second + s) * rest;
            out.extend_from_slice(&values[at..at + rest]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(layout: Layout, shape: &[usize]) -> Vec<Vec<f32>> {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|k| k as f32).collect();
        let pieces = layout.split(values.clone(), shape);
        let described = layout.pieces("layer.{}", shape);
        assert_eq!(pieces.len(), described.len());
        for (piece, (_, shape)) in pieces.iter().zip(&described) {
            assert_eq!(piece.len(), shape.iter().product::<usize>());
        }
        let borrowed: Vec<&[f32]> = pieces.iter().map(Vec::as_slice).collect();
        assert_eq!(layout.join(&borrowed, shape), values);
        pieces
    }

    #[test]
    fn every_layout_round_trips() {
        round_trip(Layout::Plain, &[2, 3]);
        round_trip(Layout::Rows(2), &[6]);
        round_trip(Layout::Rows(3), &[6, 2, 2]);
        assert_eq!(
            round_trip(Layout::Transposed, &[2, 3])[0],
            [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
        );
        assert_eq!(round_trip(Layout::Groups(2), &[4, 2])[1], [4.0, 5.0, 6.0, 7.0]);
        // I = 2, E = 1, J = 3, D = 2: file[j, i, e, d] = ours[i, e, j * D + d]
        let votes = round_trip(Layout::Votes { upper: 3 }, &[2, 1, 6]);
        assert_eq!(votes[0], [0.0, 1.0, 6.0, 7.0, 2.0, 3.0, 8.0, 9.0, 4.0, 5.0, 10.0, 11.0]);
    }

    #[test]
    fn groups_are_numbered() {
        let pieces = Layout::Groups(2).pieces("capsules.{}.weight", &[8, 1, 3, 3]);
        assert_eq!(pieces[1], ("capsules.1.weight".to_owned(), vec![4, 1, 3, 3]));
    }
}
