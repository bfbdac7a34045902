//! The layers of a network: one cell each, one upon the other.

use core::ops::Deref;

use super::cell::Cell;
use super::incoming::Incoming;
use super::share::Share;
use super::{Activation, Order, SimpleRnn};
#[cfg(kilornn_gates)]
use crate::decoder::Decoder;
use crate::{Error, Kernel};

/// The most layers of a network.
///
/// More than one are in files of format 4, which needs a feature of the crate: that of any cell.
///
/// ```
/// let any = cfg!(any(feature = "gru", feature = "lstm", feature = "fastgrnn"));
/// assert_eq!(kilornn::layers::LAYERS, if any { 4 } else { 1 });
/// ```
pub const LAYERS: usize = if cfg!(kilornn_gates) { 4 } else { 1 };

/// Makes [`Layer`] of the list of cells: the number in files of format 4, the type, and the feature of the crate that it
/// needs. What is asked of a cell is in [`Cell`], which each implements in its own file.
macro_rules! layers {
    ($($(#[doc = $doc:literal])+ $number:literal $cell:ident $(needs $feature:literal)?,)+) => {
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
            $($(#[doc = $doc])+ $(#[cfg(feature = $feature)])? $cell(super::$cell<'a>),)+
        }

        $($(#[cfg(feature = $feature)])?
        impl<'a> From<super::$cell<'a>> for Layer<'a> {
            fn from(layer: super::$cell<'a>) -> Self {
                Layer::$cell(layer)
            }
        })+

        /// Computes something of a layer, whose type differs from cell to cell.
        macro_rules! with_layer {
            ($self:expr, |$layer:ident| $body:expr) => {
                match $self {
                    $($(#[cfg(feature = $feature)])? Layer::$cell($layer) => $body,)+
                }
            };
        }

        impl<'a> Layer<'a> {
            /// The number of the cell in front of a layer of a file.
            #[cfg(kilornn_gates)]
            pub(crate) const fn number(&self) -> u32 {
                match self {
                    $($(#[cfg(feature = $feature)])? Layer::$cell(_) => $number,)+
                }
            }

            /// The cell's name in its library. See [`Layer`] for an example.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $($(#[cfg(feature = $feature)])? Layer::$cell(_) => <super::$cell<'_> as Cell<'_>>::NAME,)+
                }
            }

            /// The feature of this crate that the cell needs, if it is one for which there is a feature.
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
                    $($(#[cfg(feature = $feature)])? Layer::$cell(_) => layers!(@feature $($feature)?),)+
                }
            }

            /// Reads a layer of the cell with this number, still without weights.
            #[cfg(kilornn_gates)]
            pub(crate) fn read(number: u32, decoder: &mut Decoder<'a>) -> Result<Self, Error> {
                match number {
                    $(
                        $(#[cfg(feature = $feature)])?
                        $number => super::$cell::read(decoder).map(Layer::$cell).map_err(|_| Error::Undecodable),
                        $(#[cfg(not(feature = $feature))] $number => Err(Error::CellNeeded { feature: $feature }),)?
                    )+
                    _ => Err(Error::Undecodable),
                }
            }
        }
    };
    (@feature $feature:literal) => {
        Some($feature)
    };
    (@feature) => {
        None
    };
}

layers! {
    /// Keras's `SimpleRNN`.
    0 SimpleRnn,
    /// Keras's `GRU`. Needs the feature `gru` of the crate.
    1 Gru needs "gru",
    /// Keras's `LSTM`. Needs the feature `lstm` of the crate.
    2 Lstm needs "lstm",
    /// EdgeML's `FastGRNN`. Needs the feature `fastgrnn` of the crate.
    3 FastGrnn needs "fastgrnn",
}

impl<'a> Layer<'a> {
    /// The number of units, which is the number of outputs.
    /// See [`Layer`] for an example.
    #[must_use]
    pub const fn units(&self) -> u32 {
        with_layer!(self, |layer| layer.units)
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
        with_layer!(self, |layer| layer.weights)
    }

    /// How many of the [`weights`](Self::weights) are the kernel, if the layer reads so many numbers besides its own
    /// outputs. What its sums begin with is part of a kernel of gates.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// // 32 units that read each other; the embedding is folded.
    /// assert_eq!(model.contents().layers[0].kernel_len(0), 32 * 32);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn kernel_len(&self, width: u32) -> usize {
        self.weights_len(width, Some(0))
    }

    /// Bits of an output, if the outputs have 16 bits: the largest is 2 to this power. `None` if outputs have 8 bits.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().layers[0].state_bits(), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn state_bits(&self) -> Option<u8> {
        with_layer!(self, |layer| Cell::state_bits(layer))
    }

    /// What the largest output stands for, if the outputs have 16 bits: 2 to this power, which is 1 of a cell whose outputs
    /// cannot be larger.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().layers[0].limit_bits(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn limit_bits(&self) -> u8 {
        with_layer!(self, |layer| Cell::limit_bits(layer))
    }

    /// The format version of files that have such a layer.
    #[cfg(kilornn_gates)]
    pub(crate) fn version(&self) -> u16 {
        with_layer!(self, |layer| layer.version())
    }

    /// By how many bits the outputs of the layer below are shifted to the left.
    #[cfg(kilornn_gates)]
    pub(crate) const fn input_shift(&self) -> u8 {
        with_layer!(self, |layer| layer.input_shift)
    }

    /// Its share of the memory, with so many inputs from below. The loader has checked their number, or will.
    pub(crate) fn share(&self, width: u32, kernel: Kernel) -> Share {
        with_layer!(self, |layer| Cell::share(layer, width as usize, kernel))
    }

    /// The largest magnitude of an output.
    pub(crate) fn largest_output(&self) -> u32 {
        self.state_bits().map_or(127, |bits| 1 << bits)
    }

    /// Checks lengths and shifts, and that no sum can leave its range.
    pub(crate) fn check(&self, incoming: Incoming) -> Result<(), Error> {
        with_layer!(self, |layer| Cell::check(layer, incoming))
    }

    /// The bytes of its weights, with this number of inputs from below, and with this number of rows if it reads a folded
    /// embedding.
    pub(crate) fn weights_len(&self, width: u32, rows: Option<u32>) -> usize {
        let inputs = (self.units() as usize).saturating_add(width as usize);
        with_layer!(self, |layer| Cell::weights_len(layer, inputs, rows.map(|rows| rows as usize)))
    }

    /// Gives it these weights.
    #[cfg(kilornn_gates)]
    pub(crate) const fn set_weights(&mut self, weights: &'a [u8]) {
        with_layer!(self, |layer| layer.weights = weights);
    }

    /// Writes it without its number and its weights, as a file has it; `None` if the buffer is too small.
    #[cfg(kilornn_gates)]
    pub(crate) fn write<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
        with_layer!(self, |layer| layer.write(buffer))
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
