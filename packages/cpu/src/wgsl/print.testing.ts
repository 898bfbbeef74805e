// A Program as text, for tests: one line a statement, with every type that is not obvious.
import type { Expression, Program, ProgramFunction, Reference, Statement, Variable } from '../program/program.js';
import { showType } from '../program/types.js';

/** The whole program. */
export function printProgram(program: Program): string {
  const names = new Names();
  const lines: string[] = [];
  for (const variable of program.globals) {
    const { space, access, type, binding, initial } = variable;
    const place = binding ? ` @${binding.group}.${binding.binding}` : '';
    const value = initial ? ` = ${expression(initial, names)}` : '';
    lines.push(
      `${space}${space === 'storage' ? ` ${access}` : ''} ${names.of(variable)}: ${showType(type)}${place}${value}`,
    );
  }
  for (const one of program.functions) {
    if (one === program.entry.function) lines.push(`@workgroup_size(${program.entry.workgroupSize.join(', ')})`);
    lines.push(...printFunction(one, names));
  }
  return lines.join('\n');
}

/** Only the statements of the entry point. */
export function printBody(program: Program): string {
  return program.entry.function.body.flatMap((statement) => print(statement, new Names(), '')).join('\n');
}

/** Names of variables: the second of a name is called name.1. */
class Names {
  private readonly known = new Map<Variable, string>();
  private readonly counts = new Map<string, number>();

  of(variable: Variable): string {
    const known = this.known.get(variable);
    if (known !== undefined) return known;
    const count = this.counts.get(variable.name) ?? 0;
    this.counts.set(variable.name, count + 1);
    const name = count === 0 ? variable.name : `${variable.name}.${count}`;
    this.known.set(variable, name);
    return name;
  }
}

function printFunction(
  { name, parameters, inputs, returns, body, synchronizes }: ProgramFunction,
  names: Names,
): string[] {
  const list = parameters.map((parameter, i) => {
    const input = inputs?.[i];
    const brings = input === undefined ? '' : ` (${typeof input === 'string' ? input : input.join(', ')})`;
    return `${names.of(parameter)}: ${showType(parameter.type)}${brings}`;
  });
  const result = returns.kind === 'void' ? '' : ` -> ${showType(returns)}`;
  return [
    `${synchronizes ? 'sync ' : ''}fn ${name}(${list.join(', ')})${result} {`,
    ...body.flatMap((statement) => print(statement, names, '  ')),
    '}',
  ];
}

function print(statement: Statement, names: Names, indent: string): string[] {
  const inner = (list: readonly Statement[]) => list.flatMap((one) => print(one, names, `${indent}  `));
  const show = (value: Expression) => expression(value, names);
  switch (statement.kind) {
    case 'declare': {
      const { variable, initial } = statement;
      const value = initial ? ` = ${show(initial)}` : '';
      return [`${indent}${variable.kind} ${names.of(variable)}: ${showType(variable.type)}${value}`];
    }
    case 'assign':
      return [`${indent}${place(statement.target, names)} = ${show(statement.value)}`];
    case 'evaluate':
      return [`${indent}${show(statement.value)}`];
    case 'block':
      return [`${indent}{`, ...inner(statement.body), `${indent}}`];
    case 'if': {
      const otherwise = statement.otherwise.length > 0 ? [`${indent}} else {`, ...inner(statement.otherwise)] : [];
      return [`${indent}if ${show(statement.condition)} {`, ...inner(statement.then), ...otherwise, `${indent}}`];
    }
    case 'loop': {
      const { continuing, breakIf } = statement;
      const after = continuing.length > 0 ? [`${indent}continuing`, ...inner(continuing)] : [];
      const leaves = breakIf ? [`${indent}break if ${show(breakIf)}`] : [];
      return [`${indent}loop {`, ...inner(statement.body), ...after, ...leaves, `${indent}}`];
    }
    case 'switch':
      return [
        `${indent}switch ${show(statement.selector)} {`,
        ...statement.cases.flatMap(({ values, body }) => [`${indent}case ${values.join(', ')}`, ...inner(body)]),
        `${indent}}`,
      ];
    case 'return':
      return [`${indent}return${statement.value ? ` ${show(statement.value)}` : ''}`];
    case 'barrier':
      return [`${indent}${statement.name}`];
    case 'uniformLoad':
      return [
        `${indent}let ${names.of(statement.variable)} = workgroupUniformLoad(${place(statement.reference, names)})`,
      ];
    case 'collective': {
      const { variable, name, arguments: list } = statement;
      return [`${indent}let ${names.of(variable)}: ${showType(variable.type)} = ${name}(${list.map(show).join(', ')})`];
    }
    default:
      return [`${indent}${statement.kind}`];
  }
}

function place(reference: Reference, names: Names): string {
  switch (reference.kind) {
    case 'variable':
      return names.of(reference.variable);
    case 'member': {
      const { type } = reference.base;
      return `${place(reference.base, names)}.${type.kind === 'struct' ? type.members[reference.index]!.name : '?'}`;
    }
    case 'element':
      return `${place(reference.base, names)}[${expression(reference.index, names)}]`;
    default:
      return `*${expression(reference.pointer, names)}`;
  }
}

const SUFFIX: Readonly<Record<string, string>> = { i32: 'i', u32: 'u', f32: 'f', f16: 'h', bool: '' };

function expression(value: Expression, names: Names): string {
  const show = (inner: Expression) => expression(inner, names);
  const list = (items: readonly Expression[]) => `(${items.map(show).join(', ')})`;
  switch (value.kind) {
    case 'literal': {
      const suffix = value.type.kind === 'scalar' ? SUFFIX[value.type.scalar] : '?';
      return `${Object.is(value.value, -0) ? '-0' : value.value}${suffix}`;
    }
    case 'zero':
      return `${showType(value.type)}()`;
    case 'load':
      return place(value.reference, names);
    case 'addressOf':
      return `&${place(value.reference, names)}`;
    case 'value':
      return names.of(value.variable);
    case 'extractMember': {
      const { type } = value.base;
      return `${show(value.base)}.${type.kind === 'struct' ? type.members[value.index]!.name : '?'}`;
    }
    case 'extract':
      return `${show(value.base)}[${show(value.index)}]`;
    case 'swizzle':
      return `${show(value.base)}.${value.components.map((i) => 'xyzw'[i]).join('')}`;
    case 'unary':
      return `${value.operator}${show(value.operand)}`;
    case 'binary':
    case 'logical':
      return `(${show(value.left)} ${value.operator} ${show(value.right)})`;
    case 'splat':
      return `${showType(value.type)}(${show(value.value)} …)`;
    case 'construct':
      return `${showType(value.type)}${list(value.parts)}`;
    case 'convert':
      return `${showType(value.type)}(${show(value.value)})`;
    case 'bitcast':
      return `bitcast<${showType(value.type)}>(${show(value.value)})`;
    case 'builtin':
      return `${value.name}${list(value.arguments)}`;
    case 'arrayLength':
      return `arrayLength(${place(value.reference, names)})`;
    case 'atomic':
      return `${value.name}(${[place(value.reference, names), ...value.arguments.map(show)].join(', ')})`;
    default:
      return `${value.function.name}${list(value.arguments)}`;
  }
}
