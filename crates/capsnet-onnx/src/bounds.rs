//! Whether a graph makes far more of its constants than its file accounts for, before anything runs it.
//!
//! A file of 300 bytes can ask for a tensor of 2^40 numbers, by an operator that takes a shape, a count or a factor. Of
//! every value the least number of elements is reckoned that constants and the size of an image demand. All else is
//! taken for a single element, as the batch is, so that nothing is refused which could be small.

use std::collections::HashMap;

use crate::proto::{Attribute, FLOAT, Graph, INT32, INT64, Node, Tensor};
use crate::shapes::{self, Shape, product};

/// Operators at most: rten orders them by calls within calls. Large networks have a thousand.
const NODES: usize = 10_000;

/// What a graph may always take, in bytes, beside sixteen times its file.
const FREE: f64 = 64.0 * 1024.0 * 1024.0;

/// Numbers of a constant at most, for it to be a shape, a factor an axis or the like.
const FEW: usize = 64;

/// Axes of a shape at most, for it to be followed: each is copied from value to value.
const AXES: usize = 16;

/// Says what in a graph is too much for a file of so many bytes.
pub(crate) fn check(graph: &Graph, file: usize) -> Result<(), String> {
    let nodes = count(graph);
    if nodes > NODES {
        return Err(format!("it has {nodes} operators, more than {NODES}"));
    }
    let most = (FREE + 16.0 * file as f64) / size_of::<f32>() as f64;
    Known::default().graph(graph, most)
}

/// The operators of a graph and of those in its nodes.
fn count(graph: &Graph) -> usize {
    let attributes = graph.node.iter().flat_map(|node| &node.attribute);
    let inner = attributes.filter_map(|attribute| attribute.graph.as_deref()).map(count);
    graph.node.len() + inner.sum::<usize>()
}

/// What is known of values by their names.
#[derive(Default)]
struct Known<'a> {
    /// Of short constants, what they hold.
    numbers: HashMap<&'a str, Vec<f64>>,
    /// The least number of elements, where it isn't 1.
    elements: HashMap<&'a str, f64>,
    /// The least shape, where it is followed.
    shapes: HashMap<&'a str, Shape>,
}

impl<'a> Known<'a> {
    fn graph(&mut self, graph: &'a Graph, most: f64) -> Result<(), String> {
        for tensor in &graph.initializer {
            self.constant(&tensor.name, tensor);
        }
        for input in &graph.input {
            let shape = shapes::of_input(input);
            self.elements.insert(&input.name, product(shape.iter().copied()));
            self.follow(&input.name, &shape);
        }
        for node in &graph.node {
            for inner in node.attribute.iter().filter_map(|attribute| attribute.graph.as_deref()) {
                self.graph(inner, most)?;
            }
            let shape = self.shape_of(node);
            let made = match &shape {
                Some(shape) => product(shape.iter().copied()),
                None => self.made_by(node),
            };
            if made > most {
                let operator = &node.op_type;
                return Err(format!(
                    "its operator {operator} makes {made:.0} numbers, more than a file of its size may take"
                ));
            }
            for output in &node.output {
                self.elements.insert(output, made);
                if let Some(shape) = &shape {
                    self.follow(output, shape);
                }
            }
        }
        Ok(())
    }

    fn follow(&mut self, name: &'a str, shape: &[f64]) {
        if shape.len() <= AXES {
            self.shapes.insert(name, shape.to_vec());
        }
    }

