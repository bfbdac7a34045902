//! Decodes Thumb instructions (ARMv6-M and ARMv7E-M) as far as their time depends on them.
//!
//! The encodings are those of the Armv7-M Architecture Reference Manual (DDI 0403), chapters A5 and A6.

/// What an instruction is, for its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Computes on registers, or does nothing.
    Simple,
    /// 32 bits of a product.
    Multiply,
    /// MLA, MLS: a product and a sum.
    MultiplyAccumulate,
    /// Products of the DSP extension, as SMLAD and SMLABB.
    DspMultiply,
    /// UMULL, SMULL.
    LongMultiply,
    /// UMLAL, SMLAL and their kin of the DSP extension.
    LongMultiplyAccumulate,
    /// SDIV, UDIV.
    Divide,
    /// Loads a register.
    Load(Access),
    /// Stores a register.
    Store(Access),
    /// LDM, LDRD, POP and VLDM, of so many words.
    LoadMany(u32),
    /// STM, STRD, PUSH and VSTM, of so many words.
    StoreMany(u32),
    /// POP or LDM of so many words, one of them the program counter.
    Return(u32),
    /// LDR to the program counter.
    LoadPc,
    /// TBB, TBH.
    TableBranch,
    /// B, conditional or not, CBZ, CBNZ.
    Branch,
    /// BL.
    Call,
    /// BX, BLX.
    BranchRegister,
    /// MOV or ADD to the program counter.
    MovePc,
    /// IT.
    IfThen,
    /// DMB, DSB, ISB.
    Barrier,
    /// MRS, MSR.
    SpecialRegister,
    /// VMLA, VFMA and their kin.
    FloatMultiplyAccumulate,
    /// VDIV, VSQRT.
    FloatDivide,
    /// VMOV of two registers.
    FloatPair,
}

impl Kind {
    /// Whether execution may go on elsewhere than behind it.
    pub(super) const fn may_jump(self) -> bool {
        use Kind::{Branch, BranchRegister, Call, LoadPc, MovePc, Return, TableBranch};
        matches!(self, Return(_) | LoadPc | TableBranch | Branch | Call | BranchRegister | MovePc)
    }
}

/// How a load or store forms its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// A register and a constant.
    Offset,
    /// Two registers.
    Indexed,
    /// A register, which changes.
    Update,
    /// The program counter and a constant.
    Literal,
}

/// Registers, a bit each.
pub(super) type Registers = u16;

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Bytes: two or four.
    pub(super) bytes: u32,
    pub(super) kind: Kind,
    /// Registers that it computes or loads.
    pub(super) results: Registers,
    /// Registers of the address that it reads or writes.
    pub(super) address: Registers,
}

impl Instruction {
    const fn new(bytes: u32, kind: Kind) -> Self {
        Self { bytes, kind, results: 0, address: 0 }
    }

    /// With a result, unless the register is the program counter, where that stands for none.
    const fn to(self, register: u32) -> Self {
        Self { results: if register == 15 { 0 } else { 1 << register }, ..self }
    }

    const fn at(self, base: u32, other: Registers) -> Self {
        Self { address: 1 << base | other, ..self }
    }

    /// The instruction whose halfwords these are; `None` for those of which nothing is known, as BKPT.
    pub(super) fn decode(first: u16, second: u16) -> Option<Self> {
        let (first, second) = (u32::from(first), u32::from(second));
        match first >> 11 {
            0b11101..=0b11111 => wide(first, second),
            _ => narrow(first),
        }
    }
}

/// Bits `high` to `low` of a number.
const fn bits(number: u32, high: u32, low: u32) -> u32 {
    number >> low & ((1 << (high - low + 1)) - 1)
}

