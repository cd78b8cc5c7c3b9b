import { isCelError, parse, plan, type CelInput } from '@bufbuild/cel';
import { COST_LIMIT, compilePattern, METER, meteredEnvironment, metered } from './policy-cost.ts';

/** What an expression may look at. */
export const VARIABLES = ['request', 'reason', 'kind', 'metadata', 'data'] as const;
export type Facts = Readonly<Record<(typeof VARIABLES)[number], CelInput>>;

/** Why it is not true: `false`, or that it could not be told (a key that is missing, types that do not fit, cost). */
export type Evaluated = { holds: true; cost: number } | { holds: false; why: string; exceeded: boolean; cost: number };
export type Expression = { text: string; evaluate(facts: Facts): Evaluated };

const LONGEST = 2_000;
const LARGEST = 400;
const DEEPEST = 32;
const MOST_NESTED = 3;

type Expr = NonNullable<ReturnType<typeof parse>['expr']>;
type Call = Extract<Expr['exprKind'], { case: 'callExpr' }>['value'];
type Comprehension = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

/**
 * Compiles a CEL expression that is to be a condition over one message. Missing keys, types that do not fit and cost above the limit
 * make it not hold; what can be known beforehand is refused here: unknown names and functions, patterns, size, nesting.
 * @returns the expression, or why it cannot be one
 */
export function compileExpression(text: string): { ok: true; expression: Expression } | { ok: false; message: string } {
  try {
    if (text.length > LONGEST) throw new Refused(`is longer than ${LONGEST} characters`);
    // The parser recurses: depth is bounded before it runs.
    if (bracketDepth(text) > DEEPEST) throw new Refused(`brackets are nested deeper than ${DEEPEST}`);
    const { expr } = parse(text);
    if (!expr) throw new Refused('is empty');
    refuseNoCondition(expr);
    const compiler = new Compiler();
    const run = plan(meteredEnvironment, compiler.visit(expr, new Set(), 0));
    return { ok: true, expression: { text, evaluate: (facts) => evaluate(run, facts) } };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, message: error.message };
    return { ok: false, message: (error as Error).message.replace(/<input>:(\d+):(\d+)/, 'in line $1, column $2').slice(0, 300) };
  }
}

class Refused extends Error {}

function evaluate(run: ReturnType<typeof plan>, facts: Facts): Evaluated {
  // A missing key is an everyday answer here; a stack trace for each would cost more than all the rest.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const { result, cost } = metered(() => run(facts));
    if (cost > COST_LIMIT) return { holds: false, why: `it costs more than ${COST_LIMIT} units on this message`, exceeded: true, cost };
    if (result === true) return { holds: true, cost };
    const why = isCelError(result) ? `it cannot be told: ${result.message}` : result === false ? 'it is false' : 'it gives neither true nor false';
    return { holds: false, why, exceeded: false, cost };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** `how` many arguments, with what it is called on counted. */
const FUNCTIONS = new Map<string, readonly number[]>([
  ...['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', '_+_', '_-_', '_*_', '_/_', '_%_', '@in', '_[_]', '_&&_', '_||_', 'contains', 'startsWith', 'endsWith', 'matches'].map((name) => [name, [2]] as const),
  ...['!_', '-_', '@not_strictly_false', 'size', 'int', 'uint', 'double', 'string', 'bytes', 'bool', 'dyn', 'type', 'timestamp', 'duration'].map((name) => [name, [1]] as const),
  ['_?_:_', [3]],
]);
const CALENDAR = new Set(['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear', 'getHours', 'getMinutes', 'getSeconds', 'getMilliseconds']);
const METHODS_ONLY = new Set(['contains', 'startsWith', 'endsWith', 'matches', ...CALENDAR]);
const MACROS = new Set(['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter', 'has']);
/** They look at no more than the outside of what they are given. */
const FREE = new Set(['_&&_', '_||_', '!_', '-_', '_?_:_', '@not_strictly_false', 'dyn', 'type']);
const TYPES = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type']);
const NO_CONDITION = new Set(['_+_', '_-_', '_*_', '_/_', '_%_', '-_', 'size', 'int', 'uint', 'double', 'string', 'bytes', 'type', 'timestamp', 'duration', ...CALENDAR]);

function refuseNoCondition({ exprKind }: Expr): void {
  const constant = exprKind.case === 'constExpr' && exprKind.value.constantKind.case !== 'boolValue';
  const container = exprKind.case === 'listExpr' || exprKind.case === 'structExpr';
  if (constant || container || (exprKind.case === 'callExpr' && NO_CONDITION.has(exprKind.value.function))) throw new Refused('must be true or false');
}

/** Checks a parsed expression and puts the meter into it, in one walk. */
class Compiler {
  private nodes = 0;

  /** @param names of the variables that loops around it bind */
  visit(expr: Expr, names: ReadonlySet<string>, nesting: number): Expr {
    this.nodes += 1;
    if (this.nodes > LARGEST) throw new Refused(`has more than ${LARGEST} parts`);
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'identExpr':
        if (!names.has(exprKind.value.name) && !(VARIABLES as readonly string[]).includes(exprKind.value.name) && !TYPES.has(exprKind.value.name)) {
          throw new Refused(`knows no ${exprKind.value.name}: there are ${VARIABLES.join(', ')}`);
        }
        break;
      case 'selectExpr':
        exprKind.value.operand = this.visit(exprKind.value.operand!, names, nesting);
        break;
      case 'callExpr':
        this.call(exprKind.value, names, nesting);
        break;
      case 'listExpr':
        exprKind.value.elements = exprKind.value.elements.map((element) => this.visit(element, names, nesting));
        break;
      case 'structExpr':
        if (exprKind.value.messageName !== '') throw new Refused(`knows no type ${exprKind.value.messageName}`);
        for (const entry of exprKind.value.entries) {
          if (entry.keyKind.case === 'mapKey') entry.keyKind.value = this.visit(entry.keyKind.value, names, nesting);
          if (entry.value) entry.value = this.visit(entry.value, names, nesting);
        }
        break;
      case 'comprehensionExpr':
        this.loop(exprKind.value, names, nesting + 1);
        break;
      case 'constExpr':
      case undefined:
        break;
    }
    return expr;
  }

  private call(call: Call, names: ReadonlySet<string>, nesting: number): void {
    refuseUnknown(call);
    if (call.function === '_[_]') return this.index(call, names, nesting);
    const paid = (expr: Expr, place: number) => {
      const visited = this.visit(expr, names, nesting);
      const meter = meterOf(call.function, place);
      return meter === null || isFree(visited) ? visited : around(meter, visited);
    };
    if (call.target) call.target = paid(call.target, 0);
    call.args = call.args.map(paid);
  }

  private index(call: Call, names: ReadonlySet<string>, nesting: number): void {
    const [held, key] = call.args.map((expr) => this.visit(expr, names, nesting)) as [Expr, Expr];
    const named = key.exprKind.case === 'constExpr' && key.exprKind.value.constantKind.case === 'stringValue';
    call.args = [named ? held : around(METER.index, held), key];
  }

  private loop(loop: Comprehension, names: ReadonlySet<string>, nesting: number): void {
    if (nesting > MOST_NESTED) throw new Refused(`loops are nested deeper than ${MOST_NESTED}`);
    const inner = new Set([...names, loop.iterVar, loop.accuVar]);
    loop.iterRange = around(METER.range, this.visit(loop.iterRange!, names, nesting));
    loop.accuInit = this.visit(loop.accuInit!, names, nesting);
    const before = this.nodes;
    loop.loopStep = this.visit(loop.loopStep!, inner, nesting);
    const units = this.nodes - before;
    // Before each turn: an error here ends the loop, where one in its body might be absorbed.
    loop.loopCondition = around(METER.tick, this.visit(loop.loopCondition!, inner, nesting), BigInt(units));
    loop.result = this.visit(loop.result!, inner, nesting);
  }
}

