//! The layers of a network: one cell each, one upon the other.

use core::ops::Deref;

#[cfg(feature = "gru")]
use super::Gru;
#[cfg(feature = "lstm")]
use super::Lstm;
use super::incoming::Incoming;
use super::{Activation, Order, SimpleRnn};
use crate::Error;

/// The most layers of a network.
///
/// More than one are in files of format 4, which needs a feature of the crate: `gru` or `lstm`.
///
/// ```
/// assert_eq!(kilornn::layers::LAYERS, if cfg!(any(feature = "gru", feature = "lstm")) { 4 } else { 1 });
/// ```
pub const LAYERS: usize = if cfg!(kilornn_gates) { 4 } else { 1 };

/// One recurrent layer: a cell with its weights.
///
/// ```
/// use kilornn::Model;
///
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
/// let model = Model::from_bytes(BYTES)?;
/// let layer = model.contents().layers[0];
/// assert_eq!((layer.name(), layer.units()), ("SimpleRNN", 32));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Layer<'a> {
    /// Keras's `SimpleRNN`.
    SimpleRnn(SimpleRnn<'a>),
    /// Keras's `GRU`. Needs the feature `gru` of the crate.
    #[cfg(feature = "gru")]
    Gru(Gru<'a>),
    /// Keras's `LSTM`. Needs the feature `lstm` of the crate.
    #[cfg(feature = "lstm")]
    Lstm(Lstm<'a>),
}

impl<'a> Layer<'a> {
    /// The number of units, which is the number of outputs.
    /// See [`Layer`] for an example.
    #[must_use]
    pub const fn units(&self) -> u32 {
        match self {
            Layer::SimpleRnn(rnn) => rnn.units,
            #[cfg(feature = "gru")]
            Layer::Gru(gru) => gru.units,
            #[cfg(feature = "lstm")]
            Layer::Lstm(lstm) => lstm.units,
        }
    }

    /// The cell's name in Keras. See [`Layer`] for an example.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Layer::SimpleRnn(_) => "SimpleRNN",
            #[cfg(feature = "gru")]
            Layer::Gru(_) => "GRU",
            #[cfg(feature = "lstm")]
            Layer::Lstm(_) => "LSTM",
        }
    }

    /// The feature of this crate without which the layer cannot run, if there is one.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().layers[0].feature(), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn feature(&self) -> Option<&'static str> {
        match self {
            Layer::SimpleRnn(_) => None,
            #[cfg(feature = "gru")]
            Layer::Gru(_) => Some("gru"),
            #[cfg(feature = "lstm")]
            Layer::Lstm(_) => Some("lstm"),
        }
    }

    /// The weights: a kernel, then biases.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().layers[0].weights().len() % 32, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn weights(&self) -> &'a [u8] {
        match self {
            Layer::SimpleRnn(rnn) => rnn.weights,
            #[cfg(feature = "gru")]
            Layer::Gru(gru) => gru.weights,
            #[cfg(feature = "lstm")]
            Layer::Lstm(lstm) => lstm.weights,
        }
    }

    /// By how many bits the outputs of the layer below are shifted to the left.
    #[cfg(kilornn_gates)]
    pub(crate) const fn input_shift(&self) -> u8 {
        match self {
            Layer::SimpleRnn(rnn) => rnn.input_shift,
            #[cfg(feature = "gru")]
            Layer::Gru(gru) => gru.input_shift,
            #[cfg(feature = "lstm")]
            Layer::Lstm(lstm) => lstm.input_shift,
        }
    }

    /// The largest magnitude of an output.
    pub(crate) const fn largest_output(&self) -> u32 {
        match self {
            Layer::SimpleRnn(_) => 127,
            #[cfg(feature = "gru")]
            Layer::Gru(gru) => 1 << gru.state_bits,
            #[cfg(feature = "lstm")]
            Layer::Lstm(lstm) => 1 << lstm.state_bits,
        }
    }

    /// Checks lengths and shifts, and that no sum can leave its range.
    pub(crate) fn check(&self, incoming: Incoming) -> Result<(), Error> {
        match self {
            Layer::SimpleRnn(rnn) => rnn.check(incoming),
            #[cfg(feature = "gru")]
            Layer::Gru(gru) => gru.check(incoming),
            #[cfg(feature = "lstm")]
            Layer::Lstm(lstm) => lstm.check(incoming),
        }
    }

    /// The bytes of its weights, with this number of inputs from below, and with this number of rows if it reads a folded
    /// embedding.
    #[cfg(kilornn_gates)]
    pub(crate) fn weights_len(&self, width: u32, rows: Option<u32>) -> usize {
        let units = self.units() as usize;
        let inputs = units.saturating_add(width as usize);
        match self {
            Layer::SimpleRnn(_) => inputs.saturating_add(rows.unwrap_or(1) as usize).saturating_mul(units),
            #[cfg(feature = "gru")]
            Layer::Gru(_) => Gru::weights_len(units, inputs, rows.unwrap_or(0) as usize),
            #[cfg(feature = "lstm")]
            Layer::Lstm(_) => Lstm::weights_len(units, inputs, rows.unwrap_or(0) as usize),
        }
    }

    /// Gives it these weights.
    #[cfg(kilornn_gates)]
    pub(crate) const fn set_weights(&mut self, weights: &'a [u8]) {
        match self {
            Layer::SimpleRnn(rnn) => rnn.weights = weights,
            #[cfg(feature = "gru")]
            Layer::Gru(gru) => gru.weights = weights,
            #[cfg(feature = "lstm")]
            Layer::Lstm(lstm) => lstm.weights = weights,
        }
    }
}

