import { spoken } from '../words.ts';
import type { AgentView, RequestView } from './hitl-request.ts';
import { Tree } from './tree.tsx';

/** The agents beside each other: what each decided, how sure it was, and why. */
export function Agents({ request }: { request: RequestView }) {
  const dissenters = request.agents.filter((agent) => agent.dissents).length;
  return (
    <section className="part" aria-labelledby="agents-title">
      <h3 id="agents-title">What the agents say</h3>
      <p className="row-facts">
        {request.state !== null && <span>{spoken(request.state)}</span>}
        {request.score !== null && <span>alignment {request.score.toFixed(2)}</span>}
        <span>{dissenters} of {request.agents.length} dissent</span>
        {request.areas.map((area) => <span key={area} className="tag" data-kind="area">{spoken(area)}</span>)}
      </p>
      {request.resolution !== null && <p className="summary">{request.resolution}</p>}
      <ul className="agents" data-count={Math.min(request.agents.length, 4)}>
        {request.agents.map((agent, index) => <Agent key={index} agent={agent} />)}
      </ul>
    </section>
  );
}

function Agent({ agent }: { agent: AgentView }) {
  const percent = agent.confidence === null ? null : Math.round(agent.confidence * 100);
  return (
    <li className="agent" data-dissents={agent.dissents}>
      <div className="agent-head">
        <strong className="agent-name">{agent.name}</strong>
        {agent.dissents && <span className="tag" data-kind="dissent">dissents</span>}
      </div>
      {agent.role !== '' && <p className="agent-role">{spoken(agent.role)}</p>}
      <p className="agent-decision">{shown(agent.decision)}</p>
      {percent !== null && (
        <div className="confidence">
          <div className="bar" role="meter" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-label={`Confidence of ${agent.name}`}>
            <span className="bar-fill" style={{ width: `${percent}%` }} />
          </div>
          <span className="percent">{percent} %</span>
        </div>
      )}
      {agent.rationale !== '' && <p className="rationale">{agent.rationale}</p>}
      {agent.evidence.length > 0 && (
        <>
          <p className="agent-label">Evidence</p>
          <ul className="evidence">{agent.evidence.map((one, index) => <li key={index}>{shown(one)}</li>)}</ul>
        </>
      )}
      {isFilled(agent.metadata) && <details><summary>Metadata</summary><Tree value={agent.metadata} /></details>}
    </li>
  );
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value) ?? 'nothing');
const isFilled = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length > 0;
