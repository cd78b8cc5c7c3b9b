import type { EscalationItem } from '@umpire/client';
import { Alert, Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent } from 'react';
import { client, messageOf } from '../api.ts';
import { isTyping } from '../inbox/keys.ts';
import { isAdmin, useSession } from '../session.tsx';
import { moment } from '../words.ts';

/**
 * A claim says who works on it; with a quorum of one it keeps others from answering until it ends. An administrator can end another's.
 */
export function ClaimButton({ item }: { item: EscalationItem }) {
  const { who, inbox } = useSession();
  const freeing = item.claimed_by !== null && item.claimed_by !== who.user_id && isAdmin(who);
  const queries = useQueryClient();
  const mine = item.claimed_by !== null && item.claimed_by === who.user_id;
  const change = useMutation({
    mutationFn: () => (mine || freeing ? client.release(item.request_id) : client.claim(item.request_id)),
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === item.request_id }),
  });
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === 'c' && inbox !== null && !isTyping(event) && !change.isPending && !freeing) change.mutate();
  });
  useEffect(() => {
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
  const taken = item.claimed_by !== null && !mine && !freeing;
  return (
    <>
      {(inbox !== null || freeing) && <Button variant="default" loading={change.isPending} disabled={taken} onClick={() => change.mutate()}>{freeing ? `Release ${item.claimed_by}'s claim` : mine ? 'Release' : 'Claim'}</Button>}
      {item.claimed_by !== null && <span>{mine ? 'Claimed by you' : `${item.claimed_by} is working on this`} until {item.claimed_until === null ? '' : moment(item.claimed_until)}</span>}
      {change.isError && <Alert color="red" variant="light">{messageOf(change.error)}</Alert>}
    </>
  );
}
