/**
 * What the manager of a magentic run is told. Each can be replaced by an option of the same name; `{words}` in braces are filled in:
 * `{team}` the members and what they are for, `{facts}`, `{plan}`, `{names}`, `{reason}` why there is a new plan, `{feedback}` of a person.
 * The manager hears the whole conversation, the task included, besides.
 */
export const magenticPrompts = {
  facts: `Before anybody begins: take stock of the task in this conversation. Write down, each under a heading of its own,
1. the facts that the task itself states,
2. the facts that have to be looked up, and where,
3. the facts that have to be worked out, by thinking or computing,
4. what you know or guess already, marked as such.
Write no plan yet.`,

  plan: `These members are at your disposal, and nobody else:
{team}

What is known:
{facts}

Write a short plan as a list: who does what, in which order. Not everybody has to take part.`,

  newFacts: `The work has come to a halt: {reason}
These were the facts:
{facts}

Write them anew, with what has been learnt since. Where a guess turned out right or wrong, say so; revise at least one guess.`,

  newPlan: `Say in a sentence or two what went wrong. Then write a new plan that avoids it, as a short list: who does what, in which order.
The members:
{team}

What is known by now:
{facts}

The plan so far:
{plan}`,

  revisedPlan: `A person has read the plan and wants it changed:
{feedback}

The plan:
{plan}

What is known:
{facts}

The members:
{team}

Write the plan anew, as a short list, with these changes.`,

  /** What the members are given before the work begins. */
  ledger: `We work on the task together.

The members:
{team}

What is known:
{facts}

The plan:
{plan}`,

  progress: `Look at where the work stands. The members: {names}

1. is_request_satisfied: is the task done, completely, so that nothing is left to do?
2. is_in_loop: is the same thing being said or tried again and again?
3. is_progress_being_made: did the last turns bring the work forward?
4. next_speaker: who speaks next? One of: {names}.
5. instruction_or_question: what exactly are they to do or to answer? Say it to them, with everything that they have to know.

Give a reason for each.`,

  finalAnswer: `The work is over. Answer the task now, for the person who gave it, out of what was found in this conversation. Say the answer
itself, and nothing about how it was worked out.`,

  /** Instead of it when a limit was reached before the task was done. */
  partialAnswer: `The work had to be stopped before the task was done. Give the person who asked the best answer that this conversation allows, and say
plainly what is missing.`,
};

export type MagenticPrompts = typeof magenticPrompts;

export const magenticPromptNames = Object.keys(magenticPrompts) as (keyof MagenticPrompts)[];

/** Who manages when nobody else does. */
export const standardManager = {
  name: 'manager',
  description: 'Plans, gives instructions and judges the progress.',
  instructions:
    'You lead a team of agents. You do not do their work: you plan it, say who does what, judge how it goes, and answer the task when it is done.',
};
