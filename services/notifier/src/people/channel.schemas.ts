import { z } from 'zod';

const owner = {
  owner_kind: z.enum(['user', 'group', 'role']),
  owner: z.string().trim().min(1).max(256),
  /** Messages say what it is about only where somebody decided that they may. */
  detail: z.enum(['none', 'summary']).default('none'),
};

export const createChannelSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('email'), address: z.email().max(320), ...owner }),
  z.strictObject({ kind: z.literal('slack'), url: z.string().max(2_048), ...owner }),
]).meta({ id: 'ChannelCreate' });
export type CreateChannel = z.infer<typeof createChannelSchema>;
