import { canonicalNumber } from './canonical-number.ts';
import { isJsonNode, type JsonMember, type JsonNode, type JsonObject } from './nodes.ts';

/**
 * Members to leave out: `members` names what is dropped (`true`) or looked into, `items` applies to each item of an
 * array. What has another kind than the pattern expects is kept.
 */
export interface OmitPattern {
  readonly members?: ReadonlyMap<string, OmitPattern | true>;
  readonly items?: OmitPattern;
}

export interface CanonicalOptions {
  readonly omit?: OmitPattern;
}

/** Plain values nest by code of ours, not by a reader with a limit; a cycle ends here instead of in a stack overflow. */
const DEEPEST = 600;

/**
 * The digest form: RFC 8785 (members sorted by UTF-16 units, its string escapes, lone surrogates as `\udxxx`), except that
 * numbers are written as `canonicalNumber` says. The last of duplicate members wins, wherever it stands.
 *
 * @param input a node of `readJson`, or a plain value (nodes may lie inside it): undefined members are left out.
 * @throws TypeError for what has no JSON form (NaN, Infinity, functions, dates, undefined outside of a member).
 * @throws RangeError for a plain value nested more than 600 deep, cycles included.
 */
export function canonicalJson(input: unknown, options: CanonicalOptions = {}): string {
  return isJsonNode(input) ? nodeText(input, options.omit) : valueText(input, options.omit, DEEPEST);
}

function nodeText(node: JsonNode, omit: OmitPattern | undefined): string {
  switch (node.kind) {
    case 'string':
      return node.plain ? `"${node.value}"` : JSON.stringify(node.value);
    case 'number':
      return canonicalNumber(node.text);
    case 'object':
      return objectText(node, omit?.members);
    case 'array': {
      const { items } = node;
      let text = '[';
      for (let i = 0; i < items.length; i++) {
        text += (i === 0 ? '' : ',') + nodeText(items[i] as JsonNode, omit?.items);
      }
      return `${text}]`;
    }
    case 'boolean':
      return node.value ? 'true' : 'false';
    case 'null':
      return 'null';
  }
}

function objectText(node: JsonObject, omit: OmitPattern['members']): string {
  const members = sortedMembers(node.members);
  let text = '';
  for (let i = 0; i < members.length; i++) {
    const member = members[i] as JsonMember;
    // Of equal names only the last counts.
    if (members[i + 1]?.name === member.name) {
      continue;
    }
    const inner = omit?.get(member.name);
    if (inner !== true) {
      const name = member.plain ? `"${member.name}":` : `${JSON.stringify(member.name)}:`;
      text += (text === '' ? '' : ',') + name + nodeText(member.value, inner);
    }
  }
  return `{${text}}`;
}

/** Objects up to this size are sorted by insertion: most have a dozen members, and no callback is called. */
const SMALL = 32;

/** A stable sort by name, so that of equal names the one written last stays last. */
function sortedMembers(members: readonly JsonMember[]): readonly JsonMember[] {
  if (members.length > SMALL) {
    return members.toSorted(byName);
  }
  const sorted = members.slice();
  for (let i = 1; i < sorted.length; i++) {
    const moving = sorted[i] as JsonMember;
    let to = i;
    while (to > 0 && (sorted[to - 1] as JsonMember).name > moving.name) {
      sorted[to] = sorted[to - 1] as JsonMember;
      to--;
    }
    sorted[to] = moving;
  }
  return sorted;
}

function byName(a: JsonMember, b: JsonMember): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function valueText(value: unknown, omit: OmitPattern | undefined, depthLeft: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return canonicalNumber(String(value));
    case 'number':
      if (!Number.isFinite(value)) {
        throw new TypeError('a number without a JSON form');
      }
      return canonicalNumber(String(value));
    case 'object':
      return value === null ? 'null' : containerText(value, omit, depthLeft);
    default:
      throw new TypeError(`${typeof value} has no JSON form`);
  }
}

function containerText(value: object, omit: OmitPattern | undefined, depthLeft: number): string {
  if (isJsonNode(value)) {
    return nodeText(value, omit);
  }
  if (depthLeft === 0) {
    throw new RangeError('nested too deeply');
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item: unknown) => valueText(item, omit?.items, depthLeft - 1)).join(',')}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('only plain objects have a JSON form');
  }
  const parts: string[] = [];
  for (const [name, child] of Object.entries(value).sort(byEntryName)) {
    const inner = omit?.members?.get(name);
    if (child !== undefined && inner !== true) {
      parts.push(`${JSON.stringify(name)}:${valueText(child, inner, depthLeft - 1)}`);
    }
  }
  return `{${parts.join(',')}}`;
}

function byEntryName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
