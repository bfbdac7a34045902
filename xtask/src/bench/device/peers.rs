//! Instructions of a step of other engines, to print beside ours. They were measured once, outside this repository, with
//! the best flags for each (arm-none-eabi-gcc 12.2, 128 steps, QEMU's `-icount`).

use super::Row;

/// Board, synthetic model, the best complete peer, and its instructions of a time step.
const PEERS: [(&str, &str, &str, f64); 24] = [
    ("mps2-an386", "9x32 lstm", "CMSIS-NN", 29_528.0),
    ("mps2-an386", "13x64 lstm", "CMSIS-NN", 74_721.0),
    ("mps2-an386", "16x16 lstm", "CMSIS-NN", 14_336.0),
    ("mps2-an386", "128x100 lstm", "CMSIS-NN", 228_041.0),
    ("mps2-an386", "9x32 gru", "NNoM with CMSIS", 14_955.0),
    ("mps2-an386", "13x64 gru", "NNoM with CMSIS", 42_564.0),
    ("mps2-an386", "16x16 gru", "NNoM with CMSIS", 6_941.0),
    ("mps2-an386", "128x100 gru", "NNoM with CMSIS", 151_490.0),
    ("mps2-an386", "9x32 tanh", "CMSIS-NN", 4_543.0),
    ("mps2-an386", "13x64 tanh", "CMSIS-NN", 13_194.0),
    ("mps2-an386", "16x16 tanh", "CMSIS-NN", 1_982.0),
    ("mps2-an386", "128x100 tanh", "CMSIS-NN", 48_461.0),
    ("mps2-an386", "9x32 fastgrnn", "EdgeML", 10_523.0),
    ("mps2-an386", "13x64 fastgrnn", "EdgeML", 28_665.0),
    ("mps2-an386", "16x16 fastgrnn", "EdgeML", 4_989.0),
    ("mps2-an386", "128x100 fastgrnn", "EdgeML", 98_113.0),
    ("microbit", "9x32 lstm", "plain C", 40_877.0),
    ("microbit", "13x64 lstm", "plain C", 133_995.0),
    ("microbit", "16x16 lstm", "plain C", 17_370.0),
    ("microbit", "128x100 lstm", "plain C", 568_030.0),
    ("microbit", "9x32 gru", "plain C", 33_767.0),
    ("microbit", "13x64 gru", "plain C", 106_057.0),
    ("microbit", "16x16 gru", "plain C", 13_501.0),
    ("microbit", "128x100 gru", "plain C", 430_724.0),
];

/// The peer of a row.
pub(super) fn of(row: &Row) -> Option<(&'static str, f64)> {
    let peer = PEERS.iter().find(|(board, model, ..)| *board == row.board && *model == row.model)?;
    Some((peer.2, peer.3))
}

/// Prints the rows that have a peer beside it.
pub(super) fn print(rows: &[Row]) {
    let rows: Vec<_> = rows.iter().filter_map(|row| Some((row, of(row)?))).collect();
    if rows.is_empty() {
        return;
    }
    println!("\nBeside the best of other engines, instructions per step:");
    println!("board       shape                  ours     theirs  times ours");
    for (row, (name, theirs)) in rows {
        let ours = row.step();
        println!(
            "{:<11} {:<18} {ours:>8.0} {theirs:>10.0} {:>11.1}  {name}",
            row.board,
            row.model,
            theirs / ours
        );
    }
}
