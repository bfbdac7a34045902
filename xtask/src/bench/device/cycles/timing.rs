//! How many cycles instructions take, as Arm documents it for memory without wait states.
//!
//! - Cortex-M0: Technical Reference Manual r0p0 (DDI 0432C), table 3-1; Cortex-M0+: r0p1 (DDI 0484C), table 3-1. Both with
//!   the multiplier of one cycle.
//! - Cortex-M3: r2p1 (DDI 0337I), section 3.3; Cortex-M4: r0p1 (100166), section 3.3 and the table of the FPU's
//!   instructions.
//!
//! Where a manual gives a range, so does [`Cycles`], and `docs/cycles.md` says what is taken as likely and why.

use std::iter::Sum;
use std::ops::Add;

use super::thumb::{Access, Instruction, Kind};

/// A pipeline whose timing is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pipeline {
    /// Cortex-M0: three stages, one bus.
    M0,
    /// Cortex-M0+: two stages, one bus.
    M0Plus,
    /// Cortex-M3: three stages, loads that overlap.
    M3,
    /// Cortex-M4: the same with more products.
    M4,
}

impl Pipeline {
    /// That of a core, by the name in the table of costs; none if nothing that can be reckoned with is documented.
    pub(crate) fn of(core: &str) -> Option<Self> {
        match core {
            "m0" => Some(Self::M0),
            "m0plus" => Some(Self::M0Plus),
            "m3" => Some(Self::M3),
            "m4" => Some(Self::M4),
            _ => None,
        }
    }
}

/// A number of cycles: what is likely, between the least and the most that the manuals allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cycles {
    pub(crate) least: u64,
    pub(crate) likely: u64,
    pub(crate) most: u64,
}

impl Cycles {
    const fn exactly(cycles: u64) -> Self {
        Self::between(cycles, cycles, cycles)
    }

    const fn between(least: u64, likely: u64, most: u64) -> Self {
        Self { least, likely, most }
    }
}

impl Add for Cycles {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            least: self.least + other.least,
            likely: self.likely + other.likely,
            most: self.most + other.most,
        }
    }
}

impl Sum for Cycles {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// An instruction that was executed, between its neighbours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Executed {
    pub(super) instruction: Instruction,
    /// The one before it.
    pub(super) previous: Option<Instruction>,
    /// Where execution goes on, if that is not right behind it.
    pub(super) target: Option<Target>,
}

/// Where a jump leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// Whether four bytes of an instruction begin there that two fetches of aligned words must bring.
    pub(super) is_split: bool,
}

impl Pipeline {
    /// The cycles of an instruction; none if the core does not have it.
    pub(super) fn cycles(self, executed: &Executed) -> Option<Cycles> {
        match self {
            Self::M0 => small(executed, &[3, 4, 4, 4]),
            Self::M0Plus => small(executed, &[2, 3, 3, 3]),
            Self::M3 | Self::M4 => self.large(executed),
        }
    }

    fn large(self, executed: &Executed) -> Option<Cycles> {
        let Executed { instruction: Instruction { kind, address, .. }, previous, target } = *executed;
        // The manuals' P, the cycles of a pipeline refill: 1 to 3.
        let refill = |cycles, likely| Cycles::exactly(cycles) + Cycles::between(1, likely, 3);
        // What decodes says where to go on. An instruction in two words there takes one more fetch.
        let direct = 1 + u64::from(target.is_some_and(|target| target.is_split));
        let known = previous.map(|previous| (previous.kind, previous.results & address != 0));
        // There is no path from the result of data processing to an address.
        let waits = known.is_some_and(|(kind, is_address)| is_address && !is_load(kind));
        let stall = if waits { Cycles::between(0, 1, 1) } else { Cycles::default() };
        let is_m4 = self == Self::M4;
        Some(match kind {
            Kind::Simple | Kind::Multiply => Cycles::exactly(1),
            Kind::MultiplyAccumulate => Cycles::exactly(if is_m4 { 1 } else { 2 }),
            Kind::LongMultiply | Kind::LongMultiplyAccumulate if is_m4 => Cycles::exactly(1),
            Kind::LongMultiply => Cycles::between(3, 4, 5),
            Kind::LongMultiplyAccumulate => Cycles::between(4, 5, 7),
            Kind::Divide => Cycles::between(2, 7, 12),
            Kind::Load(access) => {
                // Neighbours overlap, unless the address is what was just loaded.
                let (follows, is_update) = match known {
                    Some((Kind::Load(before), false)) => (true, before == Access::Update),
                    _ => (false, false),
                };
                let is_update = is_update || access == Access::Update;
                let literal = u64::from(access == Access::Literal);
                let own = match (follows, is_update) {
                    // Only the M3's manual says that loads with a base update overlap with nothing.
                    (true, true) if !is_m4 => Cycles::between(1, 2, 2),
                    (true, true) => Cycles::between(1, 1, 2),
                    (true, false) => Cycles::exactly(1),
                    (false, _) => Cycles::exactly(2),
                };
                own + stall + Cycles::between(0, 0, literal)
            }
            Kind::Store(access) => {
                let own = match (access, known) {
                    (Access::Offset, _) | (_, Some((Kind::Load(_), false))) => Cycles::between(1, 1, 2),
                    _ => Cycles::between(1, 2, 2),
                };
                own + stall
            }
            Kind::LoadMany(words) | Kind::StoreMany(words) => Cycles::exactly(1 + u64::from(words)) + stall,
            Kind::Return(words) => refill(1 + u64::from(words), 3) + stall,
            Kind::LoadPc => refill(2, 3) + stall,
            Kind::TableBranch => Cycles::between(3, 6, 6),
            Kind::Branch if target.is_none() => Cycles::exactly(1),
            Kind::Branch | Kind::Call => refill(1, direct),
            Kind::BranchRegister | Kind::MovePc => refill(1, 2),
            Kind::IfThen => Cycles::between(0, 1, 1),
            Kind::Barrier => Cycles::between(1, 2, 4),
            Kind::SpecialRegister => Cycles::between(1, 2, 2),
            Kind::DspMultiply if is_m4 => Cycles::exactly(1),
            Kind::FloatMultiplyAccumulate if is_m4 => Cycles::exactly(3),
            Kind::FloatDivide if is_m4 => Cycles::exactly(14),
            Kind::FloatPair if is_m4 => Cycles::exactly(2),
            Kind::DspMultiply | Kind::FloatMultiplyAccumulate | Kind::FloatDivide | Kind::FloatPair => {
                return None;
            }
        })
    }
}

/// The cores of ARMv6-M, which have one number for everything. What differs is a jump, a call, what a return takes
/// beside its words, and a special register or barrier.
fn small(executed: &Executed, &[jump, call, back, special]: &[u64; 4]) -> Option<Cycles> {
    Some(Cycles::exactly(match executed.instruction.kind {
        Kind::Simple | Kind::Multiply => 1,
        Kind::Load(_) | Kind::Store(_) => 2,
        Kind::LoadMany(words) | Kind::StoreMany(words) => 1 + u64::from(words),
        Kind::Return(words) => back + u64::from(words),
        Kind::Branch if executed.target.is_none() => 1,
        Kind::Branch | Kind::BranchRegister | Kind::MovePc => jump,
        Kind::Call => call,
        Kind::Barrier | Kind::SpecialRegister => special,
        _ => return None,
    }))
}

const fn is_load(kind: Kind) -> bool {
    matches!(kind, Kind::Load(_) | Kind::LoadMany(_))
}