fn narrow(word: u32) -> Option<Instruction> {
    let of = |kind| Instruction::new(2, kind);
    let low = |bit| bits(word, bit + 2, bit);
    let count = |mask: u32| (word & mask).count_ones();
    let is_load = bits(word, 11, 11) == 1;
    let access = |is_load, access| if is_load { Kind::Load(access) } else { Kind::Store(access) };
    let memory = |is_load: bool, how, register, base, other| {
        let one = of(access(is_load, how)).at(base, other);
        if is_load { one.to(register) } else { one }
    };
    Some(match word >> 11 {
        // Shifts, and additions of small numbers.
        0b00000..=0b00011 => of(Kind::Simple).to(low(0)),
        // CMP with a constant has no result.
        0b00101 => of(Kind::Simple),
        0b00100 | 0b00110 | 0b00111 => of(Kind::Simple).to(low(8)),
        0b01000 if bits(word, 10, 10) == 0 => match bits(word, 9, 6) {
            0b1101 => of(Kind::Multiply).to(low(0)),
            // TST, CMP, CMN.
            0b1000 | 0b1010 | 0b1011 => of(Kind::Simple),
            _ => of(Kind::Simple).to(low(0)),
        },
        0b01000 => match (bits(word, 9, 8), bits(word, 7, 7) << 3 | low(0)) {
            (0b01, _) => of(Kind::Simple),
            (0b11, _) => of(Kind::BranchRegister),
            (_, 15) => of(Kind::MovePc),
            (_, register) => of(Kind::Simple).to(register),
        },
        0b01001 => of(Kind::Load(Access::Literal)).to(low(8)),
        // Those with a code below 3 store.
        0b01010 | 0b01011 => memory(bits(word, 11, 9) >= 3, Access::Indexed, low(0), low(3), 1 << low(6)),
        0b01100..=0b10001 => memory(is_load, Access::Offset, low(0), low(3), 0),
        0b10010 | 0b10011 => memory(is_load, Access::Offset, low(8), 13, 0),
        // ADR, ADD to a register.
        0b10100 | 0b10101 => of(Kind::Simple).to(low(8)),
        0b10110 | 0b10111 => match bits(word, 11, 8) {
            0b0000 => of(Kind::Simple).to(13),
            0b0001 | 0b0011 | 0b1001 | 0b1011 => of(Kind::Branch),
            0b0010 | 0b1010 => of(Kind::Simple).to(low(0)),
            0b0100 | 0b0101 => of(Kind::StoreMany(count(0x1FF))).at(13, 0),
            // CPS.
            0b0110 => of(Kind::Simple),
            0b1100 => of(Kind::LoadMany(count(0xFF))).at(13, 0),
            0b1101 => of(Kind::Return(count(0x1FF))).at(13, 0),
            0b1111 if word & 0xF == 0 => of(Kind::Simple),
            0b1111 => of(Kind::IfThen),
            _ => return None,
        },
        0b11000 => of(Kind::StoreMany(count(0xFF))).at(low(8), 0),
        0b11001 => of(Kind::LoadMany(count(0xFF))).at(low(8), 0),
        // UDF and SVC have the last two conditions.
        0b11010 | 0b11011 if bits(word, 11, 9) != 0b111 => of(Kind::Branch),
        0b11100 => of(Kind::Branch),
        _ => return None,
    })
}

fn wide(first: u32, second: u32) -> Option<Instruction> {
    let of = |kind| Instruction::new(4, kind);
    let (base, result) = (bits(first, 3, 0), bits(second, 11, 8));
    Some(match (bits(first, 12, 11), bits(first, 10, 9)) {
        (0b01, 0b00) if bits(first, 6, 6) == 0 => many(first, second),
        (0b01, 0b00) => dual(first, second)?,
        // Data processing with a shifted register, or with a constant.
        (0b01, 0b01) => of(Kind::Simple).to(result),
        (0b10, _) if bits(second, 15, 15) == 0 => of(Kind::Simple).to(result),
        (0b10, _) => of(branch_or_special(first, second)?),
        (0b11, 0b00) => single(first, second)?,
        // Data processing on registers.
        (0b11, 0b01) if bits(first, 8, 8) == 0 => of(Kind::Simple).to(result),
        (0b11, 0b01) if bits(first, 7, 7) == 0 => {
            let accumulates = bits(second, 15, 12) != 15;
            of(match (bits(first, 6, 4), bits(second, 5, 4), accumulates) {
                (0, 0, false) => Kind::Multiply,
                (0, ..) => Kind::MultiplyAccumulate,
                _ => Kind::DspMultiply,
            })
            .to(result)
        }
        (0b11, 0b01) => match bits(first, 6, 4) {
            0b001 | 0b011 => of(Kind::Divide).to(result),
            kind => {
                let kind = if matches!(kind, 0b000 | 0b010) {
                    Kind::LongMultiply
                } else {
                    Kind::LongMultiplyAccumulate
                };
                let one = of(kind).to(result);
                Instruction { results: one.results | 1 << bits(second, 15, 12), ..one }
            }
        },
        (0b01 | 0b11, 0b10 | 0b11) if matches!(bits(second, 11, 8), 10 | 11) => float(first, second, base),
        _ => return None,
    })
}

