import { describe, expect, test } from 'vitest';
import { handOn, requestOf, Team, withHandoffs, type Member } from './team.js';
import { standInReply } from '../../../src/llm/stand-in.js';

const desk: { [name: string]: Member } = {
  triage: {
    instructions: 'You are the front desk. Hand billing questions over to billing and technical ones to tech.',
    description: 'Greets people.',
  },
  billing: {
    instructions: 'You handle billing. Refunds take five working days.',
    description: 'Invoices, payments and refunds.',
  },
  tech: { instructions: 'You help with errors, crashes and logins.', description: 'Errors, crashes and logins.' },
};

describe('handing over', () => {
  test.each([
    ['I want my payment refunded.', ['triage', 'billing']],
    ['The app crashes.', ['triage', 'tech']],
    ['Let me talk to billing.', ['triage', 'billing']],
    ['Good morning!', ['triage']],
  ])('goes to whoever the words are for: %s', (said, path) => {
    expect(handOn(withHandoffs(desk).hear(said), 'triage').path).toEqual(path);
  });

  test('is said to everybody, with a reason', () => {
    const team = withHandoffs(desk).hear('I want my payment refunded.');

    expect(team.reply('triage')).toMatchObject({
      text: 'I hand over to billing: it is about “payment” and “refunded”.',
      calls: [{ name: 'transfer_to_billing', arguments: { reason: 'it is about “payment” and “refunded”.' } }],
    });
  });

  test('is left alone by whoever the words fit as well, whatever their instructions say of others', () => {
    const both = {
      ...desk,
      billing: { ...desk.billing, instructions: 'You handle invoices and payments. Pass crashes on to tech.' },
    } as typeof desk;

    expect(handOn(withHandoffs(both).hear('My payment is missing.'), 'billing').path).toEqual(['billing']);
    expect(handOn(withHandoffs(both).hear('It crashes.'), 'billing').path).toEqual(['billing', 'tech']);
  });

  test('never goes back to whoever has handed over, and starts anew with the next words from outside', () => {
    const team = withHandoffs({
      left: { instructions: 'You greet.', description: 'Tea and coffee.' },
      right: { instructions: 'You greet.', description: 'Tea and milk.' },
    }).hear('Tea, please.');

    expect(handOn(team, 'left').path).toEqual(['left', 'right']);
    expect(handOn(team.hear('Now coffee.'), 'right').path).toEqual(['right', 'left']);
    expect(handOn(team.hear('And now milk.', { author: 'ada' }), 'left').path).toEqual(['left', 'right']);
  });

  test('does not go in circles where nobody says a word about it', () => {
    const team = withHandoffs(desk).hear('I want my payment refunded.');
    const { messages } = {
      messages: [
        { role: 'system', content: desk['triage']?.instructions ?? '' },
        { role: 'user', content: 'I want my payment refunded.' },
        { role: 'assistant', content: '', calls: [{ id: 'c1', name: 'transfer_to_billing', arguments: '{}' }] },
        { role: 'tool', callId: 'c1', content: 'the conversation goes over to billing.' },
      ],
    };

    expect(standInReply(requestOf(messages, { tools: team.members['triage']?.tools ?? [] })).calls).toBeUndefined();
  });

  test('is not possible where an answer is due', () => {
    expect(withHandoffs(desk).hear('The app crashes.').reply('triage', { toolChoice: 'none' }).calls).toBeUndefined();
  });
});

describe('whoever has the conversation', () => {
  test('answers with what the instructions say, and with what the tools find', () => {
    const order = {
      name: 'find_order',
      description: 'Finds an order.',
      parameters: { type: 'object', properties: { orderId: { type: 'string' } }, required: ['orderId'] },
    };
    const team = withHandoffs({
      ...desk,
      orders: { instructions: 'You look after orders.', description: 'Orders and parcels.', tools: [order] },
    });

    expect(handOn(team.hear('How long does a refund take?'), 'triage').reply.text).toBe('Refunds take five working days.');
    const found = handOn(team.hear('Where is my order 1042?'), 'billing', (call, args) => `${call}:${JSON.stringify(args)}`);
    expect(found.path).toEqual(['billing', 'orders']);
    expect(found.reply.text).toBe('find_order: find_order:{"orderId":"1042"}');
  });

  test('asks a person for what a tool needs, and goes on with the answer', () => {
    const order = {
      name: 'find_order',
      description: 'Finds an order.',
      parameters: { type: 'object', properties: { orderId: { type: 'string' } }, required: ['orderId'] },
    };
    const team = new Team({ clerk: { instructions: 'You look after orders.', tools: [order] } }).hear('Where is my order?');

    expect(team.turn('clerk').text).toBe('Before I can use find_order, tell me: which order id?');
    team.hear('1042');
    expect(team.reply('clerk').calls).toEqual([{ name: 'find_order', arguments: { orderId: '1042' } }]);
    expect(team.turn('clerk', () => 'on its way').text).toBe('find_order: on its way');
  });
});

