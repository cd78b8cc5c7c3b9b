import type { Delivery, WebhookEndpoint } from '@umpire/client';
import { Alert, Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { client } from '../api.ts';
import { Failure } from '../failure.tsx';
import { serverNow } from '../clock.ts';
import { moment, spoken } from '../words.ts';
import { DeliveryRow } from './delivery-row.tsx';
import { Answer, Page, Panel } from './parts.tsx';

const HOUR_MS = 3_600_000;
const RECOVERIES = [{ value: '1', label: 'the last hour' }, { value: '24', label: 'the last day' }, { value: '168', label: 'the last week' }];

export function WebhooksPage() {
  const endpoints = useQuery({ queryKey: ['endpoints'], queryFn: () => client.webhooks.list({ limit: 200 }), refetchInterval: 10_000 });
  const [open, setOpen] = useState<string | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Page title="Webhooks" ready={!endpoints.isPending}>
      {secret !== null && <Alert color="green" variant="light" title="The signing secret, shown this once" withCloseButton closeButtonLabel="Put away" onClose={() => setSecret(null)}><span className="code">{secret}</span></Alert>}
      <Answer query={endpoints}>{({ items }) => items.length === 0 ? <p className="muted">No endpoint is told of anything yet.</p> : (
        <Panel title="Endpoints">
          {items.map((endpoint) => <Endpoint key={endpoint.id} endpoint={endpoint} open={open === endpoint.id} onToggle={() => setOpen(open === endpoint.id ? null : endpoint.id)} onSecret={setSecret} />)}
        </Panel>
      )}</Answer>
      <NewEndpoint onSecret={setSecret} />
    </Page>
  );
}

function NewEndpoint({ onSecret }: { onSecret: (secret: string) => void }) {
  const queries = useQueryClient();
  const [url, setUrl] = useState('');
  const create = useMutation({
    mutationFn: () => client.webhooks.create({ url: url.trim() }),
    onSuccess: (made) => {
      onSecret(made.secret);
      setUrl('');
      return queries.invalidateQueries({ queryKey: ['endpoints'] });
    },
  });
  return (
    <Panel title="New endpoint">
      <form className="line-form" noValidate onSubmit={(event: FormEvent) => { event.preventDefault(); create.mutate(); }}>
        <TextInput label="URL" value={url} onChange={(event) => setUrl(event.currentTarget.value)} placeholder="https://" />
        <Button type="submit" loading={create.isPending} disabled={url.trim() === ''}>Create</Button>
      </form>
      <Failure error={create.error} />
    </Panel>
  );
}

function Endpoint({ endpoint, open, onToggle, onSecret }: { endpoint: WebhookEndpoint; open: boolean; onToggle: () => void; onSecret: (secret: string) => void }) {
  const queries = useQueryClient();
  const renew = () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'endpoints' || queryKey[0] === 'deliveries' });
  const [hours, setHours] = useState('24');
  const [said, setSaid] = useState<string | null>(null);
  const act = useMutation({ mutationFn: async (work: () => Promise<string>) => setSaid(await work()), onSettled: renew });
  const [sure, setSure] = useState(false);
  const enabled = endpoint.state === 'enabled';
  return (
    <div className="endpoint">
      <div className="endpoint-head">
        <span className="code">{endpoint.url}</span>
        <span className="tag" data-kind={enabled ? 'area' : 'dissent'}>{endpoint.state}{endpoint.disabled_reason === null ? '' : `: ${spoken(endpoint.disabled_reason)}`}</span>
        {endpoint.failing_since !== null && <span className="tag" data-priority="high">failing since {moment(endpoint.failing_since)}</span>}
      </div>
      <p className="row-facts">{endpoint.events.length === 0 ? 'every event' : endpoint.events.join(', ')}{endpoint.reasons.length > 0 && <span>{endpoint.reasons.map(spoken).join(', ')}</span>}</p>
      <Group gap="xs">
        <Button variant="default" aria-expanded={open} onClick={onToggle}>Deliveries</Button>
        <Button variant="default" onClick={() => act.mutate(async () => { await client.webhooks.test(endpoint.id); return 'A test is on its way.'; })}>Send a test</Button>
        <Button variant="default" onClick={() => act.mutate(async () => { await (enabled ? client.webhooks.disable(endpoint.id) : client.webhooks.enable(endpoint.id)); return enabled ? 'Disabled.' : 'Enabled.'; })}>{enabled ? 'Disable' : 'Enable'}</Button>
        <Button variant="default" onClick={() => act.mutate(async () => { onSecret((await client.webhooks.rotate(endpoint.id)).secret); return 'A new secret; the old one signs along for a while.'; })}>Change secret</Button>
        <NativeSelect size="md" aria-label="Recover since" value={hours} onChange={(event) => setHours(event.currentTarget.value)} data={RECOVERIES} />
        <Button variant="default" onClick={() => act.mutate(async () => {
          const { retried, added } = await client.webhooks.recover(endpoint.id, { since: new Date(serverNow() - Number(hours) * HOUR_MS).toISOString() });
          return `${retried} failed ones are sent again, ${added} missing ones were added.`;
        })}>Recover</Button>
        {sure ? (
          <>
            <Button color="red" onClick={() => act.mutate(async () => { await client.webhooks.remove(endpoint.id); return 'Removed.'; })}>Remove for good</Button>
            <Button variant="default" onClick={() => setSure(false)}>Keep</Button>
          </>
        ) : <Button variant="default" onClick={() => setSure(true)}>Remove…</Button>}
      </Group>
      {said !== null && <p role="status">{said}</p>}
      <Failure error={act.error} />
      {open && <Deliveries endpointId={endpoint.id} />}
    </div>
  );
}

const STATES = [{ value: '', label: 'All' }, { value: 'pending', label: 'Pending' }, { value: 'delivered', label: 'Delivered' }, { value: 'failed', label: 'Failed' }];

function Deliveries({ endpointId }: { endpointId: string }) {
  const [state, setState] = useState('');
  const list = useInfiniteQuery({
    queryKey: ['deliveries', endpointId, state],
    queryFn: ({ pageParam }) => client.webhooks.deliveries(endpointId, { limit: 50, cursor: pageParam, ...(state === '' ? {} : { state: state as Delivery['state'] }) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: 5_000,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div>
      <NativeSelect size="md" className="window" label="Show" value={state} onChange={(event) => setState(event.currentTarget.value)} data={STATES} />
      <Failure error={list.error} />
      {items.length === 0 ? <p className="muted">No deliveries.</p> : items.map((delivery) => <DeliveryRow key={delivery.id} delivery={delivery} of={delivery.request_id} />)}
      {list.hasNextPage && <Button variant="default" onClick={() => void list.fetchNextPage()}>Show more</Button>}
    </div>
  );
}
