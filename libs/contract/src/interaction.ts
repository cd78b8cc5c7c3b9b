import { z } from 'zod';

export const PATTERNS = ['input', 'review', 'collaborative', 'manual', 'refinement', 'timed_decision', 'approval'] as const;
export type Pattern = (typeof PATTERNS)[number];

export const PRIORITIES = ['low', 'normal', 'high', 'critical'] as const;
export type Priority = (typeof PRIORITIES)[number];

export const ON_TIMEOUT = ['default', 'expire', 'hold'] as const;

const name = z.string().trim().min(1).max(256);
const names = z.array(name).max(200);

export const optionSchema = z.union([z.string().min(1).max(256), z.strictObject({ value: z.string().min(1).max(256), label: z.string().max(256) })]);

/** One field of the seed's form language. An unknown `type` is shown and checked as text. */
export const uiFieldSchema = z.looseObject({
  name: z.string().min(1).max(128),
  type: z.string().max(64).default('text'),
  label: z.string().max(1024).optional(),
  required: z.boolean().optional(),
  options: z.array(optionSchema).max(100).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  step: z.number().positive().optional(),
  min_length: z.int().min(0).optional(),
  max_length: z.int().min(0).optional(),
  default: z.unknown().optional(),
});
export const uiSchemaSchema = z.looseObject({ type: z.string().max(64).optional(), fields: z.array(uiFieldSchema).max(100).default([]) });

export const assigneesSchema = z.strictObject({ users: names.optional(), groups: names.optional(), roles: names.optional() });

export const quorumSchema = z.union([
  z.enum(['any', 'all', 'majority', 'consensus']),
  z.strictObject({ at_least: z.int().min(1).max(200) }),
]);

export const resumeSchema = z.strictObject({
  pipeline_name: z.string().max(256).optional(),
  step_name: z.string().max(256).optional(),
  data: z.unknown().optional(),
  reply_subject: z.string().max(512).optional(),
  callback_url: z.string().max(2048).optional(),
});

const seconds = z.number().min(0.001).max(366 * 24 * 3600);

/** What a producer may say about how its question is to be decided. All optional; policy and defaults fill the rest. */
export const interactionSchema = z.strictObject({
  pattern: z.enum(PATTERNS).optional(),
  prompt: z.string().max(16_384).optional(),
  ui_schema: uiSchemaSchema.optional(),
  review_data: z.looseObject({ content: z.unknown().optional(), metadata: z.unknown().optional(), suggestions: z.unknown().optional() }).optional(),
  verdict_field: z.string().min(1).max(128).optional(),
  options: z.array(optionSchema).min(1).max(100).optional(),
  approving: z.array(z.string().min(1).max(256)).max(100).optional(),
  assignees: assigneesSchema.optional(),
  quorum: quorumSchema.optional(),
  veto: names.optional(),
  requested_by: name.optional(),
  exclude: names.optional(),
  priority: z.enum(PRIORITIES).optional(),
  timeout_seconds: seconds.optional(),
  default_action: z.string().min(1).max(256).optional(),
  on_timeout: z.enum(ON_TIMEOUT).optional(),
  reminders: z.array(seconds).max(20).optional(),
  levels: z.array(z.strictObject({ after_seconds: seconds, assignees: assigneesSchema })).max(10).optional(),
  max_iterations: z.int().min(1).max(100).optional(),
  revises: z.string().min(1).max(512).optional(),
  action_digest: z.string().min(1).max(256).optional(),
  resume: resumeSchema.optional(),
});

export type Interaction = z.infer<typeof interactionSchema>;
export type Quorum = z.infer<typeof quorumSchema>;
export type Assignees = z.infer<typeof assigneesSchema>;
export type UiField = z.infer<typeof uiFieldSchema>;
export type UiSchema = z.infer<typeof uiSchemaSchema>;
export type Option = z.infer<typeof optionSchema>;
export type Resume = z.infer<typeof resumeSchema>;

/**
 * An interaction with every gap filled by policy and defaults: what the escalation is decided by. Travels from intake to the
 * store and is kept with the state. Users, groups and roles are still names here; the store expands groups at opening.
 */
export type Rules = {
  pattern: Pattern;
  prompt?: string;
  ui_schema: UiSchema;
  review_data?: Record<string, unknown>;
  verdict_field: string;
  options: Option[];
  approving: string[];
  assignees: { users: string[]; groups: string[]; roles: string[] };
  quorum: Quorum;
  veto: string[];
  requested_by?: string;
  exclude: string[];
  priority: Priority;
  timeout_seconds: number;
  on_timeout: (typeof ON_TIMEOUT)[number];
  default_action?: string;
  reminders: number[];
  levels: { after_seconds: number; assignees: { users: string[]; groups: string[]; roles: string[] } }[];
  max_iterations: number;
  revises?: string;
  action_digest?: string;
  resume?: Resume;
};