describe('completing the task', () => {
  test.each(['Thanks, that is all!', 'Thank you very much. Goodbye.', 'No, thanks.'])('follows a farewell: %s', (said) => {
    const team = withHandoffs(desk).hear('How long does a refund take?');
    handOn(team, 'billing');

    expect(team.hear(said).reply('billing')).toMatchObject({
      calls: [{ name: 'complete_task', arguments: { summary: 'Refunds take five working days.' } }],
    });
  });

  test.each(['I want my payment refunded, thanks.', 'Thanks! And how long does it take?'])(
    'does not follow mere politeness: %s',
    (said) => {
      const team = withHandoffs(desk).hear('Hello.');
      team.turn('billing');

      expect(team.hear(said).reply('billing').calls).toBeUndefined();
    },
  );

  test('comes with the answer where the instructions say so', () => {
    const told = withHandoffs({ ...desk, billing: { instructions: 'Refunds take five days. Complete the task when you have answered.' } });
    const careful = withHandoffs({
      ...desk,
      billing: { instructions: 'Refunds take five days. Complete the task once the customer is happy.' },
    });

    expect(told.hear('How long does a refund take?').reply('billing')).toMatchObject({
      text: 'Refunds take five days.',
      calls: [{ name: 'complete_task', arguments: { summary: 'Refunds take five days.' } }],
    });
    expect(careful.hear('How long does a refund take?').reply('billing').calls).toBeUndefined();
  });

  test('ends what nobody answers', () => {
    const team = withHandoffs(desk).hear('How long does a refund take?');
    team.turn('billing');
    team.hear('Nobody answers for the moment. Go on by yourself: hand over, complete the task, or say what comes next.', {
      to: ['billing'],
    });
    expect(team.reply('billing').calls).toMatchObject([{ name: 'complete_task' }]);

    const without = withHandoffs(desk, false).hear('How long does a refund take?');
    without.turn('billing');
    without.hear('Nobody has answered. Go on without an answer.');
    expect(without.reply('billing')).toMatchObject({ text: 'Nothing is left to add.' });
  });
});

describe('agents as tools', () => {
  const ask = (name: string, about: string) => ({
    name: `ask_${name}`,
    description: `Asks ${name}, and returns the answer. ${about}`,
    parameters: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
  });
  const lead = (instructions: string) =>
    new Team({ lead: { instructions, tools: [ask('weather', 'Rain, sun and wind.'), ask('trains', 'Trains and timetables.')] } });
  const answers = (call: string) => (call === 'ask_weather' ? 'It rains.' : 'At nine.');

  test('are asked the request where it fits them, once, and their answer is the reply', () => {
    const team = lead('You help travellers.').hear('Will there be rain in Oslo?');

    expect(team.reply('lead').calls).toEqual([{ name: 'ask_weather', arguments: { message: 'Will there be rain in Oslo?' } }]);
    expect(team.turn('lead', answers).text).toBe('It rains.');
    expect(team.hear('And the trains?').turn('lead', answers).text).toBe('At nine.');
  });

  test('are all asked where several fit, or where the instructions name them', () => {
    const both = '**weather:** It rains.\n\n**trains:** At nine.';

    expect(lead('You help.').hear('Is there rain, and is there a train?').turn('lead', answers).text).toBe(both);
    expect(lead('Ask weather and trains, then answer.').hear('Shall I go to Oslo?').turn('lead', answers).text).toBe(both);
    expect(lead('You help.').hear('Good morning.').reply('lead').calls).toBeUndefined();
  });
});
