import { Button } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import type { FieldError } from '@umpire/client';
import { ask, codeOf, messageOf, tell } from '../api.ts';
import { Failure } from '../failure.tsx';
import { moment } from '../words.ts';
import { Page, Panel } from './parts.tsx';

type Letter = { id: string; subject: string; errors: FieldError[]; digest: string; original?: string; rejected_at?: string };

/** Base64 of the bytes as they came; what is no text is shown with replacement characters. */
const textOf = (base64: string): string => new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0)!));

export function RejectedPage() {
  const list = useInfiniteQuery({
    queryKey: ['rejected'],
    queryFn: ({ pageParam }) => ask<{ items: Letter[]; next: string | null }>('/rejected', { limit: 50, after: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title="Rejected messages" ready={!list.isPending}>
      {list.isError && <p className="muted">{codeOf(list.error) === 'not_found' ? 'This server does not offer its rejected messages here.' : messageOf(list.error)}</p>}
      {list.isSuccess && (items.length === 0 ? <p className="muted">Nothing was rejected.</p> : <Panel title="Newest first">{items.map((letter) => <LetterRow key={letter.id} letter={letter} />)}</Panel>)}
      {list.hasNextPage && <Button variant="default" onClick={() => void list.fetchNextPage()}>Show more</Button>}
    </Page>
  );
}

function LetterRow({ letter }: { letter: Letter }) {
  const queries = useQueryClient();
  const redrive = useMutation({ mutationFn: () => tell('POST', `/rejected/${encodeURIComponent(letter.id)}/redrive`, {}), onSettled: () => queries.invalidateQueries({ queryKey: ['rejected'] }) });
  return (
    <details className="delivery">
      <summary><span className="tag" data-kind="dissent">{letter.errors[0]?.code}</span> <span className="code">{letter.errors[0]?.path}</span> {letter.errors[0]?.message}{letter.errors.length > 1 && `, and ${letter.errors.length - 1} more`} <span className="muted">{letter.subject}{letter.rejected_at === undefined ? '' : ` · ${moment(letter.rejected_at)}`}</span></summary>
      <ul className="bulk-list">{letter.errors.map(({ path, message, code }, index) => <li key={index}><span className="code">{path || '(whole document)'}</span>: {message} ({code})</li>)}</ul>
      {letter.original !== undefined && <pre className="original code" tabIndex={0}>{textOf(letter.original)}</pre>}
      <Button variant="default" loading={redrive.isPending} onClick={() => redrive.mutate()}>Send again</Button>
      {redrive.isSuccess && <span role="status"> Sent again.</span>}
      <Failure error={redrive.error} />
    </details>
  );
}
