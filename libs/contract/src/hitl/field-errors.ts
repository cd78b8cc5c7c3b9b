import type { FieldError } from '../errors.ts';
import { itemsOf, kindOf, memberOf, numberOf, textOf, type JsonKind } from './json-view.ts';
import { NOT_BLANK } from './text.ts';

/** A bad document may be bad in ten thousand places; a dead letter that lists them must stay publishable. */
const MOST = 500;

/**
 * Collects what is wrong with a document, field by field. Each check reads a member of `parent`, records at most one error
 * under `prefix + name`, and returns the value for further checks, or undefined if there is nothing sound to check.
 * Messages are ours alone and never quote the input.
 */
export class FieldErrors {
  readonly list: FieldError[] = [];

  add(path: string, code: string, message: string): void {
    if (this.list.length < MOST) {
      this.list.push({ path, code, message });
    } else if (this.list.length === MOST) {
      this.list.push({ path: '', code: 'too_many_errors', message: `only the first ${MOST} errors are listed` });
    }
  }

  text(parent: unknown, prefix: string, name: string, options: { readonly optional?: boolean } = {}): string | undefined {
    const value = this.typed(parent, prefix, name, 'string', options.optional ?? false);
    if (value === undefined) {
      return undefined;
    }
    const text = textOf(value);
    if (!NOT_BLANK.test(text)) {
      this.add(prefix + name, 'blank', 'must not be blank');
      return undefined;
    }
    return text;
  }

  /** A number from 0 to 1. */
  unit(parent: unknown, prefix: string, name: string): void {
    const value = this.typed(parent, prefix, name, 'number', false);
    if (value === undefined) {
      return;
    }
    const number = numberOf(value);
    if (!(number >= 0 && number <= 1)) {
      this.add(prefix + name, 'out_of_range', 'must be from 0 to 1');
    }
  }

  /** A number that is not negative, null or nothing. */
  duration(parent: unknown, prefix: string, name: string): void {
    const value = memberOf(parent, name);
    if (kindOf(value) === 'null') {
      return;
    }
    if (this.typed(parent, prefix, name, 'number', true) !== undefined && !(numberOf(value) >= 0 && numberOf(value) < Number.POSITIVE_INFINITY)) {
      this.add(prefix + name, 'out_of_range', 'must not be negative');
    }
  }

  object(parent: unknown, prefix: string, name: string, options: { readonly optional?: boolean } = {}): unknown {
    return this.typed(parent, prefix, name, 'object', options.optional ?? false);
  }

  array(parent: unknown, prefix: string, name: string, options: { readonly optional?: boolean } = {}): readonly unknown[] | undefined {
    const value = this.typed(parent, prefix, name, 'array', options.optional ?? false);
    return value === undefined ? undefined : itemsOf(value);
  }

  /** An array of strings, blank ones included. */
  texts(parent: unknown, prefix: string, name: string, options: { readonly optional?: boolean } = {}): readonly unknown[] | undefined {
    const items = this.array(parent, prefix, name, options);
    for (const [index, item] of (items ?? []).entries()) {
      if (kindOf(item) !== 'string') {
        this.add(`${prefix}${name}[${index}]`, 'invalid_type', 'must be a string');
      }
    }
    return items;
  }

  private typed(parent: unknown, prefix: string, name: string, kind: JsonKind, optional: boolean): unknown {
    const value = memberOf(parent, name);
    const actual = kindOf(value);
    if (actual === kind) {
      return value;
    }
    if (actual !== 'missing') {
      this.add(prefix + name, 'invalid_type', `must be ${kind === 'array' || kind === 'object' ? 'an' : 'a'} ${kind}`);
    } else if (!optional) {
      this.add(prefix + name, 'required', 'is missing');
    }
    return undefined;
  }
}
