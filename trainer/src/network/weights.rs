//! A network from weights that were made elsewhere, with their shapes checked.

use std::fmt;

use candle_core::{DType, Tensor};

use super::{Cell, Layer, Network, Parameter};

/// An array of weights, with the name that its file gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The name, for messages.
    pub name: String,
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Its values, the last axis fastest.
    pub values: Vec<f32>,
}

impl Array {
    /// The values of a tensor of floats of any kind.
    ///
    /// # Errors
    ///
    /// If it holds something else.
    pub fn from_tensor(name: impl Into<String>, tensor: &Tensor) -> Result<Self, Unfit> {
        let name = name.into();
        let dtype = tensor.dtype();
        if !matches!(dtype, DType::F16 | DType::BF16 | DType::F32 | DType::F64) {
            return Err(Unfit(format!("{name} holds {}, but weights are floats", dtype.as_str())));
        }
        let values = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all()?.to_vec1());
        let values = values.map_err(|error| Unfit(format!("{name}: {error}")))?;
        Ok(Self { name, shape: tensor.dims().to_vec(), values })
    }

    /// Its shape as Keras and PyTorch print it: `(8, 16)`.
    pub fn shape_shown(&self) -> String {
        shown(&self.shape)
    }
}

/// Why arrays do not make a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(pub String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

/// The arrays of one recurrent layer, in the shapes and gate orders of [`Layer`].
#[derive(Debug, Clone, PartialEq)]
pub struct LayerArrays {
    /// What it computes.
    pub cell: Cell,
    /// `inputs × gates·units`.
    pub kernel: Array,
    /// `units × gates·units`.
    pub recurrent_kernel: Array,
    /// `gates·units`; of a GRU `2 × gates·units`.
    pub bias: Array,
    /// What the cell has besides, each of one axis.
    pub further: Vec<Array>,
}

impl Network {
    /// A network of given weights, in the shapes of [`parameters`](Self::parameters), which are those of Keras's
    /// `get_weights()`; a bias has one axis, but a GRU's two. States of its layers have the limits that their cells say.
    ///
    /// # Errors
    ///
    /// If the arrays do not fit together, or a value is not finite.
    pub fn from_arrays(embedding: Array, layers: Vec<LayerArrays>, dense: [Array; 2]) -> Result<Self, Unfit> {
        {
            let of_layers = layers
                .iter()
                .flat_map(|l| [&l.kernel, &l.recurrent_kernel, &l.bias].into_iter().chain(&l.further));
            let mut all = std::iter::once(&embedding).chain(of_layers).chain(&dense);
            if let Some(Array { name, .. }) = all.find(|a| a.values.iter().any(|v| !v.is_finite())) {
                return Err(Unfit(format!("{name} has values that are infinite or no numbers")));
            }
        }
        let [dense_kernel, dense_bias] = dense;
        let [rows, width] = axes(&embedding, "the embedding, a row for each id")?;
        let [_, outputs] = axes(&dense_kernel, "the dense layer's kernel, units × outputs")?;
        let embedding = Parameter::new("embedding", [rows, width], embedding.values);
        let mut inputs = width;
        let mut found = Vec::new();
        for (index, arrays) in layers.into_iter().enumerate() {
            let LayerArrays { cell, kernel, recurrent_kernel, bias, further } = arrays;
            let [units, _] = axes(&recurrent_kernel, "a recurrent kernel, units × columns")?;
            let layer = Layer::zeros(index, cell, inputs, units);
            let (what, columns) = (cell.kind().word(), cell.gates() * units);
            let need = format!("a {what} of {units} units that reads {inputs} numbers");
            let further = layer.further.into_iter().zip(further).map(|(parameter, array)| {
                let length = [parameter.values.len()];
                fit(parameter, array, &length, &need)
            });
            let further = further.collect::<Result<_, _>>()?;
            found.push(Layer {
                cell,
                further,
                kernel: fit(layer.kernel, kernel, &[inputs, columns], &need)?,
                recurrent_kernel: fit(layer.recurrent_kernel, recurrent_kernel, &[units, columns], &need)?,
                bias: fit(layer.bias, bias, &cell.bias_shape(columns), &need)?,
            });
            inputs = units;
        }
        let need = format!("{inputs} units and {outputs} outputs");
        let zeros = Parameter::zeros;
        let kernel_shape = [inputs, outputs];
        Ok(Self {
            embedding,
            layers: found,
            dense_kernel: fit(zeros("dense_kernel", kernel_shape), dense_kernel, &kernel_shape, &need)?,
            dense_bias: fit(zeros("dense_bias", [1, outputs]).free(), dense_bias, &[outputs], &need)?,
        })
    }
}

