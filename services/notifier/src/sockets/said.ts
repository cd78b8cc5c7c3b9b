/** What a client said on its socket, or null for what is no object. */
export function parseMessage(text: string): { type?: unknown; interaction_id?: unknown } | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
