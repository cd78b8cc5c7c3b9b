import type { EscalationItem } from '@umpire/client';
import { Button, Group, Modal, NativeSelect, Stack, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { client } from '../api.ts';
import { Failure } from '../failure.tsx';
import { isAdmin, useSession } from '../session.tsx';

export type Action = 'delegate' | 'reassign' | 'raise' | 'snooze' | 'cancel';
type Form = { people: string; groups: string; roles: string; from: string; seconds: string; detail: string };
type Shown = { title: string; about: string; fields: (keyof Form)[]; button: string };

const EMPTY: Form = { people: '', groups: '', roles: '', from: '', seconds: '', detail: '' };
const DURATIONS = [{ value: '900', label: '15 minutes' }, { value: '3600', label: 'an hour' }, { value: '14400', label: '4 hours' }, { value: '86400', label: 'a day' }, { value: '259200', label: 'three days' }];
const UNTIL_SETTLED = { value: '', label: 'until it is settled' };

const SHOWN: Record<Action, (admin: boolean) => Shown> = {
  delegate: () => ({ title: 'Let somebody answer for you', about: 'They answer from your place: one vote, with both names on record. Without a name, you take the place back.', fields: ['people', 'seconds', 'detail'], button: 'Delegate' }),
  reassign: (admin) => ({ title: admin ? 'Ask other people instead' : 'Give your place to somebody', about: 'They decide this from now on. The deadline stays.', fields: admin ? ['from', 'people', 'groups', 'roles', 'detail'] : ['people', 'groups', 'detail'], button: 'Reassign' }),
  raise: () => ({ title: 'Raise it', about: 'The people of the next level join, and whoever you name. Votes and the deadline stay.', fields: ['people', 'groups', 'detail'], button: 'Raise' }),
  snooze: () => ({ title: 'Remind me later', about: 'Silences your reminders, then reminds you. The deadline stays.', fields: ['seconds'], button: 'Snooze' }),
  cancel: () => ({ title: 'Cancel it', about: 'Nobody can decide it any more. The pipeline is told that it was cancelled.', fields: ['detail'], button: 'Cancel for everybody' }),
};

const names = (text: string): string[] => text.split(',').map((name) => name.trim()).filter((name) => name !== '');

function perform(action: Action, { request_id: id }: EscalationItem, form: Form): Promise<unknown> {
  const detail = form.detail.trim() === '' ? {} : { detail: form.detail.trim() };
  const given = { users: names(form.people), groups: names(form.groups), roles: names(form.roles) };
  const to = Object.fromEntries(Object.entries(given).filter(([, list]) => list.length > 0));
  const seconds = form.seconds === '' ? {} : { seconds: Number(form.seconds) };
  switch (action) {
    case 'delegate':
      return client.delegate(id, { to: form.people.trim() === '' ? null : form.people.trim(), ...(form.people.trim() === '' ? {} : seconds), ...detail });
    case 'reassign':
      return client.reassign(id, { to, ...(form.from === '' ? {} : { from: form.from }), ...detail });
    case 'raise':
      return client.raise(id, { ...(Object.keys(to).length === 0 ? {} : { to }), ...detail });
    case 'snooze':
      return client.snooze(id, { seconds: Number(form.seconds) });
    case 'cancel':
      return client.cancelPending(id, detail);
  }
}

/** Asks for what an action needs. What the server refuses stays open, with its reasons. */
export function ActionDialog({ action, item, onClose }: { action: Action; item: EscalationItem; onClose: () => void }) {
  const { who } = useSession();
  const queries = useQueryClient();
  const [form, setForm] = useState<Form>({ ...EMPTY, seconds: action === 'snooze' ? '3600' : '' });
  const shown = SHOWN[action](isAdmin(who));
  const send = useMutation({
    mutationFn: () => perform(action, item, form),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === item.request_id }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!send.isPending) send.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={shown.title} closeButtonProps={{ 'aria-label': 'Close', size: 44 }}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <p className="muted">{shown.about}</p>
          {shown.fields.map((name, index) => <ActionField key={name} name={name} action={action} item={item} value={form[name]} first={index === 0} onChange={(value) => setForm({ ...form, [name]: value })} />)}
          <Failure error={send.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Back</Button>
            <Button type="submit" loading={send.isPending} {...(action === 'cancel' ? { color: 'red' } : {})}>{shown.button}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

type FieldProps = { name: keyof Form; action: Action; item: EscalationItem; value: string; first: boolean; onChange: (value: string) => void };

function ActionField({ name, action, item, value, first, onChange }: FieldProps) {
  // `autoFocus` takes the next key as soon as it is shown; the other tells Mantine's trap, which comes later, to leave it there.
  const focus = first ? { 'autoFocus': true, 'data-autofocus': true } : {};
  const text = { value, spellCheck: false, autoComplete: 'off', ...focus, onChange: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value) };
  if (name === 'seconds') return <NativeSelect size="md" label={action === 'snooze' ? 'In' : 'For'} value={value} {...focus} onChange={(event) => onChange(event.currentTarget.value)} data={action === 'snooze' ? DURATIONS : [UNTIL_SETTLED, ...DURATIONS]} />;
  if (name === 'from') return <NativeSelect size="md" label="Instead of" value={value} {...focus} onChange={(event) => onChange(event.currentTarget.value)} data={[{ value: '', label: 'everybody who is asked now' }, ...item.electorate.users]} />;
  if (name === 'detail') return <Textarea label="Note, for the record" autosize minRows={2} maxRows={6} {...text} spellCheck />;
  if (name === 'people') return <TextInput label={action === 'delegate' ? 'Person' : 'People'} {...(action === 'delegate' ? {} : { description: 'User ids, with commas' })} {...text} />;
  return <TextInput label={name === 'groups' ? 'Groups' : 'Roles'} description="Names, with commas" {...text} />;
}
