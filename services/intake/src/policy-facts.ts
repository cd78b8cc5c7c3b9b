import type { CelInput } from '@bufbuild/cel';
import { member, type JsonNode, type Reason } from '@umpire/contract';
import type { Facts } from './policy-expression.ts';

/** What a policy may look at to find out whether a message is its own. */
export type PolicySubject = { namespace: string; kind: 'escalation' | 'interaction'; reason: Reason; payload: JsonNode };

const NOTHING: CelInput = new Map();

/** A message as expressions see it. Converted part by part when first asked for: most policies look at the metadata alone. */
export function factsOf({ kind, reason, payload }: PolicySubject): Facts {
  const part = (node: JsonNode | undefined) => {
    let value: CelInput | undefined;
    return () => (value ??= node?.kind === 'object' ? celInput(node) : NOTHING);
  };
  const [request, metadata, data] = [part(payload), part(member(payload, 'metadata')), part(kind === 'interaction' ? member(payload, 'data') : undefined)];
  return {
    kind,
    reason,
    get request() {
      return request();
    },
    get metadata() {
      return metadata();
    },
    get data() {
      return data();
    },
  };
}

/** Objects become maps, so that no member's name means anything to JavaScript. Of members with one name the last counts, as everywhere. */
export function celInput(node: JsonNode): CelInput {
  switch (node.kind) {
    case 'null':
      return null;
    case 'boolean':
    case 'string':
      return node.value;
    case 'number':
      return celNumber(node.text);
    case 'array':
      return node.items.map(celInput);
    case 'object':
      return new Map(node.members.map(({ name, value }) => [name, celInput(value)]));
  }
}

const MAX_INT = 2n ** 63n - 1n;
const LONGEST_INT = 20;

/** A double as JSON's numbers are, but for integers that a double would change: account numbers are compared as they stand. */
function celNumber(text: string): number | bigint {
  const value = Number(text);
  if (Number.isSafeInteger(value) || text.length > LONGEST_INT || !/^-?\d+$/.test(text)) return value;
  const exact = BigInt(text);
  return exact <= MAX_INT && exact >= -MAX_INT - 1n ? exact : value;
}
