//! A recurrent layer's integers: its weights in steps of the grid, in the order in which each cell has them in the file. A file
//! for each cell.

mod fastgrnn;
mod gru;
mod lstm;
mod simple_rnn;

use std::rc::Rc;

use kilornn::layers::{Activation, Begin, Layer as FileLayer, Order};

use self::fastgrnn::FastGrnn;
use self::gru::Gru;
use self::lstm::Lstm;
use self::simple_rnn::SimpleRnn;
pub use self::simple_rnn::order;
use crate::network::{Cell, Layer, LayerChoice, LayerGrid, Parameter, StateGrid, Sum};
use crate::recipe::EmbeddingBits;

/// What the exporter asks of a cell. Each cell answers in its own file.
pub(super) trait Export {
    /// What calibration tries for a layer of this cell.
    fn tries(&self) -> Tries {
        Tries { scales: false, state_shifts: false, limits: &[1.0] }
    }

    /// What one attempt is for a layer, to which units' scales were given if it asked for them.
    fn choice(&self, _: &Layer, Attempt { limit, .. }: Attempt<'_>) -> LayerChoice {
        LayerChoice::Gated { limit }
    }

    /// Numbers of a word in the file, if the lowest layer has this cell and the network's embedding so many: inputs come in
    /// fours.
    fn row_width(&self, own: usize, _: EmbeddingBits) -> usize {
        filled(own)
    }

    /// How weights lie, if a SimpleRNN asks, for so many inputs of a step and this share of zeros among the states.
    fn order(&self, _inputs: usize, _zeros: f64) -> Order {
        Order::Pairs
    }

    /// Kernel and biases, in the order of the file.
    fn weights(&self, layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>, order: Order) -> Vec<u8>;

    /// A view of a layer.
    fn view<'l>(&self, layer: &'l IntLayer) -> FileLayer<'l>;
}

/// What the exporter asks of this cell. It is the list of cells.
pub(super) fn exported(cell: Cell) -> &'static dyn Export {
    match cell {
        Cell::SimpleRnn { activation: Activation::Relu, .. } => &SimpleRnn(Activation::Relu),
        Cell::SimpleRnn { activation: Activation::Tanh, .. } => &SimpleRnn(Activation::Tanh),
        Cell::Gru => &Gru,
        Cell::Lstm => &Lstm,
        Cell::FastGrnn => &FastGrnn,
    }
}

/// What calibration tries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tries {
    /// Whether units have scales, which are found by their states.
    pub(super) scales: bool,
    /// Whether states are shifted by several numbers of bits.
    pub(super) state_shifts: bool,
    /// What the largest state may be.
    pub(super) limits: &'static [f32],
}

/// One of the things that are tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) scales: &'a [f32],
    pub(super) state_shift: u8,
    pub(super) limit: f32,
}

/// Units of the file: those of the network, filled up to whole blocks of four. The added ones have no weights, so they
/// stay zero.
pub(super) fn filled(units: usize) -> usize {
    units.next_multiple_of(4)
}

/// A recurrent layer, as the model file holds it.
pub(super) struct IntLayer {
    cell: Cell,
    units: usize,
    order: Order,
    grid: LayerGrid,
    weights: Vec<u8>,
    /// What the cell has besides kernels and bias, in floats.
    further: Vec<Parameter>,
}

/// What a layer reads besides its own states.
pub(super) enum Incoming<'a> {
    /// Rows of a folded embedding: `W·E + b`, in the order of the file.
    Folded(Vec<&'a [f32]>),
    /// So many numbers of a row of a narrow embedding, or outputs of the layer below, filled up.
    Numbers(usize),
}

impl IntLayer {
    /// The integers of a layer on its grid. A SimpleRNN's kernel lies in `order`.
    pub(super) fn new(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>, order: Order) -> Self {
        let weights = exported(layer.cell).weights(layer, grid, incoming, order);
        let (grid, further) = (grid.clone(), layer.further.clone());
        Self { cell: layer.cell, units: filled(layer.units()), order, grid, weights, further }
    }

    /// A view of it.
    pub(super) fn view(&self) -> FileLayer<'_> {
        exported(self.cell).view(self)
    }

    /// Of a layer with gates, bits of a state.
    fn state_bits(&self) -> u8 {
        match self.grid.states {
            StateGrid::Int8 { .. } => 0,
            StateGrid::Int16 { state_bits, .. } => state_bits,
        }
    }
}

