import {
  JsonArray,
  JsonBoolean,
  JsonMember,
  JsonNull,
  JsonNumber,
  JsonObject,
  JsonString,
  type JsonNode,
} from './nodes.ts';
import { JsonSyntaxError } from './syntax-error.ts';
import { decodeUtf8 } from './utf8.ts';

export interface ReadOptions {
  /** How many containers may lie inside each other, 1 to 512; 64 unless given. */
  readonly maxDepth?: number;
}

const DEFAULT_DEPTH = 64;
/** Reading, canonical form and conversion recurse: this many levels fit any stack that we run on. */
const DEEPEST = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Reads one JSON text (RFC 8259, strictly) in a single pass and loses nothing of it.
 *
 * @param input text, or UTF-8 bytes (decoded fatally, byte order mark refused). To cut raw text out of bytes, decode
 *   them first with `decodeUtf8` and read the text: offsets count UTF-16 units of it.
 * @throws JsonSyntaxError with the offset and the reason.
 * @throws RangeError when `maxDepth` is not within 1 to 512.
 */
export function readJson(input: string | Uint8Array, options: ReadOptions = {}): JsonNode {
  const maxDepth = options.maxDepth ?? DEFAULT_DEPTH;
  if (!(maxDepth >= 1 && maxDepth <= DEEPEST)) {
    throw new RangeError(`maxDepth must be within 1 and ${DEEPEST}`);
  }
  const reader = new Reader(typeof input === 'string' ? input : decodeUtf8(input), maxDepth);
  return reader.document();
}