/// The lengths of a matrix's axes.
fn axes(array: &Array, what: &str) -> Result<[usize; 2], Unfit> {
    match array.shape[..] {
        [rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
        _ => Err(Unfit(format!("{} should be {what}, but its shape is {}", array.name, array.shape_shown()))),
    }
}

/// The parameter with the values of an array, which must have the shape that is expected.
fn fit(parameter: Parameter, array: Array, expected: &[usize], need: &str) -> Result<Parameter, Unfit> {
    if array.shape == expected {
        return Ok(Parameter { values: array.values, ..parameter });
    }
    Err(Unfit(format!(
        "{} ({}) is of shape {}, but {need} need{} {}",
        array.name,
        parameter.name,
        array.shape_shown(),
        if need.starts_with("a ") { "s" } else { "" },
        shown(expected)
    )))
}

/// As Keras and PyTorch print it: `(8, 16)`.
fn shown(shape: &[usize]) -> String {
    let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({})", lengths.join(", "))
}

#[cfg(test)]
mod tests {
    use kilornn::layers::Activation;

    use super::*;

    fn array(index: usize, shape: &[usize]) -> Array {
        let values = vec![0.5; shape.iter().product()];
        Array { name: format!("arr_{index}"), shape: shape.to_vec(), values }
    }

    fn fitting() -> [Array; 6] {
        let shapes: [&[usize]; 6] = [&[9, 4], &[4, 3], &[3, 3], &[3], &[3, 2], &[2]];
        std::array::from_fn(|i| array(i, shapes[i]))
    }

    fn network(arrays: [Array; 6]) -> Result<Network, Unfit> {
        let [embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias] = arrays;
        let cell = Cell::SimpleRnn { activation: Activation::Tanh, limit: f32::INFINITY };
        let layer = LayerArrays { cell, kernel, recurrent_kernel, bias, further: Vec::new() };
        Network::from_arrays(embedding, vec![layer], [dense_kernel, dense_bias])
    }

    #[test]
    fn takes_what_fits() {
        let network = network(fitting()).unwrap();
        assert_eq!((network.units(), network.outputs()), (3, 2));
        assert_eq!((network.embedding.shape, network.lowest().bias.shape), ([9, 4], [1, 3]));
    }

    #[test]
    fn takes_stacks_of_cells() {
        let layer = |cell: Cell, inputs: usize, units: usize| {
            let columns = cell.gates() * units;
            let bias: &[usize] = if cell == Cell::Gru { &[2, columns] } else { &[columns] };
            LayerArrays {
                cell,
                kernel: array(1, &[inputs, columns]),
                recurrent_kernel: array(2, &[units, columns]),
                bias: array(3, bias),
                further: Vec::new(),
            }
        };
        let layers = vec![layer(Cell::Gru, 4, 3), layer(Cell::Lstm, 3, 5)];
        let dense = || [array(7, &[5, 2]), array(8, &[2])];
        let network = Network::from_arrays(array(0, &[9, 4]), layers.clone(), dense()).unwrap();
        let names: Vec<&str> = network.parameters().iter().map(|parameter| &*parameter.name).collect();
        let layer_names = ["kernel", "recurrent_kernel", "bias"];
        assert_eq!(names[1..4], layer_names);
        assert_eq!(names[4..7], layer_names.map(|name| format!("layer_2/{name}")));
        let wrong = vec![layer(Cell::Gru, 4, 3), layer(Cell::Lstm, 4, 5)];
        let error = Network::from_arrays(array(0, &[9, 4]), wrong, dense()).unwrap_err().to_string();
        assert_eq!(
            error,
            "arr_1 (layer_2/kernel) is of shape (4, 20), but a lstm of 5 units that reads 3 numbers needs (3, 20)"
        );
    }

    #[test]
    fn says_what_does_not_fit() {
        let fault = |index: usize, shape: &[usize]| {
            let mut arrays = fitting();
            arrays[index] = array(index, shape);
            network(arrays).unwrap_err().to_string()
        };
        assert_eq!(fault(0, &[9]), "arr_0 should be the embedding, a row for each id, but its shape is (9)");
        assert_eq!(
            fault(3, &[4]),
            "arr_3 (bias) is of shape (4), but a simple-rnn of 3 units that reads 4 numbers needs (3)"
        );
        assert!(fault(5, &[1]).contains("(dense_bias) is of shape (1)"));

        let mut arrays = fitting();
        arrays[4].values[1] = f32::NAN;
        assert_eq!(
            network(arrays).unwrap_err().to_string(),
            "arr_4 has values that are infinite or no numbers"
        );
    }
}
