import type { Query } from '@umpire/runtime';
import { sendable, type SendableRow } from './webhooks/endpoint.queries.ts';

/** Where a namespace's events may go: its endpoints that are not deleted, the hosts that callbacks may go to (none: no callbacks), and whether any person has a channel. */
export type Destinations = { endpoints: SendableRow[]; callbackHosts: string[]; channels: boolean };

/** Whether anybody there may be sent what an event holds. */
export const anybodyListens = ({ endpoints, callbackHosts, channels }: Destinations): boolean => endpoints.length > 0 || callbackHosts.length > 0 || channels;

/** One statement for each namespace: for all together (`= any`) Postgres would plan it anew each time, and most batches are of one. */
export async function destinationsOf(sql: Query, namespaces: string[]): Promise<Map<string, Destinations>> {
  const each = await Promise.all(namespaces.map((namespace) => sql<((SendableRow | { id: null }) & { allowed_hosts: string[] | null; channels: boolean })[]>`
    select e.*, h.allowed_hosts, exists (select from notifier.channels where namespace = n.namespace) as channels from (select ${namespace}::text) as n (namespace)
    left join notifier.callback_settings h on h.namespace = n.namespace
    left join (${sendable(sql)} where e.state <> 'deleted') e on e.namespace = n.namespace`));
  return new Map(each.map((rows, index) => {
    const { allowed_hosts, channels } = rows[0]!;
    return [namespaces[index]!, { endpoints: rows.filter((row): row is (typeof rows)[number] & SendableRow => row.id !== null), callbackHosts: allowed_hosts ?? [], channels }];
  }));
}
