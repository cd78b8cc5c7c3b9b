import { idToken } from '@umpire/contract';
import type { Asked, What } from './asking.ts';

export type Message = { subject: string; lines: string[]; link: string };

const OPENING: Record<What, string> = {
  asked: 'A decision is waiting for you',
  reminded: 'A decision is still waiting for you',
  added: 'You were asked to join a decision',
  round: 'The next round of a decision is waiting for you',
  test: 'A test: messages about decisions will come here',
};
const URGENT: ReadonlySet<string> = new Set(['high', 'critical']);
const SUMMARY_CHARACTERS = 500;

/**
 * What a person is told: that something is asked, until when, and where. Without `detail` nothing of the content, not even the id,
 * stands in it in clear; the link names it and decides nothing: the page asks who one is.
 */
export function messageText(what: What, requestId: string, asked: Asked | null, detail: 'none' | 'summary', publicUrl: string): Message {
  const origin = publicUrl.replace(/\/+$/, '');
  if (what === 'test' || !asked) return { subject: OPENING.test, lines: [`${OPENING.test}.`], link: origin };
  const urgent = URGENT.has(asked.priority) ? ` (${asked.priority})` : '';
  const content = detail === 'summary' ? oneLine(asked.prompt ?? asked.summary ?? '') : '';
  return {
    subject: `${OPENING[what]}${urgent}`,
    lines: [
      `${OPENING[what]}: ${words(asked.pattern)}, because of ${words(asked.reason)}, priority ${asked.priority}.`,
      ...(content === '' ? [] : [content]),
      until(asked),
    ],
    link: `${origin}/e/~${idToken(requestId)}`,
  };
}

export function mailText({ lines, link }: Message): string {
  return `${lines.join('\n\n')}\n\n${link}\n\nThe link shows it; deciding needs you to be signed in.\n`;
}

/** Slack's own marks are escaped, so that content can neither link nor mention. */
export function slackText({ lines, link }: Message): string {
  const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `${lines.map(escape).join('\n')}\n<${link}|Open>`;
}

function until({ expiresAt, overdue }: Asked): string {
  if (expiresAt === null) return 'It has no deadline.';
  const text = `${expiresAt.slice(0, 10)} ${expiresAt.slice(11, 16)} UTC`;
  return overdue ? `It was due on ${text} and is still open.` : `Until ${text}.`;
}

const words = (name: string): string => name.replaceAll('_', ' ');

/** Content as one line of bounded length, without control characters. */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const characters = [...line];
  return characters.length <= SUMMARY_CHARACTERS ? line : `${characters.slice(0, SUMMARY_CHARACTERS).join('')}…`;
}