    /// The least shape of what a node makes, for the operators that are followed, of values that are.
    fn shape_of(&self, node: &Node) -> Option<Shape> {
        let named = |name: &str| {
            let attribute = node.attribute.iter().find(|attribute| attribute.name == name);
            let numbers = attribute.map(Attribute::numbers).unwrap_or_default();
            (numbers.len() <= AXES).then_some(numbers)
        };
        let name = |place: usize| node.input.get(place).map(String::as_str);
        let shape = |place: usize| self.shapes.get(name(place)?).map(Vec::as_slice);
        let numbers = |place: usize| self.numbers.get(name(place)?);
        match node.op_type.as_str() {
            "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Where" => {
                let given = (0..node.input.len()).map(shape).collect::<Option<Vec<_>>>()?;
                Some(given.into_iter().fold(Shape::new(), |a, b| shapes::broadcast(&a, b)))
            }
            "MatMul" => shapes::matmul(shape(0)?, shape(1)?),
            "Reshape" => Some(shapes::reshape(shape(0)?, numbers(1)?)),
            "Flatten" => Some(vec![1.0, product(shape(0)?.iter().copied())]),
            "Transpose" => Some(shapes::transpose(shape(0)?, &named("perm")?)),
            "Unsqueeze" => match numbers(1) {
                Some(axes) => Some(shapes::unsqueeze(shape(0)?, axes)),
                None => Some(shapes::unsqueeze(shape(0)?, &named("axes")?)),
            },
            "Identity" | "Cast" | "Relu" | "Neg" | "Abs" | "Exp" | "Log" | "Sqrt" | "Sigmoid" | "Tanh" => {
                shape(0).map(<[f64]>::to_vec)
            }
            _ => None,
        }
    }

    fn constant(&mut self, name: &'a str, tensor: &Tensor) {
        let shape: Shape = tensor.dims.iter().map(|&size| size as f64).collect();
        let elements = product(shape.iter().copied());
        self.elements.insert(name, elements);
        self.follow(name, &shape);
        if elements <= FEW as f64 {
            self.numbers.insert(name, tensor.few_numbers());
        }
    }

    /// The least number of elements of what a node makes.
    fn made_by(&mut self, node: &'a Node) -> f64 {
        let named = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
        let input = |place: usize| node.input.get(place).map_or("", String::as_str);
        let elements = |place: usize| self.elements.get(input(place)).copied().unwrap_or(1.0);
        let numbers = |place: usize| self.numbers.get(input(place)).map_or(&[][..], Vec::as_slice);
        let product_of = |place: usize| product(numbers(place).iter().copied());
        match node.op_type.as_str() {
            "Constant" => {
                let tensor = named("value").and_then(|attribute| attribute.tensor.as_ref());
                if let (Some(tensor), Some(name)) = (tensor, node.output.first()) {
                    self.constant(name, tensor);
                    return self.elements[name.as_str()];
                }
                let values = node.attribute.iter().map(Attribute::numbers).next().unwrap_or_default();
                let count = values.len() as f64;
                if let Some(name) = node.output.first().filter(|_| values.len() <= FEW) {
                    self.numbers.insert(name, values);
                }
                count
            }
            "ConstantOfShape" => product_of(0),
            "EyeLike" | "RandomNormal" | "RandomUniform" => {
                product(named("shape").map(Attribute::numbers).unwrap_or_default())
            }
            "Expand" => product_of(1).max(elements(0)),
            "TopK" => product_of(1),
            "Tile" => product_of(1) * elements(0),
            "Pad" => {
                let given = named("pads").map(Attribute::numbers);
                let pads = given.unwrap_or_else(|| numbers(1).to_vec());
                let (before, after) = pads.split_at(pads.len() / 2);
                // An axis has an element at least beside what is put around it.
                product(before.iter().zip(after).map(|(before, after)| 1.0 + before + after))
            }
            "Range" => match [numbers(0), numbers(1), numbers(2)] {
                [&[start], &[end], &[step]] => ((end - start) / step).ceil().max(0.0),
                _ => 1.0,
            },
            "Resize" | "Upsample" => {
                let scales = if node.input.len() > 2 { 2 } else { 1 };
                let given = named("scales").map(Attribute::numbers);
                let by_scales = given.map_or_else(|| product_of(scales), product);
                (by_scales * elements(0)).max(product_of(3))
            }
            "OneHot" => product_of(1) * elements(0),
            "Concat" => (0..node.input.len()).map(elements).sum(),
            // Of as many elements as the largest that it is made of, in whatever shape.
            "Identity" | "Cast" | "Relu" | "Neg" | "Abs" | "Exp" | "Log" | "Sqrt" | "Sigmoid" | "Tanh" | "Add"
            | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Where" | "Reshape" | "Flatten" | "Transpose"
            | "Squeeze" | "Unsqueeze" => (0..node.input.len()).map(elements).fold(1.0, f64::max),
            _ => 1.0,
        }
    }
}