impl<'a> From<SimpleRnn<'a>> for Layer<'a> {
    fn from(rnn: SimpleRnn<'a>) -> Self {
        Layer::SimpleRnn(rnn)
    }
}

#[cfg(feature = "gru")]
impl<'a> From<Gru<'a>> for Layer<'a> {
    fn from(gru: Gru<'a>) -> Self {
        Layer::Gru(gru)
    }
}

#[cfg(feature = "lstm")]
impl<'a> From<Lstm<'a>> for Layer<'a> {
    fn from(lstm: Lstm<'a>) -> Self {
        Layer::Lstm(lstm)
    }
}

/// The layers of a network, from the input to the head: 1 to [`LAYERS`]. It is a slice of [`Layer`]s.
///
/// ```
/// use kilornn::layers::{Activation, Layer, Layers, Order, SimpleRnn, LAYERS};
///
/// let rnn = SimpleRnn {
///     units: 4,
///     activation: Activation::Relu,
///     order: Order::Columns,
///     weights: &[],
///     bias_shift: 0,
///     state_shift: 0,
///     input_shift: 0,
/// };
/// let layers = Layers::from(Layer::SimpleRnn(rnn));
/// assert_eq!(layers.len(), 1);
/// assert_eq!(layers.last().map(Layer::units), Some(4));
/// assert_eq!(Layers::new(&[rnn.into()]), Some(layers));
/// assert_eq!(Layers::new(&[rnn.into(); LAYERS + 1]), None);
/// ```
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layers<'a> {
    /// Behind the last layer, the first once more.
    layers: [Layer<'a>; LAYERS],
    #[cfg(kilornn_gates)]
    count: u8,
}

impl<'a> Layers<'a> {
    /// Nothing, to be filled in.
    pub(crate) const EMPTY: Self = {
        let rnn = SimpleRnn {
            units: 0,
            activation: Activation::Relu,
            order: Order::Columns,
            weights: &[],
            bias_shift: 0,
            state_shift: 0,
            input_shift: 0,
        };
        Self {
            layers: [Layer::SimpleRnn(rnn); LAYERS],
            #[cfg(kilornn_gates)]
            count: 0,
        }
    };

    /// These layers, or `None` if there are none or more than [`LAYERS`]. See [`Layers`] for an example.
    #[must_use]
    pub fn new(layers: &[Layer<'a>]) -> Option<Self> {
        let mut all = Self::from(*layers.first()?);
        all.layers.get_mut(..layers.len())?.copy_from_slice(layers);
        #[cfg(kilornn_gates)]
        {
            all.count = layers.len() as u8;
        }
        Some(all)
    }

    /// Adds a layer, if there is room.
    #[cfg(kilornn_gates)]
    pub(crate) fn push(&mut self, layer: Layer<'a>) {
        if let Some(place) = self.layers.get_mut(usize::from(self.count)) {
            *place = layer;
            self.count += 1;
        }
    }

    /// The only layer of a network whose form of file has just one.
    #[inline]
    pub(crate) fn set(&mut self, layer: SimpleRnn<'a>) {
        let [first, ..] = &mut self.layers;
        *first = Layer::SimpleRnn(layer);
        #[cfg(kilornn_gates)]
        {
            self.count = 1;
        }
    }

    #[cfg(kilornn_gates)]
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Layer<'a>> {
        self.layers.iter_mut().take(self.count.into())
    }

    /// The only layer, if there is just one.
    #[inline]
    pub(crate) const fn only(&self) -> Option<&Layer<'a>> {
        #[cfg(kilornn_gates)]
        if self.count != 1 {
            return None;
        }
        let [first, ..] = &self.layers;
        Some(first)
    }

    /// The only layer, if there is one and it is a SimpleRNN.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().layers.simple_rnn().map(|rnn| rnn.units), Some(32));
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    #[must_use]
    pub fn simple_rnn(&self) -> Option<&SimpleRnn<'a>> {
        match self.only()? {
            Layer::SimpleRnn(rnn) => Some(rnn),
            #[cfg(kilornn_gates)]
            _ => None,
        }
    }
}

impl<'a> From<Layer<'a>> for Layers<'a> {
    fn from(layer: Layer<'a>) -> Self {
        Self {
            layers: [layer; LAYERS],
            #[cfg(kilornn_gates)]
            count: 1,
        }
    }
}

impl<'a> From<SimpleRnn<'a>> for Layers<'a> {
    fn from(rnn: SimpleRnn<'a>) -> Self {
        Layer::SimpleRnn(rnn).into()
    }
}

impl<'a> Deref for Layers<'a> {
    type Target = [Layer<'a>];

    #[inline]
    fn deref(&self) -> &[Layer<'a>] {
        #[cfg(not(kilornn_gates))]
        return &self.layers;
        #[cfg(kilornn_gates)]
        self.layers.get(..self.count.into()).unwrap_or_default()
    }
}

impl PartialEq for Layers<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Layers<'_> {}
