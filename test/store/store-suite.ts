/** What every engine of the store must do. Each runs it over a place of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nothingRemoved, type Deletion } from '../../src/contract/deletion.js';
import type { NewEvent, RunEvent } from '../../src/contract/event.js';
import type { SnapshotRecord } from '../../src/contract/snapshot.js';
import { failureOf } from '../../src/contract/failure.js';
import { newKey, readKeys, type EncryptionKey } from '../../src/encryption/keys.js';
import { openStore } from '../../src/store/open-store.js';
import type { StoreOptions } from '../../src/store/open-store.js';
import type { Environment, ListSnapshots, Store } from '../../src/store/store.js';
import { ChildStore } from './child-store.js';

/** Somewhere empty, to be shared by the processes of one test. */
export interface Place {
  optionsFor(environment: Environment): StoreOptions;
  remove(): Promise<void>;
}

const production: Environment = { namespace: 'default', taskQueue: 'production' };
const staging: Environment = { namespace: 'default', taskQueue: 'staging' };
const log = { workflowId: 'session/writer/tea', firstRunId: 'run-1' };
const start = { epoch: 0, seq: 0 };

/** An engine without keys, and with them. */
export function engines(engine: string): [engine: string, encryptionKeys: EncryptionKey[]][] {
  const keys = readKeys([newKey('new'), newKey('old')].join(), (problem) => expect.fail(problem));
  return [
    [engine, []],
    [`${engine} with keys`, keys],
  ];
}