function refuseUnknown({ function: name, target, args }: Call): void {
  const count = args.length + (target ? 1 : 0);
  const shown = name.replaceAll(/[_@]/g, '') || name;
  if (CALENDAR.has(name) ? !target || count > 2 : (FUNCTIONS.get(name) === undefined || (METHODS_ONLY.has(name) && !target))) {
    if (MACROS.has(name)) throw new Refused(name === 'has' ? 'has() takes a member, such as has(metadata.team)' : `${name} is called on a list or map with a name and what is asked of it, such as xs.${name}(x, x > 1)`);
    throw new Refused(METHODS_ONLY.has(name) ? `${name} is called on a value, such as x.${name}(…)` : `knows no function ${shown}`);
  }
  const counts = FUNCTIONS.get(name);
  if (counts && !counts.includes(count)) throw new Refused(`${shown} is given ${count} values in place of ${counts.join(' or ')}`);
  if (name === 'matches') refusePattern(args[0]!);
}

/** A pattern is text written in the expression, so that what it costs is known before any message comes. */
function refusePattern({ exprKind }: Expr): void {
  const constant = exprKind.case === 'constExpr' ? exprKind.value.constantKind : undefined;
  if (constant?.case !== 'stringValue') throw new Refused('matches takes a pattern written as text');
  try {
    compilePattern(constant.value);
  } catch (error) {
    throw new Refused(`matches(${JSON.stringify(constant.value.slice(0, 60))}): ${(error as Error).message}`);
  }
}

function meterOf(name: string, place: number): string | null {
  if (FREE.has(name)) return null;
  if (name === 'size') return METER.size;
  if (name === '@in' && place === 1) return METER.among;
  return CALENDAR.has(name) ? METER.calendar : METER.walk;
}

/** What is written out was counted with the expression's parts; what a loop gathers is paid for as it is put together. */
function isFree({ exprKind }: Expr): boolean {
  return exprKind.case === 'constExpr' || (exprKind.case === 'identExpr' && exprKind.value.name.startsWith('@'));
}

function around(name: string, expr: Expr, units?: bigint): Expr {
  const args = units === undefined ? [expr] : [expr, node(expr.id, { case: 'constExpr', value: { $typeName: 'cel.expr.Constant', constantKind: { case: 'int64Value', value: units } } })];
  return node(expr.id, { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: name, args } });
}

function node(id: bigint, exprKind: Expr['exprKind']): Expr {
  return { $typeName: 'cel.expr.Expr', id, exprKind };
}

/** Brackets inside text count as well: simple, and no expression needs so many. */
function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if ('([{'.includes(character)) deepest = Math.max(deepest, (depth += 1));
    else if (')]}'.includes(character)) depth -= 1;
  }
  return deepest;
}