/// LDM, STM.
fn many(first: u32, second: u32) -> Instruction {
    let count = (second & 0xFFFF).count_ones();
    let is_load = bits(first, 4, 4) == 1;
    let kind = match is_load {
        true if bits(second, 15, 15) == 1 => Kind::Return(count),
        true => Kind::LoadMany(count),
        false => Kind::StoreMany(count),
    };
    Instruction::new(4, kind).at(bits(first, 3, 0), 0)
}

/// LDRD, STRD, table branches and exclusive accesses.
fn dual(first: u32, second: u32) -> Option<Instruction> {
    let is_load = bits(first, 4, 4) == 1;
    let of = |load, store| Instruction::new(4, if is_load { load } else { store });
    let base = bits(first, 3, 0);
    if bits(first, 8, 8) == 1 || bits(first, 5, 5) == 1 {
        return Some(of(Kind::LoadMany(2), Kind::StoreMany(2)).at(base, 0));
    }
    let exclusive = of(Kind::Load(Access::Offset), Kind::Store(Access::Offset)).at(base, 0);
    match (bits(first, 7, 7), bits(second, 7, 4)) {
        (0, _) | (1, 4 | 5) => Some(exclusive),
        (1, 0 | 1) if is_load => Some(Instruction::new(4, Kind::TableBranch)),
        _ => None,
    }
}

/// A load or a store of one register.
fn single(first: u32, second: u32) -> Option<Instruction> {
    let (base, register, index) = (bits(first, 3, 0), bits(second, 15, 12), bits(second, 3, 0));
    let (is_load, is_word) = (bits(first, 4, 4) == 1, bits(first, 6, 5) == 0b10);
    // The vector instructions of larger cores lie here, too.
    if !is_load && bits(first, 8, 8) == 1 {
        return None;
    }
    let (access, other) = match () {
        () if base == 15 => (Access::Literal, 0),
        () if bits(first, 7, 7) == 1 => (Access::Offset, 0),
        () if bits(second, 11, 11) == 0 => (Access::Indexed, 1 << index),
        () if bits(second, 8, 8) == 1 => (Access::Update, 0),
        () => (Access::Offset, 0),
    };
    let kind = match is_load {
        false => Kind::Store(access),
        true if register == 15 && is_word => Kind::LoadPc,
        // PLD.
        true if register == 15 => Kind::Simple,
        true => Kind::Load(access),
    };
    let one = Instruction::new(4, kind);
    let one = if is_load { one.to(register) } else { one };
    Some(if access == Access::Literal { one } else { one.at(base, other) })
}

fn branch_or_special(first: u32, second: u32) -> Option<Kind> {
    Some(match (bits(second, 14, 14), bits(second, 12, 12)) {
        (1, 1) => Kind::Call,
        (0, 1) => Kind::Branch,
        (0, 0) if bits(first, 9, 7) != 0b111 => Kind::Branch,
        (0, 0) => match bits(first, 6, 4) {
            0b000 | 0b001 | 0b110 | 0b111 => Kind::SpecialRegister,
            // NOP and other hints.
            0b010 => Kind::Simple,
            0b011 => Kind::Barrier,
            _ => return None,
        },
        _ => return None,
    })
}

