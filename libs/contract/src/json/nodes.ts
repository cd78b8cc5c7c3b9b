/**
 * The lossless form of a JSON text: numbers keep their source text, objects keep order and duplicate members, and every
 * node knows where it stood, so that the raw text of any part can be cut out and handed on unchanged.
 *
 * Nodes are class instances and not plain objects, so that a producer's own `{"kind": …}` is never taken for one.
 * `start` and `end` are UTF-16 offsets into the text that was read; `end` is exclusive.
 */
export abstract class JsonNodeBase<Kind extends string = string> {
  readonly kind: Kind;
  readonly start: number;
  readonly end: number;

  constructor(kind: Kind, start: number, end: number) {
    this.kind = kind;
    this.start = start;
    this.end = end;
  }
}

export class JsonNull extends JsonNodeBase<'null'> {
  constructor(start: number, end: number) {
    super('null', start, end);
  }
}

export class JsonBoolean extends JsonNodeBase<'boolean'> {
  readonly value: boolean;

  constructor(start: number, end: number, value: boolean) {
    super('boolean', start, end);
    this.value = value;
  }
}

export class JsonNumber extends JsonNodeBase<'number'> {
  /** The number as it was written, such as `1.0`, `1e400` or `9007199254740993`. */
  readonly text: string;

  constructor(start: number, end: number, text: string) {
    super('number', start, end);
    this.text = text;
  }
}

export class JsonString extends JsonNodeBase<'string'> {
  readonly value: string;
  /** True when the canonical form is the value between quotes: no escapes and no surrogates. */
  readonly plain: boolean;

  constructor(start: number, end: number, value: string, plain: boolean) {
    super('string', start, end);
    this.value = value;
    this.plain = plain;
  }
}

export class JsonArray extends JsonNodeBase<'array'> {
  readonly items: readonly JsonNode[];

  constructor(start: number, end: number, items: readonly JsonNode[]) {
    super('array', start, end);
    this.items = items;
  }
}

export class JsonObject extends JsonNodeBase<'object'> {
  /** In the order written, duplicates included. */
  readonly members: readonly JsonMember[];

  constructor(start: number, end: number, members: readonly JsonMember[]) {
    super('object', start, end);
    this.members = members;
  }
}

export class JsonMember {
  readonly name: string;
  /** As in `JsonString.plain`, for the name. */
  readonly plain: boolean;
  /** Where the name's opening quote stands; the member ends with its value. */
  readonly start: number;
  readonly value: JsonNode;

  constructor(name: string, plain: boolean, start: number, value: JsonNode) {
    this.name = name;
    this.plain = plain;
    this.start = start;
    this.value = value;
  }
}

export type JsonNode = JsonNull | JsonBoolean | JsonNumber | JsonString | JsonArray | JsonObject;

/** True for what `readJson` made, false for any plain value. */
export function isJsonNode(value: unknown): value is JsonNode {
  return value instanceof JsonNodeBase;
}

/** What `JSON.parse` can return. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };
