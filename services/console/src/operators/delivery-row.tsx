import type { Delivery } from '@umpire/client';
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api.ts';
import { Failure } from '../failure.tsx';
import { moment } from '../words.ts';
import { Rows } from './parts.tsx';

/** One delivery with its attempts, fetched when it is opened. @param of what it names beside the event */
export function DeliveryRow({ delivery, of }: { delivery: Delivery; of: string | null }) {
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const attempts = useQuery({ queryKey: ['attempts', delivery.id, delivery.attempts], queryFn: () => client.webhooks.attempts(delivery.id), enabled: open });
  const retry = useMutation({ mutationFn: () => client.webhooks.retry(delivery.id), onSettled: () => queries.invalidateQueries({ queryKey: ['deliveries'] }) });
  return (
    <details className="delivery" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><span className="tag" data-kind={delivery.state === 'failed' ? 'dissent' : 'area'}>{delivery.state}</span> {delivery.event} <span className="muted">{of === null ? '' : `${of} · `}{delivery.attempts} {delivery.attempts === 1 ? 'attempt' : 'attempts'} · {moment(delivery.created_at)}</span></summary>
      {attempts.data !== undefined && (
        <Rows label="Attempts" head={['#', 'When', 'Took', 'Answer', 'Body']}>
          {attempts.data.items.map((one) => <tr key={one.number}><td>{one.number}</td><td className="whole">{moment(one.started_at)}</td><td>{one.latency_ms} ms</td><td>{one.status ?? one.error}</td><td className="code">{one.response.slice(0, 300)}</td></tr>)}
        </Rows>
      )}
      {delivery.state !== 'delivered' && <Button mt="xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>Send again now</Button>}
      <Failure error={retry.error} />
    </details>
  );
}