/// The steps of a layer's weights, found by input and column of the kernels. Inputs come first, then states; those that fill
/// blocks have weights of zero.
struct Steps {
    kernel: Vec<f32>,
    recurrent: Vec<f32>,
    columns: usize,
    /// Numbers that it reads besides its states, in the file.
    width: usize,
}

impl Steps {
    fn new(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>) -> Self {
        let (kernel, width) = match incoming {
            Incoming::Folded(_) => (Vec::new(), 0),
            Incoming::Numbers(width) => (grid.kernel_steps(layer), *width),
        };
        Self { kernel, recurrent: grid.recurrent_steps(layer), columns: layer.kernel.shape[1], width }
    }

    /// That of an input, or behind them of a state, in a column.
    fn at(&self, input: usize, column: usize) -> f32 {
        let (weights, row) =
            if input < self.width { (&self.kernel, input) } else { (&self.recurrent, input - self.width) };
        weights.get(row * self.columns + column).copied().unwrap_or(0.0)
    }

    /// All inputs of a step, in the file.
    fn inputs(&self, units: usize) -> usize {
        self.width + filled(units)
    }
}

/// The integers of the sums of a layer with gates, each found by part of the kernels' columns and unit; those of units that fill blocks
/// are zero.
struct Gates<'l> {
    layer: &'l Layer,
    grid: &'l LayerGrid,
    /// Rows of a folded embedding.
    rows: Option<&'l [&'l [f32]]>,
    steps: Steps,
}

impl<'l> Gates<'l> {
    fn new(layer: &'l Layer, grid: &'l LayerGrid, incoming: &'l Incoming<'_>) -> Self {
        let rows = match incoming {
            Incoming::Folded(rows) => Some(&rows[..]),
            Incoming::Numbers(_) => None,
        };
        Self { layer, grid, rows, steps: Steps::new(layer, grid, incoming) }
    }

    /// Units and inputs of a step, in the file.
    fn dimensions(&self) -> [usize; 2] {
        let units = self.layer.units();
        [filled(units), self.steps.inputs(units)]
    }

    fn sum(&self, part: usize, unit: usize) -> Option<Sum> {
        let units = self.layer.units();
        (unit < units).then(|| Sum::of(self.layer.cell, units, part * units + unit))
    }

    /// The weight of an input, in 256ths.
    fn weight(&self, part: usize, unit: usize, input: usize) -> i32 {
        self.sum(part, unit).map_or(0, |sum| sum.in_256ths(|column| self.steps.at(input, column)))
    }

    /// What a sum begins with: a bias, and the shift at its end. `bias` gives that of a column: of its inputs, which is zero if it
    /// is in the rows of a folded embedding, and of the second row, if the layer has one.
    fn begin(&self, part: usize, unit: usize, bias: impl Fn(f32, f32) -> f32) -> Begin {
        let (Some(sum), StateGrid::Int16 { shifts, .. }) = (self.sum(part, unit), &self.grid.states) else {
            return Begin { bias: 0, shift: 0 };
        };
        let (columns, biases) = (self.layer.kernel.shape[1], &self.layer.bias.values);
        let of_inputs = if self.rows.is_some() { 0.0 } else { biases[sum.column] };
        let of_states = biases.get(columns + sum.column).copied().unwrap_or(0.0);
        let (step, more) = if sum.is_odd() { (256.0, 8) } else { (1.0, 0) };
        let steps = sum.signed(bias(of_inputs, of_states)) * self.grid.factors[sum.column] * step;
        Begin { bias: steps.round() as i32, shift: shifts[sum.column] + more }
    }

    /// For each row of a folded embedding, what gives its biases by part and unit, in 256ths.
    fn biases(&self) -> impl Iterator<Item = impl Fn(usize, usize) -> i32> {
        let factors = Rc::new(self.grid.bias_factors());
        self.rows.into_iter().flatten().map(move |row| {
            let factors = factors.clone();
            move |part: usize, unit: usize| {
                self.sum(part, unit).map_or(0, |sum| sum.in_256ths(|column| row[column] * factors[column]))
            }
        })
    }
}
