import type { EscalationItem } from '@umpire/client';
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { client, messageOf } from '../api.ts';
import { useSession } from '../session.tsx';
import { spoken, titleOf } from '../words.ts';
import type { InboxStore } from './inbox-store.ts';

type Failure = { item: EscalationItem; message: string };

const valueOf = (option: EscalationItem['options'][number]): string => (typeof option === 'string' ? option : option.value);

/** `Approve all`, `Request changes on all`. */
const forAll = (word: string): string => `${word}${word.includes(' ') ? ' on' : ''} all`;

/** What all marked items offer, and ask nothing beside. */
function sharedOptions(items: EscalationItem[]): string[] {
  const plain = items.every((item) => item.ui_schema.fields.every((field) => field.name === item.verdict_field || field.required !== true));
  const [first, ...rest] = items;
  if (!plain || first === undefined) return [];
  return first.options.map(valueOf).filter((value) => rest.every((item) => item.options.map(valueOf).includes(value)));
}

/** As many as the server takes in one request. */
const MOST_AT_ONCE = 100;

/** The same answer for many, with the revisions that stood in the list. */
export function BulkBar({ chosen, onDone }: { chosen: EscalationItem[]; onDone: () => void }) {
  const [verdict, setVerdict] = useState<string | null>(null);
  const options = sharedOptions(chosen);
  // What is being answered leaves the list: the question about it, and what came of it, stay.
  if (chosen.length === 0 && verdict === null) return null;
  return (
    <div className="bulk" role="group" aria-label="Marked items">
      <Text fw={600}>{chosen.length} marked</Text>
      {options.map((option) => <Button key={option} variant="default" onClick={() => setVerdict(option)}>{forAll(spoken(option))}</Button>)}
      {options.length === 0 && chosen.length > 0 && <Text size="sm">These have no answer in common that needs nothing else.</Text>}
      <Button variant="subtle" color="gray" onClick={onDone}>Unmark</Button>
      {verdict !== null && <Confirmation chosen={chosen} verdict={verdict} onClose={(finished) => { setVerdict(null); if (finished) onDone(); }} />}
    </div>
  );
}

/** One request for many; each is its own decision. @returns those that were not taken, and why */
async function answerAll(items: EscalationItem[], verdict: string, inbox: InboxStore | null): Promise<Failure[]> {
  try {
    const answers = items.map((item) => ({ interaction_id: item.request_id, user_input: { [item.verdict_field]: verdict }, revision: item.revision }));
    const reply = await client.bulkRespond(answers);
    return reply.items.flatMap((one, index) => {
      const item = items[index]!;
      if ('problem' in one) return [{ item, message: one.problem.detail ?? one.problem.title }];
      if (one.result.outcome) inbox?.leave(item.request_id, one.result.seq);
      return [];
    });
  } catch (error) {
    return items.map((item) => ({ item, message: messageOf(error) }));
  }
}

function Confirmation({ chosen, verdict, onClose }: { chosen: EscalationItem[]; verdict: string; onClose: (finished: boolean) => void }) {
  const { inbox } = useSession();
  // What was named is what is done, whatever the list shows meanwhile.
  const [items] = useState(chosen);
  const [busy, setBusy] = useState(false);
  const [failures, setFailures] = useState<Failure[] | null>(null);
  const decide = async () => {
    setBusy(true);
    const failed: Failure[] = [];
    for (let at = 0; at < items.length; at += MOST_AT_ONCE) failed.push(...(await answerAll(items.slice(at, at + MOST_AT_ONCE), verdict, inbox)));
    setBusy(false);
    if (failed.length === 0) onClose(true);
    else setFailures(failed);
  };
  const word = spoken(verdict);
  return (
    <Modal opened onClose={() => onClose(false)} title={`Answer “${word}” on ${items.length} ${items.length === 1 ? 'item' : 'items'}?`} size="lg" closeButtonProps={{ 'aria-label': 'Close', size: 44 }}>
      <Stack>
        {failures === null ? (
          <ul className="bulk-list">{items.map((item) => <li key={item.request_id}>{titleOf(item)} <span className="muted">{item.task_id ?? item.request_id}</span></li>)}</ul>
        ) : (
          <Alert color="red" variant="light" role="alert" title={`${items.length - failures.length} of ${items.length} were answered; these were not:`}>
            <ul className="bulk-list">{failures.map(({ item, message }) => <li key={item.request_id}>{titleOf(item)}: {message}</li>)}</ul>
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => onClose(failures !== null)}>{failures === null ? 'Cancel' : 'Close'}</Button>
          {failures === null && <Button loading={busy} onClick={() => void decide()}>{word} {items.length} {items.length === 1 ? 'item' : 'items'}</Button>}
        </Group>
      </Stack>
    </Modal>
  );
}
