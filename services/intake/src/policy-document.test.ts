import { encodeUtf8, UmpireError } from '@umpire/contract';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from './policy-document.ts';
import { readPolicyText } from './policy-text.ts';

const errorsOf = (value: unknown) => {
  const read = checkPolicy(value, 'default');
  return read.ok ? [] : read.errors.map(({ path, code }) => `${path} ${code}`).sort();
};

describe('a policy', () => {
  it('needs an id only', () => {
    const read = checkPolicy({ id: 'all' }, 'default');
    expect(read.ok && read.policy).toEqual({ document: { id: 'all', priority: 0, match: {}, interaction: {}, enforce: [] }, expression: null });
  });

  it('names every field at fault, with its path', () => {
    expect(errorsOf({
      id: 'No Good', priority: 1.5, colour: 'red', same_task: 'forget', enforce: ['assignees', 'wishes'],
      match: { kind: 'letter', reasons: [], task_id: [''], metadata: { team: {} }, wen: 'true' },
      interaction: { pattern: 'guess', assignees: { users: [''] }, timeout_seconds: -1, quorum: 'some', revises: 'x' },
    })).toEqual([
      'colour unsupported', 'enforce[1] invalid_value', 'id invalid_format', 'interaction.assignees.users[0] too_small', 'interaction.pattern invalid_value', 'interaction.quorum invalid_union',
      'interaction.revises not_allowed', 'interaction.timeout_seconds too_small', 'match.kind invalid_value', 'match.metadata.team invalid_union', 'match.reasons too_small', 'match.task_id[0] too_small', 'match.wen unsupported',
      'priority invalid_type', 'same_task invalid_value',
    ].sort());
    expect(errorsOf([])).toEqual([' invalid_type']);
  });

  it('is refused for rules that could not serve a message which brings none', () => {
    expect(errorsOf({ id: 'a', interaction: { quorum: 'majority' } })).toEqual(['interaction.quorum bare_role']);
    expect(errorsOf({ id: 'a', interaction: { on_timeout: 'default' } })).toEqual(['interaction.default_action required']);
    expect(errorsOf({ id: 'a', interaction: { resume: { reply_subject: 'hitl.team-b.reply.x', callback_url: 'file:///x' } } })).toEqual(['interaction.resume.callback_url invalid_format', 'interaction.resume.reply_subject outside_prefix']);
    expect(errorsOf({ id: 'a', interaction: { prompt: 'x'.repeat(16_000), review_data: { content: 'y'.repeat(60_000) } } })).toEqual(['interaction too_large']);
    expect(errorsOf({ id: 'a', match: { when: 'metdata.x' }, interaction: { approving: ['maybe'] } })).toEqual(['interaction.approving outside_options', 'match.when invalid_expression']);
  });

  it('is what the samples are', () => {
    const folder = new URL('../samples/', import.meta.url);
    const samples = readdirSync(folder);
    expect(samples.length).toBeGreaterThanOrEqual(3);
    for (const file of samples) {
      const read = checkPolicy(readPolicyText(readFileSync(new URL(file, folder)), file.endsWith('.json') ? 'application/json' : 'application/yaml'), 'default');
      expect(read, file).toMatchObject({ ok: true, policy: { document: { id: file.replace(/\.\w+$/, '') } } });
    }
  });

  it('is what the page about policies shows', () => {
    const [, shown] = /```yaml[^\n]*\n([^]*?)```/.exec(readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8'))!;
    expect(checkPolicy(readPolicyText(encodeUtf8(shown!), 'application/yaml'), 'default')).toMatchObject({ ok: true, policy: { document: { same_task: 'supersede', match: { task_id: ['loan/*', 'card-????'] } } } });
  });
});

describe('the text of a policy', () => {
  const refusal = (text: string, type: string) => {
    try {
      readPolicyText(encodeUtf8(text), type);
    } catch (error) {
      if (error instanceof UmpireError) return { code: error.code, errors: error.errors };
    }
    return null;
  };

  it('is the same as YAML and as JSON', () => {
    expect(readPolicyText(encodeUtf8('id: a\nmatch: {reasons: [custom_rule]}\ninteraction:\n  timeout_seconds: 60'), 'text/yaml; charset=utf-8'))
      .toEqual(readPolicyText(encodeUtf8('{"id":"a","match":{"reasons":["custom_rule"]},"interaction":{"timeout_seconds":60}}'), 'application/json'));
  });

  it('names line and column of what is no YAML', () => {
    expect(refusal('id: a\nmatch: [', 'application/yaml')).toMatchObject({ code: 'invalid', errors: [{ path: '', code: 'invalid_yaml', message: expect.stringMatching(/line 2/) }] });
    expect(refusal('id: a\nid: b', 'application/yaml')).toMatchObject({ errors: [{ message: expect.stringMatching(/unique.*line 2/) }] });
    expect(refusal(`a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]`, 'application/yaml')).toMatchObject({ errors: [{ code: 'invalid_yaml' }] });
    expect(refusal('{"id":', 'application/json')).toMatchObject({ code: 'malformed_json' });
  });
});
