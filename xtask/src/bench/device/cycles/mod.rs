//! Estimated cycles of the bench, from a trace of the instructions that it executes.
//!
//! [`trace`] lets QEMU log every instruction of a few steps and words, [`thumb`] says what each one is, and [`timing`] what
//! the processor's manual says that it takes between its neighbours. What comes out is cycles an instruction; the bench
//! multiplies them by the instructions that it has counted. `docs/cycles.md` describes the method and its error.

mod known;
mod thumb;
mod timing;
mod trace;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind};

use kilornn_host::Emulation;
use thumb::Instruction;
use timing::{Executed, Target};

pub(super) use timing::{Cycles, Pipeline};

/// The function that the bench calls where a trace begins or ends.
const MARK: &str = "kilornn_bench_mark";

/// The part of a bench that is traced.
#[derive(Debug)]
pub(super) struct Traced {
    program: Program,
    /// What was executed between each two marks, with the address where it went on.
    windows: Vec<Vec<u32>>,
}

/// What the bench traces, in its order (`trace` in `firmware-example/src/bench/main.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// Steps.
    Steps,
    /// Splitting and hashing all texts.
    Tokenizing,
    /// From text to answer.
    Classifying,
    /// The loop whose cycles are known.
    Known,
}

const WINDOWS: usize = 4;

/// Instructions and their cycles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) instructions: u64,
    pub(super) cycles: Cycles,
}

impl Work {
    /// Cycles of so many instructions of this kind: what is likely, and the least and the most.
    pub(super) fn cycles_of(&self, instructions: f64) -> Estimate {
        let each = |cycles| cycles as f64 / self.instructions.max(1) as f64 * instructions;
        let Cycles { least, likely, most } = self.cycles;
        Estimate { likely: each(likely), range: [each(least), each(most)] }
    }
}

/// Estimated cycles of something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// What is likely.
    pub(super) likely: f64,
    /// The least and the most that the manuals allow.
    pub(super) range: [f64; 2],
}

impl Estimate {
    /// The same of so many times the work.
    pub(super) fn times(self, factor: f64) -> Self {
        Self { likely: self.likely * factor, range: self.range.map(|cycles| cycles * factor) }
    }
}

/// Runs a bench and traces the end of it; also what it says.
pub(super) fn run(emulation: &Emulation, elf: &Path) -> Result<(String, Traced)> {
    let program = Program::read(elf)?;
    let (said, addresses) = trace::run(emulation, elf, program.mark.0)?;
    let windows = windows(&addresses, program.mark);
    ensure!(windows.len() == WINDOWS, "the trace has {} marks instead of {}", 2 * windows.len(), 2 * WINDOWS);
    Ok((said, Traced { program, windows }))
}

impl Traced {
    /// The work in a window.
    pub(super) fn work(&self, window: Window, pipeline: Pipeline) -> Result<Work> {
        self.program.work(&self.windows[window as usize], pipeline)
    }

    /// Fails if the loop whose cycles are known comes to other cycles.
    pub(super) fn check(&self, pipeline: Pipeline) -> Result<()> {
        let addresses = &self.windows[Window::Known as usize];
        let place = self.program.known.context("the bench has no loop whose cycles are known")?;
        let is_inside = |address: &&u32| place.contains(**address);
        let begin = addresses.iter().position(|address| place.contains(*address)).unwrap_or(0);
        let count = addresses[begin..].iter().take_while(is_inside).count();
        let behind = addresses.len().min(begin + count + 1);
        let work = self.program.work(&addresses[begin..behind], pipeline)?;
        let known = known::work(pipeline);
        ensure!(
            (work.instructions, work.cycles.likely) == known,
            "a loop of {} instructions and {} cycles is taken for {} instructions and {} cycles",
            known.0,
            known.1,
            work.instructions,
            work.cycles.likely
        );
        Ok(())
    }
}

/// What was executed between the first mark and the second, the third and the fourth, and so on, without what the
/// marking function itself executes.
fn windows(addresses: &[u32], mark: Place) -> Vec<Vec<u32>> {
    let mut windows: Vec<Vec<u32>> = Vec::new();
    let mut marks = 0;
    for &address in addresses {
        if address == mark.0 {
            marks += 1;
            match windows.last_mut() {
                Some(window) if marks % 2 == 0 => window.push(address),
                _ => windows.push(Vec::new()),
            }
        } else if marks % 2 == 1 && !mark.contains(address) {
            windows.last_mut().into_iter().for_each(|window| window.push(address));
        }
    }
    // A window that nothing ends.
    windows.truncate(marks / 2);
    windows
}

/// The first address of something, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(u32, u32);