export function storeSuite(engine: string, createPlace: () => Promise<Place>): void {
  let place: Place;
  let store: Store;
  let opened: Store[];
  let children: ChildStore[];

  beforeEach(async () => {
    place = await createPlace();
    opened = [];
    children = [];
    store = await open();
  });

  afterEach(async () => {
    await Promise.all(children.map((child) => child.kill()));
    await Promise.all(opened.map((each) => each.close()));
    await place.remove();
  });

  async function open(environment = production): Promise<Store> {
    const another = await openStore(place.optionsFor(environment));
    opened.push(another);
    return another;
  }

  async function openElsewhere(environment = production): Promise<ChildStore> {
    const child = await ChildStore.open(place.optionsFor(environment));
    children.push(child);
    return child;
  }

  describe(`${engine}: snapshots`, () => {
    const snapshot = (id: string, workflowId = 'a run'): SnapshotRecord => ({
      id,
      workflowId,
      firstRunId: 'run-1',
      at: '2026-11-26T14:00:00.000Z',
      reason: 'asked',
      turn: 2,
      length: 5,
      key: id,
    });

    test('those of a run are listed with the last one first, and found by their ids', async () => {
      for (const id of ['b', 'c', 'a']) await store.snapshots.add({ ...snapshot(id), label: `before ${id}` });
      await store.snapshots.add(snapshot('d', 'another run'));

      expect((await store.snapshots.list('a run')).map(({ id }) => id)).toEqual(['a', 'c', 'b']);
      expect((await store.snapshots.list('a run', { limit: 1 })).map(({ id }) => id)).toEqual(['a']);
      expect(await store.snapshots.list('no run')).toEqual([]);
      expect(await store.snapshots.get('c')).toEqual({ ...snapshot('c'), label: 'before c' });
      expect(await store.snapshots.get('e')).toBeUndefined();
    });

    test('those made for a reason are found among many others, and by the execution that left them', async () => {
      const made = (id: string, reason: SnapshotRecord['reason'], firstRunId: string) => ({ ...snapshot(id), reason, firstRunId });
      const left = [made('a', 'finished', 'run-1'), made('b', 'sleep', 'run-2'), made('c', 'finished', 'run-2')];
      for (const record of left) await store.snapshots.add(record);
      for (let i = 0; i < 101; i++) await store.snapshots.add(snapshot(`asked ${i}`));
      await store.snapshots.add({ ...left[0]!, id: 'd', workflowId: 'another run' });
      const find = async (options: ListSnapshots) => (await store.snapshots.list('a run', options)).map(({ id }) => id);

      expect(await find({ reason: 'sleep' })).toEqual(['b']);
      expect(await find({ reason: 'finished' })).toEqual(['c', 'a']);
      expect(await find({ reason: 'finished', limit: 1 })).toEqual(['c']);
      expect(await find({ reason: 'finished', firstRunId: 'run-1' })).toEqual(['a']);
      expect(await find({ reason: 'finished', firstRunId: 'run-3' })).toEqual([]);
      expect(await find({ reason: 'asked', limit: 1000 })).toHaveLength(101);
    });

    test('one added twice is there once, as it was', async () => {
      await Promise.all([store.snapshots.add(snapshot('a')), (await open()).snapshots.add(snapshot('a'))]);
      await store.snapshots.add({ ...snapshot('a'), turn: 3 });

      expect(await store.snapshots.list('a run')).toEqual([snapshot('a')]);
    });

    test('one removed is gone for everybody in its environment, and for nobody else', async () => {
      const elsewhere = await open(staging);
      for (const each of [store, elsewhere]) await each.snapshots.add(snapshot('a'));

      await store.snapshots.remove(['a', 'never there']);
      await store.snapshots.remove([]);

      expect(await (await open()).snapshots.get('a')).toBeUndefined();
      expect(await store.snapshots.list('a run')).toEqual([]);
      expect(await elsewhere.snapshots.get('a')).toEqual(snapshot('a'));
    });

    test('those of all runs are listed page by page, those of other environments are not', async () => {
      const ids = Array.from({ length: 25 }, (_, i) => `snapshot ${i}`);
      for (const [i, id] of ids.entries()) await store.snapshots.add(snapshot(id, `run ${i % 3}`));
      await (await open(staging)).snapshots.add(snapshot('theirs'));

      const found: SnapshotRecord[] = [];
      for (let page = await store.snapshots.all(undefined, 10); page.length > 0; page = await store.snapshots.all(page.at(-1)!.id, 10)) {
        found.push(...page);
        // What leaves the list does not take others with it.
        await store.snapshots.remove([page.at(-1)!.id]);
      }

      expect(found.map(({ id }) => id).sort()).toEqual(ids.sort());
      expect(found.find(({ id }) => id === 'snapshot 4')).toEqual(snapshot('snapshot 4', 'run 1'));
      expect(await store.snapshots.all()).toHaveLength(22);
    });

    test('ids and names are taken as they are', async () => {
      const odd = snapshot(`'; DROP TABLE snapshots; --`, 'a run/%_"線"');
      await store.snapshots.add(odd);

      expect(await store.snapshots.list(odd.workflowId)).toEqual([odd]);
    });
  });

  describe(`${engine}: blobs`, () => {
    test('a text is found again under a short name made of its content', async () => {
      const id = await store.blobs.put('a segment');

      expect(id).toBe('cfac0461d0e5963017d4cfbdf388ca69');
      expect(await store.blobs.get(id)).toBe('a segment');
    });

    test('the same text has one name, however often and by whomever it is put', async () => {
      const other = await open();

      const ids = await Promise.all([store, other, store].map((each) => each.blobs.put('said twice')));

      expect(new Set(ids).size).toBe(1);
      expect(await other.blobs.get(ids[0]!)).toBe('said twice');
    });

    test.each([
      ['nothing', ''],
      ['SQL', `'; DROP TABLE blobs; --`],
      ['zero bytes and line ends', 'a\0b\r\n\u2028c'],
      ['many alphabets', '\uFEFFнить 線 خيط 🧵 e\u0301'],
      ['20 MB that packs well', 'The phrase stubbornly persists. '.repeat(655_360)],
      ['20 MB that does not', Array.from({ length: 2_000_000 }, () => Math.random().toString(36).slice(2, 12).padEnd(10, '線')).join('')],
    ])('%s comes back as it was', async (_, text) => {
      const id = await store.blobs.put(text);
      const read = await store.blobs.get(id);

      // Not `toBe`: a difference of 20 MB is not worth printing.
      expect(read === text).toBe(true);
    });

    test('what nobody put is not there', async () => {
      expect(await store.blobs.get('0'.repeat(32))).toBeUndefined();
      expect(await store.blobs.get(`' OR 1 = 1 --`)).toBeUndefined();
    });

    test('more than 64 MiB is refused before anything is written', async () => {
      await expect(store.blobs.put('x'.repeat(64 * 1024 * 1024 + 1))).rejects.toMatchObject({ type: 'Input.TooLarge' });
    });
  });

  describe(`${engine}: collecting`, () => {
    const nothing = (): boolean => false;
    /** As it is stored: encrypted, it has a nonce and a tag as well. */
    const sizeOf = (text: string): number => Buffer.byteLength(text) + (place.optionsFor(production).encryptionKeys?.length ? 28 : 0);

    test('what nothing refers to is doomed, and deleted the next time; what is referenced stays', async () => {
      const [kept, lost] = [await store.blobs.put('kept'), await store.blobs.put('lost')];

      const first = await store.blobs.collect((id) => id === kept, 0);
      const afterFirst = await store.blobs.get(lost);
      const second = await store.blobs.collect((id) => id === kept, 0);

      expect(first).toEqual({ kept: 1, doomed: 1, deleted: 0, bytes: 0 });
      expect(afterFirst).toBe('lost');
      expect(second).toEqual({ kept: 1, doomed: 0, deleted: 1, bytes: sizeOf('lost') });
      expect([await store.blobs.get(kept), await store.blobs.get(lost)]).toEqual(['kept', undefined]);
      expect(await store.blobs.collect((id) => id === kept, 0)).toEqual({ kept: 1, doomed: 0, deleted: 0, bytes: 0 });
    });

    test('what is doomed stays for as long as it was given, however often others look', async () => {
      const [id, graceMs] = [await store.blobs.put('not yet'), 1000];
      const began = performance.now();
      let swept = await store.blobs.collect(nothing, graceMs);

      for (; swept.deleted === 0; await sleep(100)) {
        expect(swept).toMatchObject({ doomed: 1, deleted: 0 });
        swept = await store.blobs.collect(nothing, graceMs);
      }

      expect(swept).toMatchObject({ doomed: 0, deleted: 1 });
      // By a clock of its own.
      expect(performance.now() - began).toBeGreaterThan(graceMs - 50);
      expect(await store.blobs.get(id)).toBeUndefined();
    });

    test.each([
      ['a short text', 'said again'],
      ['a long one', 'said again '.repeat(20_000)],
    ])('%s that is put again is doomed no more: its time begins anew', async (_, text) => {
      const id = await store.blobs.put(text);
      await store.blobs.collect(nothing, 0);
      await (await open()).blobs.put(text);

      expect(await store.blobs.collect(nothing, 0)).toMatchObject({ doomed: 1, deleted: 0 });
      expect(await store.blobs.get(id)).toBe(text);
    });

    test('what is referenced again is doomed no more', async () => {
      const id = await store.blobs.put('remembered');
      await store.blobs.collect(nothing, 0);
      await store.blobs.collect(() => true, 0);

      expect(await store.blobs.collect(nothing, 0)).toMatchObject({ doomed: 1, deleted: 0 });
      expect(await store.blobs.get(id)).toBe('remembered');
    });

    test('a text that was deleted can be put again', async () => {
      const id = await store.blobs.put('back again');
      for (let i = 0; i < 2; i++) await store.blobs.collect(nothing, 0);
      await store.blobs.put('back again');

      expect(await store.blobs.get(id)).toBe('back again');
      expect(await store.blobs.collect(nothing, 0)).toMatchObject({ doomed: 1, deleted: 0 });
    });

    test('other environments are not touched', async () => {
      const other = await open(staging);
      const id = await other.blobs.put('theirs');
      await store.blobs.put('theirs');
      for (let i = 0; i < 2; i++) await store.blobs.collect(nothing, 0);

      expect([await store.blobs.get(id), await other.blobs.get(id)]).toEqual([undefined, 'theirs']);
      expect(await other.blobs.collect(nothing, 0)).toMatchObject({ doomed: 1, deleted: 0 });
    });

    test('more than fits on a page is seen once each, and others read and write meanwhile', async () => {
      const other = await open();
      const ids = await Promise.all(Array.from({ length: 1203 }, (_, i) => store.blobs.put(`text ${i}`)));
      const even = new Set(ids.filter((_, i) => i % 2 === 0));
      const seen: string[] = [];
      const writing = (async () => {
        for (let i = 0; i < 50; i++) await other.blobs.put(`beside ${i}`);
      })();

      const isEven = (id: string): boolean => {
        seen.push(id);
        return even.has(id);
      };
      await store.blobs.collect(isEven, 0);
      await writing;
      expect(new Set(seen).size).toBe(seen.length);
      expect(ids.every((id) => seen.includes(id))).toBe(true);
      const swept = await store.blobs.collect((id) => even.has(id), 0);

      expect(swept.kept).toBe(602);
      expect(swept.deleted).toBeGreaterThanOrEqual(601);
      expect(await Promise.all(ids.map(async (id) => (await store.blobs.get(id)) !== undefined))).toEqual(ids.map((id) => even.has(id)));
    });

    test('what is put between the look at it and its end is there afterwards', async () => {
      const other = await open();
      for (const text of Array.from({ length: 60 }, (_, i) => `put in between ${i} `.repeat(i % 2 ? 1 : 2000))) {
        const id = await store.blobs.put(text);
        await store.blobs.collect(nothing, 0);
        let putting: Promise<string> | undefined;
        const putNow = (found: string): boolean => {
          if (found === id) putting = other.blobs.put(text);
          return false;
        };

        await store.blobs.collect(putNow, 0);
        await putting;

        expect(putting).toBeDefined();
        expect(await store.blobs.get(id)).toBe(text);
      }
    });

    test('two processes that put and delete the same texts, many times: what was acknowledged is there', async () => {
      const graceMs = 200;
      const child = await openElsewhere();
      let isDone = false;
      const putting = child.tell({ do: 'cling', texts: 1000, judged: 500, forMs: 5000, graceMs }).finally(() => (isDone = true));
      let deleted = 0;
      while (!isDone) {
        deleted += (await store.blobs.collect(nothing, graceMs)).deleted;
        await sleep(2);
      }
      await putting;

      const [clung] = child.reports.filter((report) => report.is === 'clung');
      expect(clung?.lost).toEqual([]);
      // Otherwise this has shown nothing.
      expect(clung?.judged).toBeGreaterThan(500);
      expect(deleted).toBeGreaterThan(100);
    });
  });

  describe(`${engine}: deletions`, () => {
    const deletion = (dueAt: string, more: Partial<Deletion> = {}): Deletion => ({
      workflowId: 'session/clerk/anna',
      conversationId: 'run-1',
      reason: 'expired',
      requestedAt: '2026-11-26T14:00:00.000Z',
      dueAt,
      status: 'scheduled',
      removed: nothingRemoved,
      ...more,
    });
    const at = (time: string) => Date.parse(time);
    const [monday, tuesday] = ['2026-11-30T00:00:00.000Z', '2026-12-01T00:00:00.000Z'];

    test('what is due is found, the first one first; what is scheduled again has a new time; other environments have lists of their own', async () => {
      const [first, second, other] = [
        deletion(tuesday),
        deletion(monday, { conversationId: 'run-2' }),
        deletion(monday, { workflowId: 'other' }),
      ];
      for (const each of [first, second]) expect(await store.deletions.schedule(each)).toBe(true);
      await (await open(staging)).deletions.schedule(other);

      expect(await store.deletions.due(at(monday) - 1)).toEqual({ deletions: [], unreadable: 0 });
      expect(await (await open()).deletions.due(at(tuesday))).toEqual({ deletions: [second, first], unreadable: 0 });
      expect(await store.deletions.outlook(at(monday))).toEqual({ count: 2, nextMs: at(tuesday) });
      await store.deletions.schedule({ ...second, dueAt: '2027-01-01T00:00:00.000Z' });
      expect(await store.deletions.due(at(tuesday))).toMatchObject({ deletions: [first] });
      expect(await store.deletions.get(other)).toBeUndefined();
    });

    test('one begins once it is due; from then on it is neither scheduled nor withdrawn', async () => {
      const each = deletion(monday);
      await store.deletions.schedule(each);

      expect(await store.deletions.begin(each, at(monday) - 1)).toBe(false);
      expect(await store.deletions.begin(each, at(monday))).toBe(true);
      expect(await store.deletions.schedule(deletion(tuesday))).toBe(false);
      expect(await store.deletions.withdraw(each)).toBe(false);
      expect(await store.deletions.begin(each, 0)).toBe(true);
      await store.deletions.save({ ...each, status: 'removed', dueAt: tuesday });
      expect(await (await open()).deletions.get(each)).toMatchObject({ status: 'removed', dueAt: tuesday });
      await store.deletions.remove(each);
      expect(await store.deletions.outlook(0)).toEqual({ count: 0 });
      expect(await store.deletions.begin(each, at(tuesday))).toBe(false);
    });

    test('of who withdraws and who begins at the same moment one wins', async () => {
      const other = await open();
      const winners = new Set<string>();
      for (let i = 0; i < 60; i++) {
        const each = deletion(monday, { conversationId: `race-${i}` });
        await store.deletions.schedule(each);
        const begin = () => other.deletions.begin(each, at(monday));
        const early = i % 2 ? begin() : undefined;
        const withdrawing = store.deletions.withdraw(each);
        const [begun, withdrawn] = await Promise.all([early ?? begin(), withdrawing]);
        expect(withdrawn).toBe(!begun);
        winners.add(begun ? 'begun' : 'withdrawn');
      }
      expect(winners.size).toBeGreaterThan(0);
    });

    test('one that nobody has on the list is withdrawn already', async () => {
      expect(await store.deletions.withdraw(deletion(monday))).toBe(true);
    });

    test('logs are found by their run and by their owner, and are gone with all of their events', async () => {
      const nested = { workflowId: 'session/writer/tea/1-panel', firstRunId: 'run-3' };
      const woken = { ...log, firstRunId: 'run-2' };
      await store.events.append(log, said('one'));
      await store.events.append(woken, said('two'), log);
      await store.events.append(nested, said(...Array.from({ length: 1200 }, (_, i) => `nested ${i}`)), log);
      await store.events.append({ ...log, workflowId: 'session/writer/tea~2' }, said('another'));

      const byName = (logs: { firstRunId: string }[]) => logs.map(({ firstRunId }) => firstRunId).sort();
      expect(byName(await store.events.logs({ workflowId: log.workflowId }))).toEqual(['run-1', 'run-2']);
      expect(await (await open()).events.logs({ owner: log })).toEqual(expect.arrayContaining([woken, nested]));
      expect(await (await open(staging)).events.logs({ owner: log })).toEqual([]);
      expect(await store.events.remove(nested)).toBe(1200);
      expect(await store.events.remove(nested)).toBe(0);
      expect(await store.events.logs({ owner: log })).toEqual([woken]);
      expect(await store.events.end(nested)).toBe(0);
      expect(texts(await store.events.read(woken, start))).toEqual(['two']);
      await store.events.append(nested, said('again'));
      expect(await store.events.end(nested)).toBe(1);
      await store.scrub();
    });
  });

  describe(`${engine}: events`, () => {
    test('events are read in the order in which they were appended, numbered from 1', async () => {
      await store.events.append(log, said('one', 'two'));
      await store.events.append(log, said('three'));

      const events = await store.events.read(log, start);

      expect(texts(events)).toEqual(['one', 'two', 'three']);
      expect(events[0]).toEqual({ type: 'delta', at: '2026-01-02T03:04:05Z', text: 'one', seq: 1, epoch: 0, runId: log.workflowId });
      expect(seqs(events)).toEqual([1, 2, 3]);
    });

    test('an event of a known key is left out and takes no number', async () => {
      await store.events.append(log, said('one', 'two', 'one'));
      await store.events.append(log, said('two', 'three', `'); DROP TABLE events; --`, 'a\0b', 'a\0c'));
      await store.events.append(log, said('one'));

      const events = await store.events.read(log, start);

      expect(texts(events)).toEqual(['one', 'two', 'three', `'); DROP TABLE events; --`, 'a\0b', 'a\0c']);
      expect(seqs(events)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    test('a cursor continues where it stopped, page by page', async () => {
      await store.events.append(log, said('one', 'two', 'three', 'four', 'five'));

      const pages = [];
      for (let seq = 0; seq < 5; seq += 2) pages.push(texts(await store.events.read(log, { epoch: 0, seq }, { limit: 2 })));

      expect(pages).toEqual([['one', 'two'], ['three', 'four'], ['five']]);
      expect(await store.events.read(log, { epoch: 0, seq: 5 })).toEqual([]);
    });

    test('the end of a log is the number of its last event', async () => {
      const before = await store.events.end(log);
      await store.events.append(log, said('one', 'two', 'one'));

      expect(before).toBe(0);
      expect(await store.events.end(log)).toBe(2);
      expect(await store.events.end({ ...log, firstRunId: 'run-2' })).toBe(0);
    });

    test('a cursor of another epoch starts over', async () => {
      await store.events.append(log, said('one', 'two'));

      expect(texts(await store.events.read(log, { epoch: 7, seq: 2 }))).toEqual(['one', 'two']);
    });

    test('each execution of a workflow id has its own log', async () => {
      await store.events.append(log, said('first life'));
      await store.events.append({ ...log, firstRunId: 'run-2' }, said('second life'));

      expect(texts(await store.events.read(log, start))).toEqual(['first life']);
      expect(await store.events.read({ ...log, firstRunId: 'run-2' }, start)).toMatchObject([{ text: 'second life', seq: 1 }]);
    });

    test('a reader that waits is woken by the first event', async () => {
      const delays = [];

      for (let seq = 0; seq < 5; seq++) {
        const reading = store.events.read(log, { epoch: 0, seq }, { waitMs: 60_000 });
        await sleep(50);
        const told = performance.now();
        await store.events.append({ ...log, firstRunId: 'run-2' }, said(`not for you ${seq}`));
        await store.events.append(log, said(`for you ${seq}`));
        expect(texts(await reading)).toEqual([`for you ${seq}`]);
        delays.push(performance.now() - told);
      }

      // Whoever only looks now and then is never so quick; a machine may be busy now and then.
      expect(delays.sort((a, b) => a - b)[1]).toBeLessThan(500);
    });

    test('a reader that waits is woken by another process', async () => {
      const child = await openElsewhere();
      const delays = [];

      for (let seq = 0; seq < 10; seq++) {
        const reading = store.events.read(log, { epoch: 0, seq }, { waitMs: 60_000 });
        child.start({ do: 'tell-time', log, key: `${seq}` });
        const [event] = await reading;
        delays.push(Date.now() - Number((event as RunEvent & { text: string }).text));
      }

      expect(delays.sort((a, b) => a - b)[2]).toBeLessThan(500);
    });

    test('many readers wait at once, and each hears its own log', async () => {
      const logs = Array.from({ length: 200 }, (_, i) => ({ ...log, workflowId: `run-${i}` }));
      const reading = Promise.all(logs.map((each) => store.events.read(each, start, { waitMs: 60_000 })));

      const other = await open();
      await Promise.all(logs.map((each) => other.events.append(each, said(`to ${each.workflowId}`))));

      expect((await reading).map(texts)).toEqual(logs.map((each) => [`to ${each.workflowId}`]));
    });

    test('a reader waits no longer than asked', async () => {
      const began = performance.now();

      expect(await store.events.read(log, start, { waitMs: 120 })).toEqual([]);

      expect(performance.now() - began).toBeGreaterThan(100);
      expect(performance.now() - began).toBeLessThan(20_000);
    });

    test('a reader stops waiting when it is told to', async () => {
      const stop = new AbortController();
      const reason = new Error('The watcher left.');
      const reading = store.events.read(log, start, { waitMs: 10_000, signal: stop.signal });
      stop.abort(reason);

      await expect(reading).rejects.toBe(reason);
      await expect(store.events.read(log, start, { signal: stop.signal })).rejects.toBe(reason);
    });

    test('two processes write one log: every event once, no number missing', async () => {
      const writers = await Promise.all([openElsewhere(), openElsewhere()]);

      await Promise.all([
        writers[0]!.tell({ do: 'append', log, prefix: 'left ', count: 2000, batch: 1 }),
        writers[1]!.tell({ do: 'append', log, prefix: 'right ', count: 2000, batch: 1 }),
      ]);

      const events = await readAll(store);
      expect(seqs(events)).toEqual(Array.from({ length: 4000 }, (_, i) => i + 1));
      expect(new Set(texts(events)).size).toBe(4000);
      for (const side of ['left', 'right']) {
        const own = texts(events).filter((text) => text.startsWith(side));
        expect(own).toEqual(Array.from({ length: 2000 }, (_, i) => `${side} ${i}`));
      }
    });

    test('two processes that write the same events write them once', async () => {
      const writers = await Promise.all([openElsewhere(), openElsewhere()]);

      await Promise.all(writers.map((writer) => writer.tell({ do: 'append', log, prefix: 'same ', count: 1000, batch: 7 })));

      const events = await readAll(store);
      expect(texts(events)).toEqual(Array.from({ length: 1000 }, (_, i) => `same ${i}`));
      expect(seqs(events)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    });
  });

  describe(`${engine}: kill -9`, () => {
    test('loses no text that was acknowledged and leaves no half of a batch', async () => {
      const batch = 20;
      for (const lifeMs of [40, 250, 700]) {
        const victims = await Promise.all([openElsewhere(), openElsewhere()]);
        for (const victim of victims) victim.start({ do: 'work', log, batch });
        await Promise.all(victims.map((victim) => victim.hears('appended')));
        await sleep(lifeMs);
        await Promise.all(victims.map((victim) => victim.kill()));
      }

      const survivor = await open();
      const reports = children.flatMap((child) => child.reports);
      const stored = reports.filter((report) => report.is === 'stored');
      const appended = reports.filter((report) => report.is === 'appended').flatMap((report) => report.keys);
      const events = await readAll(survivor);
      expect(stored.length).toBeGreaterThan(0);
      for (const { id, text } of stored) expect((await survivor.blobs.get(id))?.startsWith(text)).toBe(true);
      expect(seqs(events)).toEqual(Array.from({ length: events.length }, (_, i) => i + 1));
      expect(events.length % batch).toBe(0);
      expect(appended.length).toBeGreaterThan(0);
      const read = new Set(texts(events));
      expect(appended.filter((key) => !read.has(key))).toEqual([]);
    });
  });

  describe(`${engine}: permits`, () => {
    test('as many go as there are places, and everybody gets a turn', async () => {
      const other = await open();
      let now = 0;
      let most = 0;
      let turns = 0;
      let areFull = (): void => undefined;
      const full = new Promise<void>((resolve) => (areFull = resolve));

      await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          const permit = await (i % 2 ? store : other).permits.acquire('provider', 3);
          most = Math.max(most, ++now);
          if (most === 3) areFull();
          // Until all places are taken, and as long as it takes to get one too many.
          await full;
          await sleep(25);
          turns++;
          now--;
          await permit.release();
        }),
      );

      expect(most).toBe(3);
      expect(turns).toBe(40);
    });

    test('who came first goes first', async () => {
      const first = await store.permits.acquire('provider', 1);
      const order: number[] = [];
      const waiting = [1, 2, 3, 4].map(async (name) => {
        const permit = await store.permits.acquire('provider', 1);
        order.push(name);
        await permit.release();
      });
      await first.release();
      await Promise.all(waiting);

      expect(order).toEqual([1, 2, 3, 4]);
    });

    test('other names have places of their own', async () => {
      await store.permits.acquire('one provider', 1);

      await expect(store.permits.acquire('another provider', 1)).resolves.toBeDefined();
    });

    test('giving back twice gives back one place', async () => {
      const [first] = await Promise.all([store.permits.acquire('provider', 2), store.permits.acquire('provider', 2)]);
      await first.release();
      await first.release();
      await store.permits.acquire('provider', 2);

      await expect(isFull(store, 'provider', 2)).resolves.toBe(true);
    });

    test('who gives up waiting leaves with the reason, and keeps nobody from going', async () => {
      const first = await store.permits.acquire('provider', 1);
      const stop = new AbortController();
      const leaving = store.permits.acquire('provider', 1, { signal: stop.signal });
      const staying = store.permits.acquire('provider', 1);
      const reason = new Error('Cancelled.');
      stop.abort(reason);

      await expect(leaving).rejects.toBe(reason);
      await first.release();
      await expect(staying).resolves.toBeDefined();
    });

    test('a place counts in every process, and is handed on when it is given back', async () => {
      const child = await openElsewhere();
      await child.tell({ do: 'acquire', name: 'provider', limit: 1, leaseMs: 15_000 });
      const full = await isFull(store, 'provider', 1);
      const waiting = store.permits.acquire('provider', 1);
      await child.tell({ do: 'release' });

      expect(full).toBe(true);
      await expect(waiting).resolves.toBeDefined();
    });

    test('a holder keeps its place for as long as it lives, and not much longer', async () => {
      const child = await openElsewhere();
      await child.tell({ do: 'acquire', name: 'provider', limit: 1, leaseMs: 2000 });
      await sleep(4500);
      const fullWhileAlive = await isFull(store, 'provider', 1);
      await child.kill();
      const killed = performance.now();
      await store.permits.acquire('provider', 1);

      expect(fullWhileAlive).toBe(true);
      expect(performance.now() - killed).toBeLessThan(12_000);
    });

    test('a limit of nothing is refused', async () => {
      await expect(store.permits.acquire('provider', 0)).rejects.toMatchObject({ type: 'Input.Invalid' });
    });
  });

  describe(`${engine}: environments`, () => {
    test('what one environment writes, another does not see', async () => {
      const other = await open(staging);
      const id = await store.blobs.put('a secret of production');
      await store.events.append(log, said('from production'));
      await other.events.append(log, said('from staging'));
      await store.permits.acquire('provider', 1);

      expect(await other.blobs.get(id)).toBeUndefined();
      expect(texts(await store.events.read(log, start))).toEqual(['from production']);
      expect(await other.events.read(log, start)).toMatchObject([{ text: 'from staging', seq: 1 }]);
      await expect(other.permits.acquire('provider', 1)).resolves.toBeDefined();
    });

    test('a namespace and a task queue do not run into each other', async () => {
      const id = await (await open({ namespace: 'a', taskQueue: 'b/c' })).blobs.put('here');

      expect(await (await open({ namespace: 'a/b', taskQueue: 'c' })).blobs.get(id)).toBeUndefined();
    });
  });

  describe(`${engine}: closing`, () => {
    test('everything is there when it is opened again', async () => {
      const [id] = await Promise.all([store.blobs.put('written at the last moment'), store.events.append(log, said('goodbye'))]);
      await store.close();

      const again = await open();

      expect(await again.blobs.get(id)).toBe('written at the last moment');
      expect(texts(await again.events.read(log, start))).toEqual(['goodbye']);
    });

    test('places are given back', async () => {
      await store.permits.acquire('provider', 1);
      await store.close();

      await expect((await open()).permits.acquire('provider', 1)).resolves.toBeDefined();
    });

    test('who waits is told, and nothing more is taken', async () => {
      await store.permits.acquire('provider', 1);
      const waiting = [store.events.read(log, start, { waitMs: 10_000 }), store.permits.acquire('provider', 1)].map((promise) =>
        promise.then(
          () => 'went on',
          (error: unknown) => failureOf(error).type,
        ),
      );
      await store.close();
      await store.close();

      expect(await Promise.all(waiting)).toEqual(['Store.Unavailable', 'Store.Unavailable']);
      await expect(store.blobs.put('too late')).rejects.toMatchObject({ type: 'Store.Unavailable' });
    });
  });
}

/** Events that say their own key. */
function said(...keys: string[]): NewEvent[] {
  return keys.map((key) => ({ type: 'delta', key, at: '2026-01-02T03:04:05Z', text: key }));
}

function texts(events: RunEvent[]): string[] {
  return events.map((event) => (event.type === 'delta' ? event.text : event.type));
}

function seqs(events: RunEvent[]): number[] {
  return events.map((event) => event.seq);
}

async function readAll(store: Store): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const page = await store.events.read(log, { epoch: 0, seq: events.length });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

async function isFull(store: Store, name: string, limit: number): Promise<boolean> {
  const permit = await store.permits.acquire(name, limit, { signal: AbortSignal.timeout(400) }).catch(() => undefined);
  await permit?.release();
  return permit === undefined;
}
