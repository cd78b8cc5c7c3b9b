import type { UiSchema } from '@umpire/contract';

/** The seed's forms, without its prefilled judgements (a confidence of 0.9, a box that is unticked): what people are shown. */
export const forms = {
  review: (): UiSchema => ({
    type: 'review',
    fields: [
      { name: 'decision', type: 'radio', options: ['approve', 'reject', 'request_changes'], required: true },
      { name: 'feedback', type: 'textarea', label: 'Feedback/Comments', required: false },
      { name: 'suggested_changes', type: 'textarea', label: 'Suggested Changes', required: false },
    ],
  }),

  manual: (reason: string | null): UiSchema => ({
    type: 'manual_processing',
    context: reason === null ? 'A person was asked already' : `Automated processing failed: ${reason}`,
    fields: [
      { name: 'manual_result', type: 'textarea', label: 'Manual Processing Result', required: true },
      { name: 'confidence', type: 'number', label: 'Confidence Level (0-1)', min: 0, max: 1, step: 0.1 },
    ],
  }),

  /** The server numbers the rounds: its own form differs in iteration and default once a round has been answered. */
  refinement: (iteration: number, current: unknown): UiSchema => ({
    type: 'iterative_refinement',
    iteration,
    fields: [
      {
        name: 'refined_result', type: 'textarea', label: `Refine Result (Iteration ${iteration})`, required: true,
        default: typeof current === 'string' ? current : JSON.stringify(current, null, 2),
      },
      { name: 'refinement_notes', type: 'textarea', label: 'What changes did you make?', required: false },
      { name: 'continue_refining', type: 'checkbox', label: 'Continue to next iteration?', required: false },
    ],
  }),

  urgent: (seconds: number): UiSchema => ({
    type: 'urgent_decision',
    fields: [
      { name: 'decision', type: 'radio', options: ['proceed', 'abort', 'modify'], required: true },
      { name: 'urgency_acknowledged', type: 'checkbox', label: `I understand this decision expires in ${inWords(seconds)}`, required: true },
    ],
  }),

  approval: (): UiSchema => ({
    type: 'approval',
    fields: [
      { name: 'decision', type: 'radio', options: ['approve', 'reject'], required: true },
      { name: 'comments', type: 'textarea', label: 'Comments (optional)' },
    ],
  }),
} as const;

function inWords(seconds: number): string {
  const [count, unit] = seconds >= 60 ? [Math.floor(seconds / 60), 'minute'] : [Math.ceil(seconds), 'second'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
