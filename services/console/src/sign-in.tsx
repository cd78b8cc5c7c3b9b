import type { WhoAmI } from '@umpire/client';
import { Alert, Button, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { client, messageOf } from './api.ts';

/** Exchanges a key for the session's cookie. The key is not kept anywhere on the page. */
export function SignIn({ onEnter, note }: { onEnter: (who: WhoAmI) => void; note: string | null }) {
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
    <main className="sign-in">
      <Paper withBorder p="xl" radius="md" className="sign-in-card">
        <form onSubmit={(event) => void submit(event)} noValidate>
          <Stack>
            <div>
              <Title order={1} size="h2">Umpire</Title>
              <Text c="dimmed">Where people decide what agents could not.</Text>
            </div>
            {note !== null && <Alert color="yellow" role="status" variant="light">{note}</Alert>}
            <PasswordInput label="Key" description="A reviewer's or administrator's key (umk_…), or a token" value={key} onChange={(event) => setKey(event.currentTarget.value)} error={error} autoComplete="off" spellCheck={false} />
            <Button type="submit" loading={busy} fullWidth>Sign in</Button>
          </Stack>
        </form>
      </Paper>
    </main>
  );
}
