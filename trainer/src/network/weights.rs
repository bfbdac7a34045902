//! A network from weights that were made elsewhere, with their shapes checked.

use std::fmt;

use candle_core::{DType, Tensor};
use kilornn::layers::Activation;

use super::{Network, Parameter};

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

impl Network {
    /// A network of given weights, in the order and the shapes of [`parameters`](Self::parameters), which is that
    /// of Keras's `get_weights()`; a bias has one axis. Its states have no limit.
    ///
    /// # Errors
    ///
    /// If the arrays do not fit together, or a value is not finite.
    pub fn from_arrays(activation: Activation, arrays: [Array; 6]) -> Result<Self, Unfit> {
        if let Some(Array { name, .. }) = arrays.iter().find(|a| a.values.iter().any(|v| !v.is_finite())) {
            return Err(Unfit(format!("{name} has values that are infinite or no numbers")));
        }
        let [embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias] = arrays;
        let [_, width] = axes(&embedding, "the embedding, a row for each id")?;
        let [units, _] = axes(&recurrent_kernel, "the recurrent kernel, units × units")?;
        let [_, outputs] = axes(&dense_kernel, "the dense layer's kernel, units × outputs")?;
        let need = format!("an embedding of width {width}, {units} units and {outputs} outputs");
        let matrix = |name, array: Array, shape: [usize; 2]| fit(name, array, &shape, shape, &need);
        let row = |name, array: Array, length| fit(name, array, &[length], [1, length], &need);
        let rows = embedding.shape[0];
        Ok(Self {
            activation,
            state_limit: f32::INFINITY,
            embedding: matrix("embedding", embedding, [rows, width])?,
            kernel: matrix("kernel", kernel, [width, units])?,
            recurrent_kernel: matrix("recurrent_kernel", recurrent_kernel, [units, units])?,
            bias: row("bias", bias, units)?,
            dense_kernel: matrix("dense_kernel", dense_kernel, [units, outputs])?,
            dense_bias: row("dense_bias", dense_bias, outputs)?,
        })
    }
}

/// The lengths of a matrix's axes.
fn axes(array: &Array, what: &str) -> Result<[usize; 2], Unfit> {
    match array.shape[..] {
        [rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
        _ => Err(Unfit(format!("{} should be {what}, but its shape is {}", array.name, shown(&array.shape)))),
    }
}

fn fit(
    name: &'static str,
    array: Array,
    expected: &[usize],
    shape: [usize; 2],
    need: &str,
) -> Result<Parameter, Unfit> {
    if array.shape == expected {
        return Ok(Parameter::new(name, shape, array.values));
    }
    let mut reason = format!(
        "{} ({name}) is of shape {}, but {need} need {}",
        array.name,
        shown(&array.shape),
        shown(expected)
    );
    let columns = |shape: &[usize]| shape.last().copied().unwrap_or(0);
    if (3..=4).any(|gates| columns(&array.shape) == gates * columns(expected)) {
        reason += " (three times as wide is a GRU's, four times an LSTM's: only SimpleRNN can be imported)";
    }
    Err(Unfit(reason))
}

/// As Keras and PyTorch print it: `(8, 16)`.
fn shown(shape: &[usize]) -> String {
    let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({})", lengths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(index: usize, shape: &[usize]) -> Array {
        let values = vec![0.5; shape.iter().product()];
        Array { name: format!("arr_{index}"), shape: shape.to_vec(), values }
    }

    fn fitting() -> [Array; 6] {
        let shapes: [&[usize]; 6] = [&[9, 4], &[4, 3], &[3, 3], &[3], &[3, 2], &[2]];
        std::array::from_fn(|i| array(i, shapes[i]))
    }

    #[test]
    fn takes_what_fits() {
        let network = Network::from_arrays(Activation::Tanh, fitting()).unwrap();
        assert_eq!((network.units(), network.outputs()), (3, 2));
        assert_eq!((network.embedding.shape, network.bias.shape), ([9, 4], [1, 3]));
    }

    #[test]
    fn says_what_does_not_fit() {
        let fault = |index: usize, shape: &[usize]| {
            let mut arrays = fitting();
            arrays[index] = array(index, shape);
            Network::from_arrays(Activation::Relu, arrays).unwrap_err().to_string()
        };
        assert_eq!(fault(0, &[9]), "arr_0 should be the embedding, a row for each id, but its shape is (9)");
        assert_eq!(
            fault(3, &[4]),
            "arr_3 (bias) is of shape (4), but an embedding of width 4, 3 units and 2 outputs need (3)"
        );
        assert!(fault(1, &[4, 9]).contains("is a GRU's"), "{}", fault(1, &[4, 9]));
        assert!(fault(2, &[3, 12]).contains("an LSTM's"), "{}", fault(2, &[3, 12]));
        assert!(fault(5, &[1]).contains("(dense_bias) is of shape (1)"));

        let mut arrays = fitting();
        arrays[4].values[1] = f32::NAN;
        let error = Network::from_arrays(Activation::Relu, arrays).unwrap_err();
        assert_eq!(error.to_string(), "arr_4 has values that are infinite or no numbers");
    }
}
