import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { failureOf } from '../../src/contract/failure.js';
import { loadConfig } from '../../src/config.js';

const url = 'postgresql://me:hush@db.example/ostinato';

test('the address of the store is read from the environment, and code wins over it', () => {
  expect(loadConfig({}, {}).storeUrl()).toBeUndefined();
  expect(loadConfig({}, { OSTINATO_STORE_URL: '  ' }).storeUrl()).toBeUndefined();
  expect(loadConfig({}, { OSTINATO_STORE_URL: url }).storeUrl()).toBe(url);
  expect(loadConfig({ storeUrl: 'postgres:///local' }, { OSTINATO_STORE_URL: url }).storeUrl()).toBe('postgres:///local');
});

test('its password is not printed with the settings', () => {
  const config = loadConfig({}, { OSTINATO_STORE_URL: url });

  expect(inspect(config, { depth: 10 }) + JSON.stringify(config)).not.toContain('hush');
});

test.each(['mysql://me:hush@host/db', 'me:hush@host', 'postgresql://'])('%s is refused, and not repeated', (wrong) => {
  const failure = failureOf(
    (() => {
      try {
        return loadConfig({}, { OSTINATO_STORE_URL: wrong });
      } catch (error) {
        return error;
      }
    })(),
  );

  expect(failure.type).toBe('Input.Invalid');
  expect(failure.message).toContain('OSTINATO_STORE_URL: expected an address that begins with postgresql://');
  expect(JSON.stringify(failure)).not.toContain('hush');
});
