/** What the page shows of a HITLRequest, read with care: producers may send more, and other shapes in the fields that are free. */
export type AgentView = { name: string; role: string; decision: unknown; confidence: number | null; rationale: string; evidence: unknown[]; metadata: unknown; dissents: boolean };
export type RequestView = { agents: AgentView[]; areas: string[]; score: number | null; state: string | null; resolution: string | null; rest: Record<string, unknown> };

const record = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {});
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export function readRequest(data: unknown): RequestView | null {
  const request = record(data);
  if (!Array.isArray(request['agent_decisions'])) return null;
  const metadata = record(request['metadata']);
  const dissenting = new Set(list(request['dissenting_agents']));
  return {
    agents: request['agent_decisions'].map((one) => readAgent(record(one), dissenting)),
    areas: list(metadata['disagreement_areas']).filter((area): area is string => typeof area === 'string'),
    score: number(request['alignment_score']),
    state: text(request['alignment_state']),
    resolution: text(metadata['resolution_rationale']),
    rest: Object.fromEntries(Object.entries(request).filter(([name]) => name !== 'agent_decisions')),
  };
}

function readAgent(agent: Record<string, unknown>, dissenting: ReadonlySet<unknown>): AgentView {
  return {
    name: text(agent['agent_name']) ?? '(unnamed)',
    role: text(agent['role_type']) ?? '',
    decision: agent['decision_value'],
    confidence: number(agent['confidence']),
    rationale: text(agent['rationale']) ?? '',
    evidence: list(agent['evidence']),
    metadata: agent['metadata'],
    dissents: dissenting.has(agent['agent_name']),
  };
}
