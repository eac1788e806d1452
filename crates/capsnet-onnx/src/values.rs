//! Whether a graph makes sizes or loops of what it computes from the images, before anything runs it.
//!
//! A size that comes from a pixel can be 2^40 in a file of 400 bytes, and no reckoning beforehand sees it
//! ([`bounds`](crate::bounds)). Classifiers make theirs of constants and of shapes: exports for any batch ask for the
//! shape of a tensor, whose values don't matter then.

use std::collections::HashSet;

use crate::proto::{Graph, Node};

/// The inputs of each operator that say how large its output is.
const SIZES: &[(&str, &[usize])] = &[
    ("AffineGrid", &[1]),
    ("BlackmanWindow", &[0]),
    ("CenterCropPad", &[1]),
    ("Col2Im", &[1]),
    ("ConstantOfShape", &[0]),
    ("DFT", &[1]),
    ("Expand", &[1]),
    ("HammingWindow", &[0]),
    ("HannWindow", &[0]),
    ("MaxUnpool", &[2]),
    ("MelWeightMatrix", &[0, 1]),
    ("OneHot", &[1]),
    ("Pad", &[1]),
    ("Range", &[0, 1, 2]),
    ("Resize", &[2, 3]),
    ("Tile", &[1]),
    ("TopK", &[1]),
    ("Upsample", &[1]),
];

/// Operators that run what is in them as often as they like.
const LOOPS: [&str; 3] = ["Loop", "Scan", "SequenceMap"];

/// Says which operator takes its size from the images, or is a loop.
pub(crate) fn check(graph: &Graph) -> Result<(), String> {
    Computed::default().graph(graph)
}

/// The names of values that depend on what is in the images.
#[derive(Default)]
struct Computed<'a>(HashSet<&'a str>);

impl<'a> Computed<'a> {
    fn graph(&mut self, graph: &'a Graph) -> Result<(), String> {
        let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        let inputs = graph.input.iter().map(|input| input.name.as_str());
        self.0.extend(inputs.filter(|name| !constants.contains(name)));
        graph.node.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &'a Node) -> Result<(), String> {
        let operator = node.op_type.as_str();
        if LOOPS.contains(&operator) {
            return Err(format!(
                "it has a loop ({operator}), which a classifier of images doesn't need"
            ));
        }
        let is_computed = |place: &usize| {
            node.input
                .get(*place)
                .is_some_and(|name| self.0.contains(name.as_str()))
        };
        let sizes = SIZES.iter().find(|(of, _)| *of == operator);
        if sizes.is_some_and(|(_, places)| places.iter().any(is_computed)) {
            return Err(format!(
                "its operator {operator} takes the size of its output from the images' pixels"
            ));
        }
        let mut computed = node.input.iter().any(|name| self.0.contains(name.as_str()));
        for inner in node.attribute.iter().filter_map(|attribute| attribute.graph.as_deref()) {
            self.graph(inner)?;
            computed |= inner.output.iter().any(|output| self.0.contains(output.name.as_str()));
        }
        if computed && !matches!(operator, "Shape" | "Size") {
            self.0.extend(node.output.iter().map(String::as_str));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{Attribute, ValueInfo, node};

    fn value(name: &str) -> ValueInfo {
        ValueInfo {
            name: name.to_owned(),
            ..ValueInfo::default()
        }
    }

    /// A graph that is given `x`.
    fn graph(node: Vec<Node>) -> Graph {
        Graph {
            node,
            input: vec![value("x")],
            ..Graph::default()
        }
    }

    #[test]
    fn sizes_come_from_shapes_but_not_from_pixels() {
        for (operator, places) in SIZES {
            let mut inputs = vec!["k"; 4];
            inputs[places[places.len() - 1]] = "n";
            let sized = node(operator, &inputs, "y");
            let from_shape = graph(vec![
                node("Shape", &["x"], "s"),
                node("Gather", &["s", "k"], "n"),
                sized.clone(),
            ]);
            assert_eq!(check(&from_shape), Ok(()), "{operator}");
            let from_pixels = graph(vec![node("Relu", &["x"], "r"), node("Cast", &["r"], "n"), sized]);
            assert!(check(&from_pixels).unwrap_err().contains(operator), "{operator}");
        }
        // What is enlarged may be pixels.
        assert_eq!(check(&graph(vec![node("Expand", &["x", "k"], "y")])), Ok(()));
    }

    #[test]
    fn a_branch_may_be_of_pixels_and_a_loop_is_none() {
        let branch = |inside: Node| Node {
            attribute: vec![Attribute {
                graph: Some(Box::new(Graph {
                    output: vec![value(&inside.output[0])],
                    node: vec![inside],
                    ..Graph::default()
                })),
                ..Attribute::default()
            }],
            ..node("If", &["c"], "b")
        };
        let sized = || node("Tile", &["k", "b"], "y");
        assert_eq!(check(&graph(vec![branch(node("Shape", &["x"], "z")), sized()])), Ok(()));
        assert!(check(&graph(vec![branch(node("Relu", &["x"], "z")), sized()])).is_err());
        assert!(check(&graph(vec![branch(node("Range", &["x", "k", "k"], "z"))])).is_err());
        assert!(
            check(&graph(vec![node("Loop", &["k"], "y")]))
                .unwrap_err()
                .contains("Loop")
        );
    }
}
