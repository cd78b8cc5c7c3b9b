import { useQuery } from '@tanstack/react-query';
import { client } from '../api.ts';
import { DeliveryRow } from '../operators/delivery-row.tsx';
import { Section } from './section.tsx';

const MOST = 200;

/** Which systems were told of this, and what they answered. For administrators. */
export function Deliveries({ requestId, seq }: { requestId: string; seq: number }) {
  const sent = useQuery({
    queryKey: ['deliveries', requestId, seq],
    queryFn: () => client.webhooks.deliveriesOf(requestId, { limit: MOST }),
    placeholderData: (before) => before,
    // What is under way has an end soon; the rest does not change by itself.
    refetchInterval: ({ state }) => (state.data?.items.some((one) => one.state === 'pending') === true ? 3_000 : false),
  });
  const endpoints = useQuery({ queryKey: ['endpoints'], queryFn: () => client.webhooks.list({ limit: MOST }), staleTime: 30_000 });
  if (sent.data === undefined) return null;
  const urlOf = new Map(endpoints.data?.items.map((endpoint) => [endpoint.id, endpoint.url]));
  const items = [...sent.data.items].sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
  return (
    <Section title="Deliveries">
      {items.length === 0 ? <p className="muted">No webhook endpoint was told of this.</p> : items.map((delivery) => <DeliveryRow key={delivery.id} delivery={delivery} of={(delivery['url'] as string | null) ?? urlOf.get(delivery.endpoint_id) ?? 'an endpoint that is gone'} />)}
    </Section>
  );
}