impl Tensor {
    /// What it holds, if those are numbers of a kind that shapes and factors have.
    fn few_numbers(&self) -> Vec<f64> {
        let raw = self.raw_data.as_slice();
        match self.data_type {
            INT64 if raw.is_empty() => self.int64_data.iter().map(|&n| n as f64).collect(),
            INT64 => raw
                .as_chunks()
                .0
                .iter()
                .map(|&n| i64::from_le_bytes(n) as f64)
                .collect(),
            INT32 if raw.is_empty() => self.int32_data.iter().map(|&n| f64::from(n)).collect(),
            INT32 => raw
                .as_chunks()
                .0
                .iter()
                .map(|&n| f64::from(i32::from_le_bytes(n)))
                .collect(),
            FLOAT if raw.is_empty() => self.float_data.iter().map(|&n| f64::from(n)).collect(),
            FLOAT => raw
                .as_chunks()
                .0
                .iter()
                .map(|&n| f64::from(f32::from_le_bytes(n)))
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl Attribute {
    /// Its numbers, one or several.
    fn numbers(&self) -> Vec<f64> {
        let one = self.i.map(|n| n as f64).or(self.f.map(f64::from));
        let several = self
            .ints
            .iter()
            .map(|&n| n as f64)
            .chain(self.floats.iter().map(|&n| f64::from(n)));
        one.into_iter().chain(several).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{self, Dimension, TensorType, Type, ValueInfo, node};

    const HUGE: i64 = 1 << 40;

    fn numbers(name: &str, values: &[i64]) -> Tensor {
        Tensor {
            name: name.to_owned(),
            dims: vec![values.len() as i64],
            data_type: INT64,
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..Tensor::default()
        }
    }

    fn graph(node: Vec<Node>, initializer: Vec<Tensor>) -> Graph {
        Graph {
            node,
            initializer,
            ..Graph::default()
        }
    }

    /// By the operators' definitions.
    #[test]
    fn what_constants_demand_is_reckoned() {
        let scalar = |name: &str, value: i64| Tensor {
            dims: vec![],
            ..numbers(name, &[value])
        };
        let sizes = [
            ("ConstantOfShape", vec!["c"], numbers("c", &[3, 4, 5]), 60.0),
            ("Expand", vec!["x", "c"], numbers("c", &[3, 1, 5]), 15.0),
            ("Tile", vec!["x", "c"], numbers("c", &[2, 3]), 6.0),
            ("Pad", vec!["x", "c"], numbers("c", &[1, 0, 2, 0]), 4.0),
            ("Resize", vec!["x", "", "", "c"], numbers("c", &[1, 3, 8, 8]), 192.0),
            ("OneHot", vec!["x", "c", "v"], scalar("c", 7), 7.0),
            ("Relu", vec!["x"], numbers("c", &[9]), 1.0),
            ("Relu", vec!["c"], numbers("c", &[9, 9]), 2.0),
        ];
        for (operator, inputs, constant, expected) in sizes {
            let graph = graph(vec![node(operator, &inputs, "y")], vec![constant]);
            let mut known = Known::default();
            known.graph(&graph, f64::INFINITY).unwrap();
            assert_eq!(known.elements["y"], expected, "{operator}");
        }
        let bounds = vec![scalar("a", 2), scalar("b", 12), scalar("c", 3)];
        let range = graph(vec![node("Range", &["a", "b", "c"], "y")], bounds);
        let mut known = Known::default();
        known.graph(&range, f64::INFINITY).unwrap();
        assert_eq!(known.elements["y"], 4.0);
    }

    #[test]
    fn what_is_too_much_for_the_file_is_refused() {
        let tiles = vec![
            node("Tile", &["x", "c"], "a"),
            node("Relu", &["a"], "b"),
            node("Tile", &["b", "c"], "y"),
        ];
        let constants = || vec![numbers("c", &[1, 1, 70, 70])];
        // 4,900 times, and again: 24 million numbers.
        let error = check(&graph(tiles.clone(), constants()), 300).unwrap_err();
        assert!(error.contains("Tile makes 24010000 numbers"), "{error}");
        assert_eq!(check(&graph(tiles.clone(), constants()), 10_000_000), Ok(()));
        assert_eq!(check(&graph(tiles[..2].to_vec(), constants()), 300), Ok(()));
        let shapeless = graph(
            vec![node("ConstantOfShape", &["c"], "y")],
            vec![numbers("c", &[HUGE, HUGE, HUGE])],
        );
        assert!(check(&shapeless, 300).is_err());
        // An image has 784 numbers, whatever the batch.
        let sizes = [None, Some(1), Some(28), Some(28)];
        let tensor = TensorType {
            shape: Some(proto::Shape {
                dimensions: sizes.map(|size| Dimension { size, name: None }).to_vec(),
            }),
            ..TensorType::default()
        };
        let image = ValueInfo {
            name: "x".to_owned(),
            kind: Some(Type { tensor: Some(tensor) }),
        };
        let taken = |node: Node| Graph {
            input: vec![image.clone()],
            ..graph(vec![node], constants())
        };
        assert_eq!(check(&taken(node("Relu", &["x"], "y")), 300), Ok(()));
        assert_eq!(check(&taken(node("Tile", &["x", "c"], "y")), 300), Ok(()));
        assert!(
            Known::default()
                .graph(&taken(node("Tile", &["x", "c"], "y")), 784.0 * 4_899.0)
                .is_err()
        );
        // In a branch, and as a constant of its own.
        let constant = Node {
            attribute: vec![Attribute {
                name: "value".to_owned(),
                tensor: Some(numbers("", &[HUGE])),
                ..Attribute::default()
            }],
            ..node("Constant", &[], "c")
        };
        let branch = Node {
            attribute: vec![Attribute {
                graph: Some(Box::new(graph(
                    vec![constant, node("Expand", &["x", "c"], "z")],
                    vec![],
                ))),
                ..Attribute::default()
            }],
            ..node("If", &["x"], "y")
        };
        assert!(check(&graph(vec![branch], vec![]), 300).is_err());
    }

    /// Each node copies the shape that it is given.
    #[test]
    fn shapes_of_many_axes_are_not_followed() {
        let widening = |node: Node| Node {
            attribute: vec![Attribute {
                name: "axes".to_owned(),
                ints: vec![0; 9],
                ..Attribute::default()
            }],
            ..node
        };
        let chain = graph(
            vec![
                widening(node("Unsqueeze", &["c"], "a")),
                widening(node("Unsqueeze", &["a"], "b")),
            ],
            vec![numbers("c", &[3])],
        );
        let mut known = Known::default();
        known.graph(&chain, f64::INFINITY).unwrap();
        assert_eq!(known.shapes["a"].len(), 10);
        assert!(!known.shapes.contains_key("b"));
    }

    #[test]
    fn operators_are_counted() {
        let chain = |length: usize| graph(vec![node("Relu", &["x"], "x"); length], vec![]);
        assert_eq!(check(&chain(NODES), 300), Ok(()));
        assert!(check(&chain(NODES + 1), 300).unwrap_err().contains("10001 operators"));
    }
}