/// Floats.
fn float(first: u32, second: u32, base: u32) -> Instruction {
    let of = |kind| Instruction::new(4, kind);
    let is_load = bits(first, 4, 4) == 1;
    if bits(first, 9, 9) == 0 {
        let [is_before, is_up, changes] = [8, 7, 5].map(|bit| bits(first, bit, bit) == 1);
        let words = bits(second, 7, 0);
        return match (is_before, changes) {
            // Two registers of the core from or to floats.
            (false, false) if !is_up => of(Kind::FloatPair),
            (true, false) if is_load => of(Kind::Load(Access::Offset)).at(base, 0),
            (true, false) => of(Kind::Store(Access::Offset)).at(base, 0),
            _ if is_load => of(Kind::LoadMany(words)).at(base, 0),
            _ => of(Kind::StoreMany(words)).at(base, 0),
        };
    }
    if bits(second, 4, 4) == 1 {
        return of(Kind::Simple);
    }
    of(match (bits(first, 7, 7), bits(first, 5, 4)) {
        (1, 0b00) => Kind::FloatDivide,
        (1, 0b11) if base == 1 && bits(second, 7, 6) == 0b11 => Kind::FloatDivide,
        (0, 0b00 | 0b01) | (1, 0b01 | 0b10) => Kind::FloatMultiplyAccumulate,
        _ => Kind::Simple,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Assembled by `llvm-mc --triple=thumbv7em-none-eabihf --show-encoding`.
    #[test]
    fn instructions_are_what_the_assembler_made_them_of() {
        use Access::{Indexed, Literal, Offset, Update};
        let narrow: &[(u16, &str, Kind)] = &[
            (0x3801, "subs r0, #1", Kind::Simple),
            (0x2800, "cmp r0, #0", Kind::Simple),
            (0x435A, "muls r2, r3, r2", Kind::Multiply),
            (0x4770, "bx lr", Kind::BranchRegister),
            (0x4798, "blx r3", Kind::BranchRegister),
            (0x4687, "mov pc, r0", Kind::MovePc),
            (0x46C0, "mov r8, r8", Kind::Simple),
            (0x4801, "ldr r0, [pc, #4]", Kind::Load(Literal)),
            (0x6802, "ldr r2, [r0]", Kind::Load(Offset)),
            (0x6002, "str r2, [r0]", Kind::Store(Offset)),
            (0x5C81, "ldrb r1, [r0, r2]", Kind::Load(Indexed)),
            (0x5481, "strb r1, [r0, r2]", Kind::Store(Indexed)),
            (0x5681, "ldrsb r1, [r0, r2]", Kind::Load(Indexed)),
            (0x8841, "ldrh r1, [r0, #2]", Kind::Load(Offset)),
            (0x9901, "ldr r1, [sp, #4]", Kind::Load(Offset)),
            (0x9101, "str r1, [sp, #4]", Kind::Store(Offset)),
            (0xB082, "sub sp, #8", Kind::Simple),
            (0xB108, "cbz r0, 6", Kind::Branch),
            (0xB5F0, "push {r4-r7, lr}", Kind::StoreMany(5)),
            (0xBDF0, "pop {r4-r7, pc}", Kind::Return(5)),
            (0xBC30, "pop {r4, r5}", Kind::LoadMany(2)),
            (0xC80E, "ldm r0!, {r1-r3}", Kind::LoadMany(3)),
            (0xC00E, "stm r0!, {r1-r3}", Kind::StoreMany(3)),
            (0xBF18, "it ne", Kind::IfThen),
            (0xBF00, "nop", Kind::Simple),
            (0xB2C9, "uxtb r1, r1", Kind::Simple),
            (0xD1FC, "bne", Kind::Branch),
            (0xE7FE, "b", Kind::Branch),
        ];
        for &(word, text, kind) in narrow {
            let decoded = Instruction::decode(word, 0).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((decoded.kind, decoded.bytes), (kind, 2), "{text}");
        }
        let wide: &[(u32, &str, Kind)] = &[
            (0xF000_F801, "bl", Kind::Call),
            (0xF000_B801, "b.w", Kind::Branch),
            (0xF040_8001, "bne.w", Kind::Branch),
            (0xF04F_30FF, "mov r0, #-1", Kind::Simple),
            (0xF240_1001, "movw r0, #257", Kind::Simple),
            (0xF3BF_8F5F, "dmb sy", Kind::Barrier),
            (0xF3EF_8010, "mrs r0, primask", Kind::SpecialRegister),
            (0xFB02_F103, "mul r1, r2, r3", Kind::Multiply),
            (0xFB02_4103, "mla r1, r2, r3, r4", Kind::MultiplyAccumulate),
            (0xFB02_4113, "mls r1, r2, r3, r4", Kind::MultiplyAccumulate),
            (0xFB22_4103, "smlad r1, r2, r3, r4", Kind::DspMultiply),
            (0xFB12_4103, "smlabb r1, r2, r3, r4", Kind::DspMultiply),
            (0xFBA2_0103, "umull r0, r1, r2, r3", Kind::LongMultiply),
            (0xFBC2_0103, "smlal r0, r1, r2, r3", Kind::LongMultiplyAccumulate),
            (0xFBC2_01C3, "smlald r0, r1, r2, r3", Kind::LongMultiplyAccumulate),
            (0xFBB0_F0F1, "udiv r0, r0, r1", Kind::Divide),
            (0xFA2F_F182, "sxtb16 r1, r2", Kind::Simple),
            (0xEAC1_4102, "pkhbt r1, r1, r2, lsl #16", Kind::Simple),
            (0xF851_0B04, "ldr r0, [r1], #4", Kind::Load(Update)),
            (0xF8D1_0104, "ldr.w r0, [r1, #260]", Kind::Load(Offset)),
            (0xF851_0C04, "ldr r0, [r1, #-4]", Kind::Load(Offset)),
            (0xF851_0022, "ldr.w r0, [r1, r2, lsl #2]", Kind::Load(Indexed)),
            (0xF8DF_0104, "ldr.w r0, [pc, #260]", Kind::Load(Literal)),
            (0xF91F_0104, "ldrsb.w r0, [pc, #-260]", Kind::Load(Literal)),
            (0xF841_0B04, "str r0, [r1], #4", Kind::Store(Update)),
            (0xF801_0002, "strb.w r0, [r1, r2]", Kind::Store(Indexed)),
            (0xF991_0000, "ldrsb.w r0, [r1]", Kind::Load(Offset)),
            (0xF8D1_F000, "ldr pc, [r1]", Kind::LoadPc),
            (0xF891_F000, "pld [r1]", Kind::Simple),
            (0xE8BD_8FF0, "pop {r4-r11, pc}", Kind::Return(9)),
            (0xE92D_4FF0, "push {r4-r11, lr}", Kind::StoreMany(9)),
            (0xE890_00FC, "ldm.w r0, {r2-r7}", Kind::LoadMany(6)),
            (0xE9D0_1200, "ldrd r1, r2, [r0]", Kind::LoadMany(2)),
            (0xE8E0_1202, "strd r1, r2, [r0], #8", Kind::StoreMany(2)),
            (0xE850_1F00, "ldrex r1, [r0]", Kind::Load(Offset)),
            (0xE8DF_F000, "tbb [pc, r0]", Kind::TableBranch),
            (0xED91_0A01, "vldr s0, [r1, #4]", Kind::Load(Offset)),
            (0xED2D_8B04, "vpush {d8, d9}", Kind::StoreMany(4)),
            (0xECBD_8B04, "vpop {d8, d9}", Kind::LoadMany(4)),
            (0xEE30_0A20, "vadd.f32 s0, s0, s1", Kind::Simple),
            (0xEE80_0A20, "vdiv.f32 s0, s0, s1", Kind::FloatDivide),
            (0xEEB1_0AC0, "vsqrt.f32 s0, s0", Kind::FloatDivide),
            (0xEEA0_0A20, "vfma.f32 s0, s0, s1", Kind::FloatMultiplyAccumulate),
            (0xEE00_0A20, "vmla.f32 s0, s0, s1", Kind::FloatMultiplyAccumulate),
            (0xEE10_0A10, "vmov r0, s0", Kind::Simple),
            (0xEC51_0B10, "vmov r0, r1, d0", Kind::FloatPair),
            (0xEEF1_FA10, "vmrs APSR_nzcv, fpscr", Kind::Simple),
            (0xEEB8_0AC0, "vcvt.f32.s32 s0, s0", Kind::Simple),
        ];
        for &(word, text, kind) in wide {
            let decoded = Instruction::decode((word >> 16) as u16, word as u16);
            let decoded = decoded.unwrap_or_else(|| panic!("{text}"));
            assert_eq!((decoded.kind, decoded.bytes), (kind, 4), "{text}");
        }
        for (word, text) in [(0xBEAB, "bkpt"), (0xDE00, "udf"), (0xDF00, "svc")] {
            assert_eq!(Instruction::decode(word, 0), None, "{text}");
        }
    }

    #[test]
    fn registers_of_results_and_addresses_are_known() {
        let registers = |first, second| {
            let one = Instruction::decode(first, second).unwrap();
            (one.results, one.address)
        };
        assert_eq!(registers(0x5C81, 0), (1 << 1, 1 << 0 | 1 << 2), "ldrb r1, [r0, r2]");
        assert_eq!(registers(0x6002, 0), (0, 1 << 0), "str r2, [r0]");
        assert_eq!(registers(0x9901, 0), (1 << 1, 1 << 13), "ldr r1, [sp, #4]");
        assert_eq!(registers(0x2800, 0), (0, 0), "cmp r0, #0");
        assert_eq!(registers(0x46C0, 0), (1 << 8, 0), "mov r8, r8");
        assert_eq!(registers(0xF851, 0x0B04), (1 << 0, 1 << 1), "ldr r0, [r1], #4");
        assert_eq!(registers(0xFBA2, 0x0103), (1 << 0 | 1 << 1, 0), "umull r0, r1, r2, r3");
        assert_eq!(registers(0xEA10, 0x0F01), (0, 0), "tst.w r0, r1");
    }
}
