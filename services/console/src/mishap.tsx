import { Alert, Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { messageOf } from './api.ts';

type Props = { children: ReactNode };
type State = { error: unknown };

/** Instead of an empty page, where the page itself has failed: what it says, and a way on. */
export class Mishap extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <main className="page">
        <Alert color="red" variant="light" role="alert" title="This page has failed">
          <p>{messageOf(error)}</p>
          <p>Nothing that the server has was lost, and your drafts are kept on this device.</p>
          <Button mt="sm" onClick={() => location.reload()}>Load it again</Button>
        </Alert>
      </main>
    );
  }
}
