import { PATTERNS, PRIORITIES, REASONS, STATES } from '@umpire/contract';
import { z } from 'zod';
import type { ListOrder } from './list.queries.ts';

const SORTS = ['age', '-age', 'deadline', '-deadline', 'priority', '-priority'] as const;

/** `a,b` or the parameter given more than once. */
const listOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().flatMap((part) => part.split(',')).map((part) => part.trim()).filter((part) => part !== ''))
    .pipe(z.array(z.enum(values)).min(1))
    .optional();
const seconds = z.coerce.number().min(0).max(100 * 366 * 24 * 3600).optional();
const name = z.string().min(1).max(256).optional();

export const listQuery = z.strictObject({
  state: listOf(STATES),
  reason: listOf(REASONS),
  pattern: listOf(PATTERNS),
  priority: listOf(PRIORITIES),
  assignee: name,
  assignee_role: name,
  min_age: seconds,
  max_age: seconds,
  policy: name,
  task_id: z.string().min(1).max(4_000).optional(),
  text: z.string().min(1).max(256).optional(),
  sort: z.enum(SORTS).default('age').transform((sort): ListOrder => ({ by: sort.replace('-', '') as ListOrder['by'], descending: sort.startsWith('-') })),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().max(2_048).optional(),
});

export type ListQuery = z.infer<typeof listQuery>;
