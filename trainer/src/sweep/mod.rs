//! Networks of many sizes, trained alike and judged by what a device would answer: which is worth its bytes?

pub mod advice;
pub mod budget;
pub mod grid;
pub mod page;
pub mod plot;
pub mod results;
pub mod search;
pub mod space;
pub mod store;
pub mod table;
pub mod trial;
pub mod workers;
