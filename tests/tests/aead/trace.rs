//! Rewrites a module so that it counts all that a processor shows to others: each address, each condition,
//! and what is divided, in order. Two runs that differ in secrets alone must count the same.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, Instruction, Module, TypeSection, ValType,
};
use wasmparser::{
    CodeSectionReader, ExportSectionReader, FunctionBody, FunctionSectionReader,
    GlobalSectionReader, Operator, Parser, TypeSectionReader,
};

/// The exported globals: how much was counted, and its sum.
pub const COUNT: &str = "counted";
/// See [`COUNT`].
pub const SUM: &str = "sum";

/// Spreads what is summed over all bits: any odd number does.
const SPREAD: i64 = 0x2545_f491_4f6c_dd1d;

/// The module, counting.
pub fn traced(module: &[u8]) -> Vec<u8> {
    let mut tracer = Tracer::default();
    let mut out = Module::new();
    tracer
        .parse_core_module(&mut out, Parser::new(0), module)
        .unwrap();
    out.finish()
}

/// An operand, and whether it is seen.
type Operand = (ValType, bool);

const ADDRESS: Operand = (ValType::I32, true);
const NUMBER: Operand = (ValType::I32, true);
const LONG: Operand = (ValType::I64, true);
const VALUE: Operand = (ValType::I32, false);
const LONG_VALUE: Operand = (ValType::I64, false);
const VECTOR: Operand = (ValType::V128, false);

