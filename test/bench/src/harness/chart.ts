import type { Chart } from './part.ts';
import { round } from './progress.ts';

const WIDTH = 760;
const LABELS = 270;
const ROW = 30;
const TOP = 44;

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** @returns a bar chart as SVG: medians as bars, the spread of the rounds as lines. Colours hold on light and dark pages. */
export function svgOf({ title, unit, bars }: Chart): string {
  const drawn = bars.filter(({ summary }) => Number.isFinite(summary.median));
  const most = Math.max(...drawn.map(({ summary }) => summary.max), Number.MIN_VALUE);
  const scale = (value: number) => (value / most) * (WIDTH - LABELS - 110);
  const rows = drawn.map(({ label, summary }, index) => {
    const y = TOP + index * ROW;
    const [low, high] = [LABELS + scale(summary.min), LABELS + scale(summary.max)];
    const own = label.startsWith('ours') || label.startsWith('→');
    return [
      `<text x="${LABELS - 10}" y="${y + 15}" text-anchor="end">${escape(label)}</text>`,
      `<rect x="${LABELS}" y="${y + 2}" width="${scale(summary.median).toFixed(1)}" height="18" fill="${own ? '#2f7d6b' : '#8a93a3'}"/>`,
      `<line x1="${low.toFixed(1)}" x2="${high.toFixed(1)}" y1="${y + 11}" y2="${y + 11}" stroke="#c2542d" stroke-width="2"/>`,
      `<text x="${(Math.max(high, LABELS + scale(summary.median)) + 8).toFixed(1)}" y="${y + 15}">${round(summary.median)}</text>`,
    ].join('\n');
  });
  const height = TOP + drawn.length * ROW + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}" font-family="system-ui, sans-serif" font-size="13" fill="#6b7280">
<text x="0" y="18" font-size="15" font-weight="600">${escape(title)}</text>
<text x="0" y="34" font-size="12">${escape(unit)}; bars: medians, lines: least to most of the rounds</text>
${rows.join('\n')}
</svg>
`;
}
