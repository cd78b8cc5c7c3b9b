/** What the engine measured before it names a state. */
export interface Findings {
  readonly agreement: boolean;
  readonly average: number;
  readonly spread: number;
  readonly areas: readonly string[];
}
