import { Button, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { client } from '../api.ts';
import { Failure } from '../failure.tsx';

/** A remark on the record: it decides nothing. What was typed stays until the server has it. */
export function CommentForm({ requestId }: { requestId: string }) {
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const send = useMutation({
    mutationFn: () => client.comment(requestId, text),
    onSuccess: () => setText(''),
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === requestId }),
  });
  return (
    <form className="comment-form" noValidate onSubmit={(event: FormEvent) => { event.preventDefault(); if (!send.isPending) send.mutate(); }}>
      <Textarea label="Comment" description="Everybody who may read this sees it" autosize minRows={2} maxRows={10} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <Failure error={send.error} />
      {/* Never disabled: a disabled button that has the focus swallows keys. */}
      <Button type="submit" variant="default" aria-busy={send.isPending}>Add comment</Button>
    </form>
  );
}