impl Place {
    fn contains(self, address: u32) -> bool {
        (self.0..self.0 + self.1).contains(&address)
    }
}

/// The code of a program.
#[derive(Debug)]
struct Program {
    /// Each section that is executed, with its address.
    code: Vec<(u32, Vec<u8>)>,
    mark: Place,
    known: Option<Place>,
}

impl Program {
    fn read(elf: &Path) -> Result<Self> {
        let bytes = fs::read(elf)?;
        let file = object::File::parse(&*bytes)?;
        let text = file.sections().filter(|section| section.kind() == SectionKind::Text);
        let code = text.map(|section| Ok((u32::try_from(section.address())?, section.data()?.to_vec())));
        let place = |name| {
            let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name))?;
            // The lowest bit says that this is Thumb.
            Some(Place(u32::try_from(symbol.address()).ok()? & !1, u32::try_from(symbol.size()).ok()?))
        };
        Ok(Self {
            code: code.collect::<Result<_>>()?,
            mark: place(MARK).with_context(|| format!("the bench has no function {MARK}"))?,
            known: place(known::FUNCTION),
        })
    }

    fn halfword(&self, address: u32) -> Option<u16> {
        self.code.iter().find_map(|(begin, bytes)| {
            let at = address.checked_sub(*begin)? as usize;
            Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
        })
    }

    fn instruction(&self, address: u32) -> Result<Instruction> {
        let halfword = |address| self.halfword(address);
        let first =
            halfword(address).with_context(|| format!("{address:#x} was executed and is not code"))?;
        Instruction::decode(first, halfword(address + 2).unwrap_or(0))
            .with_context(|| format!("the instruction {first:#06x} at {address:#x} is not known"))
    }

    /// The work of the instructions at these addresses but the last, which says where execution went on.
    fn work(&self, addresses: &[u32], pipeline: Pipeline) -> Result<Work> {
        let mut known: HashMap<u32, Instruction> = HashMap::new();
        let (mut work, mut previous) = (Work::default(), None);
        for pair in addresses.windows(2) {
            let mut instruction = |address| -> Result<Instruction> {
                if let Some(known) = known.get(&address) {
                    return Ok(*known);
                }
                let found = self.instruction(address)?;
                known.insert(address, found);
                Ok(found)
            };
            let (address, next) = (pair[0], pair[1]);
            let one = instruction(address)?;
            let target = if next == address + one.bytes {
                None
            } else {
                Some(Target { is_split: next % 4 == 2 && instruction(next)?.bytes == 4 })
            };
            ensure!(
                target.is_none() || one.kind.may_jump(),
                "execution goes on at {next:#x} after {:?} at {address:#x}, which does not jump",
                one.kind
            );
            let cycles = pipeline.cycles(&Executed { instruction: one, previous, target });
            let cycles = cycles.with_context(|| {
                format!("{:?} at {address:#x} is not an instruction of {pipeline:?}", one.kind)
            })?;
            work = Work { instructions: work.instructions + 1, cycles: work.cycles + cycles };
            previous = Some(one);
        }
        Ok(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of these halfwords, from address 0.
    fn program(words: &[u16]) -> Program {
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Program { code: vec![(0, bytes)], mark: Place(0x1000, 2), known: None }
    }

    /// Likely cycles of a program on each core, executed at these addresses, of which the last is where it goes on.
    fn cycles(words: &[u16], addresses: &[u32]) -> [Option<u64>; 4] {
        [Pipeline::M0, Pipeline::M0Plus, Pipeline::M3, Pipeline::M4].map(|pipeline| {
            let work = program(words).work(addresses, pipeline).ok()?;
            let Cycles { least, likely, most } = work.cycles;
            assert!(least <= likely && likely <= most, "{pipeline:?}: {:?}", work.cycles);
            Some(work.cycles.likely)
        })
    }

    /// The same on cores that have all of these instructions, one after the other.
    fn straight(words: &[u16]) -> [Option<u64>; 4] {
        let program = program(words);
        let mut addresses = vec![0];
        while (*addresses.last().unwrap() as usize) < 2 * words.len() {
            let address = *addresses.last().unwrap();
            addresses.push(address + program.instruction(address).unwrap().bytes);
        }
        cycles(words, &addresses)
    }

    #[test]
    fn a_delay_loop_takes_what_the_makers_of_delays_reckon_with() {
        // subs r0, #1; bne: Nordic's nrfx reckons with 4 cycles on an M0 and 3 on an M4, the crate cortex-m with 3 on most.
        let mut addresses = [0, 2].repeat(100);
        addresses.push(4);
        // The last branch is not taken: 1 cycle.
        let expected = [400 - 2, 300 - 1, 300 - 1, 300 - 1];
        assert_eq!(cycles(&[0x3801, 0xD1FD], &addresses), expected.map(Some));
    }

    #[test]
    fn loads_and_stores_overlap_as_the_manual_s_examples_do() {
        let large = |words: &[u16]| straight(words)[2..].to_vec();
        let all = |cycles| vec![Some(cycles); 2];
        // DDI 0337I, section 3.3.2: LDR R0,[R1]; LDR R1,[R2] - normally three cycles total.
        assert_eq!(large(&[0x6808, 0x6811]), all(3));
        // LDR R0,[R1,R2]; STR R0,[R3,#20] - normally three cycles total.
        assert_eq!(large(&[0x5888, 0x6158]), all(3));
        // LDR R0,[R1,R2]; STR R1,[R3,R2] - normally three cycles total.
        assert_eq!(large(&[0x5888, 0x5099]), all(3));
        // LDR R0,[R1,R5]; LDR R1,[R2]; LDR R2,[R3,#4] - normally four cycles total.
        assert_eq!(large(&[0x5948, 0x6811, 0x685A]), all(4));
        // STR Rx,[Ry,#imm] is always one cycle; nothing overlaps with what follows a store: 1 + 2.
        assert_eq!(large(&[0x6158, 0x6808]), all(3));
        // LDR R1,[R0]; LDR R2,[R1]: the address is what was just loaded: 2 + 2.
        assert_eq!(large(&[0x6801, 0x680A]), all(4));
        // ADDS R0,#4; LDR R1,[R0]: an address from data processing waits a cycle: 1 + 2 + 1.
        assert_eq!(large(&[0x3004, 0x6801]), all(4));
        // LDRD R1,R2,[R0] takes three cycles.
        assert_eq!(large(&[0xE9D0, 0x1200]), all(3));
        // LDR R0,[R1],#4; LDR R2,[R3],#4: overlap on an M4, but not on an M3, whose manual excludes base updates.
        assert_eq!(large(&[0xF851, 0x0B04, 0xF853, 0x2B04]), [Some(4), Some(3)]);
        // On the small cores each takes two.
        assert_eq!(straight(&[0x5948, 0x6811, 0x685A])[..2], [Some(6), Some(6)]);
    }

    #[test]
    fn a_call_takes_what_the_tables_add_up_to() {
        // 0: bl 8 (4 bytes); 4: nop; 6: nop; 8: push {r4, lr}; 10: pop {r4, pc}.
        let words = [0xF000, 0xF802, 0xBF00, 0xBF00, 0xB510, 0xBD10];
        // M0: BL 4, PUSH 1+2, POP 4+2, NOP 1 = 14. M0+: BL 3, PUSH 1+2, POP 3+2, NOP 1 = 12.
        // M3, M4: BL 1+P with P = 1, PUSH 1+2, POP 1+2+P with P = 3, NOP 1 = 12.
        assert_eq!(cycles(&words, &[0, 8, 10, 4, 6]), [14, 12, 12, 12].map(Some));
    }

    #[test]
    fn multiplications_are_the_cores_own() {
        // MULS R2,R3,R2.
        assert_eq!(straight(&[0x435A]), [Some(1); 4]);
        // MLA R1,R2,R3,R4: 2 and 1. UMULL R0,R1,R2,R3: 3 to 5, and 1.
        assert_eq!(straight(&[0xFB02, 0x4103]), [None, None, Some(2), Some(1)]);
        assert_eq!(straight(&[0xFBA2, 0x0103]), [None, None, Some(4), Some(1)]);
        // SMLAD R1,R2,R3,R4, which only the M4 has.
        assert_eq!(straight(&[0xFB22, 0x4103]), [None, None, None, Some(1)]);
    }

    #[test]
    fn a_jump_to_an_instruction_in_two_words_takes_a_cycle_more() {
        // 0: b 6; 2: nop; 4: nop; 6: mov.w r0, #-1, which begins in the middle of a word; 10: b 4; 4: nop.
        let words = [0xE001, 0xBF00, 0xBF00, 0xF04F, 0x30FF, 0xE7FB];
        // 1+2, 1, 1+1, 1.
        assert_eq!(cycles(&words, &[0, 6, 10, 4, 6])[2..], [Some(7), Some(7)]);
    }

    #[test]
    fn what_is_between_marks_is_taken_without_the_marks() {
        let mark = Place(100, 4);
        let trace = [100, 102, 10, 12, 100, 102, 50, 100, 102, 14, 100, 102, 60, 100, 16];
        assert_eq!(windows(&trace, mark), [vec![10, 12, 100], vec![14, 100]]);
    }
}
