/** What a user can mend: shown as one line without a stack, exit code 1. */
export class Trouble extends Error {
  name = 'Trouble';
}

/** The first line of any error's message. */
export function oneLine(error) {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split('\n', 1)[0] ?? '';
}
