/**
 * A reviewer's inbox in a terminal, live: what waits, what is new, what others decided. Answer with an item's number and the fields as
 * JSON, such as `1 {"decision":"approve"}`. Arguments: [connection.json [alice|bob|carol]]
 */
import { createInterface } from 'node:readline';
import { UmpireClient, UmpireError, type EscalationItem } from '@umpire/client';
import { readConnection } from './connection.ts';

const connection = readConnection();
const user = process.argv[3] ?? 'alice';
const client = new UmpireClient({ url: connection.api_url, key: connection.namespaces['default']!.keys.reviewers[user]! });

const shown: EscalationItem[] = [];
function show(item: EscalationItem): void {
  const known = shown.findIndex(({ interaction_id }) => interaction_id === item.interaction_id);
  if (known >= 0) return void (shown[known] = item);
  shown.push(item);
  const fields = item.ui_schema.fields.map(({ name, options, required }) => `${name}${required ? '*' : ''}${options ? ` (${options.map((one) => (typeof one === 'string' ? one : one.value)).join(' | ')})` : ''}`);
  console.log(`${shown.length}  ${item.interaction_id}  ${item.prompt ?? item.summary ?? ''}\n   ${fields.join(', ') || 'any object'}   until ${item.expires_at}`);
}

// The line may drop: the inbox comes back behind the last event it saw, without gap or repetition.
const inbox = client.subscribe(user, {
  onFrame: (frame) => {
    if (frame.type === 'pending_interactions') frame.data.forEach(show);
    else if (frame.type === 'new_interaction' || frame.type === 'interaction_updated') show(frame.data);
    else if (frame.type === 'interaction_closed') console.log(`over  ${frame.data.interaction_id}  ${frame.data.outcome?.verdict ?? frame.data.status} by ${frame.data.outcome?.decided_by.join(', ') || 'nobody'}`);
  },
  onState: (state) => console.log(`inbox of ${user}: ${state}`),
});
void inbox.done.then((error) => error && console.log(`${error.code}: ${error.message}`));

for await (const line of createInterface({ input: process.stdin })) {
  const [, number, answer] = /^\s*(\d+)\s+(\{.*\})\s*$/.exec(line) ?? [];
  const item = shown[Number(number) - 1];
  if (!item || !answer) {
    console.log('number and JSON, such as: 1 {"decision":"approve"}');
    continue;
  }
  try {
    // The revision says what was seen: if the producer has changed it since, the answer is refused.
    const { state } = await client.respond(item.interaction_id, JSON.parse(answer) as Record<string, unknown>, { revision: item.revision });
    console.log(`said  ${item.interaction_id}  ${state}`);
  } catch (error) {
    const faults = error instanceof UmpireError ? error.errors.map(({ path, message }) => `\n   ${path} ${message}`).join('') : '';
    console.log(`refused  ${(error as Error).message}${faults}`);
  }
}
await inbox.stop();
