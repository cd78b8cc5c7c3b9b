import { Alert, Button, Group, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ask, tell } from '../api.ts';
import { Failure } from '../failure.tsx';
import { Tree } from '../decision/tree.tsx';
import { moment } from '../words.ts';
import { Answer, Page, Panel, Rows } from './parts.tsx';
import { SAMPLES } from './samples.ts';

type Policy = { id: string; version: number; enabled: boolean; priority: number; description: string | null; created_at: string; created_by: string; document: unknown };
type Simulation = { policy: { id: string; version: number } | null; reason: string; rules: unknown; errors: { path: string; message: string }[]; policies: { id: string; version: number; matched: boolean; taken: boolean; failed: { path: string; message: string } | null }[] };

const EXAMPLE = `id: senior-reviewers
description: Disagreement on the primary decision goes to senior reviewers
priority: 200
match:
  kind: escalation
  when: "'primary_decision' in metadata.disagreement_areas"
interaction:
  pattern: review
  assignees:
    roles: [reviewer]
  timeout_seconds: 14400
`;

/** JSON is sent as JSON; anything else as YAML. */
const typeOf = (text: string): Record<string, string> => ({ 'content-type': text.trimStart().startsWith('{') ? 'application/json' : 'application/yaml' });

export function PoliciesPage() {
  const queries = useQueryClient();
  const list = useQuery({ queryKey: ['policies'], queryFn: () => ask<{ items: Policy[] }>('/policies', { limit: 200 }) });
  const [text, setText] = useState(EXAMPLE);
  const renew = () => queries.invalidateQueries({ queryKey: ['policies'] });
  const change = useMutation({ mutationFn: ({ id, on }: { id: string; on: boolean }) => tell('POST', `/policies/${encodeURIComponent(id)}/${on ? 'enable' : 'disable'}`), onSettled: renew });
  return (
    <Page title="Policies" ready={!list.isPending}>
      <Answer query={list}>{({ items }) => (
        <Panel title="In force">
          {items.length === 0 ? <p className="muted">None: the built-in rules hold.</p> : (
            <Rows label="Policies" head={['Policy', 'Version', 'Priority', 'Since', 'By', '']}>
              {items.map((policy) => (
                <tr key={policy.id}>
                  <th scope="row">{policy.id}<div className="muted">{policy.description}</div></th><td>{policy.version}</td><td>{policy.priority}</td><td className="whole">{moment(policy.created_at)}</td><td className="whole">{policy.created_by}</td>
                  <td><Group gap="xs" wrap="nowrap"><Button variant="default" onClick={() => setText(JSON.stringify(policy.document, null, 2))}>Edit</Button><Button variant="default" onClick={() => change.mutate({ id: policy.id, on: !policy.enabled })}>{policy.enabled ? 'Disable' : 'Enable'}</Button></Group></td>
                </tr>
              ))}
            </Rows>
          )}
          <Failure error={change.error} />
        </Panel>
      )}</Answer>
      {!list.isError && <div className="two"><Editor text={text} onChange={setText} onApplied={renew} /><Simulator /></div>}
    </Page>
  );
}

function Editor({ text, onChange, onApplied }: { text: string; onChange: (text: string) => void; onApplied: () => void }) {
  const send = useMutation({
    mutationFn: async (dry: boolean) => ({ dry, policy: await tell<Policy>('POST', `/policies${dry ? '?dry_run=true' : ''}`, text, typeOf(text)) }),
    onSuccess: ({ dry }) => !dry && onApplied(),
  });
  return (
    <Panel title="Document">
      <Textarea label="Policy, as YAML or JSON" autosize minRows={12} maxRows={30} value={text} onChange={(event) => onChange(event.currentTarget.value)} classNames={{ input: 'code' }} spellCheck={false} />
      <Group mt="sm">
        <Button variant="default" loading={send.isPending} onClick={() => send.mutate(true)}>Check</Button>
        <Button loading={send.isPending} onClick={() => send.mutate(false)}>Put in force</Button>
      </Group>
      {send.data !== undefined && send.error === null && <Alert mt="sm" color="green" variant="light" role="status">{send.data.dry ? `Valid: it would be version ${send.data.policy.version} of ${send.data.policy.id}` : `${send.data.policy.id}, version ${send.data.policy.version}, is in force`}</Alert>}
      <Failure error={send.error} />
    </Panel>
  );
}

function Simulator() {
  const [text, setText] = useState(() => JSON.stringify(SAMPLES[0]!.message('simulated'), null, 2));
  const run = useMutation({ mutationFn: () => tell<Simulation>('POST', '/policies/simulate', text, { 'content-type': 'application/json' }) });
  return (
    <Panel title="Simulation">
      <Textarea label="A message, as a producer sends it" autosize minRows={12} maxRows={30} value={text} onChange={(event) => setText(event.currentTarget.value)} classNames={{ input: 'code' }} spellCheck={false} />
      <Group mt="sm"><Button variant="default" loading={run.isPending} onClick={() => run.mutate()}>Simulate</Button></Group>
      <Failure error={run.error} />
      {run.data !== undefined && run.error === null && (
        <div role="status">
          <p className="why">{run.data.policy === null ? 'No policy takes it: the built-in rules hold.' : `${run.data.policy.id}, version ${run.data.policy.version}, takes it.`}</p>
          <ul className="bulk-list">{run.data.policies.map((one) => <li key={one.id}>{one.id}: {one.taken ? 'takes it' : one.matched ? 'would take it, but comes later' : `${one.failed?.path ?? ''} ${one.failed?.message ?? ''}`}</li>)}</ul>
          {run.data.errors.length > 0 && <Failure error={Object.assign(new Error('It would be refused'), { errors: run.data.errors })} />}
          <Tree value={run.data.rules} depth={1} />
        </div>
      )}
    </Panel>
  );
}
