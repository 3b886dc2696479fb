import type { DraftAnswer } from '../api/answers.js';
import type { CardLine } from '../output/print.js';
import type { Column } from '../output/table.js';
import { relativeTime } from '../output/times.js';

/** A draft as a person reads it; `now` in milliseconds since the epoch. */
export function draftCard(draft: DraftAnswer, now: number): CardLine[] {
  const { id, subject, person, resource, action, policy, reason, request, source } = draft;
  return [
    ['draft', id],
    ['subject', subject],
    ['person', person],
    ['resource', resource],
    ['action', action],
    ['policy', policy],
    ['refused', `${draft.count === 1 ? 'once' : `${draft.count} times`}, last ${relativeTime(draft.lastAt, now)}`],
    ['because', reason],
    ['tried', request],
    ['from', source],
    ['decision', draft.decisionId],
    ['gone', `${relativeTime(draft.expiresAt, now)} (${draft.expiresAt})`],
    ['try', submitCommand(draft)],
  ];
}

/** How drafts are listed. */
export function draftColumns(now: number): Column<DraftAnswer>[] {
  return [
    { title: 'DRAFT', text: ({ id }) => id },
    { title: 'LAST', text: ({ lastAt }) => relativeTime(lastAt, now) },
    { title: 'TIMES', text: ({ count }) => String(count) },
    { title: 'BECAUSE', text: ({ reason }) => reason },
    { title: 'RESOURCE', text: ({ resource }) => resource, flexible: true },
    { title: 'ACTION', text: ({ action }) => action, flexible: true },
    { title: 'TRIED', text: ({ request }) => request ?? '', flexible: true },
    { title: 'SUBJECT', text: ({ subject }) => subject, flexible: true },
  ];
}

/** The command that makes a request of it. */
function submitCommand({ id, justification }: Pick<DraftAnswer, 'id' | 'justification'>): string {
  return `portcullis request --draft ${id}${justification === 'required' ? ' --reason "..."' : ''}`;
}
