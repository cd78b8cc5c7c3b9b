import { Alert } from '@mantine/core';
import { messageOf } from './api.ts';

/** Why the server refused, and which fields it names. */
export function Failure({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  const fields = (error as { errors?: { path: string; message: string }[] }).errors ?? [];
  return (
    <Alert color="red" variant="light" role="alert" title={messageOf(error)}>
      {fields.length > 0 && <ul className="bulk-list">{fields.map(({ path, message }, index) => <li key={index}><span className="code">{path || '(whole document)'}</span>: {message}</li>)}</ul>}
    </Alert>
  );
}