/// The operands of an instruction that shows some of them, from the lowest on the stack.
fn operands(operator: &Operator<'_>) -> &'static [Operand] {
    use Operator as O;
    match operator {
        O::I32Load { .. }
        | O::I64Load { .. }
        | O::I32Load8S { .. }
        | O::I32Load8U { .. }
        | O::I32Load16S { .. }
        | O::I32Load16U { .. }
        | O::I64Load8S { .. }
        | O::I64Load8U { .. }
        | O::I64Load16S { .. }
        | O::I64Load16U { .. }
        | O::I64Load32S { .. }
        | O::I64Load32U { .. }
        | O::V128Load { .. }
        | O::V128Load8Splat { .. }
        | O::V128Load16Splat { .. }
        | O::V128Load32Splat { .. }
        | O::V128Load64Splat { .. }
        | O::V128Load32Zero { .. }
        | O::V128Load64Zero { .. } => &[ADDRESS],
        O::I32Store { .. } | O::I32Store8 { .. } | O::I32Store16 { .. } => &[ADDRESS, VALUE],
        O::I64Store { .. } | O::I64Store8 { .. } | O::I64Store16 { .. } | O::I64Store32 { .. } => {
            &[ADDRESS, LONG_VALUE]
        }
        O::V128Store { .. }
        | O::V128Load8Lane { .. }
        | O::V128Load16Lane { .. }
        | O::V128Load32Lane { .. }
        | O::V128Load64Lane { .. }
        | O::V128Store8Lane { .. }
        | O::V128Store16Lane { .. }
        | O::V128Store32Lane { .. }
        | O::V128Store64Lane { .. } => &[ADDRESS, VECTOR],
        O::MemoryCopy { .. } => &[ADDRESS, ADDRESS, NUMBER],
        O::MemoryFill { .. } => &[ADDRESS, VALUE, NUMBER],
        O::MemoryGrow { .. }
        | O::If { .. }
        | O::BrIf { .. }
        | O::BrTable { .. }
        | O::CallIndirect { .. }
        | O::Select
        | O::TypedSelect { .. } => &[NUMBER],
        O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU => &[NUMBER, NUMBER],
        O::I64DivS | O::I64DivU | O::I64RemS | O::I64RemU => &[LONG, LONG],
        other => {
            let name = format!("{other:?}");
            let seen = name.contains("memarg") || name.starts_with('F') || name.contains("Init");
            assert!(!seen, "{name} is not counted yet");
            &[]
        }
    }
}

#[derive(Default)]
struct Tracer {
    /// How many parameters each type has.
    types: Vec<u32>,
    /// The type of each function of the module.
    functions: Vec<u32>,
    /// How many bodies were rewritten.
    bodies: usize,
    /// How many globals there were.
    globals: u32,
    /// How many instructions were found that show something.
    places: i32,
}

impl Tracer {
    /// The function that counts, behind all others. The module imports none.
    fn counter(&self) -> u32 {
        u32::try_from(self.functions.len()).unwrap()
    }
}

impl Reencode for Tracer {
    type Error = Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error> {
        for function in section.clone().into_iter_err_on_gc_types() {
            self.types
                .push(u32::try_from(function?.params().len()).unwrap());
        }
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32, ValType::I64], []);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        self.functions = section.clone().into_iter().collect::<Result<_, _>>()?;
        utils::parse_function_section(self, functions, section)?;
        functions.function(u32::try_from(self.types.len()).unwrap());
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: GlobalSectionReader<'_>,
    ) -> Result<(), Error> {
        self.globals = section.count();
        utils::parse_global_section(self, globals, section)?;
        for _ in [COUNT, SUM] {
            let kind = GlobalType {
                val_type: ValType::I64,
                mutable: true,
                shared: false,
            };
            globals.global(kind, &ConstExpr::i64_const(0));
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(COUNT, ExportKind::Global, self.globals);
        exports.export(SUM, ExportKind::Global, self.globals + 1);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_code_section(self, code, section)?;
        let (count, sum) = (self.globals, self.globals + 1);
        let mut body = Function::new([]);
        let mut instructions = body.instructions();
        instructions
            .global_get(count)
            .i64_const(1)
            .i64_add()
            .global_set(count);
        // The sum of place and value, and of all before, in an order that matters.
        instructions
            .global_get(sum)
            .i64_const(SPREAD)
            .i64_mul()
            .local_get(0)
            .i64_extend_i32_u()
            .i64_add()
            .i64_const(SPREAD)
            .i64_mul()
            .local_get(1)
            .i64_add()
            .global_set(sum)
            .end();
        code.function(&body);
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        function: FunctionBody<'_>,
    ) -> Result<(), Error> {
        let mut locals = Vec::new();
        for pair in function.get_locals_reader()? {
            let (count, kind) = pair?;
            locals.push((count, self.val_type(kind)?));
        }
        let kind = usize::try_from(self.functions[self.bodies]).unwrap();
        self.bodies += 1;
        let before = self.types[kind] + locals.iter().map(|(count, _)| count).sum::<u32>();
        // Room for the operands of one instruction: three of each type.
        locals.extend([(3, ValType::I32), (3, ValType::I64), (3, ValType::V128)]);
        let room = |slot: usize, kind: ValType| {
            let group = match kind {
                ValType::I32 => 0,
                ValType::I64 => 3,
                _ => 6,
            };
            before + group + u32::try_from(slot).unwrap()
        };
        let mut out = Function::new(locals);
        for operator in function.get_operators_reader()? {
            let operator = operator?;
            let operands = operands(&operator);
            for (slot, (kind, _)) in operands.iter().enumerate().rev() {
                out.instruction(&Instruction::LocalSet(room(slot, *kind)));
            }
            for (slot, (kind, seen)) in operands.iter().enumerate() {
                let local = room(slot, *kind);
                if *seen {
                    out.instruction(&Instruction::I32Const(self.places));
                    out.instruction(&Instruction::LocalGet(local));
                    if *kind == ValType::I32 {
                        out.instruction(&Instruction::I64ExtendI32U);
                    }
                    out.instruction(&Instruction::Call(self.counter()));
                    self.places += 1;
                }
            }
            for (slot, (kind, _)) in operands.iter().enumerate() {
                out.instruction(&Instruction::LocalGet(room(slot, *kind)));
            }
            out.instruction(&self.instruction(operator)?);
        }
        code.function(&out);
        Ok(())
    }
}