class Reader {
  private readonly text: string;
  private depthLeft: number;
  private at = 0;
  /** Whether the string just read was free of escapes and surrogates: a second return value without an allocation. */
  private plain = true;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.depthLeft = maxDepth;
  }

  document(): JsonNode {
    if (this.text.charCodeAt(0) === 0xfeff) {
      throw this.error('byte order mark');
    }
    this.skipSpace();
    const node = this.value();
    this.skipSpace();
    if (this.at < this.text.length) {
      throw this.error('unexpected text after the value');
    }
    return node;
  }

  private value(): JsonNode {
    const start = this.at;
    switch (this.text.charCodeAt(start)) {
      case QUOTE: {
        const value = this.string();
        return new JsonString(start, this.at, value, this.plain);
      }
      case 0x7b:
        return this.object(start);
      case 0x5b:
        return this.array(start);
      case 0x74:
        this.literal('true');
        return new JsonBoolean(start, this.at, true);
      case 0x66:
        this.literal('false');
        return new JsonBoolean(start, this.at, false);
      case 0x6e:
        this.literal('null');
        return new JsonNull(start, this.at);
      default:
        return this.number(start);
    }
  }

  private object(start: number): JsonObject {
    this.enter();
    const members: JsonMember[] = [];
    this.skipSpace();
    if (this.text.charCodeAt(this.at) === 0x7d) {
      this.leave();
      return new JsonObject(start, this.at, members);
    }
    for (;;) {
      members.push(this.member());
      this.skipSpace();
      const next = this.text.charCodeAt(this.at);
      if (next === 0x7d) {
        this.leave();
        return new JsonObject(start, this.at, members);
      }
      if (next !== 0x2c) {
        throw this.error("expected ',' or '}'");
      }
      this.at++;
      this.skipSpace();
    }
  }

  private member(): JsonMember {
    const start = this.at;
    if (this.text.charCodeAt(start) !== QUOTE) {
      throw this.error('expected a member name');
    }
    const name = this.string();
    const plain = this.plain;
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== 0x3a) {
      throw this.error("expected ':'");
    }
    this.at++;
    this.skipSpace();
    return new JsonMember(name, plain, start, this.value());
  }

  private array(start: number): JsonArray {
    this.enter();
    const items: JsonNode[] = [];
    this.skipSpace();
    if (this.text.charCodeAt(this.at) === 0x5d) {
      this.leave();
      return new JsonArray(start, this.at, items);
    }
    for (;;) {
      items.push(this.value());
      this.skipSpace();
      const next = this.text.charCodeAt(this.at);
      if (next === 0x5d) {
        this.leave();
        return new JsonArray(start, this.at, items);
      }
      if (next !== 0x2c) {
        throw this.error("expected ',' or ']'");
      }
      this.at++;
      this.skipSpace();
    }
  }

  /** Reads a string from its opening quote on; sets `plain`. The loop covers the common case, text without escapes. */
  private string(): string {
    const { text } = this;
    const from = this.at + 1;
    let at = from;
    let surrogates = false;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        this.at = at + 1;
        this.plain = !surrogates;
        return text.slice(from, at);
      }
      if (unit === BACKSLASH) {
        return this.escapedString(from, at);
      }
      // The negation also catches NaN, the end of the text.
      if (!(unit >= 0x20)) {
        this.at = at;
        throw this.error(at < text.length ? 'control character in a string' : 'unterminated string');
      }
      if (unit >= 0xd800 && unit <= 0xdfff) {
        surrogates = true;
      }
      at++;
    }
  }

  private escapedString(from: number, firstEscape: number): string {
    const { text } = this;
    let value = text.slice(from, firstEscape);
    let segment = firstEscape;
    this.at = firstEscape;
    for (;;) {
      const unit = text.charCodeAt(this.at);
      if (unit === QUOTE) {
        value += text.slice(segment, this.at);
        this.at++;
        this.plain = false;
        return value;
      }
      if (unit === BACKSLASH) {
        value += text.slice(segment, this.at) + this.escape();
        segment = this.at;
      } else if (unit >= 0x20) {
        this.at++;
      } else {
        throw this.error(this.at < text.length ? 'control character in a string' : 'unterminated string');
      }
    }
  }

  private escape(): string {
    const letter = this.text.charAt(this.at + 1);
    if (letter === 'u') {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
        throw this.error('invalid \\u escape');
      }
      this.at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const value = SHORT_ESCAPES.get(letter);
    if (value === undefined) {
      throw this.error('invalid escape');
    }
    this.at += 2;
    return value;
  }

  private number(start: number): JsonNumber {
    const { text } = this;
    let at = start;
    if (text.charCodeAt(at) === MINUS) {
      at++;
    }
    const first = text.charCodeAt(at);
    if (!(first >= ZERO && first <= NINE)) {
      this.at = at;
      throw this.error(at < text.length ? 'unexpected character' : 'unexpected end of text');
    }
    at = first === ZERO ? at + 1 : this.digits(at);
    if (text.charCodeAt(at) === 0x2e) {
      at = this.digits(at + 1);
    }
    const exponent = text.charCodeAt(at);
    if (exponent === 0x65 || exponent === 0x45) {
      const sign = text.charCodeAt(at + 1);
      at = this.digits(sign === 0x2b || sign === MINUS ? at + 2 : at + 1);
    }
    this.at = at;
    return new JsonNumber(start, at, text.slice(start, at));
  }

  private digits(from: number): number {
    const { text } = this;
    let at = from;
    for (let unit = text.charCodeAt(at); unit >= ZERO && unit <= NINE; unit = text.charCodeAt(at)) {
      at++;
    }
    if (at === from) {
      this.at = at;
      throw this.error('expected a digit');
    }
    return at;
  }

  private literal(word: string): void {
    if (!this.text.startsWith(word, this.at)) {
      throw this.error('unexpected character');
    }
    this.at += word.length;
  }

  private skipSpace(): void {
    const { text } = this;
    let unit = text.charCodeAt(this.at);
    while (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) {
      unit = text.charCodeAt(++this.at);
    }
  }

  private enter(): void {
    if (this.depthLeft === 0) {
      throw new JsonSyntaxError('too_deep', 'nested too deeply', this.at);
    }
    this.depthLeft--;
    this.at++;
  }

  private leave(): void {
    this.depthLeft++;
    this.at++;
  }

  private error(reason: string): JsonSyntaxError {
    return new JsonSyntaxError('invalid_json', reason, this.at);
  }
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
