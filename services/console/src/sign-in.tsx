import type { WhoAmI } from '@umpire/client';
import { Alert, Button, Divider, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { client, messageOf } from './api.ts';

const ISSUER_SAID: Readonly<Record<string, string>> = {
  stale: 'That took too long, or began in another window. Sign in again.',
  denied: 'The sign-in was not completed.',
  refused: 'You are known there, but have no place here yet. Ask an administrator for a role.',
  unavailable: 'The sign-in service does not answer. Try again in a moment.',
};

/** What came back from the issuer instead of a session; said once, then out of the address. */
function useIssuerNote(): string | null {
  const [why] = useState(() => new URLSearchParams(location.search).get('sign_in'));
  useEffect(() => {
    if (why !== null) history.replaceState(null, '', location.pathname);
  }, [why]);
  return why === null ? null : (ISSUER_SAID[why] ?? 'The sign-in did not work.');
}

/** Exchanges a key for the session's cookie, or goes to the issuer for one. The key is not kept anywhere on the page. */
export function SignIn({ onEnter, note }: { onEnter: (who: WhoAmI) => void; note: string | null }) {
  const issuer = useQuery({ queryKey: ['issuer'], queryFn: () => client.session.issuer(), staleTime: 60_000 });
  const said = useIssuerNote();
  return (
    <main className="sign-in">
      <Paper withBorder p="xl" radius="md" className="sign-in-card">
        <Stack>
          <div>
            <Title order={1} size="h2">Umpire</Title>
            <Text c="dimmed">Where people decide what agents could not.</Text>
          </div>
          {(said ?? note) !== null && <Alert color="yellow" role="status" variant="light">{said ?? note}</Alert>}
          {typeof issuer.data?.name === 'string' && (
            <>
              <Button component="a" href={`/session/oidc/start?to=${encodeURIComponent(location.pathname)}`} fullWidth>Sign in with {issuer.data.name}</Button>
              <Divider label="or" />
            </>
          )}
          <KeyForm onEnter={onEnter} />
        </Stack>
      </Paper>
    </main>
  );
}

function KeyForm({ onEnter }: { onEnter: (who: WhoAmI) => void }) {
  const [key, setKey] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (key.trim() === '') return setError('Enter a key.');
    setBusy(true);
    setError(null);
    try {
      onEnter(await client.session.signIn(key.trim()));
    } catch (failure) {
      setError(messageOf(failure));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack>
        <PasswordInput label="Key" description="A reviewer's or administrator's key (umk_…), or a token" value={key} onChange={(event) => setKey(event.currentTarget.value)} error={error} autoComplete="off" spellCheck={false} />
        <Button type="submit" loading={busy} fullWidth>Sign in</Button>
      </Stack>
    </form>
  );
}
