import { stringMember, type JsonNode } from '@umpire/contract';

/** Longest search columns, in UTF-16 units. */
const LONGEST = { task_id: 512, summary: 2_000, pipeline_name: 256, step_name: 256 } as const;

/**
 * A member's text as a text column takes it: cut, without NUL (Postgres refuses it) or lone surrogates (UTF-8 has none). Only a
 * projection for search: the payload's bytes stay as they came.
 */
export function project(node: JsonNode, name: keyof typeof LONGEST): string | null {
  const text = stringMember(node, name);
  if (text === undefined) return null;
  const cut = text.length > LONGEST[name] ? text.slice(0, LONGEST[name]) : text;
  return (cut.includes('\0') ? cut.replaceAll('\0', '\uFFFD') : cut).toWellFormed();
}
