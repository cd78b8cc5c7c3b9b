import type { EscalationItem, FieldError, UmpireError } from '@umpire/client';
import { Alert, Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { client, codeOf, messageOf } from '../api.ts';
import { isTyping } from '../inbox/keys.ts';
import { useSession } from '../session.tsx';
import { outcomeSentence, spoken } from '../words.ts';
import { Field } from './field.tsx';
import { answerOf, fieldId, startValues, valueOf, type Values } from './form-values.ts';

type Props = { item: EscalationItem; onNext: (() => void) | undefined };

/** The answer: the form that the request asks for, with the server's rules. What is typed stays until the server has it. */
export function AnswerForm({ item, onNext }: Props) {
  const { who } = useSession();
  if (item.status !== 'pending') return null;
  const own = item.votes.find((vote) => vote.user_id === who.user_id && vote.set_aside !== true);
  return (
    <section className="part answer" aria-labelledby="answer-title">
      <h3 id="answer-title">Your answer</h3>
      {own !== undefined && <Alert color="blue" variant="light" role="status">You said “{spoken(own.verdict)}”. Until it is settled you may change it.</Alert>}
      <Form key={item.revision} item={item} onNext={onNext} />
    </section>
  );
}

function Form({ item, onNext }: Props) {
  const { inbox, drafts } = useSession();
  const queries = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const [start] = useState(() => startValues(item, drafts?.read(item.request_id) ?? null));
  const [values, setValues] = useState<Values>(start.values);
  const send = useMutation({
    mutationFn: () => client.respond(item.request_id, answerOf(item.ui_schema.fields, values), { revision: item.revision }),
    onSuccess: (reply) => {
      drafts?.drop(item.request_id);
      if (reply.outcome) {
        inbox?.leave(item.request_id, reply.seq);
        onNext?.();
      }
    },
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === item.request_id }),
  });
  const errors = errorsOf(send.error);
  // Once for each refusal.
  useEffect(() => {
    const [first] = errorsOf(send.error);
    if (first !== undefined) form.current?.querySelector<HTMLElement>(`[data-field="${CSS.escape(nameIn(first))}"] :is(input,textarea,select)`)?.focus();
  }, [send.error]);
  const change = (name: string, value: unknown) => {
    const next = { ...values, [name]: value };
    setValues(next);
    drafts?.keep(item.request_id, { revision: item.revision, values: next });
  };
  useAnswerKeys(item, (value) => change(item.verdict_field, value), () => form.current?.requestSubmit(), onNext);
  return (
    <form ref={form} noValidate onSubmit={(event) => { event.preventDefault(); if (!send.isPending) send.mutate(); }}>
      {start.older && <Alert color="yellow" variant="light">Your draft is from an older revision: what you see has changed since.</Alert>}
      {item.ui_schema.fields.map((field) => (
        <Field key={field.name} field={field} id={fieldId(item.request_id, field.name)} value={values[field.name]} numbered={field.name === item.verdict_field}
          error={errors.filter((error) => nameIn(error) === field.name).map((error) => error.message).join('; ') || null} onChange={(value) => change(field.name, value)} />
      ))}
      {item.ui_schema.fields.length === 0 && <p>This asks for no fields: submitting says that it is done.</p>}
      {send.error !== null && <Refusal error={send.error} item={item} />}
      <div className="submit">
        <Button type="submit" loading={send.isPending}>Submit</Button>
        {send.isSuccess && send.data.outcome === undefined && <span role="status">Your answer is recorded.</span>}
      </div>
    </form>
  );
}

const errorsOf = (error: Error | null): FieldError[] => (error === null ? [] : ((error as UmpireError).errors ?? []));
const nameIn = (error: FieldError): string => error.path.replace(/^user_input\./, '');

/** Why the server did not take it. The real outcome is shown by the page as soon as it is read again, and named here at once. */
function Refusal({ error, item }: { error: Error; item: EscalationItem }) {
  const outcome = (error as UmpireError).extra?.['outcome'] as EscalationItem['outcome'] | undefined;
  const titles: Record<string, string> = {
    invalid: 'Some fields need another look', stale_revision: 'It has changed since you opened it: look again, your text is kept', unavailable: 'The server does not answer. Nothing is lost: try again',
    already_settled: 'Somebody was faster', deadline_passed: 'The deadline has passed', claimed_by_other: 'Somebody else is working on this',
  };
  return <Alert color="red" variant="light" role="alert" title={titles[codeOf(error) ?? ''] ?? 'The answer was not taken'}>{outcome ? `${outcomeSentence(outcome)}. ` : ''}{messageOf(error)} <span className="visually-hidden">({item.request_id})</span></Alert>;
}

/** 1–9 choose, Ctrl+Enter submits, n goes on. */
function useAnswerKeys(item: EscalationItem, choose: (value: string) => void, submit: () => void, onNext: (() => void) | undefined): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) return submit();
    if (isTyping(event)) return undefined;
    if (event.key === 'n') return onNext?.();
    const field = item.ui_schema.fields.find((one) => one.name === item.verdict_field);
    const option = /^[1-9]$/.test(event.key) ? field?.options?.[Number(event.key) - 1] : undefined;
    if (option === undefined) return undefined;
    event.preventDefault();
    return choose(valueOf(option));
  });
  useEffect(() => {
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}
