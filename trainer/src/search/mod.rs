//! The search for a network's size. Networks of many sizes are trained alike and compared by what a device would answer.
//!
//! A [`Size`](size::Size) is a number of words, a width of the embedding, a [`cell`] and a number of hidden units. A [`sweep`]
//! trains all sizes of some lists ([`size::Lists`]) and advises one of those on the Pareto front ([`results`], [`advice`];
//! [`plot`] and [`page`] show them). A [`budget`] bounds flash, RAM or instructions: [`space`] finds the sizes that fit,
//! and [`halving`] trains few of them. Either way one training of one size is a [`trial`], and [`workers`] do several at a
//! time. [`suggested`] tries whole recipes instead of sizes, if none is named.

mod advice;
mod budget;
mod cell;
mod halving;
mod page;
mod plot;
mod results;
mod size;
mod space;
mod store;
mod suggested;
mod sweep;
mod table;
mod trial;
mod workers;

pub(crate) use self::budget::{Budget, ChosenSize, Proof, SearchResult};
pub(crate) use self::cell::CellName;
pub(crate) use self::size::Lists;
pub(crate) use self::suggested::take_best;
pub(crate) use self::sweep::{Pace, Sweep};
pub(crate) use self::workers::Deadline;

/// Takes a line about the progress of a search, for a person. It may fail, as printing to a closed standard output does.
pub(crate) type Say<'a> = &'a (dyn Fn(&str) -> anyhow::Result<()> + Sync);
