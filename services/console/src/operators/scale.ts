const STEPS = [1, 2, 4, 5, 8];
const SPLITS = [4, 5, 2];

/** The least of 1, 2, 4, 5, 8 and their tenfold that nothing stands above, and into how many whole parts it falls. @param most at least 1 */
export function scaleOf(most: number): { top: number; parts: number } {
  for (let ten = 1; ; ten *= 10) {
    const top = STEPS.map((step) => step * ten).find((step) => step >= most);
    if (top !== undefined) return { top, parts: SPLITS.find((parts) => top % parts === 0) ?? 1 };
  }
}
