import { Alert, Button, Checkbox, Group, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { client } from '../api.ts';
import { Failure } from '../failure.tsx';
import { moment } from '../words.ts';
import { Answer, Page, Panel, Rows } from './parts.tsx';

const ROLES = ['reviewer', 'producer', 'admin'];

export function AccessPage() {
  const keys = useQuery({ queryKey: ['keys'], queryFn: () => client.identity.keys.list({ limit: 200, active: true }) });
  const groups = useQuery({ queryKey: ['groups'], queryFn: async () => Promise.all((await client.identity.groups.list({ limit: 200 })).items.map((group) => client.identity.groups.get(group.name))) });
  return (
    <Page title="Keys and groups" ready={!keys.isPending && !groups.isPending}>
      <NewKey />
      <Panel title="Keys">
        <Answer query={keys}>{({ items, next }) => (
          <>
            <Rows label="Keys" head={['Name', 'Person', 'Roles', 'Since', 'Until', '']}>{items.map((key) => <KeyRow key={key.id} item={key} />)}</Rows>
            {next !== null && <p className="muted">These are the first 200.</p>}
          </>
        )}</Answer>
      </Panel>
      <Panel title="Groups">
        <Answer query={groups}>{(items) => items.length === 0 ? <p className="muted">There are no groups.</p> : <Rows label="Groups" head={['Group', 'Members', '']}>{items.map((group) => <GroupRow key={group.name} name={group.name} members={group.members} />)}</Rows>}</Answer>
        <NewGroup />
      </Panel>
    </Page>
  );
}

function NewKey() {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [person, setPerson] = useState('');
  const [roles, setRoles] = useState<string[]>(['reviewer']);
  const create = useMutation({
    mutationFn: () => client.identity.keys.create({ name: name.trim(), roles, ...(person.trim() === '' ? {} : { user_id: person.trim() }) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys'] }),
  });
  return (
    <Panel title="New key">
      <form className="line-form" noValidate onSubmit={(event: FormEvent) => { event.preventDefault(); create.mutate(); }}>
        <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput label="Person" description="Reviewers need one" value={person} onChange={(event) => setPerson(event.currentTarget.value)} />
        <Checkbox.Group label="Roles" value={roles} onChange={setRoles}><Group>{ROLES.map((role) => <Checkbox key={role} className="choice" value={role} label={role} size="md" />)}</Group></Checkbox.Group>
        <Button type="submit" loading={create.isPending}>Create</Button>
      </form>
      {create.isSuccess && <Alert color="green" variant="light" role="status" title="The key, shown this once"><span className="code">{create.data.key}</span></Alert>}
      <Failure error={create.error} />
    </Panel>
  );
}

function KeyRow({ item }: { item: { id: string; name: string; user_id: string | null; roles: string[]; created_at: string; expires_at: string | null } }) {
  const queries = useQueryClient();
  const [sure, setSure] = useState(false);
  const revoke = useMutation({ mutationFn: () => client.identity.keys.revoke(item.id), onSuccess: () => queries.invalidateQueries({ queryKey: ['keys'] }) });
  return (
    <tr>
      <th scope="row">{item.name}</th><td>{item.user_id ?? '–'}</td><td>{item.roles.join(', ')}</td><td className="whole">{moment(item.created_at)}</td><td className="whole">{item.expires_at === null ? '–' : moment(item.expires_at)}</td>
      <td>
        {sure ? <Group gap="xs" wrap="nowrap"><Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>Revoke {item.name}</Button><Button variant="default" onClick={() => setSure(false)}>Keep</Button></Group> : <Button variant="default" onClick={() => setSure(true)}>Revoke…</Button>}
        <Failure error={revoke.error} />
      </td>
    </tr>
  );
}

function NewGroup() {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const create = useMutation({ mutationFn: () => client.identity.groups.create({ name: name.trim(), members: [] }), onSuccess: () => { setName(''); return queries.invalidateQueries({ queryKey: ['groups'] }); } });
  return (
    <form className="line-form" noValidate onSubmit={(event: FormEvent) => { event.preventDefault(); create.mutate(); }}>
      <TextInput label="New group" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <Button type="submit" variant="default" loading={create.isPending} disabled={name.trim() === ''}>Create</Button>
      <Failure error={create.error} />
    </form>
  );
}

function GroupRow({ name, members }: { name: string; members: string[] }) {
  const queries = useQueryClient();
  const [person, setPerson] = useState('');
  const change = useMutation({ mutationFn: (work: () => Promise<unknown>) => work(), onSettled: () => queries.invalidateQueries({ queryKey: ['groups'] }) });
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{members.length === 0 ? <span className="muted">nobody</span> : <div className="members">{members.map((member) => <Button key={member} variant="default" aria-label={`Take ${member} out of ${name}`} onClick={() => change.mutate(() => client.identity.groups.removeMember(name, member))}>{member} ×</Button>)}</div>}</td>
      <td>
        <form className="line-form" onSubmit={(event) => { event.preventDefault(); change.mutate(() => client.identity.groups.addMember(name, person.trim())); setPerson(''); }}>
          <TextInput aria-label={`Add to ${name}`} placeholder="person" value={person} onChange={(event) => setPerson(event.currentTarget.value)} />
          <Button type="submit" variant="default" disabled={person.trim() === ''}>Add</Button>
        </form>
        <Failure error={change.error} />
      </td>
    </tr>
  );
}
