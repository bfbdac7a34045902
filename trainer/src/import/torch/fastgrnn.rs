//! FastGRNN, a module of EdgeML's.
//!
//! EdgeML's repository multiplies states by its matrices from the left (`x·W`), and its package `edgeml_pytorch` from the right
//! (`W·x`): there the matrices are transposed. Either may be a product of two of low rank.

use candle_core::{DType, Tensor};

use super::{Names, Tensors};
use crate::import::layers::{Told, check_count};
use crate::network::{Array, Cell, LayerArrays, Unfit};

/// What only such a module has.
const OWN: &str = "zeta";

/// The layers, from the lowest up: modules in the order of their names, where numbers count as such.
pub(super) fn layers(
    tensors: &mut Tensors,
    names: &Names,
    _: &Told,
) -> Result<Option<Vec<LayerArrays>>, Unfit> {
    forget_doubles(tensors);
    let mut modules: Vec<String> =
        tensors.0.keys().filter_map(|name| Some(name.strip_suffix(OWN)?.to_owned())).collect();
    if modules.is_empty() {
        return Ok(None);
    }
    if let Some(reverse) = modules.iter().find(|module| module.contains("reverse")) {
        return Err(Unfit(format!(
            "holds {reverse}{OWN}, of a bidirectional layer: a device reads a text once, from its beginning; train with \
             bidirectional=False"
        )));
    }
    check_count(modules.len())?;
    modules.sort_by_key(|module| in_parts(module));
    let modules = modules.iter().map(|name| Module::take(tensors, name)).collect::<Result<Vec<_>, _>>()?;
    // All of them come from the same library.
    let possible = [false, true].map(|transposed| modules.iter().all(|module| module.fits(transposed)));
    let transposed = match (possible, names.transposed) {
        (_, Some(transposed)) => transposed,
        ([true, false] | [false, false], None) => false,
        ([false, true], None) => true,
        ([true, true], None) => {
            return Err(Unfit(format!(
                "{}W is square, so that its shape does not say which way it lies: write transposed = false under [tensors] \
                 in the configuration if the module computes x·W, as EdgeML's repository does, or transposed = true if it \
                 computes W·x, as the package edgeml_pytorch does",
                modules[0].name
            )));
        }
    };
    modules.into_iter().map(|module| module.arrays(transposed)).collect::<Result<_, _>>().map(Some)
}

/// A module has its cell's parameters, and has them once more as those of what unrolls the cell.
fn forget_doubles(tensors: &mut Tensors) {
    let double = |name: &str| {
        let (module, of_cell) = name.split_once("unrollRNN.")?;
        let (_, own) = of_cell.split_once('.')?;
        Some(format!("{module}cell.{own}"))
    };
    let found: Vec<String> = tensors.0.keys().cloned().collect();
    for name in found {
        if double(&name).is_some_and(|of_cell| tensors.0.contains_key(&of_cell)) {
            tensors.0.remove(&name);
        }
    }
}

/// A name with its numbers as numbers, to sort by.
fn in_parts(name: &str) -> Vec<(String, usize)> {
    let parts = name.split_inclusive(|letter: char| !letter.is_ascii_digit());
    parts.map(|part| (part.trim_matches(|c: char| c.is_ascii_digit()).to_owned(), digits(part))).collect()
}

fn digits(part: &str) -> usize {
    part.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)
}

/// The tensors of one module.
struct Module {
    name: String,
    /// W and U, each of one or two matrices.
    kernels: [Vec<Tensor>; 2],
    bias_gate: Array,
    bias_update: Array,
    scalars: [Array; 2],
}

impl Module {
    fn take(tensors: &mut Tensors, module: &str) -> Result<Self, Unfit> {
        let mut kernel = |letter: &str| {
            let whole = format!("{module}{letter}");
            let factors = ["1", "2"].map(|factor| format!("{whole}{factor}"));
            let names = match tensors.0.contains_key(&factors[0]) {
                true => factors.to_vec(),
                false => vec![whole],
            };
            let take = |name: &String| {
                let tensor = tensors.get(name)?.to_dtype(DType::F32);
                let tensor = tensor.map_err(|error| Unfit(format!("{name}: {error}")))?;
                match tensor.rank() {
                    2 => Ok(tensor),
                    _ => {
                        Err(Unfit(format!("{name} is of shape {:?}, but should be a matrix", tensor.dims())))
                    }
                }
            };
            names.iter().map(take).collect::<Result<Vec<_>, _>>()
        };
        let kernels = [kernel("W")?, kernel("U")?];
        // With one axis, as in Keras.
        let mut flat = |own: &str| {
            let array = tensors.take(&format!("{module}{own}"))?;
            Ok::<_, Unfit>(Array { shape: vec![array.values.len()], ..array })
        };
        Ok(Self {
            bias_gate: flat("bias_gate")?,
            bias_update: flat("bias_update")?,
            scalars: [flat("zeta")?, flat("nu")?],
            name: module.to_owned(),
            kernels,
        })
    }

    /// Whether its matrices can be of `x·W`, or of `W·x`.
    fn fits(&self, transposed: bool) -> bool {
        let units = self.bias_gate.values.len();
        let [_, recurrent] = &self.kernels;
        let shapes = |kernel: &[Tensor]| {
            let dims = |tensor: &Tensor| {
                let [a, b] = [0, 1].map(|axis| tensor.dims()[axis]);
                if transposed { [b, a] } else { [a, b] }
            };
            kernel.iter().map(dims).collect::<Vec<_>>()
        };
        let chains = |shapes: &[[usize; 2]]| {
            shapes.windows(2).all(|two| two[0][1] == two[1][0])
                && shapes.last().is_some_and(|last| last[1] == units)
        };
        let of_states = shapes(recurrent);
        chains(&shapes(&self.kernels[0]))
            && chains(&of_states)
            && of_states.first().is_some_and(|first| first[0] == units)
    }

    fn arrays(self, transposed: bool) -> Result<LayerArrays, Unfit> {
        let Self { name, kernels, bias_gate, bias_update, scalars: [zeta, nu] } = self;
        let whole = |(letter, factors): (&str, Vec<Tensor>)| {
            let name = format!("{name}{letter}");
            let mut product: Option<Tensor> = None;
            for factor in factors {
                let factor = if transposed { factor.t() } else { Ok(factor) };
                let next = factor.and_then(|factor| match &product {
                    Some(before) => before.matmul(&factor.contiguous()?),
                    None => factor.contiguous(),
                });
                product = Some(next.map_err(|error| Unfit(format!("{name}: {error}")))?);
            }
            let product = product.ok_or_else(|| Unfit(format!("no tensor {name}")))?;
            Array::from_tensor(if transposed { format!("{name}, transposed,") } else { name }, &product)
        };
        let [kernel, recurrent_kernel] = kernels;
        Ok(LayerArrays {
            cell: Cell::FastGrnn,
            kernel: whole(("W", kernel))?,
            recurrent_kernel: whole(("U", recurrent_kernel))?,
            bias: bias_update,
            further: vec![bias_gate, zeta, nu],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_sorted_by_numbers() {
        let mut names = ["rnns.10.cell.", "rnns.9.cell.", "rnns.1.cell."];
        names.sort_by_key(|name| in_parts(name));
        assert_eq!(names, ["rnns.1.cell.", "rnns.9.cell.", "rnns.10.cell."]);
        let mut names = ["second.", "first2.", "first1.", "first12."];
        names.sort_by_key(|name| in_parts(name));
        assert_eq!(names, ["first1.", "first2.", "first12.", "second."]);
    }
}
