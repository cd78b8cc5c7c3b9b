import { Alert, Button, Group, NativeSelect, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { client } from '../api.ts';
import { Failure } from '../failure.tsx';
import { decisionPath } from '../words.ts';
import { Page, Panel } from './parts.tsx';
import { SAMPLES } from './samples.ts';

const fresh = (): string => `try-${crypto.randomUUID().slice(0, 8)}`;
const textOf = (at: number): string => JSON.stringify(SAMPLES[at]!.message(fresh()), null, 2);

/** Submits an escalation as a producer would. */
export function TryPage() {
  const [sample, setSample] = useState(0);
  const [text, setText] = useState(() => textOf(0));
  const send = useMutation({ mutationFn: () => client.submit(text) });
  const choose = (at: number) => {
    setSample(at);
    setText(textOf(at));
    send.reset();
  };
  return (
    <Page title="Try it" ready>
      <Panel title="Submit an escalation">
        <NativeSelect size="md" className="window" label="Sample" value={String(sample)} onChange={(event) => choose(Number(event.currentTarget.value))} data={SAMPLES.map(({ name }, index) => ({ value: String(index), label: name }))} />
        <Textarea mt="sm" label="Message" description="As POST /api/escalations takes it" autosize minRows={14} maxRows={34} value={text} onChange={(event) => setText(event.currentTarget.value)} classNames={{ input: 'code' }} spellCheck={false} />
        <Group mt="sm">
          <Button loading={send.isPending} onClick={() => send.mutate()}>Submit</Button>
          <Button variant="default" onClick={() => choose(sample)}>New id</Button>
        </Group>
        {send.isSuccess && (
          <Alert mt="sm" color="green" variant="light" role="status" title={`It is ${send.data.status}${send.data.status === 'stored' && send.data.duplicate ? ', as it was before' : ''}`}>
            <Link href={decisionPath(send.data.request_id)} className="inline-link">Look at {send.data.request_id}</Link>
          </Alert>
        )}
        <Failure error={send.error} />
      </Panel>
    </Page>
  );
}
